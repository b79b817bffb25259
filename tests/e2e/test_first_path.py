"""The first whole path, with separate processes: a plan is imported, started, submitted, watched, read and ended."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.nodes import Installation, a_command, an_installation, write_plan
from tests.support.mosquitto import HOST
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(120)

CLOCK: dict[str, object] = {
    "agentName": "north",
    "jobName": "AtMidnight",
    "cronExpression": "0 0 0 1 1 ? 2099",
    "timeZone": "UTC",
}
AFTER = {"Extract": ["AtMidnight"], "Load": ["Extract"]}


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Broker, dashboard and two agents; ended instances stay for a second."""
    with an_installation(tmp_path) as nodes:
        nodes.start("north", "south", retention=1.0)
        yield nodes


def a_nightly(folder: Path) -> Path:
    """A clock job, then a job with parameter and output, then one on another agent."""
    extract = a_command(
        "Extract",
        'echo "region $region"; echo careful >&2',
        contextParameters=[{"name": "region", "defaultValue": "none"}],
    )
    parameters = [{"name": "region", "defaultValue": "nowhere"}]
    jobs: list[dict[str, object]] = [CLOCK, extract, a_command("Load", "sleep 0.2; echo loaded", "south")]
    return write_plan(folder / "Nightly", jobs, AFTER, contextParameters=parameters)


def test_a_plan_goes_from_import_to_end(installation: Installation, tmp_path: Path) -> None:
    """Import, start with a parameter, submit the clock job, read the output, end; then nothing of it is retained."""
    assert "imported Nightly, version 1" in installation.do("plan", "import", str(a_nightly(tmp_path)))
    instance = installation.do("instance", "start", "Nightly", "-p", "region=north").strip()
    assert installation.statuses(instance) == {"AtMidnight": "WAITING", "Extract": "WAITING", "Load": "WAITING"}

    submitted = installation.do("job", "submit", "Nightly", "AtMidnight")
    installation.wait_for(instance, "COMPLETE")

    assert submitted == "submitted AtMidnight\n"
    assert installation.do("job", "logs", "Nightly", "Extract") == "region north\n"
    assert installation.do("job", "logs", "Nightly", "Extract", "--stderr") == "careful\n"
    assert installation.do("job", "logs", instance, "Load", "--follow") == "loaded\n"
    assert installation.do("job", "logs", instance, "Load", "--tail", "1") == "loaded\n"
    assert installation.do("job", "logs", instance, "Load", "--from", "-5", "--most", "3") == "ade"
    assert "ended" in installation.do("instance", "end", instance, "--yes")
    until(lambda: not installation.topics_of(instance), within=10, what="nothing of it is retained")


def test_start_can_wait_for_the_end(installation: Installation, tmp_path: Path) -> None:
    """`instance start --wait` ends with 0 when it completes and 1 when it fails; its lines say what happened."""
    installation.do(
        "plan",
        "import",
        str(write_plan(tmp_path / "Good", [CLOCK, a_command("Only", "exit 0")], {"Only": ["AtMidnight"]})),
    )
    instance = installation.do("instance", "start", "Good").strip()
    waited = installation.run("job", "submit", instance, "Only", "--wait")
    failing = [a_command("First", "true"), a_command("Bad", "exit 3")]
    installation.do("plan", "import", str(write_plan(tmp_path / "Failing", failing, {"Bad": ["First"], "First": []})))
    other = installation.do("instance", "start", "Failing").strip()
    failed = installation.run("job", "submit", other, "Bad", "--wait")

    assert (waited.returncode, waited.stdout) == (0, "submitted Only: COMPLETE\n")
    assert failed.returncode == 1
    assert "Bad: ERROR (return code 3)" in failed.stdout


def test_a_refusal_says_why(installation: Installation, tmp_path: Path) -> None:
    """What the dashboard refuses ends with 1 and its reason; what cannot be meant ends with 2 and the nearest name."""
    installation.do("plan", "import", str(a_nightly(tmp_path)))
    instance = installation.do("instance", "start", "Nightly").strip()

    refused = installation.run("job", "kill", instance, "Load")
    unknown = installation.run("job", "kill", instance, "Laod")
    no_plan = installation.run("instance", "start", "Nihgtly")

    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert (unknown.returncode, unknown.stderr) == (2, "jobplan: job 'Laod' is unknown; did you mean 'Load'?\n")
    assert (no_plan.returncode, no_plan.stderr) == (2, "jobplan: plan 'Nihgtly' is unknown; did you mean 'Nightly'?\n")


def test_any_mqtt_tool_can_read_the_topics(installation: Installation, tmp_path: Path) -> None:
    """`mosquitto_sub -t 'jobplan/#' -v` shows readable JSON with version, epoch, revision and time on every topic."""
    program = shutil.which("mosquitto_sub")
    if program is None:
        pytest.skip("mosquitto_sub is not installed (package mosquitto-clients)")
    installation.do("plan", "import", str(a_nightly(tmp_path)))
    instance = installation.do("instance", "start", "Nightly").strip()

    command = [program, "-h", HOST, "-p", str(installation.port), "-t", "jobplan/#", "-v", "-W", "2"]
    lines = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout.splitlines()
    shown = {topic: json.loads(payload) for topic, _, payload in (line.partition(" ") for line in lines)}
    listed = {f"jobplan/v1/{topic}" for topic in json.loads(installation.do("topics", "--json"))}

    assert listed == set(shown)
    assert json.loads(installation.do("topics", "agent/nor", "--json")) == {}
    assert all({"v", "epoch", "revision", "at"} <= set(document) for document in shown.values())
    assert {
        "jobplan/v1/dashboard/presence",
        "jobplan/v1/agent/north/presence",
        "jobplan/v1/agent/north/plan/Nightly",
        f"jobplan/v1/agent/north/instance/{instance}",
        "jobplan/v1/plan/Nightly",
        f"jobplan/v1/instance/{instance}",
        f"jobplan/v1/instance/{instance}/job/Nightly/south-Load",
    } <= set(shown)


def test_nodes_end_cleanly_when_told_to(installation: Installation) -> None:
    """SIGTERM ends agent, dashboard and broker with 0, and those who stay see who left."""
    codes = [installation.nodes["north"].stop(), installation.nodes["dashboard"].stop()]
    agents = {str(row["node"]): row["state"] for row in installation.ask("agent", "list")}
    listed = installation.run("plan", "list")
    codes += [installation.nodes["south"].stop(), installation.nodes["broker"].stop()]

    assert codes == [0, 0, 0, 0]
    assert agents == {"north": "gone", "south": "alive"}
    assert "the dashboard is gone since" in listed.stderr


def test_the_broker_may_come_last(tmp_path: Path) -> None:
    """Dashboard and agent wait for a broker that is not there yet."""
    with an_installation(tmp_path) as nodes:
        waiting = [nodes.node("dashboard", "dashboard"), nodes.node("north", "agent", "north")]
        for node in waiting:
            node.start()
        until(
            lambda: all("refused" in node.log.read_text() for node in waiting),
            within=20,
            what="both have looked for it",
        )

        nodes.node("broker", "broker").start()

        nodes.wait_for_agents("north")
