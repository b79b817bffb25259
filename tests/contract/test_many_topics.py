"""An agent meets a broker that retains 20 000 topics for it: it takes in all of them, or says which limit cut its replay."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from broker.address import BrokerUrl
from broker.bus import Publication
from broker.errors import ReplayError
from broker.mqtt.bus import MqttBus
from broker.mqtt.patience import Patience
from broker.runtime.world import Signal
from jobplan.client import client_on
from jobplan.client.checkup import DROPPED
from jobplan.client.wire import Wire
from schemas.addresses import AgentInstanceAt
from schemas.codec import encode_body, stamp
from schemas.names import InstanceId, UserName
from tests.fakes.toy_core import ME
from tests.fakes.toy_node import START, TOPICS, ToyNode, a_broker, a_publication
from tests.support.broker_under_test import DEFAULT_LIMITS, SHORT_PATIENCE, Box
from tests.support.mosquitto import Mosquitto, running_mosquitto
from tests.support.waiting import eventually

MANY = 20_000


def _bus(mosquitto: Mosquitto, patience: Patience = SHORT_PATIENCE) -> MqttBus:
    url = BrokerUrl(host=mosquitto.host, port=mosquitto.port, prefix=TOPICS.prefix)
    return MqttBus(url, patience=patience)


async def _fill(mosquitto: Mosquitto, many: int = MANY) -> None:
    """What a dashboard would show the agent."""
    instances = [InstanceId(f"nightly-{number:05}-20260301T010000Z") for number in range(many)]
    publications = [
        Publication(
            TOPICS.topic_of(AgentInstanceAt(ME, instance)),
            stamp(encode_body(a_publication(instance)), epoch=1, revision=number + 1, at=START),
        )
        for number, instance in enumerate(instances)
    ]
    async with _bus(mosquitto).connect(client="fill", will=None, on_delivery=Box()) as session:
        await session.publish(publications)


async def test_agent_takes_in_all_of_many_topics(tmp_path: Path) -> None:
    """With the project's configuration nothing is missing when the agent first acts."""
    with running_mosquitto(tmp_path) as mosquitto:
        await _fill(mosquitto)
        node = ToyNode(a_broker(), bus=_bus(mosquitto, Patience()))
        async with node.running():
            heard = len(node.core.heard())

    assert heard == MANY


async def test_who_asks_a_broker_that_drops_hears_of_it(tmp_path: Path) -> None:
    """Mosquitto counts what it has dropped, and the doctor asks for that."""
    with running_mosquitto(tmp_path, *DEFAULT_LIMITS, "sys_interval 1", "allow_anonymous true") as mosquitto:
        await _fill(mosquitto, 2_000)
        wire = Wire(TOPICS, UserName("anna"))
        with pytest.raises(ReplayError):
            async with _bus(mosquitto).connect(client="reader", will=None, on_delivery=Box()) as session:
                await session.subscribe([f"{TOPICS.prefix}/#"])
        box = Box()
        async with _bus(mosquitto).connect(client="watcher", will=None, on_delivery=box) as session:
            await session.subscribe([DROPPED])
            await eventually(lambda: int(box.newest.get(DROPPED, b"0")) > 0, within=10.0, what="mosquitto counts them")
        async with client_on(_bus(mosquitto), wire) as client:
            dropped = await client.counter(DROPPED)

    assert dropped > 0


async def test_agent_refuses_a_replay_that_was_cut(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With mosquitto's own limits it acts on nothing, and names the setting to change."""
    caplog.set_level(logging.WARNING)
    with running_mosquitto(tmp_path, *DEFAULT_LIMITS, "allow_anonymous true") as mosquitto:
        await _fill(mosquitto)
        node = ToyNode(a_broker(), bus=_bus(mosquitto))
        async with asyncio.TaskGroup() as group:
            group.create_task(node.driver.run(), name="node")
            await node.signals.reached(Signal.WAITING, 1)
            node.driver.stop()

    assert node.core.events == []
    assert "max_queued_messages 1000000" in caplog.text
