"""kill -9 in the middle of a run: the instance goes on where it stood, and no command runs twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.e2e.nodes import Installation, a_command, an_installation, write_plan
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(180)

CHAIN = 8
WIDTH = 3


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Broker, dashboard, one agent."""
    with an_installation(tmp_path) as nodes:
        nodes.start("north")
        yield nodes


def a_chain(folder: Path, ledger: Path) -> Path:
    """Rows of jobs, each after all of the row before; every job writes down which run it is, then takes a while."""
    line = f'echo "$LOG_FILE_PATH" >> {ledger}; sleep 0.4'
    rows = [[f"Job{row}x{place}" for place in range(WIDTH)] for row in range(CHAIN)]
    jobs = [a_command(name, line) for row in rows for name in row]
    after = {name: above for above, row in pairwise(rows) for name in row}
    first = a_command("Start", "true")
    return write_plan(folder / "Chain", [first, *jobs], {"Start": [], **{name: ["Start"] for name in rows[0]}, **after})


def runs_of(ledger: Path) -> Counter[str]:
    """How often each run wrote itself down."""
    return Counter(ledger.read_text().splitlines() if ledger.exists() else [])


def wait_for_runs(installation: Installation, ledger: Path, count: int) -> None:
    """Come back when so many commands have begun."""
    until(
        lambda: runs_of(ledger).total() >= count,
        within=60,
        what=lambda: f"{count} commands begin, not {runs_of(ledger)}; {installation.logs()}",
    )


@pytest.mark.parametrize("victim", ["dashboard", "north", "broker"])
def test_nothing_runs_twice_when_a_node_is_killed(installation: Installation, tmp_path: Path, victim: str) -> None:
    """A node is killed three times in the middle of a run, and started again: every job ran, and ran once."""
    ledger = tmp_path / "ledger"
    installation.do("plan", "import", str(a_chain(tmp_path, ledger)))
    instance = installation.do("instance", "start", "Chain").strip()
    installation.do("job", "submit", instance, "Start")

    for round_ in (1, 2, 3):
        wait_for_runs(installation, ledger, round_ * WIDTH * 2 - 1)
        installation.nodes[victim].kill()
        installation.nodes[victim].start()
    wait_for_runs(installation, ledger, CHAIN * WIDTH)
    installation.wait_for(instance, "COMPLETE", within=60)

    assert set(runs_of(ledger).values()) == {1}
    assert runs_of(ledger).total() == CHAIN * WIDTH
    assert set(installation.statuses(instance).values()) == {"COMPLETE"}


def test_both_nodes_are_killed_at_once(installation: Installation, tmp_path: Path) -> None:
    """Dashboard and agent die together while commands run; the commands finish, and are found to have finished."""
    ledger = tmp_path / "ledger"
    installation.do("plan", "import", str(a_chain(tmp_path, ledger)))
    instance = installation.do("instance", "start", "Chain").strip()
    installation.do("job", "submit", instance, "Start")
    wait_for_runs(installation, ledger, WIDTH)

    for name in ("dashboard", "north"):
        installation.nodes[name].kill()
    for name in ("dashboard", "north"):
        installation.nodes[name].start()
    installation.wait_for(instance, "COMPLETE", within=60)

    assert set(runs_of(ledger).values()) == {1}
    assert runs_of(ledger).total() == CHAIN * WIDTH
