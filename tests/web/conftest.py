"""One installation and one browser for each file of tests; no Chromium, no tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from jobplan.web.files import FOLDER
from tests.e2e.nodes import a_command, write_plan
from tests.support.leaks import check_descendants, descendants
from tests.web.site import Site, a_browser, a_page, a_site, find_chromium

AGENTS = ("north", "south")


@pytest.fixture
def leave_no_processes() -> None:
    """A browser comes and goes with processes as it likes: its own fixture looks for what is left."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium; the tests are skipped where there is none."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("no chromium: install it (Debian: apt-get install chromium), or set CHROMIUM=/path/to/it")
    assert (FOLDER / "index.html").exists()
    before = descendants()
    with a_browser(chromium) as found:
        yield found
    check_descendants(before)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that may complain of nothing."""
    with a_page(browser) as found:
        yield found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """Broker, dashboard, two agents, and the page's server."""
    with a_site(tmp_path_factory.mktemp("site"), AGENTS) as found:
        yield found


@pytest.fixture(scope="module")
def daily(site: Site) -> str:
    """A plan that opens at six each day that is no holiday; and the calendar of holidays, which are all over."""
    holidays = site.folder.path / "holidays.csv"
    holidays.write_text("2020-01-01,New Year\n2020-12-25,Christmas\n", "utf-8")
    site.do("calendar", "import", str(holidays), "--name", "Holidays")
    folder = write_plan(
        site.folder.path / "Daily",
        [a_command("Count", "sleep 30")],
        {"Count": []},
        timeWindowStart="0 0 6 * * ?",
        timezone="UTC",  # where each day has 24 hours
        calendars={"exclude": ["Holidays"]},
        ableToRunConcurrently=True,
    )
    site.do("plan", "import", str(folder))
    return "Daily"
