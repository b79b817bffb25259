"""Metrics, health and structured logs of real nodes, asked for as Prometheus and people do: over HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from broker.metrics.table import Kind, of_role
from broker.ports import free_port
from broker.topic_table import Role
from tests.e2e.nodes import PATIENCE, Installation, a_command, an_installation, write_plan
from tests.support.waiting import until

OK = (200, '{"status":"ok"}')
Samples = dict[tuple[str, tuple[str, ...]], float]


Ports = dict[Role, int]


@pytest.fixture(scope="module")
def ports() -> Ports:
    """Where the nodes tell how they are."""
    return {role: free_port() for role in (Role.DASHBOARD, Role.AGENT)}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, ports: Ports) -> Iterator[Installation]:
    """Broker, dashboard and one agent that tell how they are; one plan has run."""
    with an_installation(tmp_path_factory.mktemp("metrics")) as nodes:
        nodes.node("broker", "broker").start()
        nodes.node("dashboard", "dashboard", "--metrics", str(ports[Role.DASHBOARD]), "--log-format", "json").start()
        nodes.node("north", "agent", "north", "--metrics", f"127.0.0.1:{ports[Role.AGENT]}").start()
        nodes.wait_for_agents("north")
        jobs = [a_command("First", "true"), a_command("Second", "exit 3")]
        nodes.do("plan", "import", str(write_plan(nodes.folder / "Night", jobs, {"First": [], "Second": ["First"]})))
        instance = nodes.do("instance", "start", "Night").strip()
        nodes.do("job", "submit", instance, "First")
        nodes.wait_for(instance, "ERROR")
        yield nodes


def _get(port: int, path: str) -> tuple[int, str]:
    """The status and the body."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def _samples(port: int) -> Samples:
    """All that stands there, by name and values of labels."""
    families = text_string_to_metric_families(_get(port, "/metrics")[1])
    return {
        (sample.name, tuple(sample.labels.values())): sample.value for family in families for sample in family.samples
    }


@pytest.mark.parametrize("role", [Role.DASHBOARD, Role.AGENT])
def test_a_node_tells_what_the_table_says_and_nothing_else(
    installation: Installation, ports: Ports, role: Role
) -> None:
    """Every gauge is there, under its name and kind; nothing has a name that no page explains."""
    families = {family.name: family.type for family in text_string_to_metric_families(_get(ports[role], "/metrics")[1])}
    known = {metric.name: metric for metric in of_role(role)}
    told = {name: kind for name, kind in families.items() if not name.endswith("_created")}

    assert installation.nodes
    assert {name: known[name].kind.value for name in told} == told
    assert {name for name, metric in known.items() if metric.kind is Kind.GAUGE} - told.keys() <= {"jobplan_runs"}


def test_a_dashboard_counts_jobs_and_runs_and_times_its_way(installation: Installation, ports: Ports) -> None:
    """By status and outcome; the second run followed from the report of the first one."""
    found = _samples(ports[Role.DASHBOARD])

    assert installation.nodes
    assert found["jobplan_instances", ("ERROR",)] == 1
    assert found["jobplan_jobs", ("COMPLETE",)] == 1
    assert found["jobplan_jobs", ("ERROR",)] == 1
    assert found["jobplan_agents", ("alive",)] == 1
    assert found["jobplan_runs_ended_total", ("succeeded",)] == found["jobplan_runs_ended_total", ("failed",)] == 1
    assert found["jobplan_report_to_assignment_seconds_count", ()] == 1
    assert found["jobplan_save_seconds_count", ()] > 0
    assert found["jobplan_documents", ()] > 0


def test_an_agent_counts_its_runs(installation: Installation, ports: Ports) -> None:
    """What it may run, what it has run, and how long that waited."""
    found = _samples(ports[Role.AGENT])

    assert installation.nodes
    assert found["jobplan_capacity", ()] == 64
    assert found["jobplan_running", ()] == 0
    assert found["jobplan_run_wait_seconds_count", ()] == 2
    assert found["jobplan_runs_ended_total", ("failed",)] == 1
    assert found["jobplan_disk_free_bytes", ()] > 0


def test_a_log_in_json_has_ids_as_fields(installation: Installation) -> None:
    """So that a log store can be asked for a run."""
    lines = [json.loads(line) for line in installation.nodes["dashboard"].log.read_text().splitlines()]
    ends = [line for line in lines if line.get("kind") == "run" and line.get("after") == "failed"]

    assert [line["run"].split("~")[2] for line in ends] == ["north-Second"]
    assert ends[0]["instance"].startswith("Night-")
    assert {"at", "level", "logger", "message"} <= ends[0].keys()


def test_an_address_that_is_taken_or_is_none_is_one_line(installation: Installation, ports: Ports) -> None:
    """Exit code 2, before anything is done."""
    port = ports[Role.AGENT]
    taken = installation.run("serve", "agent", "south", "--metrics", str(port), "--data", str(installation.folder))
    none = installation.run("serve", "agent", "south", "--metrics", "here", "--data", str(installation.folder))

    assert (taken.returncode, none.returncode) == (2, 2)
    assert f"metrics: 127.0.0.1:{port} cannot be listened on" in taken.stderr.splitlines()[-1]
    assert none.stderr == "jobplan: metrics: 'here': HOST:PORT is wanted, such as 127.0.0.1:9464\n"


def test_a_node_without_its_broker_is_healthy_and_not_ready(tmp_path: Path) -> None:
    """It says why, counts the loss, and is ready again by itself."""
    port = free_port()
    with an_installation(tmp_path) as nodes:
        broker = nodes.node("broker", "broker")
        broker.start()
        nodes.node("north", "agent", "north", "--metrics", str(port)).start()
        until(lambda: _reached(port) and _get(port, "/readyz") == OK, within=PATIENCE, what="ready")

        broker.stop()
        until(lambda: _get(port, "/readyz")[0] == 503, within=PATIENCE, what="not ready")
        assert json.loads(_get(port, "/readyz")[1])["reason"] == "no connection to the broker"
        assert _get(port, "/healthz") == OK
        assert _samples(port)["jobplan_connections_lost_total", ()] == 1

        broker.start()
        until(lambda: _get(port, "/readyz") == OK, within=PATIENCE, what="ready again")
        assert _samples(port)["jobplan_connections_total", ()] == 2


def _reached(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        return bool(_get(port, "/healthz"))
    except OSError:
        return False
