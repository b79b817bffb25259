"""Roles as people meet them: real nodes, the command line, one after the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.nodes import Installation, a_command, an_installation, environment, write_plan
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(120)


def as_user(installation: Installation, user: str, *arguments: str) -> str:
    """Run a command as somebody; what it wrote, and "code: error" if it failed."""
    done = installation.run(*arguments, user=user)
    return done.stdout if done.returncode == 0 else f"{done.returncode}: {done.stderr}"


def test_only_what_is_granted_is_done_by_dashboard_and_agent(tmp_path: Path) -> None:
    """From the first admin, whom the settings name, to who is refused by an agent while no dashboard is there."""
    with an_installation(tmp_path) as installation:
        installation.start("north", dashboard=("--admin", "anna"))
        plan = write_plan(tmp_path / "Finance", [a_command("load", "echo loaded")], {"load": []})

        refused = as_user(installation, "bob", "plan", "import", str(plan))
        imported = as_user(installation, "anna", "plan", "import", str(plan))
        granted = as_user(installation, "anna", "user", "grant", "bob", "operator", "--plan", "Fin*")
        again = as_user(installation, "bob", "plan", "delete", "Finance", "--yes")
        as_user(installation, "bob", "instance", "start", "Finance")
        started = as_user(installation, "bob", "job", "submit", "Finance", "load", "--wait")
        until(
            lambda: "of all plans" in as_user(installation, "bob", "agent", "drain", "north"),
            within=10.0,
            what="the agent was shown who may ask it",
        )
        installation.nodes["dashboard"].stop()
        drained = as_user(installation, "bob", "agent", "drain", "north")
        logs = as_user(installation, "bob", "job", "logs", "Finance", "load")
        trail = as_user(installation, "anna", "audit", "list", "--agent", "north", "--user", "bob")
        installation.nodes["dashboard"].start()
        audit = as_user(installation, "anna", "audit", "list", "--kind", "request", "--user", "bob")

    assert "'plan.import' needs the role admin of plan 'Finance', and bob has nothing" in refused
    assert "imported Finance" in imported
    assert granted == "bob has: operator of Fin*\n"
    assert "'plan.delete' needs the role admin" in again
    assert started == "submitted load: COMPLETE\n"
    assert "'agent.drain' needs the role operator of all plans" in drained
    assert logs == "loaded\n"
    assert "'agent.drain' needs the role operator" in trail
    assert audit.count("refused") == 2


def test_shell_completes_names_from_the_broker(tmp_path: Path) -> None:
    """Plans, instances, jobs and agents; without a broker nothing, and no error."""

    def completed(*words: str) -> list[str]:
        """What bash would be offered for the last word."""
        done = subprocess.run(
            [sys.executable, "-c", "from jobplan.cli import main; main(prog_name='jobplan')"],
            env=environment()
            | {
                "_JOBPLAN_COMPLETE": "bash_complete",
                "COMP_WORDS": " ".join(("jobplan", *words)),
                "COMP_CWORD": str(len(words)),
                "JOBPLAN_BROKER": installation.url,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=tmp_path,
        )
        assert done.stderr == ""
        return [line.partition(",")[2] for line in done.stdout.splitlines() if line]

    with an_installation(tmp_path) as installation:
        installation.start("north")
        plan = write_plan(
            tmp_path / "Daily", [a_command("Load", "x"), a_command("List", "x")], {"Load": [], "List": []}
        )
        installation.do("plan", "import", str(plan))
        instance = installation.do("instance", "start", "Daily").strip()

        assert completed("plan", "sh") == ["show"]
        assert completed("plan", "show", "D") == ["Daily"]
        assert completed("instance", "end", "D") == ["Daily", instance]
        assert completed("job", "hold", "Daily", "L") == ["List", "Load"]
        assert completed("agent", "drain", "n") == ["north"]
        installation.nodes["broker"].stop()
        assert completed("plan", "show", "D") == []
