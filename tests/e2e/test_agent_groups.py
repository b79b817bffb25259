"""Agent groups with real processes and a real broker: one of two agents is killed, and what it had not started moves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.nodes import Installation, a_command, an_installation, write_plan
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(180)

GROUP = "any:db"


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Broker, dashboard, and two agents with one label that run one process each."""
    settings = tmp_path / "jobplan.toml"
    settings.write_text('[agent]\nlabels = ["db"]\nconcurrency = 1\n')
    with an_installation(tmp_path) as nodes:
        nodes.start("north", "south")
        yield nodes


def agent_of(installation: Installation, instance: str, job: str) -> str:
    """Who has a job."""
    return next(str(row["agent"]) for row in installation.ask("job", "list", instance) if row["name"] == job)


def test_what_a_killed_agent_had_not_started_runs_on_the_other_once(installation: Installation, tmp_path: Path) -> None:
    """One command runs, three wait behind it; their agent dies. The three run on the other, the first one is lost.

    When the agent comes back it starts none of them.
    """
    ledger, go = tmp_path / "ledger", tmp_path / "go"
    line = f'echo "$JOBPLAN_JOB" >> {ledger}; while [ ! -e {go} ]; do sleep 0.1; done'
    names = [f"Job{number}" for number in range(4)]
    plan = write_plan(
        tmp_path / "Moving",
        [a_command(name, line, agent=GROUP) for name in names],
        {name: [] for name in names},
        agentAwayMilliseconds=1000,
        onAgentAway="lost",
    )
    installation.do("plan", "import", str(plan))
    instance = installation.do("instance", "start", "Moving").strip()
    for name in names:
        installation.do("job", "submit", instance, name)
    until(ledger.exists, within=20, what="the first command runs")
    victim = agent_of(installation, instance, names[0])
    other = ({"north", "south"} - {victim}).pop()
    assert {agent_of(installation, instance, name) for name in names} == {victim}

    installation.nodes[victim].kill()
    until(
        lambda: agent_of(installation, instance, names[-1]) == other,
        within=60,
        what=lambda: f"the jobs move to {other}: {installation.ask('job', 'list', instance)}",
    )
    installation.nodes[victim].start()
    installation.wait_for_agents(victim)
    go.touch()
    expected = {names[0]: "ERROR", **dict.fromkeys(names[1:], "COMPLETE")}
    until(
        lambda: installation.statuses(instance) == expected,
        within=60,
        what=lambda: f"three are done, the first one is lost: {installation.statuses(instance)}; {installation.logs()}",
    )

    assert sorted(ledger.read_text().split()) == sorted(f"{GROUP}-{name}" for name in names)
    [first] = [row for row in installation.ask("job", "list", instance) if row["name"] == names[0]]
    assert f"{victim} is gone since" in str(first["reason"])


def test_a_drained_agent_gives_away_what_it_has_not_started(installation: Installation, tmp_path: Path) -> None:
    """It finishes what runs; the rest goes to the other agent after the plan's time."""
    ledger, go = tmp_path / "ledger", tmp_path / "go"
    line = f'echo "$JOBPLAN_JOB" >> {ledger}; while [ ! -e {go} ]; do sleep 0.1; done'
    plan = write_plan(
        tmp_path / "Draining",
        [a_command(name, line, agent=GROUP) for name in ("One", "Two")],
        {"One": [], "Two": []},
        agentAwayMilliseconds=500,
    )
    installation.do("plan", "import", str(plan))
    instance = installation.do("instance", "start", "Draining").strip()
    for name in ("One", "Two"):
        installation.do("job", "submit", instance, name)
    until(ledger.exists, within=20, what="the first command runs")
    first = agent_of(installation, instance, "One")

    installation.do("agent", "drain", first)
    until(lambda: len(ledger.read_text().split()) == 2, within=60, what="the second command runs as well")
    second = agent_of(installation, instance, "Two")
    go.touch()
    installation.wait_for(instance, "COMPLETE", within=60)

    assert second != first
    assert agent_of(installation, instance, "One") == first


def test_a_group_without_an_agent_says_so_and_waits(installation: Installation, tmp_path: Path) -> None:
    """The import warns; the job says why it waits; an agent that comes gets it."""
    plan = write_plan(tmp_path / "Later", [a_command("Only", "true", agent="any:gpu")], {"Only": []})
    done = installation.run("plan", "import", str(plan))
    assert done.returncode == 0
    assert "no agent with the label 'gpu' is known" in done.stderr
    instance = installation.do("instance", "start", "Later").strip()
    installation.do("job", "submit", instance, "Only")
    why = json.dumps(json.loads(installation.do("job", "why", instance, "Only", "--json")))
    assert "no agent with the label 'gpu' has ever been seen" in why

    (tmp_path / "jobplan.toml").write_text('[agent]\nlabels = ["gpu"]\n')
    installation.node("east", "agent", "east").start()

    installation.wait_for(instance, "COMPLETE", within=60)
