"""``make bench``: measure, print one table, write ``docs/benchmarks.json``, from which ``make bench-pages`` makes the pages.

ARGS: names of parts (all without any), ``--rounds N`` runs of each, ``--quick`` for one small run of each.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter

from msgspec import Struct
from rich.console import Console

from benchmarks import audit, context_machine, fan, flood, hop, large, page, rest, restart, scale, timers
from benchmarks.figures import Figure, table
from benchmarks.results import keep, machine

_ROUNDS = 5
_QUICK_INSTANCES = 50
_QUICK_JOBS = 500
_QUICK_ROWS = 20_000

Measure = Callable[[int], Awaitable[list[Figure]]]


class Part(Struct, frozen=True):
    """Something to measure: how, and how in a hurry."""

    measure: Measure
    quick: Measure | None = None


PARTS = {
    "hop": Part(hop.measure),
    "chains": Part(hop.by_length, lambda rounds: hop.by_length(rounds, (10, 20))),
    "fan": Part(fan.measure),
    "orchestration": Part(context_machine.measure),
    "restart": Part(restart.growth, lambda rounds: restart.measure(rounds, _QUICK_INSTANCES)),
    "timers": Part(timers.measure),
    "rest": Part(rest.measure),
    "large": Part(large.measure, lambda rounds: large.measure(rounds, _QUICK_JOBS)),
    "scale": Part(scale.measure, lambda rounds: scale.measure(rounds, (10, 100), _QUICK_JOBS)),
    "flood": Part(flood.measure),
    "page": Part(page.measure),
    "audit": Part(audit.measure, lambda rounds: audit.measure(rounds, _QUICK_ROWS)),
}


async def _measured(name: str, rounds: int, *, quick: bool) -> list[Figure]:
    part, begun = PARTS[name], perf_counter()
    measure = part.quick or part.measure if quick else part.measure
    Console(stderr=True).print(f"{name} ...", end=" ")
    figures = await measure(1 if quick else rounds or _ROUNDS)
    Console(stderr=True).print(f"{perf_counter() - begun:.0f} s")
    return figures


def main() -> None:
    """Measure what is asked for; each part is kept as soon as it is over, beside those measured before."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    unknown = [name for name in given.parts if name not in PARTS]
    if unknown:
        parser.error(f"no part is called {unknown[0]}; there are {', '.join(PARTS)}")
    figures: list[Figure] = []
    where = machine()
    for name in given.parts or PARTS:
        before = machine()
        found = asyncio.run(_measured(name, given.rounds, quick=given.quick))
        if not given.quick:
            keep(name, found, before)
        figures += found
    Console(width=200).print(table(figures, where))


if __name__ == "__main__":
    main()
