"""Everything down at once, and a dashboard that was away while windows opened: with real processes and a real broker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.nodes import Installation, a_command, an_installation, write_plan
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Broker, dashboard, one agent."""
    with an_installation(tmp_path) as nodes:
        nodes.start("north")
        yield nodes


@pytest.mark.parametrize(
    "order",
    [("broker", "dashboard", "north"), ("north", "dashboard", "broker"), ("dashboard", "broker", "north")],
    ids=" ".join,
)
def test_all_are_down_together_and_come_back_in_any_order(
    installation: Installation, tmp_path: Path, order: tuple[str, ...]
) -> None:
    """A command runs through it; its result is found, what depends on it runs once."""
    ledger, go = tmp_path / "ledger", tmp_path / "go"
    waiting = f"echo first >> {ledger}; while [ ! -e {go} ]; do sleep 0.1; done"
    jobs = [a_command("First", waiting), a_command("Second", f"echo second >> {ledger}")]
    plan = write_plan(tmp_path / "Through", jobs, {"First": [], "Second": ["First"]})
    installation.do("plan", "import", str(plan))
    instance = installation.do("instance", "start", "Through").strip()
    installation.do("job", "submit", instance, "First")
    until(ledger.exists, within=20, what="the first command runs")

    for name in ("dashboard", "north", "broker"):
        installation.nodes[name].kill()
    go.touch()
    for name in order:
        installation.nodes[name].start()
    installation.wait_for_agents("north")
    installation.wait_for(instance, "COMPLETE", within=60)

    assert ledger.read_text().split() == ["first", "second"]


def test_windows_that_opened_while_the_dashboard_was_away_are_told(installation: Installation, tmp_path: Path) -> None:
    """A window a second: its instance goes on, and every start in between is in the ledger, each once."""
    plan = write_plan(tmp_path / "Seconds", [a_command("Only", "true")], {"Only": []}, timeWindowStart="* * * * * ?")
    installation.do("plan", "import", str(plan))
    [before] = installation.ask("instance", "list")

    installation.nodes["dashboard"].kill()
    away = time.time()
    until(lambda: time.time() > away + 3, within=10, what="three seconds pass")
    installation.nodes["dashboard"].start()
    installation.wait_for_agents("north")

    [after] = installation.ask("instance", "list")
    ticks = installation.ask("ticks", "--plan", "Seconds")
    due = [str(tick["due"]) for tick in ticks]
    assert after["instance"] == before["instance"]
    assert len(set(due)) == len(due)
    assert "missed" in {tick["outcome"] for tick in ticks}
    assert [tick["outcome"] for tick in ticks].count("ran") == 1


def test_a_dashboard_without_its_disk_goes_on(installation: Installation, tmp_path: Path) -> None:
    """Killed while a command runs, its data folder emptied: the same instance goes on, nothing runs twice."""
    ledger, go = tmp_path / "ledger", tmp_path / "go"
    waiting = f"echo first >> {ledger}; while [ ! -e {go} ]; do sleep 0.1; done"
    jobs = [a_command("First", waiting), a_command("Second", f"echo second >> {ledger}")]
    installation.do("plan", "import", str(write_plan(tmp_path / "Kept", jobs, {"First": [], "Second": ["First"]})))
    instance = installation.do("instance", "start", "Kept").strip()
    installation.do("job", "submit", instance, "First")
    until(lambda: installation.statuses(instance)["First"] == "RUNNING", within=20, what="the first command runs")

    installation.nodes["dashboard"].kill()
    for file in (tmp_path / "data").rglob("dashboard.db*"):
        file.unlink()
    installation.nodes["dashboard"].start()
    installation.wait_for_agents("north")
    go.touch()
    installation.wait_for(instance, "COMPLETE", within=60)

    assert ledger.read_text().split() == ["first", "second"]
    assert any("retained" in str(row["detail"]) for row in installation.ask("audit", "list", "--kind", "instance"))
