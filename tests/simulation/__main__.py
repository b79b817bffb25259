"""``python -m tests.simulation``: tell the fixed seeds, or one of them again."""

from __future__ import annotations

import argparse
import sys
import time

from tests.simulation.story import Ending, tell
from tests.simulation.telling import lines
from tests.simulation.trace import Record

FIXED = 200


def main() -> int:
    """Tell seeds; 1 when a promise broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="tell this one alone")
    parser.add_argument("--count", type=int, default=FIXED, help="how many seeds to tell")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--trace", action="store_true", help="print all that happens")
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.count) if given.seed is None else (given.seed,)
    began, broken, deliveries = time.perf_counter(), 0, 0
    for seed in seeds:
        ending = tell(seed, [_print] if given.trace else [])
        deliveries += ending.deliveries
        if ending.broken is not None:
            broken += 1
            _complain(ending)
    seconds = time.perf_counter() - began
    print(f"{len(seeds)} seeds, {deliveries} publications, {seconds:.1f} s, {broken} with a broken promise")
    return 1 if broken else 0


def _print(record: Record) -> None:
    for line in lines(record):
        print(line)


def _complain(ending: Ending) -> None:
    print(f"seed {ending.seed} at {ending.at:.3f} s: {ending.broken}")
    print(f"  again: python -m tests.simulation --seed {ending.seed} --trace")


if __name__ == "__main__":
    sys.exit(main())
