"""The driver's loop and its connection, on virtual time, over a fake broker."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from broker.bus import Publication
from broker.errors import RefusedError
from broker.runtime.core import InvariantError, Reply
from broker.runtime.errors import FencedError
from broker.runtime.life import MARK
from broker.runtime.store import StoreError
from broker.runtime.world import Signal
from broker.topics import RequestTopic
from schemas.addresses import AgentInstanceAt, AgentPresenceAt, FireReportAt
from schemas.codec import decode, decode_header
from schemas.documents import FireReport
from schemas.names import RequestId, UserName
from schemas.requests import Answer
from schemas.status import NodeState
from tests.fakes.broker import FakeBroker
from tests.fakes.memory_store import MemoryStore
from tests.fakes.toy_core import JOB, ME, Bell, Bump, SetAlarm
from tests.fakes.toy_node import START, TOPICS, FakeDashboard, ToyNode, a_publication, an_instance
from tests.support.waiting import eventually, pass_time

pytestmark = pytest.mark.looptime

FIRST, SECOND = an_instance(1), an_instance(2)
PRESENCE = TOPICS.topic_of(AgentPresenceAt(ME))
REPORT = TOPICS.topic_of(FireReportAt(ME, FIRST, JOB))


def a_broker() -> FakeBroker:
    """An empty broker."""
    return FakeBroker(prefix=TOPICS.prefix)


async def bump(node: ToyNode, times: int = 1) -> None:
    """Count, and wait until it rang."""
    for _ in range(times):
        node.driver.offer(Bump(START, FIRST))
        await node.signals.next(Signal.PERFORMED)


async def test_start_with_an_empty_broker() -> None:
    """A first life: alive and complete with nothing to show; the first event is Recovered, the last of the first turn a Tick."""
    node = ToyNode(a_broker())
    async with node.running():
        shown = node.presence()
        events = [type(event).__name__ for event in node.core.events]

    assert (shown.state, shown.connection, shown.complete, shown.host) == (NodeState.ALIVE, 1, True, "here")
    assert events == ["Recovered", "Tick"]


async def test_start_is_first_alive_and_only_then_complete() -> None:
    """The presence says complete after all documents stand, and never before."""
    broker = a_broker()
    FakeDashboard(broker).publish(FIRST)
    node = ToyNode(broker)
    async with node.running():
        pass
    topics = [publication.topic for publication in broker.history if "north/" in publication.topic]
    complete = [b'"complete":true' in publication.payload for publication in broker.history]

    assert topics[1:] == [PRESENCE, REPORT, PRESENCE, PRESENCE]
    assert complete[1:] == [False, False, True, False]


async def test_stop_says_goodbye() -> None:
    """A node that is stopped shows that it is gone, and leaves its documents standing."""
    broker = a_broker()
    FakeDashboard(broker).publish(FIRST)
    node = ToyNode(broker)
    async with node.running():
        pass

    assert node.presence().state is NodeState.GONE
    assert node.reports() == {f"{FIRST}/north-tick": "0"}
    assert broker.clients == []


async def test_cancel_says_goodbye() -> None:
    """So does one that is cancelled."""
    node = ToyNode(a_broker())
    async with asyncio.TaskGroup() as group:
        running = group.create_task(node.driver.run(), name="node")
        await node.signals.reached(Signal.COMPLETE, 1)
        running.cancel()

    assert node.presence().state is NodeState.GONE


async def test_stop_during_the_replay_says_goodbye() -> None:
    """Even a node that has said no more than its first word takes it back."""
    broker = a_broker()
    node = ToyNode(broker)
    async with asyncio.TaskGroup() as group:
        group.create_task(node.driver.run(), name="node")
        await node.signals.reached(Signal.CONNECTED, 1)
        first = node.presence().state
        node.driver.stop()

    assert (first, node.presence().state) == (NodeState.ALIVE, NodeState.GONE)
    assert broker.clients == []


async def test_who_is_never_let_in_ends() -> None:
    """A wrong password will not get better: one line, at once."""
    broker = a_broker()
    broker.accounts = {"north": "secret"}
    with pytest.raises(RefusedError, match="wrong user or password"):
        await ToyNode(broker).driver.run()


async def test_who_was_let_in_once_waits() -> None:
    """Refused later, a node goes on and tries again: its jobs are running."""
    broker = a_broker()
    node = ToyNode(broker)
    async with node.running():
        broker.accounts = {"north": "secret"}
        broker.cut_all()
        await node.signals.reached(Signal.WAITING, 3)
        await bump(node)
        broker.accounts = None
        await node.signals.reached(Signal.COMPLETE, 2)

    assert node.reports() == {f"{FIRST}/north-tick": "1"}


async def test_one_log_line_a_change_of_state(caplog: pytest.LogCaptureFixture) -> None:
    """However often it is tried in vain, it is said once."""
    caplog.set_level("INFO", "broker.runtime")
    broker = a_broker()
    broker.kill()
    async with ToyNode(broker).running() as node:
        await node.signals.reached(Signal.WAITING, 10)
        broker.start()
        await node.signals.reached(Signal.COMPLETE, 1)
        broker.cut_all()
        await node.signals.reached(Signal.COMPLETE, 2)
    lines = [record.getMessage().split()[1] for record in caplog.records if record.getMessage().startswith("broker")]

    assert lines == [f"state={state}" for state in ("waiting", "connected", "lost", "connected")]


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
        running = group.create_task(_unwrapped(node), name="node")
        await node.signals.reached(Signal.COMPLETE, 1)
        node.store.broken = True
        node.driver.offer(Bump(START, FIRST))

    assert str(running.result()) == "the disk is full"
    assert isinstance(running.result(), StoreError)
    assert node.reports() == {f"{FIRST}/north-tick": "0"}
    assert node.bells == []
    assert node.presence().state is NodeState.GONE


async def _unwrapped(node: ToyNode) -> Exception | None:
    """Run a node that is expected to fail; TaskGroup would wrap what it raises."""
    try:
        await node.driver.run()
    except Exception as error:  # noqa: BLE001  # the edge of the node's task
        return error
    return None


async def test_a_broken_promise_stops_the_node_before_it_is_saved() -> None:
    """The check comes before the save: a wrong state is never durable. The error names the promise."""
    broker = a_broker()
    FakeDashboard(broker).publish(FIRST)
    node = ToyNode(broker)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(_unwrapped(node), name="node")
        await node.signals.reached(Signal.COMPLETE, 1)
        await bump(node, 12)
        node.driver.offer(Bump(START, FIRST))

    assert isinstance(running.result(), InvariantError)
    assert node.reports() == {f"{FIRST}/north-tick": "12"}
    assert len(node.store.trail) == 12


async def test_nothing_is_acted_on_before_the_first_replay() -> None:
    """Without a broker at start nothing is stepped through, whatever is offered; once it is there, everything is."""
    broker = a_broker()
    FakeDashboard(broker).publish(FIRST)
    broker.kill()
    node = ToyNode(broker)
    async with node.running():
        node.driver.offer(Bump(START, FIRST))
        await node.signals.reached(Signal.WAITING, 5)
        before = list(node.core.events)
        broker.start()
        await node.signals.reached(Signal.COMPLETE, 1)
        after = [type(event).__name__ for event in node.core.events]

    assert before == []
    assert after == ["Recovered", "Bump", "Heard", "Tick"]
    assert node.reports() == {f"{FIRST}/north-tick": "1"}


async def test_attempts_back_off() -> None:
    """While the broker is away, attempts become rare."""
    broker = a_broker()
    broker.kill()
    node = ToyNode(broker)
    async with node.running():
        await pass_time(600)
        attempts = broker.attempts

    assert 20 < attempts < 50


async def test_the_node_goes_on_without_a_broker() -> None:
    """What does not need the broker is saved and done; when it is back, the newest is shown, in the next connection."""
    broker = a_broker()
    FakeDashboard(broker).publish(FIRST)
    node = ToyNode(broker)
    async with node.running():
        broker.kill()
        await node.signals.reached(Signal.LOST, 1)
        await bump(node, 3)
        saved = len(node.store.trail)
        while_away = node.reports()
        broker.start()
        await node.signals.reached(Signal.COMPLETE, 2)
        shown, presence = node.reports(), node.presence()

    assert (saved, len(node.bells)) == (3, 3)
    assert while_away == {f"{FIRST}/north-tick": "0"}
    assert shown == {f"{FIRST}/north-tick": "3"}
    assert (presence.connection, presence.complete) == (2, True)


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


async def test_a_newer_life_fences_the_older_one() -> None:
    """The broker gives the name to its newest holder; the older life looks before it takes it back, and ends."""
    broker = a_broker()
    older, newer = ToyNode(broker, host="old"), ToyNode(broker, host="new")
    async with asyncio.TaskGroup() as group:
        running = group.create_task(_unwrapped(older), name="older")
        await older.signals.reached(Signal.COMPLETE, 1)
        async with newer.running():
            await eventually(running.done, within=60, what="the older life ended")
            presence = newer.presence()

    error = running.result()
    assert isinstance(error, FencedError)
    assert error.exit_code == 3
    assert "epoch" in str(error)
    assert "on new" in str(error)
    assert (presence.state, presence.host, presence.complete) == (NodeState.ALIVE, "new", True)


async def test_a_late_will_of_an_earlier_connection_is_put_right() -> None:
    """Our own presence stands as we last said it: what comes late from an earlier connection is said over."""
    broker = a_broker()
    node = ToyNode(broker)
    async with node.running():
        broker.cut_all()
        will = broker.retained[PRESENCE]
        await node.signals.reached(Signal.COMPLETE, 2)
        broker.tell(Publication(PRESENCE, will))
        await node.signals.next(Signal.SHOWN)
        presence = node.presence()

    assert (presence.state, presence.connection, presence.complete) == (NodeState.ALIVE, 2, True)


async def test_a_will_read_out_while_we_live_needs_another_connection() -> None:
    """Gone outranks alive within one connection, so only the next one can say alive again."""
    broker = a_broker()
    node = ToyNode(broker)
    async with node.running():
        alive = broker.retained[PRESENCE]
        broker.tell(Publication(PRESENCE, alive.replace(b'"alive"', b'"gone"')))
        await node.signals.reached(Signal.COMPLETE, 2)
        presence = node.presence()

    assert (presence.state, presence.connection) == (NodeState.ALIVE, 2)


async def test_a_broker_that_acknowledges_nothing_is_left() -> None:
    """A publication without an answer ends the connection; the next one shows everything."""
    broker = a_broker()
    FakeDashboard(broker).publish(FIRST)
    node = ToyNode(broker)
    async with node.running():
        broker.freeze()
        node.driver.offer(Bump(START, FIRST))
        await node.signals.reached(Signal.LOST, 1)
        broker.thaw()
        await node.signals.reached(Signal.COMPLETE, 2)

    assert node.reports() == {f"{FIRST}/north-tick": "1"}
    assert [bell.count for bell in node.bells] == [1]


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


async def test_the_mark_is_saved_before_what_it_marks() -> None:
    """The newest revision that may have been published is durable first (what a later life trusts)."""
    broker = a_broker()
    FakeDashboard(broker).publish(FIRST)
    node = ToyNode(broker)
    async with node.running():
        await bump(node)
        mark, shown = node.store.records[MARK], decode_header(broker.retained[REPORT])

    assert mark == f"[{shown.epoch},{shown.revision}]".encode()


async def test_bells_are_rung_in_order() -> None:
    """Effects are performed in the order in which they were asked for."""
    node = ToyNode(a_broker())
    async with node.running():
        for _ in range(3):
            node.driver.offer(Bump(START, FIRST))
            node.driver.offer(Bump(START, SECOND))
        await node.signals.next(Signal.PERFORMED)

    assert node.bells == [Bell(instance, count) for count in (1, 2, 3) for instance in (FIRST, SECOND)]
