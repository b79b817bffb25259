"""Two nodes of one name, with real processes: the same folder is refused, another folder takes over; a stand-by dashboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.runtime.errors import FencedError
from tests.e2e.nodes import PATIENCE, Installation, Node, a_command, an_installation, write_plan
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(180)
TAKEN_OVER = "has taken over: this one stops"


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Broker, dashboard, one agent."""
    with an_installation(tmp_path) as nodes:
        nodes.start("north")
        yield nodes


def _second(nodes: Installation, name: str, *arguments: str, folder: str) -> Node:
    """Another node of a name that is there, on a folder."""
    options = ("--broker", nodes.url, "--data", str(nodes.folder / folder))
    nodes.nodes[name] = Node(name, (*arguments, *options), nodes.folder / f"{name}.log")
    nodes.nodes[name].start()
    return nodes.nodes[name]


def _ends(node: Node, *, saying: str) -> int:
    """Its exit code, once it has ended by itself with these words."""
    until(lambda: not node.runs, within=PATIENCE, what=lambda: f"{node.name} ends; {node.log.read_text()}")
    assert saying in node.log.read_text()
    return node.stop()


def test_a_second_node_on_the_same_folder_is_refused(installation: Installation) -> None:
    """Before it says a word on the bus; the first one notices nothing."""
    for name, arguments in (("north", ("agent", "north")), ("dashboard", ("dashboard",))):
        pid = installation.nodes[name].pid
        second = _second(installation, f"second-{name}", *arguments, folder="data")

        assert _ends(second, saying=f"is in use by another node, process {pid}") == 1
        assert installation.nodes[name].runs
        assert "lost" not in installation.nodes[name].log.read_text()


def test_the_younger_of_two_agents_takes_over(installation: Installation) -> None:
    """On another host, say: the older one ends, with a code of its own that keeps a service manager from starting it again."""
    second = _second(installation, "second", "agent", "north", folder="elsewhere")

    assert _ends(installation.nodes["north"], saying=TAKEN_OVER) == FencedError.exit_code
    installation.wait_for_agents("north")
    assert second.runs


def test_a_stand_by_dashboard_goes_on_and_the_first_one_may_come_back(
    installation: Installation, tmp_path: Path
) -> None:
    """Started on an empty folder while a command runs: what depends on it runs once, also when the first one is back later."""
    ledger, go, more = tmp_path / "ledger", tmp_path / "go", tmp_path / "more"
    jobs = [
        a_command("First", f"echo first >> {ledger}; while [ ! -e {go} ]; do sleep 0.1; done"),
        a_command("Second", f"echo second >> {ledger}; while [ ! -e {more} ]; do sleep 0.1; done"),
        a_command("Third", f"echo third >> {ledger}"),
    ]
    order = {"First": [], "Second": ["First"], "Third": ["Second"]}
    installation.do("plan", "import", str(write_plan(tmp_path / "Through", jobs, order)))
    instance = installation.do("instance", "start", "Through").strip()
    installation.do("job", "submit", instance, "First")
    until(lambda: ledger.exists() and installation.statuses(instance)["First"] == "RUNNING", within=20, what="it runs")

    standby = _second(installation, "standby", "dashboard", folder="standby")
    assert _ends(installation.nodes["dashboard"], saying=TAKEN_OVER) == FencedError.exit_code
    go.touch()
    until(lambda: installation.statuses(instance)["Second"] == "RUNNING", within=PATIENCE, what=installation.logs)

    # The first one's records are from before all that.
    assert standby.stop() == 0
    installation.nodes["dashboard"].start()
    more.touch()
    installation.wait_for(instance, "COMPLETE", within=60)

    assert ledger.read_text().split() == ["first", "second", "third"]
