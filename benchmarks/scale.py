"""What a job costs the dashboard on a small and on a large site, in a short and in a long day (virtual time: see day.py).

``python -m benchmarks.scale AGENTS JOBS`` plays one whole day, tells each tenth of it, and keeps the result. A day of a
million jobs on ten thousand agents takes ten minutes of processor time.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Sequence
from functools import partial
from itertools import islice

from benchmarks.day import Cost, Day
from benchmarks.figures import Figure
from benchmarks.memory import peak
from benchmarks.results import keep, machine
from broker.runtime.cycles import look_seldom

AGENTS = (100, 1_000, 10_000)
JOBS = 10_000
FITTING = 1_000
"""Of more agents the records are not in the processor's caches when an event means them: the same work takes longer."""
COUNTED = (
    ("events", "events"),
    ("documents", "documents"),
    ("size", "bytes"),
    ("records", "records"),
    ("audit", "rows"),
)
"""Of what a job leads to, and what it is counted in."""


async def measure(rounds: int, sizes: tuple[int, ...] = AGENTS, jobs: int = JOBS) -> list[Figure]:
    """Microseconds of processor time that a job, and a presence, take at each size, beside the smallest."""
    look_seldom()
    job: list[list[float]] = []
    presence: list[list[float]] = []
    for _ in range(rounds):
        job.append([])
        presence.append([])
        for agents in sizes:
            day = Day(agents)
            deque(day.play(jobs), maxlen=0)
            job[-1].append(_micros(day.jobs, jobs))
            presence[-1].append(_micros(day.presences, day.presences.events))
    return [*_curve("a job", sizes, job), *_curve("an agent's coming or going", sizes, presence)]


def _micros(cost: Cost, number: int) -> float:
    return cost.seconds / number * 1e6


def _curve(what: str, sizes: Sequence[int], found: Sequence[Sequence[float]]) -> list[Figure]:
    return [
        Figure(
            part="scale",
            name=f"{what}, agents: {agents:,}",
            unit="µs",
            values=tuple(one[place] for one in found),
            floor=f"with {sizes[0]:,}",
            floors=tuple(one[0] for one in found),
            target=1.3 if agents <= FITTING else 2.0,
            x=agents,
            picture="cost-by-agents",
            curve=f"{what}, {JOBS:,} jobs in a day" if what == "a job" else what,
        )
        for place, agents in enumerate(sizes)
    ]


def a_day(agents: int, jobs: int) -> list[Figure]:
    """One whole day, in ten parts; a line is written for each, since it takes long."""
    look_seldom()
    day = Day(agents)
    tenths: list[float] = []
    playing, before = day.play(jobs), 0.0
    for number in range(1, 11):
        deque(islice(playing, jobs // 10), maxlen=0)
        tenths.append((day.jobs.seconds - before) / (jobs // 10) * 1e6)
        before = day.jobs.seconds
        print(f"tenth {number}: {tenths[-1]:.0f} µs a job, {peak():.0f} MiB", flush=True)  # noqa: T201  # a program
    figure = partial(Figure, part="day")
    of = f"{agents:,} agents, {jobs:,} jobs"
    return [
        figure(
            name=f"{of}: a job",
            unit="µs",
            values=(_micros(day.jobs, jobs),),
            x=agents,
            picture="cost-by-agents",
            curve=f"a job, {jobs:,} jobs in a day",
        ),
        figure(
            name=f"{of}: a job, last tenth of the day",
            unit="µs",
            values=(tenths[-1],),
            floor="its first tenth",
            floors=(tenths[0],),
            target=1.3,
        ),
        figure(
            name=f"{of}: an agent's coming or going",
            unit="µs",
            values=(_micros(day.presences, day.presences.events),),
        ),
        *(
            figure(name=f"{of}: {unit} a job", unit=unit, values=(getattr(day.jobs, field) / jobs,))
            for field, unit in COUNTED
        ),
        figure(name=f"{of}: memory", unit="MiB", values=(peak(),)),
    ]


def main() -> None:
    """Play a day of so many agents and jobs."""
    agents, jobs = int(sys.argv[1]), int(sys.argv[2])
    where = machine()
    keep(f"day {agents} {jobs}", a_day(agents, jobs), where)


if __name__ == "__main__":
    main()
