"""An agent meets a broker that retains 20 000 topics for it: it takes in all of them, or says which limit cut its replay."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from broker.address import BrokerUrl
from broker.bus import Publication
from broker.mqtt import MqttBus
from broker.runtime.world import Signal
from schemas.addresses import AgentInstanceAt
from schemas.codec import encode_body, stamp
from schemas.names import InstanceId
from tests.fakes.toy_core import ME
from tests.fakes.toy_node import START, TOPICS, ToyNode, a_broker, a_publication
from tests.support.broker_under_test import DEFAULT_LIMITS, SHORT_PATIENCE, Box
from tests.support.mosquitto import Mosquitto, running_mosquitto

MANY = 20_000


def _bus(mosquitto: Mosquitto) -> MqttBus:
    url = BrokerUrl(host=mosquitto.host, port=mosquitto.port, prefix=TOPICS.prefix)
    return MqttBus(url, patience=SHORT_PATIENCE)


async def _fill(mosquitto: Mosquitto) -> None:
    """What a dashboard would show the agent."""
    instances = [InstanceId(f"nightly-{number:05}-20260301T010000Z") for number in range(MANY)]
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
        node = ToyNode(a_broker(), bus=_bus(mosquitto))
        async with node.running():
            heard = len(node.core.heard())

    assert heard == MANY


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
