"""``python -m tests.simulation.mutants``: break the code in each place, and tell seeds until the simulation notices."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

import pytest

from tests.simulation.mutants.breakages import MUTANTS, Mutant
from tests.simulation.story import Ending, tell


def main() -> int:
    """Tell; 1 when a mutant is not noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants", description=__doc__)
    parser.add_argument("--most", type=int, default=100, help="how many seeds to tell at most with each")
    parser.add_argument(
        "--times", type=int, default=1, help="how many of them have to notice it, before the next one's turn"
    )
    parser.add_argument("--only", default="", help="the mutants whose name contains this")
    given = parser.parse_args()
    unnoticed = 0
    for mutant in MUTANTS:
        if given.only in mutant.name:
            told = told_with(mutant, given.most, given.times)
            broken = [ending for ending in told if ending.broken]
            unnoticed += not broken
            print(f"{mutant.name:28} {_said(broken, len(told))}", flush=True)
    return 1 if unnoticed else 0


def noticed(mutant: Mutant, most: int) -> Ending | None:
    """The first seed whose story breaks a promise with it."""
    return next((ending for ending in told_with(mutant, most) if ending.broken), None)


def told_with(mutant: Mutant, most: int, times: int = 1) -> list[Ending]:
    """The endings of seeds told with it, until it was noticed so many times."""
    with pytest.MonkeyPatch.context() as patch:
        mutant.mutate(patch)
        return list(_until(times, map(tell, dict.fromkeys((mutant.seed, *range(most))))))


def _until(times: int, endings: Iterator[Ending]) -> Iterator[Ending]:
    for ending in endings:
        yield ending
        times -= bool(ending.broken)
        if not times:
            return


def _said(broken: list[Ending], told: int) -> str:
    if not broken:
        return f"NOT NOTICED in {told} seeds"
    first = broken[0]
    return f"noticed by {len(broken)} of {told}, first by seed {first.seed}: {str(first.broken)[:110]}"


if __name__ == "__main__":
    sys.exit(main())
