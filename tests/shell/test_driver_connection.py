"""A node's connections on virtual time: start and stop, losses, backing off, and two lives of one name."""

from __future__ import annotations

import asyncio

import pytest

from broker.bus import Publication
from broker.errors import RefusedError
from broker.runtime.errors import FencedError
from broker.runtime.world import Signal
from schemas.names import InstanceId
from schemas.status import NodeState
from tests.fakes.toy_core import Bump
from tests.fakes.toy_node import (
    FIRST,
    PRESENCE,
    REPORT,
    START,
    FakeDashboard,
    ToyNode,
    a_broker,
    bump,
    unwrapped,
)
from tests.support.waiting import eventually, pass_time

pytestmark = pytest.mark.looptime


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


async def test_a_newer_life_fences_the_older_one() -> None:
    """The broker gives the name to its newest holder; the older life looks before it takes it back, and ends."""
    broker = a_broker()
    older, newer = ToyNode(broker, host="old"), ToyNode(broker, host="new")
    async with asyncio.TaskGroup() as group:
        running = group.create_task(unwrapped(older), name="older")
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


async def test_what_arrives_is_decided_between_two_parts() -> None:
    """Of all that is shown again, even where everything stands, so that no part of it waits for the broker or the disk."""
    broker = a_broker()
    dashboard = FakeDashboard(broker)
    for number in range(1, 10):
        dashboard.publish(InstanceId(f"nightly-2026030{number}T010000Z"))
    node = ToyNode(broker)
    node.driver.life.part = 1
    complete_when_saved: list[bool] = []
    async with node.running():
        broker.cut_all()
        await node.signals.reached(Signal.REPLAYED, 2)
        asyncio.get_running_loop().call_soon(node.driver.offer, Bump(START, FIRST))
        node.store.on_save = lambda _changes: complete_when_saved.append(node.driver.life.complete)
        await node.signals.reached(Signal.COMPLETE, 2)

    assert complete_when_saved[0] is False
