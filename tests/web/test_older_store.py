"""The page in a browser, and a broker that brings what was: with an older store, or on its way a second time."""

from __future__ import annotations

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor

import aiomqtt
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


def test_what_is_passed_on_a_second_time_after_it_was_cleared_does_not_stay(page: Page, site: Site) -> None:
    """NATS does that when a server dies; a plan that is older than the one that was deleted is not shown."""
    bundle = str(write_plan(site.folder.path / "Late", [a_command("A", "true")], {"A": []}))
    site.do("plan", "import", bundle)
    topic = f"{site.folder.url(site.folder.dashboard).prefix}/plan/Late"
    with ThreadPoolExecutor(1, "mqtt") as thread:  # the browser's loop runs in this one
        first = thread.submit(asyncio.run, _read(site, topic)).result()
        site.do("plan", "disable", "Late")
        log_in(page, site, at="#/plans")
        expect(page.locator("tr", has_text="Late")).to_be_visible()
        site.do("plan", "delete", "Late", "--yes")
        expect(page.locator("tr", has_text="Late")).to_have_count(0)
        thread.submit(asyncio.run, _pass_on(site, topic, first)).result()

    site.do("plan", "import", str(write_plan(site.folder.path / "After", [a_command("A", "true")], {"A": []})))
    expect(page.locator("tr", has_text="After")).to_be_visible()
    expect(page.locator("tr", has_text="Late")).to_have_count(0)
    site.do("plan", "import", bundle)
    expect(page.locator("tr", has_text="Late")).to_be_visible()


def _dashboards(site: Site) -> aiomqtt.Client:
    url, account = site.folder.url(site.folder.dashboard), site.folder.dashboard
    return aiomqtt.Client(url.host, url.port, username=account.user, password=account.password)


async def _read(site: Site, topic: str) -> bytes:
    async with _dashboards(site) as client:
        await client.subscribe(topic, qos=1)
        message = await anext(aiter(client.messages))
        assert isinstance(message.payload, bytes)
        return message.payload


async def _pass_on(site: Site, topic: str, payload: bytes) -> None:
    async with _dashboards(site) as client:
        await client.publish(topic, payload, qos=1)
