"""``python -m tests.simulation``: tell the fixed seeds, or one of them again."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from tests.simulation.coverage import Coverage
from tests.simulation.crowd import tell_all
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
    parser.add_argument("--trace", action="store_true", help="print all that happens in the one seed")
    parser.add_argument("--digest", action="store_true", help="print what tells two stories apart")
    given = parser.parse_args()
    if given.seed is not None:
        return _one(given.seed, trace=given.trace, digest=given.digest)
    return _many(range(given.first, given.first + given.count))


def _one(seed: int, *, trace: bool, digest: bool) -> int:
    ending = tell(seed, [_print] if trace else [])
    if digest:
        print(ending.digest)
    if ending.broken:
        _complain(ending)
    return 1 if ending.broken else 0


def _many(seeds: Sequence[int]) -> int:
    began, coverage = time.perf_counter(), Coverage()
    endings = []
    for ending in tell_all(seeds, coverage):
        endings.append(ending)
        if ending.broken:
            _complain(ending)
    seconds = time.perf_counter() - began
    broken = sum(bool(ending.broken) for ending in endings)
    events = sum(coverage.count(" event "))
    faults = sum(coverage.count("fault "))
    print(
        f"{len(endings)} seeds in {seconds:.1f} s: {sum(ending.deliveries for ending in endings)} publications, "
        f"{events} steps of a core ({events / seconds:.0f}/s), {faults} faults, {broken} with a broken promise"
    )
    return 1 if broken else 0


def _print(record: Record) -> None:
    for line in lines(record):
        print(line)


def _complain(ending: Ending) -> None:
    print(f"seed {ending.seed} at {ending.at:.3f} s: {ending.broken}")
    print(f"  again: make sim SEED={ending.seed} ARGS=--trace")


if __name__ == "__main__":
    sys.exit(main())
