"""The page in a browser, and a broker that comes back with an older store."""

from __future__ import annotations

import shutil

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.nodes import a_command, write_plan
from tests.web.site import DRAWN, Site, log_in

pytestmark = pytest.mark.timeout(120)


def test_what_was_cleared_stays_away_when_the_broker_goes_back(page: Page, site: Site) -> None:
    """Nobody is there who could say so: what the page has seen to be gone is not believed, what it has not is."""
    for plan in ("Kept", "Dropped"):
        site.do("plan", "import", str(write_plan(site.folder.path / plan, [a_command("A", "true")], {"A": []})))
    store = site.folder.path / "broker" / "store"
    broker, dashboard = site.nodes["broker"], site.nodes["dashboard"]
    broker.stop()
    shutil.copytree(store, older := store.with_name("older"))
    broker.start()

    log_in(page, site, at="#/plans")
    expect(page.locator("tr", has_text="Dropped")).to_be_visible()
    site.do("plan", "delete", "Dropped", "--yes")
    expect(page.locator("tr", has_text="Dropped")).to_have_count(0)
    dashboard.stop()
    broker.stop()
    expect(page.locator('[data-link="lost"]')).to_be_visible()
    shutil.copytree(older, store, dirs_exist_ok=True)
    broker.start()

    expect(page.locator('[data-link="up"]')).to_be_visible()
    expect(page.locator("tr", has_text="Kept")).to_be_visible()
    page.evaluate(DRAWN)
    expect(page.locator("tr", has_text="Dropped")).to_have_count(0)

    page.reload()
    log_in(page, site, at="#/plans")  # it stands there: who has not seen it go has to believe it
    expect(page.locator("tr", has_text="Dropped")).to_be_visible()
    dashboard.start()
    expect(page.locator("tr", has_text="Dropped")).to_have_count(0)
