"""A plan's life with separate processes: versions, what changed, what was due, ends that move, all through the command line."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.nodes import Installation, a_command, an_installation, write_plan

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Broker, dashboard, one agent."""
    with an_installation(tmp_path) as nodes:
        nodes.start("north")
        yield nodes


def a_plan(folder: Path, line: str, **plan: object) -> str:
    """Two commands, one after the other."""
    jobs = [a_command("First", line), a_command("Second", "true")]
    return str(write_plan(folder / "Daily", jobs, {"First": [], "Second": ["First"]}, **plan))


def test_versions_are_listed_compared_and_exported(installation: Installation, tmp_path: Path) -> None:
    """Two imports: history, diff and show say so; an export of either can be imported again unchanged."""
    installation.do("plan", "import", a_plan(tmp_path, "true"))
    installation.do("plan", "import", a_plan(tmp_path, "false", description="second"))

    history = json.loads(installation.do("plan", "history", "Daily", "--json"))
    diff = installation.do("plan", "diff", "Daily")
    first = json.loads(installation.do("plan", "show", "Daily", "--version", "1"))
    installation.do("plan", "export", "Daily", "--version", "1", "-o", str(tmp_path / "one.zip"), "--tokens")
    again = installation.do("plan", "import", str(tmp_path / "one.zip"), "--token", "agent.name=north")

    assert [(one["version"], one["jobs"]) for one in history["versions"]] == [(1, 2), (2, 2)]
    assert '~ commandLine: "true" -> "false"' in diff
    assert '+ description: "second"' in diff
    assert first["source"]["jobs"][0]["commandLine"] == "true"
    assert again == "imported Daily, version 3\n"
    assert "no difference" in installation.do("plan", "diff", "Daily", "1", "3")
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert any(name.endswith("jobs/internal/First.json") for name in archive.namelist())


def test_every_start_that_was_due_can_be_looked_up(installation: Installation, tmp_path: Path) -> None:
    """A plan that starts every second, disabled after a while: some ran or were skipped, and each says why."""
    installation.do("plan", "import", a_plan(tmp_path, "true", timeWindowStart="* * * * * ?"))
    installation.do("plan", "disable", "Daily")

    ticks = installation.ask("ticks", "--plan", "Daily")
    who = installation.ask("audit", "list", "--kind", "plan")

    assert {tick["outcome"] for tick in ticks} <= {"ran", "skipped"}
    assert [tick["outcome"] for tick in ticks].count("ran") == 1
    assert all(tick["reason"] for tick in ticks if tick["outcome"] == "skipped")
    assert [(row["detail"], row["after"]) for row in who] == [("Daily", "version 1"), ("Daily", "disabled")]
    assert "ran" in installation.do("ticks")


def test_an_instance_is_moved_previewed_and_held(installation: Installation, tmp_path: Path) -> None:
    """Its end, its parameters, what would follow, all jobs at once."""
    installation.do("plan", "import", a_plan(tmp_path, "true", contextParameters=[{"name": "p", "defaultValue": "1"}]))
    instance = installation.do("instance", "start", "Daily").strip()
    before = installation.ask("instance", "list")[0]["closes"]

    assert "closes" in installation.do("instance", "extend", "Daily", "--by", "2h")
    assert installation.ask("instance", "list")[0]["closes"] != before
    installation.do("instance", "parameters", "Daily", "p=2")
    assert installation.do("instance", "parameters", "Daily").split() == ["p", "2"]
    assert "would start:" in installation.do("job", "submit", "Daily", "First", "--preview")
    assert "held Daily / First" in installation.do("instance", "hold", "Daily", "--yes")
    assert installation.statuses(instance) == {"First": "ON_HOLD", "Second": "ON_HOLD"}
    assert "released" in installation.do("instance", "release", "Daily", "--yes")
    unheard = installation.run("event", "raise", "Nothing")
    assert (unheard.returncode, unheard.stdout) == (2, "")
    assert unheard.stderr == "jobplan: global event 'Nothing' is unknown; there are none\n"
    refused = installation.run("instance", "extend", "Daily")
    assert (refused.returncode, "give either --by or --until" in refused.stderr) == (2, True)


def test_a_calendar_keeps_a_plan_closed_and_the_forecast_says_so(installation: Installation, tmp_path: Path) -> None:
    """Imported from iCalendar; a plan that names one that is not there is refused."""
    lines = ["BEGIN:VCALENDAR", "BEGIN:VEVENT", "DTSTART;VALUE=DATE:20200101", "SUMMARY:New Year's Day"]
    lines += ["RRULE:FREQ=YEARLY", "END:VEVENT", "END:VCALENDAR"]
    (tmp_path / "uk.ics").write_text("\r\n".join(lines))
    keeping = {"timeWindowStart": "0 0 1 1 1 ?", "calendars": {"exclude": ["UK"]}}

    refused = installation.run("plan", "import", a_plan(tmp_path, "true", **keeping))
    imported = installation.do("calendar", "import", str(tmp_path / "uk.ics"), "--name", "UK")
    installation.do("plan", "import", a_plan(tmp_path, "true", **keeping))
    coming = json.loads(installation.do("forecast", "--days", "366", "--plan", "Daily", "--json"))["rows"]

    assert "there is no calendar 'UK'" in refused.stderr
    assert imported == "imported UK, version 1: 21 days\n"
    assert {(row["what"], row["note"]) for row in coming} == {("skipped", "New Year's Day (UK)")}  # there may be two
    assert "Daily" in installation.do("calendar", "list")
    assert "2030-01-01  New Year's Day" in installation.do("calendar", "show", "UK")
    assert installation.run("calendar", "delete", "UK", "--yes").returncode == 1


def test_past_runs_are_told_and_estimate_the_next_instance(installation: Installation, tmp_path: Path) -> None:
    """One night is remembered over the dashboard's restart; the next instance says what it has to wait for."""
    plan = a_plan(tmp_path, "true", timeWindowStart="0 0 0 1 1 ? 2099")
    installation.do("plan", "import", plan)
    first = installation.do("instance", "start", "Daily").strip()
    installation.do("job", "submit", first, "First", "--wait")
    installation.do("instance", "end", first, "--yes")
    second = installation.do("instance", "start", "Daily").strip()

    history = json.loads(installation.do("job", "history", "Daily", "Second", "--json"))
    shown = installation.do("instance", "show", second)
    night = installation.do("simulate", plan, "--durations", "history", "--json")

    assert [(run["instance"], run["outcome"], run["returnCode"]) for run in history["runs"]] == [
        (first, "succeeded", 0)
    ]
    assert "First is started by nothing but a person" in shown
    assert json.loads(night)["status"] == "WAITING"
