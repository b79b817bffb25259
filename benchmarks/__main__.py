"""``make bench``: measure, print one table, write ``.cache/benchmarks.json``, from which ``make bench-pages`` makes the pages.

ARGS: names of parts (all without any), ``--rounds N`` runs of each, ``--quick`` for one small run of each.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import msgspec
from msgspec import Struct
from rich.console import Console

from benchmarks import audit, context_machine, fan, flood, hop, large, page, rest, restart, scale, timers
from benchmarks.figures import Figure, table

RESULTS = Path(".cache/benchmarks.json")
_QUICK_INSTANCES = 50
_QUICK_JOBS = 500
_QUICK_ROWS = 20_000

Measure = Callable[[int], Awaitable[list[Figure]]]


class Part(Struct, frozen=True):
    """Something to measure: how, how often, and how in a hurry."""

    measure: Measure
    rounds: int = 5
    quick: Measure | None = None


PARTS = {
    "hop": Part(hop.measure),
    "fan": Part(fan.measure),
    "orchestration": Part(context_machine.measure),
    "restart": Part(restart.measure, 1, lambda rounds: restart.measure(rounds, _QUICK_INSTANCES)),
    "timers": Part(timers.measure, 1),
    "rest": Part(rest.measure),
    "large": Part(large.measure, 1, lambda rounds: large.measure(rounds, _QUICK_JOBS)),
    "scale": Part(scale.measure, 1, lambda rounds: scale.measure(rounds, (10, 100))),
    "flood": Part(flood.measure, 1),
    "page": Part(page.measure),
    "audit": Part(audit.measure, 1, lambda rounds: audit.measure(rounds, _QUICK_ROWS)),
}


class Results(Struct, frozen=True, kw_only=True):
    """One run of the benchmarks."""

    at: datetime
    machine: str
    figures: tuple[Figure, ...]


async def _measured(names: list[str], rounds: int, *, quick: bool) -> list[Figure]:
    figures: list[Figure] = []
    for name in names:
        part, begun = PARTS[name], perf_counter()
        measure = part.quick or part.measure if quick else part.measure
        Console(stderr=True).print(f"{name} ...", end=" ")
        figures += await measure(1 if quick else rounds or part.rounds)
        Console(stderr=True).print(f"{perf_counter() - begun:.0f} s")
    return figures


def machine() -> str:
    """Where it was measured."""
    cores = os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return (
        f"{cores} cores, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, load {load:.1f} before"
    )


def main() -> None:
    """Measure what is asked for; parts measured before and not now are kept in the file."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    unknown = [name for name in given.parts if name not in PARTS]
    if unknown:
        parser.error(f"no part is called {unknown[0]}; there are {', '.join(PARTS)}")
    names, where = given.parts or list(PARTS), machine()
    figures = asyncio.run(_measured(names, given.rounds, quick=given.quick))
    Console(width=200).print(table(figures, where))
    if not given.quick:
        keep(figures, where)


def keep(figures: list[Figure], where: str) -> None:
    """Write them down, in the place of what was measured of the same parts before."""
    now = {figure.part for figure in figures}
    before = msgspec.json.decode(RESULTS.read_bytes(), type=Results).figures if RESULTS.exists() else ()
    kept = [figure for figure in before if figure.part not in now]
    results = Results(at=datetime.now(UTC), machine=where, figures=(*kept, *figures))  # noqa: TID251  # when it was
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(results)))


if __name__ == "__main__":
    main()
