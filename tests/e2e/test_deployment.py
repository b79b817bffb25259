"""A deployment made by `jobplan broker init`, run by `jobplan serve broker`: every node and person comes in over TLS."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.e2e.nodes import JOBPLAN, Node, environment
from tests.support.mosquitto import HOST, free_port
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(120)


def _jobplan(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*JOBPLAN, *arguments], capture_output=True, text=True, timeout=60, check=False, env=environment()
    )


def test_nodes_meet_on_a_deployed_broker(tmp_path: Path) -> None:
    """Dashboard, agent and viewer log in with what init printed; an agent that is added later gets in without a restart."""
    folder, port = str(tmp_path / "broker"), str(free_port())
    options = ("--listen", HOST, "--host", HOST, "--port", port, "--agent", "north", "--viewer", "bob", "--json")
    made = json.loads(_jobplan("broker", "init", folder, *options).stdout)

    def settings(user: str, url: str) -> tuple[str, ...]:
        file = tmp_path / f"{user}.toml"
        file.write_text(f'broker = "{url}"\nca-file = "broker/ca.pem"\ndata = "data"\n')
        return ("--config", str(file))

    given = {user: settings(user, url) for user, url in made["users"].items()}

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
        own = settings("west", json.loads(added.stdout)["users"]["agent-west"])
        nodes.append(Node("west", ("agent", "west", *own), tmp_path / "west.log"))
        nodes[-1].start()
        until(lambda: alive() == {"north", "west"}, within=30, what=nodes[-1].log.read_text)
    finally:
        for node in reversed(nodes):
            node.close()
