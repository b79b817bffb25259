"""The page in a browser: what an operator does in a night, with real nodes behind it."""

from __future__ import annotations

import json
import re
from importlib import resources

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.nodes import a_command, write_plan
from tests.support.mosquitto import HOST
from tests.support.still_server import a_server_that_stands_still
from tests.support.waiting import until
from tests.web.old_broker import a_listener_of_mqtt_3
from tests.web.site import GUEST, PATIENCE, VIEWER, VIEWERS_PASSWORD, Site, a_page, a_server, log_in, waiting_for

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def nightly(site: Site) -> str:
    """A plan: Extract writes until somebody lets it go, then Load, which fails until its cause is mended; Report follows."""
    go, mend = site.folder.path / "go", site.folder.path / "mended"
    jobs = [
        a_command("Extract", f"echo line 1; {waiting_for(go)}; echo line 2"),
        a_command("Load", f"echo loading; test -e {mend} || {{ echo no table >&2; exit 3; }}", "south"),
        a_command("Report", "echo reported"),
    ]
    after = {"Extract": [], "Load": ["Extract"], "Report": ["Load"]}
    parameters = [{"name": "region", "defaultValue": "north"}]
    folder = write_plan(
        site.folder.path / "Nightly", jobs, after, contextParameters=parameters, ableToRunConcurrently=True
    )
    site.do("plan", "import", str(folder))
    return "Nightly"


def let_run(site: Site, *, through: bool) -> None:
    """Whether instances of that plan run through by themselves; otherwise its first job waits, and its second one fails."""
    for file in (site.folder.path / "go", site.folder.path / "mended"):
        file.touch() if through else file.unlink(missing_ok=True)


def start(site: Site, plan: str) -> str:
    """A fresh instance."""
    return site.do("instance", "start", plan).strip()


def running(site: Site, plan: str) -> set[str]:
    """The instances of a plan that have not ended."""
    rows = json.loads(site.do("instance", "list", "--json"))
    return {str(row["instance"]) for row in rows if row["plan"] == plan and row["status"] != "ENDED"}


def shows(page: Page, job: str, status: str) -> None:
    """Wait until a job stands so."""
    expect(page.locator(f'tr[data-job="{job}"][data-status="{status}"]')).to_be_visible()


AT_ONCE = {"Hold", "Release"}  # of these the page does not ask once more


def act(page: Page, job: str, verb: str) -> None:
    """Do something to a job by the menu of its line, and say yes where the page asks."""
    page.get_by_role("button", name=f"Actions for {job}").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile(f"^{verb}")).click()
    if verb not in AT_ONCE:
        page.get_by_role("dialog").get_by_role("button", name=verb, exact=True).click()


def test_a_wrong_password_is_refused(page: Page, site: Site) -> None:
    """With a sentence; the right one then gets in, and only the name is kept."""
    log_in(page, site, password="wrong")  # noqa: S106  # that is the point
    expect(page.get_by_role("alert")).to_contain_text("password is wrong")

    page.get_by_label("Password").fill(site.folder.operator.password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Instances")).to_be_visible()
    kept = page.evaluate("[JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie]")
    assert kept == ['{"jobplan.user":"operator"}', "{}", ""]


def test_an_instance_from_its_start_to_its_end(page: Page, site: Site, nightly: str) -> None:
    """Started with a parameter, watched, its log followed, its failure resubmitted, ended."""
    let_run(site, through=False)
    before = running(site, nightly)
    log_in(page, site, at="#/plans")
    page.get_by_role("button", name=f"Start … {nightly}").click()
    page.get_by_label(re.compile("Parameters")).fill("region=south")
    page.get_by_role("dialog").get_by_role("button", name="Start").click()
    expect(page.get_by_text(f"Start {nightly}: done")).to_be_visible()

    [instance] = running(site, nightly) - before
    page.get_by_role("cell").get_by_role("link", name=instance).click()
    shows(page, "Extract", "WAITING")
    act(page, "Extract", "Submit")
    shows(page, "Extract", "RUNNING")
    page.get_by_role("link", name="Extract").click()
    expect(page.get_by_role("log")).to_have_text("line 1\n")
    (site.folder.path / "go").touch()
    expect(page.get_by_role("log")).to_have_text("line 1\nline 2\n")
    expect(page.get_by_text("The run has ended")).to_be_visible()

    page.go_back()
    shows(page, "Load", "ERROR")
    expect(page.locator('tr[data-job="Load"] .why')).to_contain_text("3")
    page.get_by_role("link", name="Load").click()
    page.get_by_label("Stream").select_option("errors")
    expect(page.get_by_role("log")).to_have_text("no table\n")
    (site.folder.path / "mended").touch()
    page.get_by_role("button", name="Resubmit").click()
    page.get_by_role("dialog").get_by_role("button", name="Resubmit").click()
    expect(page.get_by_text("Resubmit Load: done")).to_be_visible()

    page.go_back()
    shows(page, "Report", "COMPLETE")
    for tab, text in {"Timeline": "Extract", "Parameters": "south", "Audit": "operator", "JSON": '"counts"'}.items():
        page.get_by_role("link", name=tab).click()
        expect(page.locator("#content")).to_contain_text(text)
    page.get_by_role("button", name="Actions", exact=True).click()
    page.get_by_role("button", name=re.compile("^End")).click()
    page.get_by_role("dialog").get_by_role("button", name="End", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("ended")


def test_hold_and_release(page: Page, site: Site, nightly: str) -> None:
    """A held job does not start though its dependency holds; released, it does. The graph says the same."""
    let_run(site, through=True)
    instance = start(site, nightly)
    log_in(page, site, at=f"#/instances/{instance}")
    act(page, "Report", "Hold")
    shows(page, "Report", "ON_HOLD")
    act(page, "Extract", "Submit")
    shows(page, "Load", "COMPLETE")
    shows(page, "Report", "ON_HOLD")

    page.get_by_role("link", name="Graph").click()
    expect(page.get_by_role("link", name="Report: on hold")).to_be_visible()
    expect(page.locator("g.edge")).to_have_count(2)

    page.get_by_role("link", name="Tree").click()
    act(page, "Report", "Release")
    shows(page, "Report", "COMPLETE")


def test_what_a_blackout_passed_over_is_reset(page: Page, site: Site) -> None:
    """It has ended like any other job: nobody skipped it, so there is no skip to take back."""
    feed = site.folder.path / "feed.csv"
    arrival = {
        "agentName": "north",
        "jobName": "Feed",
        "filenames": [str(feed)],
        "cronExpression": "* * * * * ?",
        "blackoutWindowDateTimeRanges": {"0": 4102444800000},  # until 2100
    }
    site.do("plan", "import", str(write_plan(site.folder.path / "Feeds", [arrival], {"Feed": []})))
    instance = start(site, "Feeds")
    log_in(page, site, at=f"#/instances/{instance}")
    shows(page, "Feed", "WAITING")
    feed.touch()
    shows(page, "Feed", "SKIPPED_COMPLETE")
    page.get_by_role("button", name="Actions for Feed").click()
    expect(page.get_by_role("dialog").get_by_role("button", name=re.compile("^Resubmit"))).to_be_visible()
    expect(page.get_by_role("dialog").get_by_role("button", name=re.compile("^Unskip"))).to_have_count(0)
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()

    act(page, "Feed", "Reset")
    shows(page, "Feed", "WAITING")


def test_a_viewer_may_look_and_not_act(page: Page, site: Site, nightly: str) -> None:
    """What the broker would refuse cannot be clicked, and says why; what is retained is all there, the graph too."""
    instance = start(site, nightly)
    log_in(page, site, VIEWER, VIEWERS_PASSWORD, at=f"#/instances/{instance}")
    expect(page.locator(".user")).to_contain_text("looks only")
    page.get_by_role("button", name="Actions for Report").click()
    hold = page.get_by_role("dialog").get_by_role("button", name=re.compile("^Hold"))
    expect(hold).to_be_disabled()
    expect(hold).to_contain_text("you may only look")

    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("link", name="Graph").click()
    expect(page.get_by_role("link", name="Report: waiting")).to_be_visible()


def test_what_a_role_forbids_is_disabled_with_the_reason(page: Page, site: Site, nightly: str) -> None:
    """Operator of other plans: this one's buttons say which role is missing; granted it, they work."""
    instance = start(site, nightly)
    site.do("user", "grant", GUEST, "operator", "--plan", "Daily*")
    log_in(page, site, GUEST, VIEWERS_PASSWORD, at=f"#/instances/{instance}/job/{nightly}/north-Report")
    expect(page.locator(".user")).to_contain_text("operator of Daily*")
    hold = page.get_by_role("button", name="Hold")
    expect(hold).to_be_disabled()
    expect(page.get_by_text(f"Needs the role operator for {nightly}; you have operator of Daily*")).to_be_visible()

    site.do("user", "grant", GUEST, "operator", "--plan", nightly)
    expect(hold).to_be_enabled()
    hold.click()
    expect(page.get_by_text("Hold Report: done")).to_be_visible()


def test_a_lock_is_freed_by_ending_who_holds_it(page: Page, site: Site) -> None:
    """The holder is ended after a second click, and who waited has the lock."""
    lock = {"name": "disk", "lockCount": 1, "jobs": {"Sharing": [{"agentName": "north", "jobName": j} for j in "AB"]}}
    jobs = [a_command("A", "sleep 60"), a_command("B", "echo mine")]
    folder = write_plan(site.folder.path / "Sharing", jobs, {"A": [], "B": []}, jobLocks=[lock])
    site.do("plan", "import", str(folder))
    instance = start(site, "Sharing")
    log_in(page, site, at=f"#/instances/{instance}")
    for job, status in (("A", "RUNNING"), ("B", "LOCK_QUEUED")):
        act(page, job, "Submit")
        shows(page, job, status)
    page.get_by_role("link", name="Locks").click()
    page.get_by_role("button", name="Free the lock disk: A").click()
    page.get_by_role("dialog").get_by_role("button", name="Free the lock").click()

    page.go_back()
    shows(page, "A", "KILLED")
    shows(page, "B", "COMPLETE")


def test_all_who_wait_for_a_lock_say_who_holds_it(page: Page, site: Site) -> None:
    """Behind the first three of the queue by the lock's own document: with their places, and anew when that changes alone."""
    names = "ABCDEF"
    lock = {
        "name": "tape",
        "lockCount": 1,
        "jobs": {"Many": [{"agentName": "north", "jobName": name} for name in names]},
    }
    jobs = [a_command(name, "sleep 60") for name in names]
    folder = write_plan(site.folder.path / "Many", jobs, {name: [] for name in names}, jobLocks=[lock])
    site.do("plan", "import", str(folder))
    instance = start(site, "Many")
    log_in(page, site, at=f"#/instances/{instance}")
    for name in names:
        site.do("job", "submit", instance, name)
    shows(page, "A", "RUNNING")
    for place, name in enumerate("BCDEF"):
        why = page.locator(f'tr[data-job="{name}"] td.why')
        expect(why).to_contain_text("waits for lock tape, held by A since ")
        if place:
            expect(why).to_contain_text(f"{place} before it in the queue")
    [said] = json.loads(site.do("job", "why", instance, "F", "--json"))
    expect(page.locator('tr[data-job="F"] td.why')).to_have_text(said["blockers"][0]["text"])

    site.do("job", "reset", instance, "E")
    expect(page.locator('tr[data-job="F"] td.why')).to_contain_text("3 before it in the queue")
    page.get_by_role("link", name="F", exact=True).click()
    expect(page.locator("ul.blockers")).to_contain_text("held by A since ")
    site.do("instance", "end", instance, "--yes")


def test_a_restart_of_the_broker_is_survived(page: Page, site: Site, nightly: str) -> None:
    """The page says that it knows nothing new, comes back by itself, and goes on."""
    let_run(site, through=True)
    instance = start(site, nightly)
    log_in(page, site, at=f"#/instances/{instance}")
    shows(page, "Extract", "WAITING")
    site.nodes["broker"].stop()
    expect(page.get_by_text("No connection to the broker since")).to_be_visible()
    expect(page.locator('[data-link="lost"]')).to_be_visible()

    site.nodes["broker"].start()
    expect(page.locator('[data-link="up"]')).to_be_visible()
    act(page, "Extract", "Submit")
    shows(page, "Report", "COMPLETE")


def test_what_is_shown_without_a_dashboard_is_marked(page: Page, site: Site) -> None:
    """Nothing pretends to be live."""
    log_in(page, site)
    expect(page.locator('[data-link="up"]')).to_be_visible()
    site.nodes["dashboard"].stop()
    expect(page.get_by_text("The dashboard is gone since")).to_be_visible()
    expect(page.locator("main.stale")).to_be_visible()
    site.nodes["dashboard"].start()
    expect(page.locator("main.stale")).to_have_count(0)


def test_a_broker_that_is_not_there_is_said(page: Page, site: Site) -> None:
    """Before anybody is logged in; the page goes on trying, until somebody has enough."""
    site.nodes["broker"].stop()
    log_in(page, site)
    expect(page.get_by_role("alert")).to_contain_text("The broker does not answer")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Log in")).to_be_enabled()
    log_in(page, site)
    site.nodes["broker"].start()
    expect(page.get_by_role("heading", name="Instances")).to_be_visible()


def test_a_server_whose_list_stands_still_is_left_for_another(page: Page, site: Site, nightly: str) -> None:
    """Of a broker that has several; what the other one replays counts, also of what is looked at later."""
    instance = start(site, nightly)
    port = site.folder.port
    with a_server_that_stands_still(port) as still:
        broker = f"mqtt://{HOST}:{still.port},{HOST}:{port}"
        with a_server(site, "--broker", broker) as served:
            log_in(page, served)
            page.get_by_role("link", name=instance).first.click()
            shows(page, "Extract", "WAITING")

            assert still.connections == 1
            assert not any("_again/" in topic for topic in still.topics)


def test_where_no_server_is_better_all_is_shown_again(page: Page, site: Site, nightly: str) -> None:
    """Each was tried; what is there is shown, and the page asks for the rest."""
    instance = start(site, nightly)
    with (
        a_server_that_stands_still(site.folder.port) as still,
        a_server(site, "--broker", f"mqtt://{HOST}:{still.port},{HOST}:{still.port}") as served,
    ):
        log_in(page, served)
        expect(page.get_by_role("link", name=instance).first).to_be_visible()

        assert still.connections == 2
        until(lambda: any("_again/" in topic for topic in still.topics), within=PATIENCE, what="it asks")


def test_the_server_of_the_page_ends_when_it_is_told_to(page: Page, site: Site) -> None:
    """At once, though somebody is connected; the page comes back with it."""
    log_in(page, site)
    expect(page.locator('[data-link="up"]')).to_be_visible()
    assert site.nodes["web"].stop() == 0
    expect(page.get_by_text("No connection to the broker since")).to_be_visible()
    site.nodes["web"].start()
    expect(page.locator('[data-link="up"]')).to_be_visible()


def test_a_brokers_own_listener_that_closes_on_mqtt_5_is_asked_in_mqtt_3(page: Page, site: Site, nightly: str) -> None:
    """Nobody has to know: the page logs in, shows and acts as ever."""
    with (
        a_listener_of_mqtt_3(site.folder.port) as (listener, asked),
        a_server(site, "--websockets", listener) as there,
    ):
        log_in(page, there, at="#/plans")
        page.get_by_role("button", name=f"Disable {nightly}").click()
        page.get_by_role("dialog").get_by_role("button", name="Disable").click()
        expect(page.get_by_text(f"Disable {nightly}: done")).to_be_visible()
        page.get_by_role("button", name=f"Enable {nightly}").click()
        expect(page.get_by_text(f"Enable {nightly}: done")).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("button", name="Log in")).to_be_enabled()

    assert asked == [5, 4]


AXE = resources.files("axe_playwright_python") / "axe.min.js"
TABS = {
    "tree": "tr.context",
    "graph": "g.node",
    "timeline": ".timeline, #content .empty",
    "parameters": "td:has-text('region')",
    "audit": "tbody tr",
    "json": ".json",
}
TITLES = {
    "instances": "Instances",
    "plans": "Plans",
    "forecast": "Coming",
    "agents": "Agents",
    "locks": "Locks",
    "bring": "Bring a plan",
}
EDITOR = {"form": ".sheet", "graph": "g.node", "json": "textarea"}
"""What is on a view when it is there: it is looked at no sooner."""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, site: Site, nightly: str, *, dark: bool) -> None:
    """On every view, in light and dark, on a narrow screen as well."""
    instance = start(site, nightly)
    views = {
        **{f"#/instances/{instance}/{tab}": on_it for tab, on_it in TABS.items()},
        **{f"#/{name}": f"h1:has-text('{title}')" for name, title in TITLES.items()},
        **{f"#/plans/{nightly}/{tab}": on_it for tab, on_it in EDITOR.items()},
        f"#/instances/{instance}/job/{nightly}/south-Load": "h1:has-text('Load')",
    }
    with a_page(browser, dark=dark, width=420 if dark else 1280) as page:
        log_in(page, site)
        expect(page.get_by_role("heading", name="Instances")).to_be_visible()
        page.evaluate(AXE.read_text("utf-8") + ";0")
        page.evaluate("where => { location.hash = where }", f"#/plans/{nightly}/form")
        page.get_by_role("button", name="Add notifications").click()
        page.get_by_label("Templates of the text: add a monitor").select_option("ERROR")
        found = {}
        for view, on_it in views.items():
            page.evaluate("where => { location.hash = where }", view)
            expect(page.locator(f"#content {on_it}").first).to_be_visible()
            bad = page.evaluate(
                "axe.run({resultTypes: ['violations']})"
                ".then(all => all.violations.filter(one => ['serious', 'critical'].includes(one.impact))"
                ".map(one => one.id + ': ' + one.nodes.map(node => node.target + ' ' + node.failureSummary).join('; ')))"
            )
            found.update({view: bad} if bad else {})

    assert found == {}
