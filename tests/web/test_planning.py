"""The page in a browser: what is coming, calendars, plans changed and brought, the end of an instance moved, agents drained."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.nodes import ROOT, a_command, write_plan
from tests.web.site import Site, log_in

pytestmark = pytest.mark.timeout(120)

SAMPLE = ROOT / "jobplan" / "sample"
PLAN = "The plan as JSON"
REVIEW = "Review and save …"
SAVE = "Save as the next version"
GOOD = re.compile("^1 warning, no faults$")
"""Of the plan Daily: nothing starts its only job but a person."""
FAR = {"timeWindowStart": "0 30 5 2 7 ? 2035", "timezone": "Asia/Tokyo"}
"""Five in the morning in Japan, when it is the evening before in London."""
FAULTLESS = {"timeWindowStart": "0 0 6 * * ?", "jobDependencies": [{"jobIdentifier": "north-Noon"}]}
TWO_DAYS = {"contextTtlMilliseconds": 2 * 86_400_000, "ableToRunConcurrently": True}


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


@pytest.mark.usefixtures("daily")
def test_a_file_job_says_that_its_calendar_leaves_out_the_day(page: Page, site: Site) -> None:
    """In the page's tree and on its own page, and on the command line."""
    feed = {
        "agentName": "north",
        "jobName": "Feed",
        "filenames": [str(site.folder.path / "feed.csv")],
        "cronExpression": "* * * * * ?",
        "calendars": {"include": ["Holidays"]},
    }
    site.do("plan", "import", str(write_plan(site.folder.path / "Feasts", [feed], {"Feed": []})))
    instance = site.do("instance", "start", "Feasts").strip()
    why = "its calendar leaves out this day: not a day of 'Holidays'"
    log_in(page, site, at=f"#/instances/{instance}")
    expect(page.locator('tr[data-job="Feed"] .why')).to_contain_text(why)
    page.get_by_role("link", name="Feed").click()
    expect(page.locator("ul.blockers")).to_contain_text(why)

    assert why in site.do("job", "why", instance, "Feed")
    assert why[:40] in site.do("instance", "show", instance)


def test_times_are_in_the_zone_that_is_chosen(page: Page, site: Site) -> None:
    """The browser's, UTC, or that of a plan, also one that comes later; what a plan says itself stays as it is written."""
    log_in(page, site, at="#/plans")
    line = page.locator("tr", has_text="Far")
    start = line.locator("time").first
    zones = page.get_by_label("Time zone of what is shown")
    told = page.locator("#content")
    expect(zones.locator("option")).to_have_text(["Europe/London", "UTC"])
    folder = write_plan(site.folder.path / "Far", [a_command("Ring", "true")], {"Ring": []}, **FAR)
    site.do("plan", "import", str(folder))
    expect(zones.locator("option")).to_have_text(["Europe/London", "Asia/Tokyo", "UTC"])
    expect(start).to_have_text("2035-07-01 21:30:00")
    for zone, text in {"UTC": "2035-07-01 20:30:00", "Asia/Tokyo": "2035-07-02 05:30:00"}.items():
        zones.select_option(zone)
        expect(start).to_have_text(text)
    expect(start).to_have_attribute("title", "2035-07-01 20:30:00 UTC, 2035-07-02, 05:30:00 Asia/Tokyo")

    page.get_by_role("link", name="Edit Far").click()
    expect(page.locator(".starts time").first).to_have_text("2035-07-02 05:30:00")
    expect(page.get_by_label("Opens at")).to_have_value(FAR["timeWindowStart"])
    expect(told).not_to_contain_text("21:30")


def test_a_plan_is_changed_in_its_form(page: Page, site: Site) -> None:
    """What is wrong is said at its field; what would change is shown before it is saved; it is the next version then."""
    window = {"timeWindowStart": "0 0 6 * * ?", "timezone": "UTC"}
    folder = write_plan(site.folder.path / "Changing", [a_command("Count", "true")], {"Count": []}, **window)
    site.do("plan", "import", str(folder))
    log_in(page, site, at="#/plans")
    page.get_by_role("link", name="Edit Changing").click()
    expect(page.get_by_role("heading", name=GOOD)).to_be_visible()
    expect(page.get_by_role("button", name=REVIEW)).to_be_disabled()
    opens = page.get_by_label("Opens at")
    opens.fill("0 0 25 * * ?")
    expect(page.locator(".sheet .field", has=opens).locator(".fault")).to_contain_text("hours: 25 is out of range")
    expect(page.get_by_role("button", name=REVIEW)).to_be_disabled()

    opens.fill("0 30 7 * * ?")
    expect(page.get_by_role("heading", name=GOOD)).to_be_visible()
    expect(page.locator(".starts ins").first).to_be_visible()
    page.get_by_role("button", name=REVIEW).click()
    expect(page.get_by_role("dialog").locator(".differences ins")).to_have_text('"0 30 7 * * ?"')
    page.get_by_role("button", name=SAVE).click()
    expect(page.get_by_label("Answers")).to_contain_text("Changing: saved as version 2")
    expect(page.locator("tr", has_text="Changing")).to_contain_text("0 30 7 * * ?")


def test_the_heading_says_how_many_faults_and_warnings_there_are(page: Page, site: Site) -> None:
    """And that nothing is wrong only where there is neither; warnings alone do not keep a plan from being saved."""
    clock = {"agentName": "north", "jobName": "Noon", "cronExpression": "0 0 12 * * ?"}
    site.do("plan", "import", str(write_plan(site.folder.path / "Quiet", [clock], {}, **FAULTLESS)))
    log_in(page, site, at="#/plans/Quiet/json")
    expect(page.get_by_role("heading", name="Nothing is wrong with it")).to_be_visible()
    source = json.loads(page.get_by_label(PLAN).input_value())
    source["plan"]["onAgentAway"] = "lost"
    page.get_by_label(PLAN).fill(json.dumps(source))
    expect(page.get_by_role("heading", name=re.compile(r"^2 warnings, no faults$"))).to_be_visible()
    expect(page.get_by_role("button", name=REVIEW)).to_be_enabled()
    source["plan"]["timeWindowStart"] = "0 0 25 * * ?"
    page.get_by_label(PLAN).fill(json.dumps(source))

    expect(page.get_by_role("heading", name=re.compile(r"^1 fault, 1 warning$"))).to_be_visible()
    expect(page.get_by_role("button", name=REVIEW)).to_be_disabled()
    page.get_by_role("button", name="Give up the changes").click()


def test_a_clock_that_is_coming_says_of_which_instance(page: Page, site: Site) -> None:
    """Of two that stand open side by side, each with its own; of a window to come there is none yet."""
    clock = {"agentName": "north", "jobName": "Noon", "cronExpression": "0 0 12 * * ?"}
    folder = write_plan(site.folder.path / "Twice", [clock], {"Noon": []}, **TWO_DAYS)
    site.do("plan", "import", str(folder))
    instances = sorted(site.do("instance", "start", "Twice").strip() for _ in range(2))
    log_in(page, site, at="#/forecast")
    page.get_by_label("Plan").select_option("Twice")
    fires = page.locator("tbody tr", has_text="Noon")
    expect(fires.first).to_be_visible()
    told = {name: fires.filter(has=page.get_by_role("link", name=name)).count() for name in instances}
    for name in instances:
        site.do("instance", "end", name, "--yes")

    assert all(told.values()), told


def test_a_start_with_a_parameter_that_nobody_declares_is_refused(page: Page, site: Site) -> None:
    """In the words of the command line, with the name that was perhaps meant; nothing is started."""
    declared = {"contextParameters": [{"name": "region", "defaultValue": "north"}]}
    folder = write_plan(site.folder.path / "Regions", [a_command("Sort", "true")], {"Sort": []}, **declared)
    site.do("plan", "import", str(folder))
    log_in(page, site, at="#/plans")
    page.get_by_role("button", name="Start … Regions").click()
    page.get_by_label(re.compile("Parameters")).fill("regoin=south")
    page.get_by_role("dialog").get_by_role("button", name="Start").click()

    said = "parameter 'regoin' of plan 'Regions' is unknown; did you mean 'region'?"
    expect(page.get_by_label("Answers")).to_contain_text(said)
    assert json.loads(site.do("instance", "list", "--plan", "Regions", "--json")) == []


def test_a_blackout_from_one_time_to_another_is_added_to_a_form(page: Page, site: Site, daily: str) -> None:
    """It takes out the starts within it, and is in the JSON as milliseconds."""
    log_in(page, site, at=f"#/plans/{daily}/form")
    expect(page.get_by_role("heading", name=GOOD)).to_be_visible()
    page.get_by_role("button", name="Add a blackout").click()
    page.get_by_label("To", exact=True).fill("2100-01-02T00:00")
    page.get_by_label("From", exact=True).fill("2020-01-01T00:00")
    expect(page.locator(".starts")).to_have_count(1)
    expect(page.locator(".starts del").first).to_be_visible()
    page.get_by_role("link", name="JSON").click()
    text = json.loads(page.get_by_label(PLAN).input_value())
    page.get_by_role("button", name="Give up the changes").click()

    assert text["plan"]["blackoutWindowDateTimeRanges"] == {"1577836800000": 4102531200000}


def test_a_context_gets_a_window_of_its_own(page: Page, site: Site, daily: str) -> None:
    """Its cron and its length, in the JSON as the plan's own rules have them; a length alone is a fault at its field."""
    log_in(page, site, at=f"#/plans/{daily}/form")
    page.get_by_label("Add a context: Name").fill("Mail")
    page.get_by_role("button", name="Add a context").click()
    opens = page.get_by_label("Its jobs start only from")
    page.get_by_role("group", name="and for").get_by_label("hours").fill("2")
    opens.focus()
    expect(page.locator(".sheet .field", has=opens).locator(".fault").first).to_be_visible()
    opens.fill("0 10 6 * * ?")
    expect(page.locator(".sheet .fault")).to_have_count(0)
    page.get_by_role("link", name="JSON").click()
    text = json.loads(page.get_by_label(PLAN).input_value())
    page.get_by_role("button", name="Give up the changes").click()

    assert text["plan"]["contexts"][0]["ownWindow"] == {"start": "0 10 6 * * ?", "ttlMilliseconds": 7_200_000}


def test_an_instance_tells_its_deadlines(page: Page, site: Site) -> None:
    """How many stand how; unfolded, each with what has to have happened and when."""
    folder = write_plan(
        site.folder.path / "Promised", [a_command("Count", "true")], {"Count": []}, deadlines={"endWithinSeconds": 7200}
    )
    site.do("plan", "import", str(folder))
    instance = site.do("instance", "start", "Promised").strip()
    log_in(page, site, at=f"#/instances/{instance}")
    deadlines = page.locator("[data-deadlines]")
    expect(deadlines.locator("summary")).to_have_text("Deadlines 1 ahead")
    deadlines.locator("summary").click()
    expect(deadlines.locator("li")).to_contain_text("the plan done by")
    site.do("instance", "end", instance, "--yes")


def test_a_global_event_is_raised_and_its_plan_deleted(page: Page, site: Site) -> None:
    """What waits for it runs; the plan goes once nothing of it runs any more."""
    event = {"agentName": "GLOBAL_EVENT", "jobName": "MarketsClosed"}
    folder = write_plan(
        site.folder.path / "Listening",
        [event, a_command("Print", "true")],
        {"Print": ["MarketsClosed"]},
        endJobPlanUponCompletion=True,
    )
    site.do("plan", "import", str(folder))
    instance = site.do("instance", "start", "Listening").strip()
    log_in(page, site, at="#/plans/Listening")
    delete = page.get_by_role("button", name="Delete … Listening")
    confirm = page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True)
    answers = page.get_by_label("Answers")
    delete.click()
    confirm.click()
    expect(answers).to_contain_text(f"{instance} has not ended yet")

    page.evaluate("where => { location.hash = where }", f"#/instances/{instance}")
    page.get_by_role("link", name="MarketsClosed").click()
    page.get_by_role("button", name="Raise").click()
    page.get_by_role("dialog").get_by_role("button", name="Raise", exact=True).click()
    expect(answers).to_contain_text("Raise MarketsClosed: done")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_contain_text("ended")

    page.evaluate("where => { location.hash = where }", "#/plans/Listening")
    delete.click()
    confirm.click()
    expect(answers).to_contain_text("Delete Listening: done")
    expect(delete).to_have_count(0)
    assert "Listening" not in site.do("plan", "list")


def test_a_plan_is_made_with_jobs_dependencies_and_a_lock(page: Page, site: Site) -> None:
    """From nothing: jobs by the form, a dependency drawn in the graph, a lock; the dashboard has just that JSON."""
    log_in(page, site, at="#/bring")
    page.get_by_label("Name of the plan").fill("Made")
    page.get_by_role("button", name="Begin", exact=True).click()
    outline = page.get_by_label("Parts of the plan")
    for name in ("Fetch", "Sort"):
        outline.get_by_role("button", name="Made", exact=True).click()
        adding = page.get_by_role("group", name="Add a job")
        adding.get_by_label("Agent").fill("north")
        adding.get_by_label("Name").fill(name)
        adding.get_by_role("button", name="Add", exact=True).click()
        page.get_by_label("Command").fill(f"echo {name}")
    outline.get_by_role("button", name="Made", exact=True).click()
    page.get_by_label("Add a lock: Name").fill("disk")
    page.get_by_role("button", name="Add a lock").click()
    page.get_by_label("Jobs that take it").last.select_option(label="Sort (Made)")

    page.get_by_role("link", name="Graph").click()
    page.locator("g.node", has_text="Fetch").locator(".handle").hover()  # waits until the graph stands still
    page.mouse.down()
    page.locator("g.node", has_text="Sort").hover()
    page.mouse.up()
    expect(page.locator("g.edge.needs")).to_have_count(1)
    page.get_by_role("link", name="JSON").click()
    text = json.loads(page.get_by_label(PLAN).input_value())
    page.get_by_role("button", name=REVIEW).click()
    page.get_by_role("button", name=SAVE).click()
    expect(page.get_by_label("Answers")).to_contain_text("Made: saved as version 1")

    needs = {"jobIdentifier": "north-Sort", "logicalGrouping": {"and": [{"identifier": "north-Fetch"}]}}
    assert text["plan"]["jobDependencies"] == [needs]
    assert text["plan"]["jobLocks"][0]["jobs"]["Made"][0]["jobName"] == "Sort"
    assert '"echo Sort"' in site.do("plan", "show", "Made", "--json") + json.dumps(text)


def test_a_broken_plan_is_refused_at_its_place(page: Page, site: Site) -> None:
    """A file that is no JSON, and one whose dependency is unknown: both said, neither saved."""
    log_in(page, site, at="#/plans")
    page.get_by_role("link", name="Bring a plan").click()
    file = page.get_by_label("Files")
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
    fault = page.locator(".faults .fault", has_text="jobIdentifier").first
    expect(fault).to_be_visible()
    expect(page.get_by_role("button", name=REVIEW)).to_be_disabled()
    page.get_by_role("link", name="JSON").click()
    fault.get_by_role("button").click()
    expect(page.get_by_label(PLAN)).to_be_focused()
    chosen = "box => box.value.slice(box.selectionStart, box.selectionEnd)"
    assert "north-Nobody" in page.get_by_label(PLAN).evaluate(chosen)
    assert "Broken" not in site.do("plan", "list")
    page.get_by_role("button", name="Give up the changes").click()


def test_a_bundle_of_ikasan_is_dropped_on_the_page(page: Page, site: Site) -> None:
    """A zip as it was exported becomes a plan whose jobs are all there."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        for file in sorted(SAMPLE.rglob("*.json")):
            bundle.write(file, f"1689-MorningOrders/{file.relative_to(SAMPLE)}")
    log_in(page, site, at="#/bring")
    drop = """([where, content]) => {
        const files = new DataTransfer();
        files.items.add(new File([Uint8Array.from(atob(content), (one) => one.charCodeAt(0))], "orders.zip"));
        where.dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
    }"""
    where = page.locator(".dropping").element_handle()
    page.evaluate(drop, [where, base64.b64encode(packed.getvalue()).decode()])

    expect(page.get_by_role("heading", name=re.compile(r"^\d+ warnings?, no faults$"))).to_be_visible()
    expect(page.get_by_label("Parts of the plan").get_by_role("button", name="SettleInvoices")).to_be_visible()
    page.get_by_role("button", name="Give up the changes").click()


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
