"""The driver's loop on virtual time: save, show, perform; timers, requests, and what stops a node."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from broker.bus import Publication
from broker.runtime.core import InvariantError, Reply
from broker.runtime.reconciler import Mark
from broker.runtime.saved import MARK
from broker.runtime.store import StoreError
from broker.runtime.world import Signal
from broker.topics import RequestTopic
from schemas.addresses import AgentInstanceAt
from schemas.codec import decode, decode_header
from schemas.names import RequestId, UserName
from schemas.requests import Answer
from schemas.status import NodeState
from tests.fakes.memory_store import MemoryStore
from tests.fakes.toy_core import ME, Bell, Bump, SetAlarm
from tests.fakes.toy_node import (
    FIRST,
    REPORT,
    SECOND,
    START,
    TOPICS,
    FakeDashboard,
    ToyNode,
    a_broker,
    bump,
    unwrapped,
)

pytestmark = pytest.mark.looptime


async def test_what_cannot_be_read_is_set_aside_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """Garbage, another wire version, another type, an unknown topic: counted by topic, and the node goes on."""
    broker = a_broker()
    topic = TOPICS.topic_of(AgentInstanceAt(ME, FIRST))
    node = ToyNode(broker)
    async with node.running():
        for payload in (b"garbage", b'{"v":9,"epoch":1,"revision":1,"at":"2026-01-01T00:00:00Z"}', b'{"v":1}'):
            broker.tell(Publication(topic, payload))
        broker.tell(Publication("test/agent/north/instance/no-instance", b"{}"))
        await node.signals.next(Signal.IDLE)
        aside = {name: complaint.count for name, complaint in node.driver.life.aside.topics.items()}
        FakeDashboard(broker).publish(FIRST)
        await node.signals.next(Signal.SHOWN)
        left = list(node.driver.life.aside.topics)
    said = [record for record in caplog.records if record.getMessage().startswith("set aside")]

    assert aside == {topic: 3, "test/agent/north/instance/no-instance": 1}
    assert left == ["test/agent/north/instance/no-instance"]
    assert len(said) == 2


async def test_a_turn_saves_then_shows_then_performs() -> None:
    """Nothing is shown that was not saved, nothing is done that was not shown (S5)."""
    broker = a_broker()
    FakeDashboard(broker).publish(FIRST)
    node = ToyNode(broker)
    shown_at_save: list[dict[str, str]] = []
    async with node.running():
        node.signals.trail.clear()
        node.store.on_save = lambda _changes: shown_at_save.append(node.reports())
        await bump(node)

    assert node.signals.trail[:4] == [Signal.SAVED, Signal.SHOWN, "bell 1", Signal.PERFORMED]
    assert shown_at_save[0] == {f"{FIRST}/north-tick": "0"}
    assert node.reports() == {f"{FIRST}/north-tick": "1"}
    assert [row.after for row in node.store.trail] == ["1"]


async def test_a_batch_is_one_commit_and_one_document() -> None:
    """Many events that wait are one turn: one save, the newest document, every audit row and every effect."""
    broker = a_broker()
    FakeDashboard(broker).publish(FIRST)
    node = ToyNode(broker)
    async with node.running():
        saves, published = node.store.saves, len(broker.history)
        for _ in range(10):
            node.driver.offer(Bump(START, FIRST))
        await node.signals.next(Signal.PERFORMED)
        done = node.store.saves - saves, len(broker.history) - published

    assert done == (1, 1)
    assert [bell.count for bell in node.bells] == list(range(1, 11))
    assert len(node.store.trail) == 10


async def test_a_failed_save_stops_the_node() -> None:
    """What cannot be saved is neither shown nor done; the node ends and says so."""
    broker = a_broker()
    FakeDashboard(broker).publish(FIRST)
    node = ToyNode(broker)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(unwrapped(node), name="node")
        await node.signals.reached(Signal.COMPLETE, 1)
        node.store.broken = True
        node.driver.offer(Bump(START, FIRST))

    assert str(running.result()) == "the disk is full"
    assert isinstance(running.result(), StoreError)
    assert node.reports() == {f"{FIRST}/north-tick": "0"}
    assert node.bells == []
    assert node.presence().state is NodeState.GONE


async def test_a_broken_promise_stops_the_node_before_it_is_saved() -> None:
    """The check comes before the save: a wrong state is never durable. The error names the promise."""
    broker = a_broker()
    FakeDashboard(broker).publish(FIRST)
    node = ToyNode(broker)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(unwrapped(node), name="node")
        await node.signals.reached(Signal.COMPLETE, 1)
        await bump(node, 12)
        node.driver.offer(Bump(START, FIRST))

    assert isinstance(running.result(), InvariantError)
    assert node.reports() == {f"{FIRST}/north-tick": "12"}
    assert len(node.store.trail) == 12


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()


async def test_crash_between_save_and_show() -> None:
    """What was saved and not shown is shown by the next life, and performed by neither."""
    broker, store = a_broker(), MemoryStore()
    FakeDashboard(broker).publish(FIRST)
    node = ToyNode(broker, store)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(node.driver.run(), name="node")
        await node.signals.reached(Signal.COMPLETE, 1)
        store.on_save = lambda _changes: _cancel(running)
        node.driver.offer(Bump(START, FIRST))
    store.on_save = lambda _changes: None
    shown = node.reports()
    async with ToyNode(broker, store).running() as later:
        shown_later = later.reports()

    assert (shown, shown_later) == ({f"{FIRST}/north-tick": "0"}, {f"{FIRST}/north-tick": "1"})
    assert (node.bells, later.bells) == ([], [])


async def test_the_alarm_is_never_early() -> None:
    """A Tick comes when its time has come, and promptly."""
    node = ToyNode(a_broker())
    async with node.running():
        node.driver.offer(SetAlarm(START, START + timedelta(seconds=300)))
        await node.signals.next(Signal.SAVED)
        await node.signals.next(Signal.SAVED)
        late = node.wall_clock() - (START + timedelta(seconds=300))

    assert timedelta() <= late < timedelta(seconds=0.1)


async def test_the_alarm_follows_the_wall_clock() -> None:
    """A clock that is set forward (or a machine that slept) makes a far alarm due within a nap."""
    node = ToyNode(a_broker())
    async with node.running():
        node.driver.offer(SetAlarm(START, START + timedelta(days=1)))
        await node.signals.next(Signal.SAVED)
        began = asyncio.get_running_loop().time()
        node.shift = timedelta(days=2)
        await node.signals.next(Signal.SAVED)
        waited = asyncio.get_running_loop().time() - began

    assert waited <= 30.1


async def test_now_never_goes_back() -> None:
    """A clock that is set back stands still for the core."""
    node = ToyNode(a_broker())
    async with node.running():
        await bump(node)
        node.shift = timedelta(hours=-1)
        await bump(node)
    times = [event.now for event in node.core.events]

    assert times == sorted(times)


async def test_a_request_is_answered_after_it_was_shown() -> None:
    """The answer is a publication of its own, not retained, with part 0."""
    broker = a_broker()
    node = ToyNode(broker)
    async with node.running():
        asked = RequestTopic(UserName("mary"), RequestId("r1"), ME)
        broker.tell(Publication(TOPICS.request(asked), b'{"ask":"x"}', retain=False))
        await node.signals.next(Signal.PERFORMED)
        answer = broker.history[-1]

    assert answer.topic == "test/response/mary/r1/north/0"
    assert not answer.retain
    assert decode(answer.payload, Answer) == Answer(ok=True)


async def test_a_request_that_is_no_json_is_refused() -> None:
    """It never comes before the core, and who asked is told."""
    broker = a_broker()
    node = ToyNode(broker)
    async with node.running():
        asked = RequestTopic(UserName("mary"), RequestId("r1"), ME)
        broker.tell(Publication(TOPICS.request(asked), b"{nonsense", retain=False))
        await node.signals.next(Signal.PERFORMED)
        answer = decode(broker.history[-1].payload, Answer)

    assert not answer.ok
    assert "not JSON" in answer.reason


async def test_answers_and_alerts_outside_a_turn() -> None:
    """An app may publish what is not retained, and nothing that is."""
    broker = a_broker()
    node = ToyNode(broker)
    async with node.running():
        await node.driver.answer(Reply(UserName("mary"), RequestId("r1"), Answer(ok=True)), part=3)
        await node.driver.publish([Publication("test/notification/p", b"{}", retain=False)])
        with pytest.raises(ValueError, match="retained"):
            await node.driver.publish([Publication("test/plan/p", b"{}")])

    assert [entry.topic for entry in broker.history[-3:-1]] == ["test/response/mary/r1/north/3", "test/notification/p"]


async def test_the_mark_is_saved_before_what_it_marks() -> None:
    """The newest revision that may have been published is durable first (what a later life trusts)."""
    broker = a_broker()
    FakeDashboard(broker).publish(FIRST)
    node = ToyNode(broker)
    async with node.running():
        await bump(node)
        mark, shown = node.store.records[MARK], decode_header(broker.retained[REPORT])

    assert msgspec.json.decode(mark, type=Mark) == Mark(shown.epoch, shown.revision)


async def test_bells_are_rung_in_order() -> None:
    """Effects are performed in the order in which they were asked for."""
    node = ToyNode(a_broker())
    async with node.running():
        for _ in range(3):
            node.driver.offer(Bump(START, FIRST))
            node.driver.offer(Bump(START, SECOND))
        await node.signals.next(Signal.PERFORMED)

    assert node.bells == [Bell(instance, count) for count in (1, 2, 3) for instance in (FIRST, SECOND)]
