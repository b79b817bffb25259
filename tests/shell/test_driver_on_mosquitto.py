"""A node on a real broker: what virtual time and a broker in memory may have hidden."""

from __future__ import annotations

import asyncio

from broker.address import BrokerUrl
from broker.bus import Bus, Delivery, Publication
from broker.mqtt.bus import MqttBus
from broker.runtime.errors import FencedError
from broker.runtime.world import Signal
from schemas.addresses import DashboardPresenceAt
from schemas.codec import decode, encode_body, stamp
from schemas.documents import FireReport, Presence
from schemas.names import NodeName
from schemas.status import NodeState
from tests.fakes.toy_node import PRESENCE, REPORT, START, TOPICS, ToyNode, a_broker, bump, unwrapped
from tests.support.mosquitto import HOST, Mosquitto
from tests.support.still_server import a_server_that_stands_still
from tests.support.waiting import eventually

SOON = 30.0


def a_dashboard(connection: int) -> Publication:
    """What a dashboard says when all it has to show is shown."""
    there = NodeName("dashboard")
    word = Presence(node=there, state=NodeState.ALIVE, connection=connection, since=START, complete=True)
    payload = stamp(encode_body(word), epoch=1, revision=connection, at=START)
    return Publication(TOPICS.topic_of(DashboardPresenceAt()), payload)


async def retained(bus: Bus) -> dict[str, bytes]:
    """Everything that stands on the broker."""
    found: list[Delivery] = []
    async with bus.connect(client="viewer", will=None, on_delivery=found.append) as session:
        await session.subscribe([f"{TOPICS.prefix}/#"])
    return {delivery.topic: delivery.payload for delivery in found if delivery.retained}


async def test_a_broker_killed_and_emptied(own_mosquitto: Mosquitto) -> None:
    """Killed, and without its store, the broker is filled again; what was counted meanwhile is shown with the rest."""
    bus = MqttBus(BrokerUrl(host=own_mosquitto.host, port=own_mosquitto.port, prefix=TOPICS.prefix))
    node = ToyNode(a_broker(), bus=bus)
    async with node.running():
        await bump(node)
        own_mosquitto.kill()
        own_mosquitto.store.unlink(missing_ok=True)
        await node.signals.reached(Signal.LOST, 1)
        await bump(node)
        own_mosquitto.start()
        await node.signals.reached(Signal.COMPLETE, 2)
        shown = await retained(bus)
    left = await retained(bus)

    presence = decode(shown[PRESENCE], Presence)
    assert (presence.state, presence.complete, presence.documents) == (NodeState.ALIVE, True, 1)
    assert decode(shown[REPORT], FireReport).problem == "2"
    assert decode(left[PRESENCE], Presence).state is NodeState.GONE
    assert [bell.count for bell in node.bells] == [1, 2]


async def test_turns_go_on_while_the_broker_is_slow(own_mosquitto: Mosquitto) -> None:
    """A turn need not wait until the broker has acknowledged what the one before it has shown; in the end all of it stands."""
    bus = MqttBus(BrokerUrl(host=own_mosquitto.host, port=own_mosquitto.port, prefix=TOPICS.prefix))
    node = ToyNode(a_broker(), bus=bus)
    async with node.running():
        before = node.signals.counts[Signal.SHOWN]
        own_mosquitto.freeze()
        node.signals.trail.clear()
        await bump(node, 3)
        unheard = list(node.signals.trail)
        own_mosquitto.thaw()
        await node.signals.reached(Signal.SHOWN, before + 3)
        shown = await retained(bus)

    assert Signal.SHOWN not in unheard
    assert [step for step in unheard if step.startswith("bell")] == ["bell 1", "bell 2", "bell 3"]
    assert decode(shown[REPORT], FireReport).problem == "3"


async def test_two_lives_of_one_name(own_mosquitto: Mosquitto) -> None:
    """The newer life gets the name, the older one ends, and the presence that stands is the newer one's."""
    bus = MqttBus(BrokerUrl(host=own_mosquitto.host, port=own_mosquitto.port, prefix=TOPICS.prefix))
    older, newer = ToyNode(a_broker(), bus=bus, host="old"), ToyNode(a_broker(), bus=bus, host="new")
    async with asyncio.TaskGroup() as group:
        running = group.create_task(unwrapped(older), name="older")
        await older.signals.reached(Signal.COMPLETE, 1)
        async with newer.running():
            error = await running
            presence = decode((await retained(bus))[PRESENCE], Presence)

    assert isinstance(error, FencedError)
    assert (presence.state, presence.host, presence.complete) == (NodeState.ALIVE, "new", True)


async def test_who_comes_after_a_replay_that_is_not_proved_is_asked_as_well(own_mosquitto: Mosquitto) -> None:
    """Both servers of the broker show an old list; the dashboard was away when the node asked, and hears it when it is back."""
    heard: list[str] = []

    def asked() -> int:
        return heard.count(TOPICS.again("test-agent-north"))

    direct = MqttBus(BrokerUrl(host=own_mosquitto.host, port=own_mosquitto.port, prefix=TOPICS.prefix))
    with a_server_that_stands_still(own_mosquitto.port) as still:
        both = BrokerUrl(host=HOST, port=still.port, prefix=TOPICS.prefix, others=((HOST, still.port),))
        node = ToyNode(a_broker(), bus=MqttBus(both))
        async with direct.connect(
            client="dashboard", will=None, on_delivery=lambda delivery: heard.append(delivery.topic)
        ) as dashboard:
            await dashboard.subscribe([f"{TOPICS.prefix}/_again/+"])
            async with node.running():
                await eventually(lambda: asked() == 1, within=SOON, what="its session has asked")
                await dashboard.publish([a_dashboard(1), a_dashboard(1)])
                await eventually(lambda: asked() == 2, within=SOON, what="it is asked as well")
                await dashboard.publish([a_dashboard(2)])  # not sooner: two of one turn are asked together
                await eventually(lambda: asked() == 3, within=SOON, what="each connection is asked, once")
                await bump(node)
                await retained(direct)  # what was published before has been passed on

    assert asked() == 3
