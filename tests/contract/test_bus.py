"""The bus carries what its port promises, in memory as on mosquitto: where the two differ, the model is wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from broker.bus import Publication, Session
from broker.errors import BusError, RefusedError, ReplayError
from broker.topics import RequestTopic, ResponseTopic, Topics
from schemas.addresses import Address, FireReportAt, JobAt, LockAt, PlanAt, RunReportAt
from schemas.names import ContextName, InstanceId, JobId, LockName, NodeName, PlanName, RequestId, UserName, run_id
from tests.support.broker_under_test import (
    PREFIX,
    Box,
    BrokerUnderTest,
    Kind,
    Setting,
    broker_under_test,
    retained,
    show,
    topic,
)
from tests.support.waiting import eventually

MANY = 5000
SEVERAL = 10
WITHIN = 5.0
ODD = "ä b%c~d+e#f/g.h\u2603$"
ACCOUNTS = {"writer": "sécret"}


async def test_retained_publication_waits_for_a_newcomer(broker: BrokerUnderTest) -> None:
    """The newest retained payload of each topic is replayed, with the flag; a publication without retain is not."""
    bus = broker.bus("a")
    async with bus.connect(client="a", will=None, on_delivery=Box()) as session:
        await session.publish([show("x", "old"), show("x", "new"), Publication(topic("y"), b"1", retain=False)])

    assert await retained(broker) == {"x": b"new"}


async def test_what_is_sent_need_not_be_waited_for(broker: BrokerUnderTest) -> None:
    """What is sent comes in the order of sending, over several calls, and each call hears once that it was acknowledged."""
    heard: list[tuple[int, BusError | None]] = []
    box = Box()
    bus = broker.bus("a")
    async with bus.connect(client="a", will=None, on_delivery=box) as session:
        await session.subscribe([topic("#")])
        for number in range(20):
            sent = [show("x", f"{number}"), show(f"y/{number}", f"{number}")]
            await session.send(sent, lambda error, number=number: heard.append((number, error)))  # type: ignore[misc]  # mypy infers no lambda with defaults
        await eventually(lambda: len(heard) == 20, within=WITHIN, what="all is acknowledged")
        await eventually(lambda: len(box.deliveries) == 40, within=WITHIN, what="all arrives")

    assert heard == [(number, None) for number in range(20)]
    assert [one.payload for one in box.deliveries if one.topic == topic("x")] == [b"%d" % one for one in range(20)]


async def test_empty_payload_clears(broker: BrokerUnderTest) -> None:
    """A retained empty payload reaches who listens, and leaves nothing behind."""
    box = Box()
    bus = broker.bus("a")
    async with bus.connect(client="a", will=None, on_delivery=box) as session:
        await session.publish([show("x")])
        await session.subscribe([topic("#")])
        await session.publish([show("x", "")])
        await eventually(lambda: box.newest == {topic("x"): b""}, within=WITHIN, what="the clearing arrives")

        assert not box.deliveries[-1].retained
        assert await retained(broker) == {}


async def test_what_is_published_while_somebody_subscribes_is_not_missed(broker: BrokerUnderTest) -> None:
    """It is replayed, or comes live: who counts what it was shown would take for gone what it has never seen."""
    bus = broker.bus("writer")
    async with bus.connect(client="writer", will=None, on_delivery=Box()) as writer:
        for number in range(SEVERAL):
            await _subscribe_meanwhile(broker, writer, f"x/{number}")


async def _subscribe_meanwhile(broker: BrokerUnderTest, writer: Session, level: str) -> None:
    """Publish one topic after the other for as long as somebody takes to subscribe; all of them arrive."""
    box, bus, sent = Box(), broker.bus("reader"), set[str]()
    async with bus.connect(client="reader", will=None, on_delivery=box) as reader:
        async with asyncio.TaskGroup() as group:
            subscribing = group.create_task(reader.subscribe([topic("none/#"), topic(f"{level}/#")]))
            while not subscribing.done():
                name = f"{level}/{len(sent)}"
                await writer.publish([show(name)])
                sent.add(topic(name))
        await eventually(
            lambda: sent <= box.newest.keys(),
            within=WITHIN,
            what=lambda: f"the rest of {len(sent)} arrive: {sorted(sent - box.newest.keys())}",
        )


async def test_replay_is_complete_when_subscribe_returns(broker: BrokerUnderTest) -> None:
    """All of many retained topics have been delivered, each once, and nothing of the proof is seen."""
    box = Box()
    bus = broker.bus("a")
    async with bus.connect(client="a", will=None, on_delivery=box) as session:
        await session.publish([show(str(number), str(number)) for number in range(MANY)])
        await session.subscribe([topic("#")])

    assert len(box.deliveries) == MANY
    assert box.newest == {topic(str(number)): str(number).encode() for number in range(MANY)}


async def test_subscribing_again_replays_again(broker: BrokerUnderTest) -> None:
    """Each subscribe replays, so a node can ask for the whole state anew."""
    box = Box()
    bus = broker.bus("a")
    async with bus.connect(client="a", will=None, on_delivery=box) as session:
        await session.publish([show("x")])
        await session.subscribe([topic("x")])
        await session.subscribe([topic("x")])

    assert box.payloads(topic("x")) == [b"1", b"1"]


async def test_replays_at_once_end_each(broker: BrokerUnderTest) -> None:
    """Two subscribes under way at the same time both return, with both replays complete."""
    box = Box()
    bus = broker.bus("a")
    async with bus.connect(client="a", will=None, on_delivery=box) as session:
        await session.publish([show(f"{side}/{number}") for side in "xy" for number in range(200)])
        await asyncio.gather(session.subscribe([topic("x/+")]), session.subscribe([topic("y/+")]))

    assert len(box.newest) == 400


async def test_two_filters_in_one_subscribe(broker: BrokerUnderTest) -> None:
    """All filters of one call are replayed."""
    box = Box()
    bus = broker.bus("a")
    async with bus.connect(client="a", will=None, on_delivery=box) as session:
        await session.publish([show("x/1"), show("y/1"), show("z/1")])
        await session.subscribe([topic("x/+"), topic("y/#")])

    assert box.newest == {topic("x/1"): b"1", topic("y/1"): b"1"}


async def test_subscribing_to_nothing_does_nothing(broker: BrokerUnderTest) -> None:
    """No filters, no publications: no packet, no error."""
    bus = broker.bus("a")
    async with bus.connect(client="a", will=None, on_delivery=Box()) as session:
        await session.subscribe([])
        await session.unsubscribe([])
        await session.publish([])


async def test_one_publisher_is_heard_in_order(broker: BrokerUnderTest) -> None:
    """What one session publishes on one topic arrives in that order, whole."""
    box = Box()
    reader, writer = broker.bus("reader"), broker.bus("writer")
    async with (
        reader.connect(client="reader", will=None, on_delivery=box) as listening,
        writer.connect(client="writer", will=None, on_delivery=Box()) as session,
    ):
        await listening.subscribe([topic("x")])
        await session.publish([show("x", str(number)) for number in range(1000)])
        await eventually(lambda: len(box.deliveries) == 1000, within=WITHIN, what="all arrive")

    assert box.payloads(topic("x")) == [str(number).encode() for number in range(1000)]
    assert not any(delivery.retained for delivery in box.deliveries)


async def test_unsubscribed_topics_are_silent(broker: BrokerUnderTest) -> None:
    """After unsubscribe nothing more comes, while other subscriptions go on."""
    box = Box()
    bus = broker.bus("a")
    async with bus.connect(client="a", will=None, on_delivery=box) as session:
        await session.subscribe([topic("x"), topic("y")])
        await session.unsubscribe([topic("x")])
        await session.publish([show("x"), show("y")])
        await eventually(lambda: topic("y") in box.newest, within=WITHIN, what="the other topic arrives")

    assert box.newest == {topic("y"): b"1"}


async def test_malformed_filter_is_refused(broker: BrokerUnderTest) -> None:
    """What is no filter is refused, and the session goes on."""
    bus = broker.bus("a")
    async with bus.connect(client="a", will=None, on_delivery=Box()) as session:
        with pytest.raises(RefusedError, match="a/#/b"):
            await session.subscribe(["a/#/b"])

        await session.subscribe([topic("x")])


async def test_wrong_password_is_refused(broker_kind: Kind, tmp_path: Path) -> None:
    """A login that the broker refuses says so at once, names the user, and not the password."""
    with broker_under_test(broker_kind, tmp_path / "broker", Setting(accounts=ACCOUNTS)) as broker:
        for user, password in (("writer", "wrong"), ("nobody", "sécret"), ("", "")):
            bus = broker.bus("a", user, password)
            with pytest.raises(RefusedError) as refusal:
                async with bus.connect(client="a", will=None, on_delivery=Box()):
                    pass
            assert user in str(refusal.value)
            assert "sécret" not in str(refusal.value)
        bus = broker.bus("a", "writer", "sécret")
        async with bus.connect(client="a", will=None, on_delivery=Box()) as session:
            await session.publish([show("x")])


async def test_denied_publish_is_an_error(telling_broker_kind: Kind, tmp_path: Path) -> None:
    """A publish against the access rules raises and names the topic; others of the batch are sent; the session goes on."""
    setting = Setting(accounts=ACCOUNTS, forbidden=topic("forbidden/#"))
    with broker_under_test(telling_broker_kind, tmp_path / "broker", setting) as broker:
        box = Box()
        bus = broker.bus("a", "writer", "sécret")
        async with bus.connect(client="a", will=None, on_delivery=box) as session:
            with pytest.raises(RefusedError, match="forbidden/x"):
                await session.publish([show("before"), show("forbidden/x"), show("after")])
            heard: list[BusError | None] = []
            await session.send([show("forbidden/y")], heard.append)
            await session.publish([show("later")])
            await session.subscribe([topic("#")])

            assert sorted(box.newest) == [topic("after"), topic("before"), topic("later")]
            assert [str(error) for error in heard] == [
                f"the broker's access rules forbid us to publish on '{topic('forbidden/y')}'"
            ]


async def test_odd_names_travel(broker: BrokerUnderTest) -> None:
    """Topics made of any name arrive as they are, and give the same address back; the client id may be odd, too."""
    topics = Topics(PREFIX)
    instance = InstanceId("p%C3%A4-20260101T000000Z")
    addresses: list[Address] = [
        RunReportAt(NodeName(ODD), run_id(instance, ContextName(ODD), JobId(ODD), 1)),
        FireReportAt(NodeName(ODD), instance, JobId(ODD)),
        PlanAt(PlanName(ODD)),
        JobAt(instance, ContextName(ODD), JobId(ODD)),
        LockAt(LockName(ODD), ODD),
    ]
    box = Box()
    bus = broker.bus(ODD)
    async with bus.connect(client=ODD, will=None, on_delivery=box) as session:
        await session.publish([Publication(topics.topic_of(address), b"1") for address in addresses])
        await session.subscribe([topic("#")])

    assert {topics.address_of(delivery.topic) for delivery in box.deliveries} == set(addresses)


async def test_odd_requests_travel(broker: BrokerUnderTest) -> None:
    """A request and its answer, of any user and any node, reach who subscribed to them."""
    topics = Topics(PREFIX)
    user, request, node = UserName(ODD), RequestId(ODD), NodeName(ODD)
    box = Box()
    bus = broker.bus("a")
    async with bus.connect(client="a", will=None, on_delivery=box) as session:
        await session.subscribe([topic("agent/+/request/+/+"), topics.responses(user, request)])
        asked, answered = RequestTopic(user, request, node), ResponseTopic(user, request, node, 2)
        await session.publish(
            [Publication(name, b"1", retain=False) for name in (topics.request(asked), topics.response(answered))]
        )
        await eventually(lambda: len(box.deliveries) == 2, within=WITHIN, what="both arrive")

    first, second = sorted(box.newest)
    assert topics.request_of(first) == asked
    assert topics.response_of(second) == answered


async def test_large_payload_travels(broker: BrokerUnderTest) -> None:
    """A megabyte arrives whole, live and retained."""
    payload = bytes(range(256)) * 4096
    box = Box()
    bus = broker.bus("a")
    async with bus.connect(client="a", will=None, on_delivery=box) as session:
        await session.subscribe([topic("x")])
        await session.publish([Publication(topic("x"), payload)])
        await eventually(lambda: len(box.deliveries) == 1, within=WITHIN, what="it arrives")
        await session.subscribe([topic("x")])

    assert box.payloads(topic("x")) == [payload, payload]


async def test_truncated_replay_is_an_error(broker_kind: Kind, tmp_path: Path) -> None:
    """On a broker that drops part of a replay, subscribe raises and names the setting to change."""
    with broker_under_test(broker_kind, tmp_path / "broker", Setting(default_limits=True)) as broker:
        bus = broker.bus("a")
        async with bus.connect(client="a", will=None, on_delivery=Box()) as session:
            await session.publish([show(str(number)) for number in range(MANY)])
            with pytest.raises(ReplayError, match="max_queued_messages"):
                await session.subscribe([topic("#")])


async def test_truncated_replay_is_noticed_amid_live_messages(broker_kind: Kind, tmp_path: Path) -> None:
    """Acknowledging live messages makes no room for a proof that should be dropped with the replay."""
    with broker_under_test(broker_kind, tmp_path / "broker", Setting(default_limits=True)) as broker:
        box = Box()
        bus, other = broker.bus("a"), broker.bus("other")
        async with (
            bus.connect(client="a", will=None, on_delivery=box) as session,
            other.connect(client="other", will=None, on_delivery=Box()) as talking,
        ):
            await talking.publish([show(f"tree/{number}") for number in range(1500)])
            await session.subscribe([topic("live")])
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(talking.publish([show("live", str(number)) for number in range(500)]), name="talk")
                await eventually(lambda: len(box.deliveries) > 5, within=WITHIN, what="live messages come")
                with pytest.raises(ReplayError, match="max_queued_messages"):
                    await session.subscribe([topic("tree/#")])
