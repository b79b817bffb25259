"""``jobplan agent`` and secrets at import, against a real broker with nodes as processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.nodes import PATIENCE, Installation, a_command, an_installation, write_plan
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Broker, dashboard and one agent with a label; shared, so each test leaves the agent as it was."""
    folder = tmp_path_factory.mktemp("agents")
    (folder / "jobplan.toml").write_text('[agent]\nlabels = ["db"]\nconcurrency = 3\n')
    with an_installation(folder) as nodes:
        nodes.start("north")
        yield nodes


def shown(installation: Installation) -> dict[str, Any]:
    """What ``agent show`` tells."""
    found = json.loads(installation.do("agent", "show", "north", "--json"))
    assert isinstance(found, dict)
    return found


def wait_for(installation: Installation, **condition: object) -> None:
    """Come back when the agent's condition says this; it says it within a second or two."""

    def says() -> bool:
        said = shown(installation).get("condition", {})
        return all(said.get(name, False) == value for name, value in condition.items())

    until(says, within=PATIENCE, what=lambda: f"{condition}: {shown(installation)}")


def test_list_and_show_say_how_an_agent_is(installation: Installation) -> None:
    """A line for each, and all of it for one; the same as data."""
    table = installation.do("agent", "list")
    [row] = installation.ask("agent", "list")
    one = installation.do("agent", "show", "north")

    assert all(word in table for word in ("north", "alive", "0 of 3", "db", "GiB"))
    assert (row["node"], row["capacity"], row["labels"]) == ("north", 3, ["db"])
    assert all(word in one for word in ("state", "alive", "0 of 3", "labels", "db", "version"))


def test_an_agent_is_drained_and_drains_no_more(installation: Installation, tmp_path: Path) -> None:
    """A job handed to it waits and says why; then it runs."""
    plan = write_plan(tmp_path / "Drained", [a_command("Only", "true")], {"Only": []})
    installation.do("plan", "import", str(plan))
    instance = installation.do("instance", "start", "Drained").strip()

    assert installation.do("agent", "drain", "north") == "north drains\n"
    wait_for(installation, draining=True)
    assert "draining" in installation.do("agent", "list")
    installation.do("job", "submit", instance, "Only")
    until(
        lambda: "north has it, but drains" in installation.do("job", "why", instance, "Only"),
        within=PATIENCE,
        what=lambda: installation.do("job", "why", instance, "Only"),
    )

    assert installation.do("agent", "undrain", "north") == "north drains no more\n"
    installation.wait_for(instance, "COMPLETE")
    wait_for(installation, draining=False)
    assert "draining" not in installation.do("agent", "show", "north")


def test_a_dry_run_is_switched_and_shown(installation: Installation, tmp_path: Path) -> None:
    """With a chosen return code, for one job: it fails though its command would not, and everything says why."""
    touched = tmp_path / "touched"
    plan = write_plan(tmp_path / "Dry", [a_command("Only", f"touch {touched}")], {"Only": []})
    installation.do("plan", "import", str(plan))
    instance = installation.do("instance", "start", "Dry").strip()

    said = installation.do("agent", "dry-run", "north", "on", "--job", "north-Only", "--return-code", "3")
    assert said == "north pretends for north-Only\n"
    wait_for(installation, dryJobs=["north-Only"])
    assert "dry run of north-Only" in installation.do("agent", "list")
    installation.do("job", "submit", instance, "Only")
    installation.wait_for(instance, "ERROR")
    [job] = installation.ask("job", "list", instance)
    assert (job["dryRun"], job["returnCode"]) == (True, 3)
    assert "dry run: nothing was run" in installation.do("job", "list", instance)
    assert not touched.exists()

    installation.do("agent", "dry-run", "north", "off", "--job", "north-Only")
    installation.do("job", "resubmit", instance, "Only")
    installation.wait_for(instance, "COMPLETE")
    assert touched.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "nroth"), "agent 'nroth' is unknown; did you mean 'north'?"),
        (("drain", "nowhere"), "agent 'nowhere' is unknown"),
        (("dry-run", "north", "perhaps"), "'perhaps' is not one of"),
    ],
)
def test_bad_input_is_one_line(installation: Installation, words: tuple[str, ...], said: str) -> None:
    """With exit code 2."""
    done = installation.run("agent", *words)

    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_what_an_agent_refuses_is_exit_code_1(installation: Installation) -> None:
    """With its reason."""
    done = installation.run("agent", "dry-run", "north", "on", "--errors", "101")

    assert done.returncode == 1
    assert "the percentage 0 to 100" in done.stderr


def test_literals_that_look_secret_are_warned_of_or_refused(installation: Installation, tmp_path: Path) -> None:
    """A warning imports; ``--refuse-secrets`` stores nothing; a reference is neither. The value is never repeated."""
    secret = {"name": "DB_PASSWORD", "defaultValue": "hunter2hunter2"}
    jobs = [a_command("Only", "true", contextParameters=[secret])]
    loud = write_plan(tmp_path / "Loud", jobs, {"Only": []}, contextParameters=[secret])

    refused = installation.run("plan", "import", str(loud), "--refuse-secrets")
    assert refused.returncode == 2
    assert "DB_PASSWORD" in refused.stderr
    assert "Loud" not in installation.do("plan", "list")

    warned = installation.run("plan", "import", str(loud))
    assert warned.returncode == 0
    assert "DB_PASSWORD" in warned.stderr
    assert "hunter2" not in warned.stderr + refused.stderr

    reference = {"name": "DB_PASSWORD", "defaultValue": "secret:db"}
    quiet = write_plan(
        tmp_path / "Quiet",
        [a_command("Only", "true", contextParameters=[reference])],
        {"Only": []},
        contextParameters=[reference],
    )
    assert installation.run("plan", "import", str(quiet), "--refuse-secrets").returncode == 0
