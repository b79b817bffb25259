"""Another broker: NATS in its MQTT 3.1.1 mode, one server that is killed while a job runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.address import BrokerUrl
from broker.conformance.findings import Verdict
from broker.conformance.run import UnderTest, check_broker
from broker.mqtt import MqttBus, hang_up
from tests.e2e.nodes import Installation, a_command, an_installation, write_plan
from tests.support.broker_under_test import PATIENCE
from tests.support.nats import Nats, running_nats
from tests.support.waiting import until

PREFIX = "test/nats"

pytestmark = pytest.mark.timeout(120)


def _bus(server: Nats) -> MqttBus:
    return MqttBus(BrokerUrl(host=server.host, port=server.port, prefix=PREFIX), patience=PATIENCE)


async def test_nats_conforms(tmp_path: Path) -> None:
    """Every check of `jobplan broker check` is good, or noted and handled; with a restart."""
    with running_nats(tmp_path / "nats") as server:

        async def restart() -> None:
            server.stop()
            server.start()

        broker = UnderTest(bus=_bus(server), prefix=PREFIX, hang_up=hang_up, restart=restart)
        findings = await check_broker(broker, "t")

    assert [one for one in findings if one.verdict is Verdict.BAD] == []
    assert {one.check for one in findings if one.verdict is Verdict.NOTE} <= {"counters", "restart", "complete replays"}


def test_the_main_job_runs_on_nats(tmp_path: Path) -> None:
    """Import, start, run, read, end; the broker is killed and restarted while a job runs, and nothing runs twice."""
    with running_nats(tmp_path / "nats") as server, an_installation(tmp_path) as nodes:
        nodes.port = server.port
        _start(nodes)
        count = tmp_path / "count"
        jobs = [
            a_command("First", "sleep 2; echo done"),
            a_command("Second", f"echo once >> '{count}'; echo loaded"),
        ]
        nodes.do("plan", "import", str(write_plan(tmp_path / "Nightly", jobs, {"First": [], "Second": ["First"]})))
        instance = nodes.do("instance", "start", "Nightly").strip()
        nodes.do("job", "submit", instance, "First")
        until(lambda: nodes.statuses(instance)["First"] == "RUNNING", within=20, what="the first job runs")
        server.kill()
        server.start()
        nodes.wait_for(instance, "COMPLETE", within=60)

        assert nodes.do("job", "logs", instance, "Second") == "loaded\n"
        assert count.read_text() == "once\n"
        assert "ended" in nodes.do("instance", "end", instance, "--yes")


def _start(nodes: Installation) -> None:
    nodes.node("dashboard", "dashboard", "--retention", "3600").start()
    nodes.node("north", "agent", "north").start()
    nodes.wait_for_agents("north")
