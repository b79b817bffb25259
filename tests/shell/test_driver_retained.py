"""A node and what the broker retains, on virtual time: empty, back in the past, garbage, and restarts of the node."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broker.bus import Publication
from broker.runtime.world import Signal
from schemas.addresses import AgentInstanceAt, FireReportAt
from schemas.codec import decode_header
from schemas.documents import FireReport
from tests.fakes.memory_store import MemoryStore
from tests.fakes.toy_core import JOB, ME
from tests.fakes.toy_node import (
    FIRST,
    PRESENCE,
    REPORT,
    SECOND,
    TOPICS,
    FakeDashboard,
    ToyNode,
    a_broker,
    a_publication,
    an_instance,
    bump,
)
from tests.support.waiting import pass_time

pytestmark = pytest.mark.looptime


async def test_a_broker_that_comes_back_empty_is_filled_again() -> None:
    """Everything is shown again, and nothing that others showed counts as removed (absence is not removal)."""
    broker = a_broker()
    dashboard = FakeDashboard(broker)
    dashboard.publish(FIRST)
    dashboard.presence()
    node = ToyNode(broker)
    async with node.running():
        broker.kill()
        broker.start({})
        await node.signals.reached(Signal.COMPLETE, 2)
        shown, heard = node.reports(), node.core.heard()

    assert shown == {f"{FIRST}/north-tick": "0"}
    assert heard == [(AgentInstanceAt(ME, FIRST), a_publication(FIRST))]


async def test_absence_is_removal_once_the_writer_says_it_is_complete() -> None:
    """What a dashboard does not show again is gone when it has shown everything, and not before."""
    broker = a_broker()
    dashboard = FakeDashboard(broker)
    dashboard.publish(FIRST)
    dashboard.publish(SECOND)
    dashboard.presence()
    node = ToyNode(broker)
    async with node.running():
        broker.kill()
        broker.start({})
        await node.signals.reached(Signal.COMPLETE, 2)
        dashboard.connection += 1
        dashboard.presence(complete=False)
        dashboard.publish(SECOND)
        await node.signals.next(Signal.IDLE)
        before = sorted(node.reports())
        dashboard.presence()
        await node.signals.next(Signal.SHOWN)
        after = sorted(node.reports())

    assert before == [f"{FIRST}/north-tick", f"{SECOND}/north-tick"]
    assert after == [f"{SECOND}/north-tick"]


async def test_removal_while_the_node_was_down() -> None:
    """What was cleared while the node was not running is gone for it when it is back, by the same proof."""
    broker, store = a_broker(), MemoryStore()
    dashboard = FakeDashboard(broker)
    dashboard.publish(FIRST)
    dashboard.presence()
    async with ToyNode(broker, store).running():
        pass
    dashboard.remove(FIRST)
    dashboard.presence()
    node = ToyNode(broker, store)
    async with node.running():
        heard = node.core.heard()

    assert heard == [(AgentInstanceAt(ME, FIRST), None)]
    assert node.reports() == {}


async def test_a_broker_back_in_the_past_is_put_right() -> None:
    """An older store has an old report, and an orphan: one is shown anew, with a newer revision; the other is cleared (L2)."""
    broker = a_broker()
    dashboard = FakeDashboard(broker)
    dashboard.publish(FIRST)
    dashboard.publish(SECOND)
    node = ToyNode(broker)
    async with node.running():
        past = dict(broker.retained)
        await bump(node)
        newest = decode_header(broker.retained[REPORT]).order
        dashboard.remove(SECOND)
        await node.signals.next(Signal.SHOWN)
        broker.kill()
        del past[TOPICS.topic_of(AgentInstanceAt(ME, SECOND))]
        broker.start(past)
        await node.signals.reached(Signal.COMPLETE, 2)
        shown, again = node.reports(), decode_header(broker.retained[REPORT]).order

    assert shown == {f"{FIRST}/north-tick": "1"}
    assert again > newest


async def test_a_body_that_went_back_and_is_right_is_published_all_the_same() -> None:
    """Readers who saw the newer snapshot ignore an older one, so the right body with an old revision is not good enough."""
    broker = a_broker()
    dashboard = FakeDashboard(broker)
    node = ToyNode(broker)
    async with node.running():
        dashboard.publish(FIRST)
        await node.signals.next(Signal.SHOWN)
        past = dict(broker.retained)
        await bump(node)
        newest = decode_header(broker.retained[REPORT]).order
        dashboard.remove(FIRST)
        await node.signals.next(Signal.SHOWN)
        broker.kill()
        dashboard.revision += 1
        broker.start(past)
        dashboard.publish(FIRST)  # counted from 0 again: the same body as the first time
        await node.signals.reached(Signal.COMPLETE, 2)
        again = decode_header(broker.retained[REPORT]).order

    assert node.reports() == {f"{FIRST}/north-tick": "0"}
    assert again > newest


async def test_garbage_among_our_own_topics_is_cleared() -> None:
    """Unreadable or foreign, what stands under this node's own filters and follows from nothing goes."""
    broker = a_broker()
    broker.tell(Publication("test/agent/north/report/who/knows", b"garbage"))
    broker.tell(Publication(REPORT, b'{"v":1}'))
    node = ToyNode(broker)
    async with node.running():
        assert node.reports() == {}


async def test_a_restart_leaves_standing_what_is_right() -> None:
    """The next life publishes no document that the broker has kept, and nothing but its presence."""
    broker, store = a_broker(), MemoryStore()
    FakeDashboard(broker).publish(FIRST)
    async with ToyNode(broker, store).running() as node:
        await bump(node)
    before = len(broker.history)
    async with ToyNode(broker, store).running():
        pass

    assert [publication.topic for publication in broker.history[before:]] == [PRESENCE] * 3


async def test_a_restart_after_the_broker_went_back_publishes_all() -> None:
    """A life cannot know what of its predecessor's the broker forgot, so it publishes everything when anything is missing."""
    broker, store = a_broker(), MemoryStore()
    dashboard = FakeDashboard(broker)
    dashboard.publish(SECOND)
    async with ToyNode(broker, store).running() as node:
        past = dict(broker.retained)
        dashboard.publish(FIRST)
        await node.signals.next(Signal.SHOWN)
    present = dict(broker.retained)
    broker.start(
        {**past, TOPICS.topic_of(AgentInstanceAt(ME, FIRST)): present[TOPICS.topic_of(AgentInstanceAt(ME, FIRST))]}
    )
    before = len(broker.history)
    async with ToyNode(broker, store).running():
        pass

    assert len([entry for entry in broker.history[before:] if entry.topic != PRESENCE]) == 2


async def test_recovered_tells_what_stood() -> None:
    """With its disk lost, a node is told what the broker retains of it, under an epoch above all that stands there."""
    broker = a_broker()
    FakeDashboard(broker).publish(FIRST)
    async with ToyNode(broker).running() as node:
        await bump(node)
        first = node.epoch_shown()
    later = ToyNode(broker)
    later.shift = timedelta(days=-400)
    async with later.running():
        recovered = later.core.events[0]
        second = later.epoch_shown()

    report = FireReport(instance=FIRST, job=JOB, problem="1")
    assert getattr(recovered, "shown", None) == {FireReportAt(ME, FIRST, JOB): report}
    assert second > first


async def test_documents_of_a_life_unheard_of_raise_the_epoch() -> None:
    """Somebody cleared the presence, the disk is lost, the clock is behind: the documents say which epoch is too low."""
    broker = a_broker()
    FakeDashboard(broker).publish(FIRST)
    async with ToyNode(broker).running() as node:
        first = node.epoch_shown()
    broker.tell(Publication(PRESENCE, b""))
    later = ToyNode(broker)
    later.shift = timedelta(days=-400)
    async with later.running():
        second = later.epoch_shown()

    assert second > first


async def test_the_presence_is_refreshed_when_documents_come_and_go() -> None:
    """At most once a second it says how many there are; it is the newest thing shown, which proves what is absent."""
    broker = a_broker()
    dashboard = FakeDashboard(broker)
    node = ToyNode(broker)
    async with node.running():
        for day in range(1, 6):
            dashboard.publish(an_instance(day))
            await node.signals.next(Signal.SHOWN)
        soon = node.presence().documents
        await pass_time(2)
        counted = node.presence().documents
        refreshed = [entry for entry in broker.history if b'"documents":5' in entry.payload]
        dashboard.remove(FIRST)
        await pass_time(2)
        fewer = node.presence().documents

    assert (soon, counted, fewer, len(refreshed)) == (0, 5, 4, 1)
