"""The page in a browser: what is coming, calendars, plans changed and brought, the end of an instance moved, agents drained."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.nodes import a_command, write_plan
from tests.web.site import Site, log_in

pytestmark = pytest.mark.timeout(120)

PLAN = "The plan as JSON"
SAVE = "Save as the next version"


@pytest.fixture(scope="module")
def daily(site: Site) -> str:
    """A plan that opens at six in London each day that is no holiday; and the calendar of holidays."""
    holidays = site.folder.path / "holidays.csv"
    holidays.write_text("2030-01-01,New Year\n2030-12-25,Christmas\n", "utf-8")
    site.do("calendar", "import", str(holidays), "--name", "Holidays")
    folder = write_plan(
        site.folder.path / "Daily",
        [a_command("Count", "sleep 30")],
        {"Count": []},
        timeWindowStart="0 0 6 * * ?",
        timezone="Europe/London",
        calendars={"exclude": ["Holidays"]},
        ableToRunConcurrently=True,
    )
    site.do("plan", "import", str(folder))
    return "Daily"


def test_what_is_coming_and_the_calendars(page: Page, site: Site, daily: str) -> None:
    """The windows of the next days by day; more days, more windows; a calendar unfolds to its days."""
    log_in(page, site, at="#/forecast")
    windows = page.locator("tbody tr", has_text=daily)
    expect(windows).to_have_count(7)
    expect(windows.first).to_contain_text("06:00")
    page.get_by_label("For").select_option("1")
    expect(windows).to_have_count(1)

    page.get_by_text("Holidays").click()
    expect(page.get_by_text("New Year")).to_be_visible()


def test_a_plan_is_changed_with_its_faults_and_changes_shown(page: Page, site: Site, daily: str) -> None:
    """As it is typed; it cannot be saved while something is wrong; saved, it is the next version."""
    log_in(page, site, at="#/plans")
    page.get_by_role("link", name=f"Edit {daily}").click()
    text = page.get_by_label(PLAN)
    expect(text).to_have_value(re.compile("timeWindowStart"))
    expect(page.get_by_role("button", name=SAVE)).to_be_disabled()
    source = json.loads(text.input_value())

    source["plan"]["timeWindowStart"] = "0 0 25 * * ?"
    text.fill(json.dumps(source))
    expect(page.locator(".faults .fault")).to_contain_text("timeWindowStart")
    expect(page.get_by_role("button", name=SAVE)).to_be_disabled()

    source["plan"]["timeWindowStart"] = "0 30 7 * * ?"
    text.fill(json.dumps(source))
    expect(page.get_by_role("heading", name="Nothing is wrong with it")).to_be_visible()
    expect(page.get_by_role("heading", name="1 change")).to_be_visible()
    expect(page.locator(".differences ins")).to_have_text('"0 30 7 * * ?"')
    page.get_by_role("button", name=SAVE).click()
    expect(page.get_by_label("Answers")).to_contain_text(f"{daily}: saved as version 2")
    expect(page.locator("tr", has_text=daily)).to_contain_text("0 30 7 * * ?")


def test_a_broken_plan_is_refused_at_its_place(page: Page, site: Site) -> None:
    """A file that is no JSON, and one whose dependency is unknown: both said, neither saved."""
    log_in(page, site, at="#/plans")
    page.get_by_role("link", name="Bring a plan").click()
    file = page.get_by_label("File")
    file.set_input_files({"name": "plan.json", "mimeType": "application/json", "buffer": b'{"plan": '})
    expect(page.get_by_role("alert")).to_contain_text("no JSON")

    broken = {
        "plan": {
            "name": "Broken",
            "scheduledJobs": [{"agentName": "north", "jobName": "A"}],
            "jobDependencies": [{"jobIdentifier": "north-Nobody", "logicalGrouping": {"and": []}}],
        },
        "jobs": [],
    }
    file.set_input_files({"name": "plan.json", "mimeType": "application/json", "buffer": json.dumps(broken).encode()})
    expect(page.locator(".faults .fault", has_text="jobDependencies").first).to_be_visible()
    expect(page.get_by_role("button", name=SAVE)).to_be_disabled()
    assert "Broken" not in site.do("plan", "list")


def test_the_end_of_an_instance_is_moved(page: Page, site: Site, daily: str) -> None:
    """To a time; then to when somebody ends it."""
    instance = site.do("instance", "start", daily).strip()
    log_in(page, site, at=f"#/instances/{instance}")
    page.get_by_role("button", name="Actions", exact=True).click()
    page.get_by_role("button", name=re.compile("^Move its end")).click()
    page.get_by_label(re.compile("Ends at")).fill("2035-05-05T05:05")
    page.get_by_role("dialog").get_by_role("button", name="Move its end", exact=True).click()
    expect(page.locator(".head")).to_contain_text("2035-05-05 05:05")

    page.get_by_role("button", name="Actions", exact=True).click()
    page.get_by_role("button", name=re.compile("^Keep open")).click()
    page.get_by_role("dialog").get_by_role("button", name="Keep open", exact=True).click()
    expect(page.locator(".head")).to_contain_text("until ended by hand")
    site.do("instance", "end", instance, "--yes")


def test_an_agent_is_drained_and_starts_again(page: Page, site: Site) -> None:
    """Its state says so, both times."""
    log_in(page, site, at="#/agents")
    line = page.locator("tbody tr", has_text="south")
    line.get_by_role("button", name="Drain south").click()
    page.get_by_role("dialog").get_by_role("button", name="Drain", exact=True).click()
    expect(line).to_contain_text("draining")
    line.get_by_role("button", name="Let start again south").click()
    expect(line).not_to_contain_text("draining")
