"""``make bench``: measure, print one table, write ``.cache/benchmarks.json``."""

from __future__ import annotations

from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks import context_machine, flood, timers

RESULTS = Path(".cache/benchmarks.json")


def main() -> None:
    """Run everything."""
    costs = context_machine.measure()
    table = Table(title="Context machine: microseconds an event, deciding and encoding what is saved and shown")
    for heading in ("plan", "jobs", "least", "median", "most", "ratio to the smallest plan"):
        table.add_column(heading, justify="left" if heading == "plan" else "right")
    for one in costs:
        base = next(other.median for other in costs if other.shape == one.shape)
        figures = [f"{value:.0f}" for value in (one.least, one.median, one.most)]
        table.add_row(one.shape, f"{one.jobs:,}", *figures, f"{one.median / base:.2f}")
    Console().print(table)
    timing = timers.measure()
    Console().print(_timers(timing))
    flooded = flood.measure()
    Console().print(_flood(flooded))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_bytes(
        msgspec.json.format(msgspec.json.encode({"context_machine": costs, "timers": timing, "flood": flooded}))
    )


def _timers(timing: timers.Timing) -> Table:
    table = Table(title=f"Windows of {timing.plans:,} plans: milliseconds late, saved and shown; percent of one core")
    for heading in ("opened", "earliest", "p50", "p99", "latest", "CPU, opening", "CPU, idle", "start"):
        table.add_column(heading, justify="right")
    late = [f"{value:.1f} ms" for value in (timing.earliest, timing.p50, timing.p99, timing.latest)]
    cpu = [f"{timing.busy_cpu:.1f} %", f"{timing.idle_cpu:.2f} %"]
    table.add_row(str(timing.opened), *late, *cpu, f"{timing.start_seconds:.1f} s")
    return table


def _flood(flooded: flood.Flood) -> Table:
    table = Table(
        title=f"{flooded.jobs} commands due at once on one agent, {flood.TOGETHER} together: how late its loop is"
    )
    for heading in ("took", "p50", "p99", "worst", "memory grown", "each ran once"):
        table.add_column(heading, justify="right")
    late = [f"{value:.1f} ms" for value in (flooded.p50, flooded.p99, flooded.worst)]
    table.add_row(f"{flooded.seconds:.1f} s", *late, f"{flooded.grown:.1f} MiB", "yes" if flooded.once else "NO")
    return table


if __name__ == "__main__":
    main()
