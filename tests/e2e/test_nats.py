"""Another broker: NATS in its MQTT 3.1.1 mode, one server that is killed while a job runs, and one of three that is."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from pathlib import Path

import pytest
from msgspec import structs

from broker.address import BrokerUrl
from broker.bus import Publication
from broker.conformance.findings import Verdict
from broker.conformance.run import UnderTest, check_broker
from broker.mqtt.bus import MqttBus, hang_up
from tests.e2e.nodes import Installation, a_command, an_installation, write_plan
from tests.support.broker_under_test import PATIENCE, Box
from tests.support.nats import Nats, all_healthy, running_cluster, running_nats
from tests.support.waiting import until

PREFIX = "test/nats"
JOBS = 60
WIDTH = 4
"""So many of them run at once, each after the one that is so many before it."""

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


async def test_what_was_cleared_rises_again_when_a_server_is_killed(tmp_path: Path) -> None:
    """What stood before the clear stands there again: a document, or nothing that anybody sees if that was a tombstone."""
    document, stone = f"{PREFIX}/document", f"{PREFIX}/stone"
    with running_nats(tmp_path / "nats") as server:
        address = (server.host, server.port)
        several = MqttBus(BrokerUrl(host=server.host, port=server.port, others=(address,)), patience=PATIENCE)
        async with _bus(server).connect(client="alone", will=None, on_delivery=Box()) as session:
            await session.publish([Publication(topic, b"1") for topic in (f"{PREFIX}/stays", document, stone)])
            will = Publication(f"{PREFIX}/will", b"1")
            async with several.connect(client="several", will=will, on_delivery=Box()) as leaving:
                await leaving.publish([Publication(stone, b"")])
            await session.publish([Publication(document, b""), Publication(stone, b"")])
        until(lambda: server.stored == 1, within=10, what="both clears were passed on")
        server.kill()
        server.start()
        heard = Box()
        async with _bus(server).connect(client="newcomer", will=None, on_delivery=heard) as session:
            await session.subscribe([f"{PREFIX}/+"])

        assert server.stored == 3
        assert set(heard.newest) == {f"{PREFIX}/stays", document}


async def test_connection_that_lost_a_subscription_without_a_word_is_given_up(tmp_path: Path) -> None:
    """As happens where servers die: it is noticed by what its server lists, and the next connection has it."""
    topic = f"{PREFIX}/document"
    with running_nats(tmp_path / "nats") as server:
        address = BrokerUrl(host=server.host, port=server.port, others=((server.host, server.port),), prefix=PREFIX)
        bus = MqttBus(address, patience=structs.replace(PATIENCE, listen=0.5))
        deaf, hears = Box(), Box()
        async with _bus(server).connect(client="writer", will=None, on_delivery=Box()) as writer:
            await writer.publish([Publication(topic, b"1")])
            async with bus.connect(client="reader", will=None, on_delivery=deaf) as reader:
                await reader.subscribe([f"{PREFIX}/+"])
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(reader.lost(), timeout=2.0)  # all is told
                assert server.take_away(f"{PREFIX}/+") == 1
                await writer.publish([Publication(topic, b"2")])
                assert await reader.lost() == "its server does not pass everything on"
            async with bus.connect(client="reader", will=None, on_delivery=hears) as reader:
                await reader.subscribe([f"{PREFIX}/+"])

    assert (deaf.payloads(topic), hears.payloads(topic)) == ([b"1"], [b"2"])


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


@pytest.mark.skipif(not os.environ.get("NATS"), reason="elections take three minutes; 'make nats' waits for them")
@pytest.mark.timeout(400)
def test_one_of_three_servers_dies_under_load(tmp_path: Path) -> None:
    """It stays dead: what was begun is done, once; who comes now, node or person, sees everything; so does the server later."""
    with running_cluster(tmp_path / "nats") as servers, an_installation(tmp_path) as nodes:
        first, *others = servers.values()
        nodes.port, nodes.others = first.port, tuple(server.port for server in others)
        _start(nodes)
        runs = tmp_path / "runs"
        jobs = [a_command(f"J{n}", f"sleep 0.3; echo J{n} >> '{runs}'") for n in range(JOBS)]
        after = {f"J{n}": [f"J{n - WIDTH}"] if n >= WIDTH else [] for n in range(JOBS)}
        nodes.do("plan", "import", str(write_plan(tmp_path / "Nightly", jobs, after)))
        instance = nodes.do("instance", "start", "Nightly").strip()
        for n in range(WIDTH):
            nodes.do("job", "submit", instance, f"J{n}")
        until(lambda: runs.exists() and len(runs.read_text().split()) > WIDTH, within=30, what="jobs run")
        first.kill()
        nodes.wait_for(instance, "COMPLETE", within=120)

        assert sorted(runs.read_text().split()) == sorted(f"J{n}" for n in range(JOBS))
        nodes.node("south", "agent", "south").start()
        nodes.wait_for_agents("south", within=90)
        late = write_plan(
            tmp_path / "Late", [a_command("Once", f"echo south >> '{runs}'", agent="south")], {"Once": []}
        )
        nodes.do("plan", "import", str(late))
        nodes.do("job", "submit", nodes.do("instance", "start", "Late").strip(), "Once")
        until(
            lambda: runs.read_text().split().count("south") == 1, within=90, what="the newcomer runs what it is given"
        )
        until(lambda: _everything(nodes), within=60, what="a person sees as many topics as the nodes say they show")
        first.start()
        all_healthy(servers)
        nodes.others = ()
        until(lambda: _everything(nodes), within=60, what="the server that was dead shows as much as the others")


def _everything(nodes: Installation) -> bool:
    """Whether somebody who comes now is shown all that nodes say they show. NATS may show for a while what was cleared, too."""
    shown: dict[str, dict[str, int]] = json.loads(nodes.do("topics", "--json"))
    said = {"instances": 2, "reports": 0}
    stands = Counter(instances=0, reports=sum("/report/" in topic for topic in shown))
    for topic, one in shown.items():
        match topic.split("/"):
            case ["agent", _, "presence"]:
                said["reports"] += one.get("documents", 0)
            case ["instance", name]:
                stands["instances"] += 1
                said[name] = one["jobs"]
            case ["instance", name, "job", *_]:
                stands[name] += 1
            case _:
                pass
    return all(stands[what] >= number for what, number in said.items())


def _start(nodes: Installation) -> None:
    nodes.node("dashboard", "dashboard", "--retention", "3600").start()
    nodes.node("north", "agent", "north").start()
    nodes.wait_for_agents("north", within=60)
