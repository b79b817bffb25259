"""Real nodes meet a broker that cuts a long replay short: they act on no half of it, say what to set, and go on once it is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from broker.address import BrokerUrl
from broker.bus import Publication
from broker.mqtt.bus import MqttBus
from broker.topics import Topics
from schemas.addresses import Address, AgentInstanceAt, RunReportAt
from schemas.codec import encode_body, stamp
from schemas.documents import AgentInstance, Document, RunReport
from schemas.names import ContextName, InstanceId, JobId, NodeName, PlanName, run_id
from schemas.status import RunPhase
from tests.e2e.nodes import PATIENCE, Installation
from tests.support.broker_under_test import DEFAULT_LIMITS, Box
from tests.support.mosquitto import Mosquitto
from tests.support.waiting import until

MANY = 3_000
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NORTH = NodeName("north")
OPEN = ("allow_anonymous true",)
ADVICE = "set max_queued_messages 1000000"


def _documents() -> dict[Address, Document]:
    """What an earlier dashboard showed this agent, and the agent the dashboard: more than the defaults let through of either."""
    shown: dict[Address, Document] = {}
    for number in range(MANY):
        instance = InstanceId(f"nightly-{number:05}-20260301T010000Z")
        run = run_id(instance, ContextName("nightly"), JobId("north-load"), 1)
        shown[AgentInstanceAt(NORTH, instance)] = AgentInstance(
            instance=instance, plan=PlanName("nightly"), version=1, opens=NOW, closes=NOW
        )
        shown[RunReportAt(NORTH, run)] = RunReport(run=run, phase=RunPhase.ENDED, ended=NOW)
    return shown


async def _fill(mosquitto: Mosquitto) -> None:
    topics = Topics()
    publications = [
        Publication(topics.topic_of(address), stamp(encode_body(document), epoch=1, revision=1, at=NOW))
        for address, document in _documents().items()
    ]
    bus = MqttBus(BrokerUrl(host=mosquitto.host, port=mosquitto.port))
    async with bus.connect(client="fill", will=None, on_delivery=Box()) as session:
        await session.publish(publications)


@pytest.mark.timeout(240)
async def test_nodes_refuse_half_a_replay_and_go_on_when_the_broker_is_put_right(tmp_path: Path) -> None:
    """One line each names the setting; nobody has to start them again."""
    mosquitto = Mosquitto(tmp_path / "broker", (*DEFAULT_LIMITS, *OPEN))
    nodes = Installation(tmp_path, port=mosquitto.port)
    try:
        mosquitto.start()
        await _fill(mosquitto)
        for node in (nodes.node("north", "agent", NORTH), nodes.node("dashboard", "dashboard")):
            node.start()
        for name in ("north", "dashboard"):
            log = nodes.nodes[name].log
            until(lambda log=log: ADVICE in log.read_text(), within=2 * PATIENCE, what=log.read_text)  # type: ignore[misc]  # no lambda with defaults
        acted = [name for name in ("north", "dashboard") if "shown documents" in nodes.nodes[name].log.read_text()]
        refused = nodes.run("doctor")

        mosquitto.stop()
        mosquitto.lines = OPEN
        mosquitto.start()
        for name in ("north", "dashboard"):
            log = nodes.nodes[name].log
            until(lambda log=log: "shown documents" in log.read_text(), within=2 * PATIENCE, what=log.read_text)  # type: ignore[misc]  # no lambda with defaults
    finally:
        for node in nodes.nodes.values():
            node.close()
        mosquitto.close()

    assert acted == []
    assert (refused.returncode, ADVICE in refused.stderr) == (2, True)
