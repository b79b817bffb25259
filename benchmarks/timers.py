"""How late windows open on a dashboard with ten thousand plans, and what it costs to wait for them: real clock, driver and disk.

Late is from the second a start is due to the moment its instance is handed to the broker, saved and all. The broker is the model
in this process: what a network adds is not ours. The floor is a bare loop whose timer, due on the same seconds, makes one commit.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time

import msgspec
from msgspec import Raw, Struct

from benchmarks import floors
from benchmarks.figures import Figure
from broker.memory import MemoryBroker
from broker.runtime.core import Key, Reply, Requested, Tick
from broker.runtime.driver import Driver
from broker.runtime.selfwatch import Identity
from broker.runtime.store import SqliteStore
from broker.runtime.world import Signal, World, wall_clock
from broker.topic_table import Role
from dashboard_node.core.effects import Effect
from dashboard_node.core.machine import DashboardCore, Event
from schemas.names import NodeName, RequestId, UserName
from schemas.plan import PlanSource
from schemas.requests import ImportPlan

PLANS = 10_000
SECONDS = 15
"""How long windows open, how long nothing is due, and how long the floor is looked at."""
HOUR = 3_600


def a_plan(number: int, cron: str) -> PlanSource:
    """One command, in a window of half an hour."""
    plan = {
        "name": f"Plan{number:05}",
        "timeWindowStart": cron,
        "contextTtlMilliseconds": HOUR * 500,
        "scheduledJobs": [{"agentName": "a", "jobName": "c"}],
        "jobDependencies": [{"jobIdentifier": "a-c"}],
    }
    job = {"type": "internalEventDrivenJob", "agentName": "a", "jobName": "c", "commandLine": "true"}
    return msgspec.convert({"plan": plan, "jobs": [job]}, PlanSource)


def records(sources: Iterable[PlanSource], now: datetime) -> dict[Key, Struct | None]:
    """What a dashboard has saved once these plans are imported."""
    core = DashboardCore()
    core.step(Tick(now))
    found: dict[Key, Struct | None] = {}
    for number, source in enumerate(sources):
        body = Raw(msgspec.json.encode(ImportPlan(source=source)))
        decision = core.step(Requested(now, UserName("u"), RequestId(f"{number:08x}"), body))
        found.update(decision.changes)
        core.project(decision.changes)
    return {key: record for key, record in found.items() if key.table in {"plan", "version"}}


class Watch:
    """When each instance was handed to the broker."""

    def __init__(self) -> None:
        self.late: dict[str, float] = {}
        self.since = wall_clock()
        """What was due before was due while the dashboard started."""

    def __call__(self, _user: str, topic: str) -> bool:
        """Asked for each publication."""
        _, _, instance = topic.partition("/instance/")
        if instance and "/" not in instance and instance not in self.late and "/agent/" not in topic:
            due = datetime.strptime(instance.rpartition("-")[2], "%Y%m%dT%H%M%S%z")
            if due >= self.since:
                self.late[instance] = (wall_clock() - due).total_seconds() * 1000
        return True


async def live(saved: dict[Key, Struct | None], folder: Path) -> tuple[Watch, float, float]:
    """Run a dashboard on these records for a while: what was opened, processor time in percent, seconds to start."""
    watch, complete = Watch(), asyncio.Event()
    begun = perf_counter()

    def signal(what: Signal) -> None:
        if what is Signal.COMPLETE:
            complete.set()

    async with SqliteStore.open(folder / "dashboard.db") as store:
        await store.save(saved, ())
        broker = MemoryBroker(may_publish=watch)
        world: World[Effect] = World(
            store=store, bus=broker.bus(), topics=broker.topics, perform=_answers_only, signal=signal
        )
        identity = Identity(role=Role.DASHBOARD, node=NodeName("dashboard"), host="here", version="0")
        driver: Driver[Event, Effect | Reply] = Driver(DashboardCore(timedelta(hours=24)), identity, world)
        async with asyncio.TaskGroup() as group:
            group.create_task(driver.run(), name="dashboard")
            await complete.wait()
            started = perf_counter() - begun
            watch.late.clear()
            watch.since = wall_clock()
            spent = process_time()
            await asyncio.sleep(SECONDS)
            percent = (process_time() - spent) / SECONDS * 100
            driver.stop()
    return watch, percent, started


async def bare(folder: Path) -> list[float]:
    """Milliseconds from each whole second until a timer for it has run and saved three records."""
    late = []
    with floors.database(folder / "floor.db") as commit:
        first = wall_clock().replace(microsecond=0) + timedelta(seconds=1)
        for due in (first + timedelta(seconds=number) for number in range(SECONDS)):
            await asyncio.sleep((due - wall_clock()).total_seconds())
            commit()
            late.append((wall_clock() - due).total_seconds() * 1000)
    return late


def _answers_only(effect: Effect) -> None:
    raise AssertionError(f"nobody asked for {effect!r}")


async def measure(rounds: int) -> list[Figure]:
    """A bare loop, windows that open all the time, then none; so many spans of ``SECONDS`` each."""
    now = wall_clock()
    spread = records((a_plan(n, f"{n % 60} {n // 60 % 60} * * * ?") for n in range(PLANS)), now)
    far = (now + timedelta(hours=12)).hour
    quiet = records((a_plan(n, f"{n % 60} {n // 60 % 60} {far} * * ?") for n in range(PLANS)), now)
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            floor = median(await bare(Path(one)))
            watch, busy, started = await live(spread, Path(one))
            _, idle, _ = await live(quiet, Path(other))
        late = list(watch.late.values())
        p50, p99 = median(late), quantiles(late, n=100)[98]
        once = {"floor": floor, "p50": p50, "p99": p99, "busy": busy, "idle": idle, "start": started}
        for what, value in once.items():
            found.setdefault(what, []).append(value)
    of = f"{PLANS:,} plans"
    late_by = partial(Figure, part="timers", unit="ms", floor="a bare timer, one commit", floors=tuple(found["floor"]))
    return [
        late_by(name=f"window opens late, p50, {of}", values=tuple(found["p50"])),
        late_by(name="window opens late, p99", values=tuple(found["p99"])),
        Figure(part="timers", name="processor, three windows a second", unit="%", values=tuple(found["busy"])),
        Figure(part="timers", name=f"processor, {of}, nothing due", unit="%", values=tuple(found["idle"]), target=1.0),
        Figure(part="timers", name=f"start with {of}", unit="s", values=tuple(found["start"])),
    ]
