"""The page as it looks with the sample plan, light and dark; `make pictures` keeps what is taken here in docs/pictures/."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Browser, Page, expect

from jobplan.demo.operator import SAMPLE_FAILURE
from tests.e2e.nodes import ROOT
from tests.support.waiting import until
from tests.web.site import Site, a_page, a_site, log_in

pytestmark = pytest.mark.timeout(180)

Orders = tuple[Site, str]


@pytest.fixture(scope="module")
def orders() -> Iterator[Orders]:
    """The sample plan, run until its job that fails has failed; the instance."""
    # Its path is in the pictures: one that says what it is.
    with (
        TemporaryDirectory(prefix="jobplan-demo-") as where,
        a_site(Path(where), ("desk", "warehouse"), together=True) as site,
    ):
        site.do("plan", "import", str(ROOT / "jobplan" / "sample"))
        yield site, an_order(site, 17)


def an_order(site: Site, number: int) -> str:
    """An instance of the sample plan whose file has come. No other one runs: its last job archives all that is in the inbox."""
    until(lambda: not _running(site), within=60.0, what="the order before has been archived")
    inbox = site.folder.inbox
    instance = site.do("instance", "start", "MorningOrders", "-p", f"inbox={inbox}").strip()
    arriving = inbox / "arriving.tmp"
    arriving.write_text("number,article,pieces\n1,tea,3\n2,coffee,5\n3,sugar,1\n", "utf-8")
    arriving.rename(inbox / f"order_{number}.csv")
    return instance


def _running(site: Site) -> bool:
    return any(one["status"] in {"WAITING", "RUNNING"} for one in json.loads(site.do("instance", "list", "--json")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the pictures go: nowhere that stays, unless PICTURES names a folder."""
    wanted = os.environ.get("PICTURES")
    return ROOT / wanted if wanted else tmp_path


def view(page: Page, where: str) -> None:
    """Go somewhere without logging in anew."""
    page.evaluate("where => { location.hash = where }", where)
    page.mouse.move(0, 0)


def view_tab(page: Page, instance: str, tab: str) -> None:
    """Go to a tab of an instance; come back when it is that one."""
    view(page, f"#/instances/{instance}/{tab}")
    expect(page.locator(".tabs [aria-current=page]")).to_have_text(tab, ignore_case=True)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pictures(browser: Browser, orders: Orders, folder: Path, *, dark: bool) -> None:
    """Every view is taken; each has on it what it is for."""
    site, instance = orders
    shade = "dark" if dark else "light"
    with a_page(browser, dark=dark, height=760) as page:

        def take(name: str) -> None:
            page.screenshot(path=folder / f"{name}-{shade}.png", animations="disabled")

        page.goto(site.address)
        expect(page.get_by_role("button", name="Log in")).to_be_visible()
        take("login")
        log_in(page, site)
        expect(page.get_by_role("link", name=instance)).to_be_visible()

        view(page, f"#/instances/{instance}")
        failed = page.locator(f'tr[data-job="{SAMPLE_FAILURE}"][data-status="ERROR"]')
        expect(failed).to_be_visible(timeout=60_000)
        take("tree")
        view(page, f"#/instances/{instance}/graph")
        expect(page.get_by_role("link", name=f"{SAMPLE_FAILURE}: error")).to_be_visible()
        take("graph")
        for tab in ("parameters", "audit", "json"):
            view_tab(page, instance, tab)
            expect(page.locator(".scroll, .json").first).to_be_visible()
            take(tab)
        view(page, f"#/instances/{instance}")
        page.get_by_role("link", name=SAMPLE_FAILURE).click()
        page.get_by_label("Stream").select_option("errors")
        expect(page.get_by_role("log")).to_contain_text("approval")
        take("job")
        page.get_by_role("button", name="Resubmit").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        take("dialog")
        page.get_by_role("button", name="Cancel").click()
        # How long its jobs took is known by now, so that the ends of the next one can be estimated.
        (site.folder.inbox / "approval.txt").touch()
        second = an_order(site, 18 + dark)
        view(page, f"#/instances/{second}/timeline")
        expect(page.locator(".timeline li", has_text="ReserveStock").locator(".fill-run")).to_be_visible()
        expect(page.locator(".guess").first).to_be_visible()
        take("timeline")
        for name in ("instances", "plans", "agents", "locks"):
            view(page, f"#/{name}")
            expect(page.get_by_role("heading", name=name.title())).to_be_visible()
            take(name)
        view(page, "#/forecast")
        expect(page.get_by_role("region", name=re.compile("^20")).first).to_be_visible()
        take("forecast")
        take_editor(page, take)


def take_editor(page: Page, take: Callable[[str], None]) -> None:
    """The ways to edit a plan."""
    view(page, "#/plans/MorningOrders")
    expect(page.get_by_role("heading", name="1 warning, no faults")).to_be_visible()
    page.get_by_label("Opens at").fill("0 30 7 ? * MON-FRI")
    expect(page.get_by_role("heading", name="1 change")).to_be_visible()
    expect(page.locator(".starts ins").first).to_be_visible()
    take("editor")
    page.get_by_role("link", name="Graph").click()
    page.get_by_role("button", name="ArchiveOrders: command").click()
    expect(page.get_by_role("heading", name="Job ArchiveOrders")).to_be_visible()
    take("editor-graph")
    page.get_by_role("button", name="Give up the changes").click()
    view(page, "#/bring")
    expect(page.get_by_role("heading", name="Bring a plan")).to_be_visible()
    take("bring")


def test_a_narrow_screen_does_not_scroll_sideways(browser: Browser, orders: Orders, folder: Path) -> None:
    """Tables scroll by themselves, the page does not."""
    site, instance = orders
    with a_page(browser, width=390, height=780) as page:
        log_in(page, site, at=f"#/instances/{instance}")
        expect(page.locator("tr.context").first).to_be_visible()
        page.screenshot(path=folder / "narrow-light.png", animations="disabled")
        wide = {}
        for tab in ("tree", "graph", "timeline", "parameters", "audit", "json"):
            view_tab(page, instance, tab)
            expect(page.locator(".scroll, .json, .graph").first).to_be_visible()
            wide[tab] = page.evaluate("document.documentElement.scrollWidth - innerWidth")

    assert set(wide.values()) == {0}, wide
