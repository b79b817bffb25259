"""A day of a large site on virtual time: the dashboard's core with thousands of agents and instances.

The clock, the broker and the agents are played; every event goes through the core as in production, and what it saves and
shows is encoded. What is looked at is whether an event costs the same at every size; ``python -m benchmarks.scale AGENTS JOBS``
plays a day.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from statistics import median
from time import perf_counter

from benchmarks.context_machine import NOW, Office
from benchmarks.figures import Figure
from benchmarks.plans import chain, plan
from broker.runtime.core import Heard
from schemas.addresses import AgentPresenceAt
from schemas.documents import Presence
from schemas.names import NodeName
from schemas.requests import EndInstance
from schemas.status import NodeState

AGENTS = (100, 1_000, 10_000)
JOBS = 10
"""Of each instance, on as many agents as it finds."""
EVENTS = 2_000
INSTANCES = 1_000
"""Run beside it at most. They are of one plan, whose document names them all: opening ten thousand takes minutes."""


def site(agents: int) -> Office:
    """A dashboard that has heard of so many agents, and has as many instances running, up to ``INSTANCES``."""
    names = [NodeName(f"a{number}") for number in range(agents)]
    office = Office(plan("P", chain(JOBS), names[:JOBS]))
    for name in names:
        presence = Presence(node=name, state=NodeState.ALIVE, connection=1, since=NOW, complete=True)
        office.core.project(office.core.step(Heard(office.now, AgentPresenceAt(name), presence)).changes)
    for _ in range(min(agents, INSTANCES)):
        office.open()
    return office


def played(office: Office, jobs: int) -> Iterator[float]:
    """Seconds of each event, while so many jobs are done in one fresh instance after the other, spread over a day."""
    pause = timedelta(days=1) / max(1, jobs // JOBS)
    for _ in range(jobs // JOBS):
        instance = office.open()
        yield from office.events(instance)
        office.ask(EndInstance(instance=instance))
        office.now += pause


async def measure(rounds: int, sizes: tuple[int, ...] = AGENTS) -> list[Figure]:
    """Microseconds an event at each size, beside the smallest."""
    found = [[median(islice(played(site(agents), EVENTS), EVENTS)) * 1e6 for agents in sizes] for _ in range(rounds)]
    return [
        Figure(
            part="scale",
            name=f"an event, agents heard of: {agents:,}",
            unit="µs",
            values=tuple(one[place] for one in found),
            floor=f"with {sizes[0]:,}",
            floors=tuple(one[0] for one in found),
            target=1.3,
            x=agents,
        )
        for place, agents in enumerate(sizes)
    ]


def main() -> None:
    """A day: what an event costs in each tenth of it."""
    agents, jobs = int(sys.argv[1]), int(sys.argv[2])
    begun = perf_counter()
    office = site(agents)
    print(f"{agents:,} agents, {min(agents, INSTANCES):,} instances: {perf_counter() - begun:.1f} s")  # noqa: T201  # a program
    events, tenth = played(office, jobs), jobs * 2 // 10
    for number in range(10):
        print(f"tenth {number + 1}: {median(islice(events, tenth)) * 1e6:.0f} µs an event")  # noqa: T201  # a program


if __name__ == "__main__":
    main()
