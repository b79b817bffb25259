"""``python -m tests.simulation.mutants``: break the code in each place, and tell seeds until the simulation notices."""

from __future__ import annotations

import argparse
import sys

import pytest

from tests.simulation.mutants.breakages import MUTANTS, Mutant
from tests.simulation.story import Ending, tell


def main() -> int:
    """Tell; 1 when a mutant is not noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants", description=__doc__)
    parser.add_argument("--most", type=int, default=100, help="how many seeds to tell at most with each")
    parser.add_argument("--only", default="", help="the mutants whose name contains this")
    given = parser.parse_args()
    unnoticed = 0
    for mutant in MUTANTS:
        if given.only in mutant.name:
            ending = noticed(mutant, given.most)
            unnoticed += ending is None
            print(f"{mutant.name:28} {_said(ending, given.most)}")
    return 1 if unnoticed else 0


def noticed(mutant: Mutant, most: int) -> Ending | None:
    """The first seed whose story breaks a promise with it."""
    with pytest.MonkeyPatch.context() as patch:
        mutant.mutate(patch)
        endings = (tell(seed) for seed in dict.fromkeys((mutant.seed, *range(most))))
        return next((ending for ending in endings if ending.broken), None)


def _said(ending: Ending | None, most: int) -> str:
    if ending is None:
        return f"NOT NOTICED in {most} seeds"
    return f"noticed by seed {ending.seed}: {str(ending.broken)[:110]}"


if __name__ == "__main__":
    sys.exit(main())
