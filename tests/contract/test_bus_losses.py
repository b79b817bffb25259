"""What the bus promises when connections and brokers end, in memory as on mosquitto."""

from __future__ import annotations

import asyncio

import pytest

from broker.bus import Publication, Session
from broker.errors import BusError
from tests.support.broker_under_test import PATIENCE, PREFIX, Box, BrokerUnderTest, retained, show, topic
from tests.support.waiting import eventually

WITHIN = 5.0
AT_ONCE = PATIENCE.acknowledge / 2
"""Seconds; far below every timeout, far above what a busy machine adds to milliseconds."""
WILL = Publication(f"{PREFIX}/will", b"gone")


async def test_clean_end_leaves_no_will(broker: BrokerUnderTest) -> None:
    """A session that is left cleanly does not have its will published."""
    bus = broker.bus("a")
    async with bus.connect(client="a", will=WILL, on_delivery=Box()) as session:
        await session.publish([show("x")])

    assert await retained(broker) == {"x": b"1"}


async def test_cut_connection_has_its_will_published(broker: BrokerUnderTest) -> None:
    """A connection that breaks leaves its will, live to who listens and retained; the session hears of its loss."""
    box = Box()
    watcher, bus = broker.bus("watcher"), broker.bus("a")
    async with watcher.connect(client="watcher", will=None, on_delivery=box) as watching:
        await watching.subscribe([topic("#")])
        async with bus.connect(client="a", will=WILL, on_delivery=Box()) as session, asyncio.timeout(WITHIN):
            broker.cut("a")
            assert await session.lost()
        await eventually(lambda: box.newest == {WILL.topic: b"gone"}, within=WITHIN, what="the will arrives")

    assert await retained(broker) == {"will": b"gone"}


async def test_takeover_ends_the_former_connection(broker: BrokerUnderTest) -> None:
    """A second connection under a client id ends the first, whose will is published; the second works."""
    bus = broker.bus("a")
    async with (
        bus.connect(client="a", will=WILL, on_delivery=Box()) as former,
        bus.connect(client="a", will=None, on_delivery=Box()) as latter,
        asyncio.timeout(WITHIN),
    ):
        assert await former.lost()
        with pytest.raises(BusError):
            await former.publish([show("x", "former")])
        await latter.publish([show("x", "latter")])

        assert await retained(broker) == {"will": b"gone", "x": b"latter"}


async def test_new_session_after_a_loss_repeats_nothing(broker: BrokerUnderTest) -> None:
    """What a lost session had under way is not sent by the next one."""
    bus = broker.bus("a")
    async with bus.connect(client="a", will=None, on_delivery=Box()) as session:
        broker.cut("a")
        await session.lost()
        with pytest.raises(BusError):
            await session.publish([show("x", "late")])
    async with bus.connect(client="a", will=None, on_delivery=Box()) as session:
        await session.publish([show("y")])

    assert await retained(broker) == {"y": b"1"}


async def _loss(session: Session) -> float:
    await session.lost()
    return asyncio.get_running_loop().time()


async def test_calls_under_way_fail_with_the_connection(broker: BrokerUnderTest) -> None:
    """Publish, subscribe and unsubscribe that wait for a silent broker fail when it is gone, not at a timeout."""
    bus = broker.bus("a")
    heard: list[BusError | None] = []
    async with bus.connect(client="a", will=None, on_delivery=Box()) as session:
        broker.freeze()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(session.send([show("x")] * 300, heard.append), name="send")
            calls = [
                tasks.create_task(_failure(session.publish([show("x")] * 300)), name="publish"),
                tasks.create_task(_failure(session.subscribe([topic("x")])), name="subscribe"),
                tasks.create_task(_failure(session.unsubscribe([topic("x")])), name="unsubscribe"),
            ]
            loss = tasks.create_task(_loss(session), name="loss")
            for _ in range(10):
                await asyncio.sleep(0)  # so that all are under way
            broker.kill()

        assert all(AT_ONCE > call.result() - loss.result() > -AT_ONCE for call in calls)
        for call in (session.publish([show("x")]), session.subscribe(["x"]), session.unsubscribe(["x"])):
            with pytest.raises(BusError, match="lost"):
                await call
        await session.send([show("x")], heard.append)
        await eventually(lambda: len(heard) == 2, within=WITHIN, what="both hear of the loss")

        assert all(isinstance(error, BusError) and "lost" in str(error) for error in heard)


async def _failure(call: object) -> float:
    """When the call failed, as it must."""
    assert asyncio.iscoroutine(call)
    with pytest.raises(BusError, match="lost"):
        await call
    return asyncio.get_running_loop().time()


async def test_no_broker_no_session(broker: BrokerUnderTest) -> None:
    """Entering raises while the broker is down, and works when it is back, with what was retained."""
    bus = broker.bus("a")
    async with bus.connect(client="a", will=None, on_delivery=Box()) as session:
        await session.publish([show("x")])
    broker.stop()
    with pytest.raises(BusError):
        async with bus.connect(client="a", will=None, on_delivery=Box()):
            pass
    broker.start()

    assert await retained(broker) == {"x": b"1"}


async def test_orderly_stop_publishes_wills(broker: BrokerUnderTest) -> None:
    """A broker that shuts down in order retains the wills of those who were connected."""
    bus = broker.bus("a")
    async with bus.connect(client="a", will=WILL, on_delivery=Box()) as session, asyncio.timeout(WITHIN):
        broker.stop()
        assert await session.lost()
    broker.start()

    assert await retained(broker) == {"will": b"gone"}


async def test_broker_that_lost_its_store_starts_empty(broker: BrokerUnderTest) -> None:
    """Nothing is retained on a broker whose store is gone."""
    bus = broker.bus("a")
    async with bus.connect(client="a", will=None, on_delivery=Box()) as session:
        await session.publish([show("x")])
    broker.kill()
    broker.start(empty=True)

    assert await retained(broker) == {}
