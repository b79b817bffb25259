"""A deployment made by `jobplan broker init`, run by `jobplan serve broker`: every node and person comes in over TLS."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker.ports import free_port
from tests.e2e.nodes import JOBPLAN, Node, a_command, environment, write_plan
from tests.support.mosquitto import HOST
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(120)


def _jobplan(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*JOBPLAN, *arguments], capture_output=True, text=True, timeout=60, check=False, env=environment()
    )


def _settings(folder: Path, user: str, url: str) -> tuple[str, ...]:
    """The options with which somebody comes in, as init printed it."""
    file = folder / f"{user}.toml"
    file.write_text(f'broker = "{url}"\nca-file = "broker/ca.pem"\ndata = "data"\n')
    return ("--config", str(file))


def test_nodes_meet_on_a_deployed_broker(tmp_path: Path) -> None:
    """Dashboard, agent and viewer log in with what init printed; an agent that is added later gets in without a restart."""
    folder, port = str(tmp_path / "broker"), str(free_port())
    options = ("--listen", HOST, "--host", HOST, "--port", port, "--agent", "north", "--viewer", "bob", "--json")
    made = json.loads(_jobplan("broker", "init", folder, *options).stdout)
    given = {user: _settings(tmp_path, user, url) for user, url in made["users"].items()}

    def alive() -> set[str]:
        listed = _jobplan("agent", "list", "--json", *given["bob"])
        return {row["node"] for row in json.loads(listed.stdout or "[]") if row["state"] == "alive"}

    nodes = [
        Node("broker", ("broker", "--data", folder), tmp_path / "broker.log"),
        Node("dashboard", ("dashboard", *given["dashboard"]), tmp_path / "dashboard.log"),
        Node("north", ("agent", "north", *given["agent-north"]), tmp_path / "north.log"),
    ]
    try:
        for node in nodes:
            node.start()
        until(lambda: alive() == {"north"}, within=30, what=lambda: "\n".join(one.log.read_text() for one in nodes))
        added = _jobplan("broker", "add-agent", "west", folder, "--json")
        assert "knows it already" in added.stderr
        own = _settings(tmp_path, "west", json.loads(added.stdout)["users"]["agent-west"])
        nodes.append(Node("west", ("agent", "west", *own), tmp_path / "west.log"))
        nodes[-1].start()
        until(lambda: alive() == {"north", "west"}, within=30, what=nodes[-1].log.read_text)
    finally:
        for node in reversed(nodes):
            node.close()


Says = Callable[..., str]


@pytest.fixture
def says(tmp_path: Path) -> Iterator[Says]:
    """What a command says to somebody in a deployment with people of every sort; with its exit code if it fails."""
    folder, port = str(tmp_path / "broker"), str(free_port())
    people = ("--admin", "anna", "--operator", "carol", "--operator", "vera", "--viewer", "bob", "--agent", "north")
    options = ("--listen", HOST, "--host", HOST, "--port", port, *people, "--json")
    made = json.loads(_jobplan("broker", "init", folder, *options).stdout)
    given = {user: _settings(tmp_path, user, url) for user, url in made["users"].items()}

    def says(user: str, *arguments: str) -> str:
        done = _jobplan(*arguments, *given[user])
        return done.stdout if done.returncode == 0 else f"{done.returncode}: {done.stderr}"

    nodes = [
        Node("broker", ("broker", "--data", folder), tmp_path / "broker.log"),
        Node("dashboard", ("dashboard", "--admin", "anna", *given["dashboard"]), tmp_path / "dashboard.log"),
        Node("north", ("agent", "north", *given["agent-north"]), tmp_path / "north.log"),
    ]
    try:
        for node in nodes:
            node.start()
        until(lambda: "alive" in says("bob", "agent", "list", "--json"), within=30, what=nodes[1].log.read_text)
        yield says
    finally:
        for node in reversed(nodes):
            node.close()


def test_everybody_does_what_their_role_allows(says: Says, tmp_path: Path) -> None:
    """With names that the broker knows for certain: its viewer, the dashboard's, an operator of some plans, and the admin."""
    for name in ("FinanceDay", "Sales"):
        plan = write_plan(tmp_path / name, [a_command("load", "echo loaded")], {"load": []})
        assert says("anna", "plan", "import", str(plan)) == f"imported {name}, version 1\n"
    says("anna", "user", "grant", "carol", "operator", "--plan", "Finance*")
    says("anna", "user", "grant", "vera", "viewer")

    # The operator of some plans acts on those, and on nothing else.
    assert says("carol", "instance", "start", "FinanceDay").startswith("FinanceDay-")
    assert says("carol", "job", "submit", "FinanceDay", "load", "--wait") == "submitted load: COMPLETE\n"
    only = "and carol has operator of Finance*: an admin can grant it"
    for refused, needed in (
        (("instance", "start", "Sales"), "'instance.start' needs the role operator of plan 'Sales'"),
        (("plan", "delete", "FinanceDay", "--yes"), "'plan.delete' needs the role admin of plan 'FinanceDay'"),
        (("agent", "drain", "north"), "'agent.drain' needs the role operator of all plans"),
        (("user", "grant", "carol", "admin"), "'user.grant' needs the role admin of all plans"),
    ):
        assert f"1: jobplan: {needed}, {only}" in says("carol", *refused)

    # The viewer of the dashboard looks things up; the broker's looks at what is retained, and asks for nothing.
    assert (
        says("vera", "audit", "list", "--user", "carol", "--kind", "request").count("-> refused") == 3
    )  # and one by north
    assert "needs the role operator of plan 'FinanceDay'" in says("vera", "instance", "end", "FinanceDay", "--yes")
    assert "FinanceDay" in says("bob", "plan", "list")
    for asked in (("audit", "list"), ("instance", "start", "Sales")):
        assert "the broker's access rules forbid" in says("bob", *asked)

    # The admin does all of it.
    assert says("anna", "agent", "drain", "north") == "north drains\n"
    assert says("anna", "instance", "end", "FinanceDay", "--yes").startswith("ended FinanceDay-")
