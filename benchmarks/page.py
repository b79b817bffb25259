"""The page in a Chromium: from the log-in to the list of 200 instances of 100 jobs, and its memory after an hour of changes.

Real broker, dashboard and page's server. The floor of the first view is a raw replay of the same topics, read by mosquitto_sub.
"""

from __future__ import annotations

import asyncio
import gzip
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Final

from playwright.async_api import Page, async_playwright

from benchmarks.figures import Figure
from jobplan.client import Client, connect
from jobplan.web.files import FOLDER
from schemas.names import InstanceId, PlanName
from schemas.requests import Act, Action
from tests.e2e.nodes import a_command, write_plan
from tests.web.site import FLAGS, Site, a_site, find_chromium

INSTANCES: Final = 200
JOBS: Final = 100
CHANGES: Final = 360
"""Each changes all jobs of the instance that is looked at: 36 000 documents, as in an hour of ten a second."""
BASE: Final = ("dashboard/presence", "dashboard/grants", "agent/+/presence", "plan/+", "instance/+", "lock/+")
"""What the page subscribes when somebody logs in."""
SHOWN: Final = "wanted => document.querySelectorAll('tbody tr').length >= wanted"
TOGETHER: Final = 20


async def measure(rounds: int) -> list[Figure]:
    """So many log-ins; the hour of changes once."""
    with tempfile.TemporaryDirectory() as folder, a_site(Path(folder), ()) as site:
        async with connect(site.folder.url(site.folder.operator)) as client:
            instances = await _instances(site, client)
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
                views, floors = [], []
                for _ in range(rounds):
                    page = await browser.new_page()
                    views.append(await _first_view(page, site))
                    floors.append(await _raw_replay(site))
                    await page.close()
                page = await browser.new_page()
                before, after = await _an_hour(page, site, client, instances[0])
                await browser.close()
    scripts = [file.read_bytes() for file in (FOLDER / "assets").iterdir()]
    of = f"{INSTANCES} instances of {JOBS} jobs"
    return [
        Figure(
            part="page",
            name=f"log-in to the list, {of}",
            unit="s",
            values=tuple(views),
            floor="mosquitto_sub reads the same topics",
            floors=tuple(floors),
        ),
        Figure(part="page", name="log-in to the list", unit="s", values=tuple(views), target=2.0),
        Figure(part="page", name="memory at first", unit="MiB", values=(before,)),
        Figure(part="page", name=f"memory after {CHANGES * JOBS:,} changes seen", unit="MiB", values=(after,)),
        Figure(part="page", name="bundle", unit="KiB", values=(sum(map(len, scripts)) / 1024,)),
        Figure(
            part="page", name="bundle, gzip", unit="KiB", values=(sum(len(gzip.compress(s)) for s in scripts) / 1024,)
        ),
    ]


async def _instances(site: Site, client: Client) -> list[InstanceId]:
    """A plan in which each job waits for the one before, and its instances."""
    jobs = [a_command(f"J{number:03}", "true") for number in range(JOBS)]
    after = {f"J{number:03}": [f"J{number - 1:03}"] if number else [] for number in range(JOBS)}
    site.do("plan", "import", str(write_plan(Path(site.folder.path) / "Wide", jobs, after, ableToRunConcurrently=True)))
    found: list[InstanceId] = []
    for _ in range(0, INSTANCES, TOGETHER):
        found += await asyncio.gather(*(client.start_instance(PlanName("Wide")) for _ in range(TOGETHER)))
    return found


async def _log_in(page: Page, site: Site, at: str = "") -> None:
    await page.goto(site.address + at)
    await page.get_by_label("User").fill(site.folder.operator.user)
    await page.get_by_label("Password").fill(site.folder.operator.password)


async def _first_view(page: Page, site: Site) -> float:
    """Seconds from the click to the last row."""
    await _log_in(page, site)
    begun = perf_counter()
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_function(SHOWN, arg=INSTANCES)
    return perf_counter() - begun


async def _raw_replay(site: Site) -> float:
    """Seconds until everything that is retained on the page's topics has been read."""
    account, prefix = site.folder.operator, site.folder.url(site.folder.operator).prefix
    topics = [part for topic in BASE for part in ("-t", f"{prefix}/{topic}")]
    address = ("-p", str(site.folder.port), "-u", account.user, "-P", account.password)
    begun = perf_counter()
    # As many as there are instances, plus the plan, the dashboard's presence and who may do what.
    process = await asyncio.create_subprocess_exec(
        "mosquitto_sub", *address, "-q", "1", *topics, "-C", str(INSTANCES + 3), stdout=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(30):
        await process.wait()
    return perf_counter() - begun


async def _an_hour(page: Page, site: Site, client: Client, instance: InstanceId) -> tuple[float, float]:
    """MiB of the page's heap, before and after all jobs of what it shows were held and released many times."""
    await _log_in(page, site, f"#/instances/{instance}")
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_function(SHOWN, arg=JOBS)
    before = 0.0
    for number in range(CHANGES + 20):
        if number == 20:  # noqa: PLR2004  # by then everything has been compiled and every table has grown
            before = await _heap(page)
        await client.act(Act(action=Action.RELEASE if number % 2 else Action.HOLD, instance=instance))
    await page.wait_for_function("() => document.querySelectorAll('[data-status=WAITING]').length === 100")
    return before, await _heap(page)


async def _heap(page: Page) -> float:
    session = await page.context.new_cdp_session(page)
    await session.send("HeapProfiler.collectGarbage")
    usage = await session.send("Runtime.getHeapUsage")
    await session.detach()
    return float(usage["usedSize"]) / 2**20
