"""A dashboard without a disk goes on from whatever the broker retains: nothing that may stand there ends it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest

from broker.runtime.aside import Aside
from broker.runtime.core import Heard, Recovered, Tick
from broker.runtime.left import Left
from broker.runtime.wire import Wire
from broker.topic_table import Role
from broker.topics import Topics
from dashboard_node.core.invariants import check
from dashboard_node.core.machine import DashboardCore
from schemas.names import NodeName
from tests.simulation.story import tell
from tests.simulation.trace import Accepted, Record
from tests.simulation.world import BEGINNING

TRIES = 60
EPOCH = 5
LATER = timedelta(minutes=7)
WIRE = Wire(Topics(), Role.DASHBOARD, NodeName("dashboard"))


class Heap:
    """All that the broker was given to retain in a story, in order."""

    def __init__(self, seed: int) -> None:
        self.given: list[Accepted] = []
        tell(seed, [self._hear])

    def _hear(self, record: Record) -> None:
        if isinstance(record, Accepted) and record.retain:
            self.given.append(record)

    def stood(self, count: int) -> dict[str, bytes]:
        """What stood there after so many, by topic; empty: cleared."""
        return {one.topic: one.payload for one in self.given[:count]}


def mixed(draw: Random, new: dict[str, bytes], old: dict[str, bytes]) -> dict[str, bytes]:
    """New, or old as far as it was not shown again yet, or some of each."""
    turned = sorted(new) if draw.random() < 0.5 else list(new)
    match draw.randrange(3):
        case 0:
            stale = []
        case 1:
            stale = turned[draw.randrange(len(turned)) :]
        case _:
            stale = [topic for topic in turned if draw.random() < 0.3]
    return new | {topic: old.get(topic, b"") for topic in stale}


def of_agents(draw: Random, stood: dict[str, bytes], core: DashboardCore) -> Iterator[Heard]:
    """What agents show, and what they have cleared, in any order."""
    assert core.state.up_since is not None
    heard = []
    for topic, payload in stood.items():
        address = WIRE.address_of(topic)
        if address is not None and not WIRE.is_own(topic) and topic != WIRE.presence:
            document = WIRE.read(address, payload)[1] if payload else None
            heard.append(Heard(core.state.up_since, address, document))
    yield from draw.sample(heard, len(heard))


@pytest.mark.parametrize("seed", range(4))
def test_a_dashboard_without_a_disk_goes_on_from_whatever_stands(seed: int) -> None:
    """Cut off anywhere, on a store of any age, with agents further than it or not: its invariants hold, now and later."""
    heap, draw = Heap(seed), Random(seed)  # noqa: S311  # told again by its seed
    for _ in range(TRIES):
        cut = draw.randrange(1, len(heap.given))
        older = draw.randrange(cut)
        new, old = heap.stood(cut), heap.stood(older)
        own = {topic: payload for topic, payload in mixed(draw, new, old).items() if payload and WIRE.is_own(topic)}
        now = BEGINNING + timedelta(seconds=heap.given[cut - 1].at)
        core = DashboardCore()

        core.step(Recovered(now, EPOCH, Left(own, WIRE, Aside()), EPOCH))
        for heard in of_agents(draw, draw.choice((new, old)), core):
            core.step(heard)
        for moment in (now, now + LATER):
            core.step(Tick(moment))
            check(core.state)
