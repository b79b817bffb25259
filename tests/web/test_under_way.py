"""The page in a browser while something is under way: a day ends, a line is drawn, a form is typed into, an answer is late."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.e2e.nodes import a_command, write_plan
from tests.web.site import DRAWN, Site, log_in, waiting_for

pytestmark = pytest.mark.timeout(120)

LONDON = ZoneInfo("Europe/London")
"""Where the browser is."""
PUBLISH = 0x30


def a_pair(site: Site, name: str) -> str:
    """A plan of two jobs that do not depend on each other."""
    jobs = [a_command("Fetch", "true"), a_command("Sort", "true")]
    folder = write_plan(
        site.folder.path / name, jobs, {"Fetch": [], "Sort": []}, timeWindowStart="0 0 6 * * ?", timezone="UTC"
    )
    site.do("plan", "import", str(folder))
    return name


def test_what_was_today_is_yesterday_after_midnight(page: Page, site: Site) -> None:
    """A page that stays open says on which day something was, as soon as that is another one than today."""
    plan = a_pair(site, "Evening")
    instance = site.do("instance", "start", plan).strip()
    row = next(row for row in json.loads(site.do("instance", "list", "--json")) if row["instance"] == instance)
    opened = datetime.fromisoformat(str(row["opens"])).astimezone(LONDON)
    page.clock.install(time=opened.replace(hour=23, minute=0, second=0))
    log_in(page, site)
    opens = page.locator("tr", has_text=instance).locator("time")
    expect(opens).to_have_text(f"{opened:%H:%M:%S}")

    page.clock.fast_forward("01:01:00")
    expect(opens).to_have_text(f"{opened:%Y-%m-%d %H:%M:%S}")
    site.do("instance", "end", instance, "--yes")


def test_the_ends_of_all_instances_are_estimated_anew(page: Page, site: Site) -> None:
    """Many are asked about at once: no answer brings back what another one has replaced."""
    go = site.folder.path / "go"
    jobs = [a_command("Fetch", waiting_for(go)), a_command("Sort", "true")]
    folder = write_plan(site.folder.path / "Paced", jobs, {"Fetch": [], "Sort": ["Fetch"]}, ableToRunConcurrently=True)
    site.do("plan", "import", str(folder))
    go.touch()
    before = site.do("instance", "start", "Paced").strip()
    site.do("job", "submit", before, "Fetch", "--wait")
    site.do("instance", "end", before, "--yes")
    go.unlink()
    instances = [site.do("instance", "start", "Paced").strip() for _ in range(3)]
    for instance in instances:
        site.do("job", "submit", instance, "Fetch")

    page.clock.install()
    log_in(page, site)
    estimated = page.locator("tbody tr", has_text="≈")
    expect(estimated).to_have_count(3)
    for instance in instances:
        site.do("job", "hold", instance, "Sort")
    page.clock.fast_forward(31_000)
    expect(estimated).to_have_count(0)
    go.touch()
    for instance in instances:
        site.do("instance", "end", instance, "--yes")


def test_a_line_goes_on_while_the_picture_is_drawn_anew(page: Page, site: Site) -> None:
    """The dashboard's verdict on the last change may come in the middle of it."""
    plan = a_pair(site, "Drawn")
    log_in(page, site, at=f"#/plans/{plan}/graph")
    page.locator("g.node", has_text="Fetch").locator(".handle").hover()  # waits until the graph stands still
    page.mouse.down()
    page.get_by_label("Opens at").evaluate(
        "box => { box.value = '0 0 7 * * ?'; box.dispatchEvent(new Event('input', {bubbles: true})) }"
    )
    expect(page.get_by_role("heading", name="1 change")).to_be_visible()
    page.locator("g.node", has_text="Sort").hover()
    page.mouse.up()
    expect(page.locator("g.edge.needs")).to_have_count(1)
    expect(page.get_by_role("heading", name="2 changes")).to_be_visible()
    expect(page.locator("path.drawn")).to_have_count(0)
    page.get_by_role("button", name="Give up the changes").click()


def test_what_is_typed_is_not_replaced_by_what_is_read(page: Page, site: Site) -> None:
    """A plan that is looked at again is read anew; who begins to type before it has come keeps what they typed."""
    plan = a_pair(site, "Typed")
    log_in(page, site, at=f"#/plans/{plan}/form")
    opens = page.get_by_label("Opens at")
    expect(opens).to_have_value("0 0 6 * * ?")
    page.get_by_role("link", name="Plans", exact=True).first.click()
    expect(page.get_by_role("link", name=f"Edit {plan}")).to_be_visible()
    dashboard = site.nodes["dashboard"]
    dashboard.freeze()
    try:
        page.get_by_role("link", name=f"Edit {plan}").click()
        opens.fill("0 0 7 * * ?")
    finally:
        dashboard.thaw()
    expect(page.locator(".starts ins").first).to_be_visible()  # asked for later, so it came later
    expect(opens).to_have_value("0 0 7 * * ?")
    page.get_by_role("button", name="Give up the changes").click()


def test_a_field_that_is_not_left_yet_keeps_what_is_typed(page: Page, site: Site) -> None:
    """The verdict on the last change may come in the middle of a word."""
    plan = a_pair(site, "Telling")
    log_in(page, site, at=f"#/plans/{plan}/form")
    expect(page.locator(".starts")).to_be_visible()
    dashboard = site.nodes["dashboard"]
    dashboard.freeze()
    try:
        page.get_by_role("button", name="Add notifications").click()
        address = page.get_by_role("group", name="Notifications 1").get_by_label("Mail to", exact=True)
        address.fill("ops@exam")
    finally:
        dashboard.thaw()
    expect(page.get_by_role("group", name="Of every job").locator(".fault").first).to_contain_text("nobody to tell")
    expect(address).to_have_value("ops@exam")
    address.press_sequentially("ple.com")
    address.press("Tab")
    expect(page.locator(".fault", has_text="nobody to tell")).to_have_count(0)
    page.get_by_role("button", name="Give up the changes").click()


def test_what_is_typed_while_a_plan_is_saved_stays(page: Page, site: Site) -> None:
    """What was saved is said; the draft that has more than that goes on."""
    plan = a_pair(site, "Saved")
    log_in(page, site, at=f"#/plans/{plan}/form")
    opens = page.get_by_label("Opens at")
    opens.fill("0 0 7 * * ?")
    dashboard = site.nodes["dashboard"]
    page.get_by_role("button", name="Review and save …").click()
    dashboard.freeze()
    try:
        page.get_by_role("button", name="Save as the next version").click()
        opens.fill("0 0 8 * * ?")
    finally:
        dashboard.thaw()
    expect(page.get_by_label("Answers")).to_contain_text(f"{plan}: saved as version 2")
    expect(opens).to_have_value("0 0 8 * * ?")
    page.get_by_role("button", name="Give up the changes").click()


def test_no_dialog_takes_the_place_of_another(page: Page, site: Site) -> None:
    """One that had to ask first comes too late for who has gone on to something else: a click would mean what nobody read."""
    plan, other = a_pair(site, "Asked"), a_pair(site, "Other")
    with page.expect_websocket() as connection:
        log_in(page, site, at="#/plans")
    start = page.get_by_role("button", name=f"Start … {plan}")
    expect(start).to_be_enabled()
    dashboard = site.nodes["dashboard"]
    dashboard.freeze()
    try:
        start.click()
        page.get_by_role("button", name=f"Disable {other}").click()
        expect(page.get_by_role("heading", name=f"Disable: {other}?")).to_be_visible()
    finally:
        with connection.value.expect_event("framereceived", lambda frame: b'"scheduledJobs"' in bytes(frame)):
            dashboard.thaw()
    page.evaluate(DRAWN)
    expect(page.get_by_role("heading", name=f"Disable: {other}?")).to_be_visible()


def test_a_history_that_could_not_be_had_is_there_with_the_next_run(page: Page, site: Site) -> None:
    """What was said instead of it goes."""
    site.do("plan", "import", str(write_plan(site.folder.path / "Past", [a_command("Fetch", "true")], {"Fetch": []})))
    instance = site.do("instance", "start", "Past").strip()
    page.clock.install()
    log_in(page, site, at=f"#/instances/{instance}")
    expect(page.get_by_role("link", name="Fetch")).to_be_visible()
    dashboard = site.nodes["dashboard"]
    dashboard.freeze()
    try:
        page.get_by_role("link", name="Fetch").click()
        expect(page.get_by_role("heading", name="Fetch")).to_be_visible()
        page.clock.fast_forward(11_000)
        expect(page.get_by_text("does not answer")).to_be_visible()
    finally:
        dashboard.thaw()
    site.do("job", "submit", instance, "Fetch", "--wait")
    expect(page.get_by_role("region", name="Past runs").locator("tbody tr")).to_have_count(1)
    site.do("instance", "end", instance, "--yes")


def test_what_a_person_may_do_is_learnt_from_a_dashboard_that_comes_late(page: Page, site: Site) -> None:
    """As soon as it is there, however long nobody has answered."""
    dashboard = site.nodes["dashboard"]
    dashboard.stop()
    page.clock.install()
    log_in(page, site)
    expect(page.locator('[data-link="up"]')).to_be_visible()
    page.clock.fast_forward(11_000)
    expect(page.locator(".user")).to_have_text(site.folder.operator.user)
    dashboard.start()
    expect(page.locator(".user")).to_contain_text("admin")


def test_what_a_lost_connection_waited_for_breaks_no_later_one(page: Page, site: Site) -> None:
    """It broke between question and answer of a replay: the next one does it all by itself, and stays."""
    connections: list[WebSocketRoute] = []

    def pass_on(socket: WebSocketRoute) -> None:
        connections.append(socket)
        server = socket.connect_to_server()
        is_first = len(connections) == 1

        def sent(message: str | bytes) -> None:
            assert isinstance(message, bytes)
            if is_first and message[0] & 0xF0 == PUBLISH and b"_sync/" in message:
                socket.close()
                server.close()
            else:
                server.send(message)

        socket.on_message(sent)

    page.route_web_socket("**/mqtt", pass_on)
    page.clock.install()
    log_in(page, site)
    expect(page.locator('[data-link="up"]')).to_be_visible()
    page.clock.fast_forward(16_000)
    page.get_by_role("link", name="Coming").click()
    expect(page.get_by_role("heading", name="Business calendars")).to_be_visible()

    assert len(connections) == 2
