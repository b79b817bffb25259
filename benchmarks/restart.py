"""Starts with a thousand instances of a hundred jobs at hand: the dashboard's, its broker's, the agent's; and what they weigh."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from time import perf_counter

import aiomqtt
from msgspec import Struct

from benchmarks.context_machine import Office
from benchmarks.figures import Figure
from benchmarks.folders import new_folder
from benchmarks.memory import resident
from benchmarks.plans import chain, plan
from benchmarks.site import Site, Watcher, is_up
from broker.bus import Publication
from broker.runtime.core import Key
from broker.runtime.store import SqliteStore
from schemas.addresses import AssignmentAt, JobAt, RunReportAt
from schemas.codec import encode_body, stamp
from schemas.documents import RunReport
from schemas.names import ContextName, JobId, instance_of, run_id
from schemas.status import Outcome, RunPhase
from tests.support.mosquitto import Mosquitto

INSTANCES, JOBS = 1_000, 100
SIZES = (10, 100, INSTANCES)
_WINDOW = 100


class Load(Struct, frozen=True, kw_only=True):
    """What a dashboard has saved, and what it shows, as payloads by topic."""

    rows: Mapping[Key, Struct]
    shown: Mapping[str, bytes]
    assignment: str
    """Where the first one stands."""
    end: Publication
    """What an agent says when that has been carried out."""
    following: str
    """Where the assignment stands that follows from it."""
    job_bytes: int


def load(site: Site, instances: int) -> Load:
    """So many instances, in each of which the first job waits for an agent that is not there."""
    office = Office(plan("P", chain(JOBS)), now=datetime.now(UTC))  # noqa: TID251  # a real dashboard goes on from it
    for _ in range(instances):
        office.open()
    documents = dict(office.core.documents())
    now = datetime.now(UTC)  # noqa: TID251  # a stamp as real ones are
    payloads = {
        site.topics.topic_of(address): stamp(encode_body(document), epoch=now.second + 1, revision=number, at=now)
        for number, (address, document) in enumerate(documents.items())
    }
    first = next(address for address in documents if isinstance(address, AssignmentAt))
    report = RunReport(run=first.run, phase=RunPhase.ENDED, started=now, ended=now, outcome=Outcome.SUCCEEDED)
    second = run_id(instance_of(first.run), ContextName("P"), JobId("a-j1"), 1)
    size = sum(len(payloads[site.topics.topic_of(address)]) for address in documents if isinstance(address, JobAt))
    return Load(
        rows=office.rows,
        shown=payloads,
        assignment=site.topics.topic_of(first),
        end=Publication(
            site.topics.topic_of(RunReportAt(first.agent, first.run)),
            stamp(encode_body(report), epoch=1, revision=1, at=now),
        ),
        following=site.topics.topic_of(AssignmentAt(first.agent, second)),
        job_bytes=size,
    )


async def measure(rounds: int, instances: int = INSTANCES) -> list[Figure]:
    """So many rounds of all starts, each on what a dashboard has saved, in a folder of its own."""
    seconds: dict[str, list[float]] = {}
    size = 0
    for _ in range(rounds):
        folder = new_folder()
        site = Site(folder, Mosquitto(folder / "broker"))
        made = load(site, instances)
        size = made.job_bytes
        database = folder / "data" / "dashboard" / "dashboard.db"
        database.parent.mkdir(parents=True)
        async with SqliteStore.open(database) as store:
            await store.save(made.rows, ())
        try:
            for what, value in (await _round(site, made)).items():
                seconds.setdefault(what, []).append(value)
        finally:
            site.close()
    return [*_figures(seconds, instances), *_memory(seconds, instances, size)]


async def growth(rounds: int, sizes: tuple[int, ...] = SIZES) -> list[Figure]:
    """Smaller and smaller, for the curves; each in a folder of its own."""
    return [figure for size in sizes for figure in await measure(rounds, size)]


async def _round(site: Site, made: Load) -> dict[str, float]:
    """One start of everything on a broker that has nothing, one on a broker that kept everything, then the broker loses it."""
    found: dict[str, float] = {}
    site.broker.start()
    found["raw publish"] = await _published(site, made.shown)
    found["raw replay"] = await _replayed(site, len(made.shown))
    site.broker.kill()
    site.broker.forget()
    site.broker.start()
    async with site.watching() as watcher:
        found["empty"] = await _empty(site, watcher)
        begun = perf_counter()
        site.dashboard.start()
        await watcher.until(made.assignment, bool)
        found["first assignment"] = perf_counter() - begun
        await watcher.until(site.presence, is_up)
        found["projection"] = perf_counter() - begun
        found["dashboard"] = resident(site.dashboard.pid)
        site.dashboard.end()
        await watcher.say(made.end)
        begun = perf_counter()
        site.dashboard.start()
        await watcher.until(made.following, bool)
        found["due assignment"] = perf_counter() - begun
        await watcher.until(site.presence, is_up)
        found["kept"] = perf_counter() - begun
        agent = site.agent("a")
        begun = perf_counter()
        agent.start()
        await watcher.until(site.presence_of("a"), is_up)
        found["agent"] = perf_counter() - begun
        found["agent memory"] = resident(agent.pid)
        agent.end()
    site.broker.kill()
    site.broker.forget()
    begun = perf_counter()
    site.broker.start()
    async with site.watching() as watcher:
        await watcher.until(site.presence, is_up)
        found["shown again"] = perf_counter() - begun
    return found


async def _empty(site: Site, watcher: Watcher) -> float:
    """Memory of a dashboard that has nothing, in MiB."""
    node = site.node("dashboard", "dashboard", data="nothing")
    node.start()
    await watcher.until(site.presence, is_up)
    memory = resident(node.pid)
    node.end()
    await watcher.until(site.presence, lambda payload: not is_up(payload))
    return memory


async def _published(site: Site, shown: Mapping[str, bytes]) -> float:
    """Seconds to publish all of it by bare aiomqtt, so many at once."""
    waiting = iter(shown.items())
    async with aiomqtt.Client(site.broker.host, site.broker.port, max_inflight_messages=_WINDOW) as client:
        client.pending_calls_threshold = 10**9
        begun = perf_counter()

        async def worker() -> None:
            for topic, payload in waiting:
                await client.publish(topic, payload, qos=1, retain=True, timeout=120)

        async with asyncio.TaskGroup() as group:
            for number in range(_WINDOW):
                group.create_task(worker(), name=f"publish {number}")
        return perf_counter() - begun


async def _replayed(site: Site, count: int) -> float:
    """Seconds to read all of it back by bare aiomqtt."""
    async with aiomqtt.Client(site.broker.host, site.broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        begun = perf_counter()
        await client.subscribe(f"{site.url.prefix}/#", qos=1)
        messages = aiter(client.messages)
        for _ in range(count):
            await anext(messages)
        return perf_counter() - begun


def _figures(found: Mapping[str, list[float]], instances: int) -> list[Figure]:
    raw, words = tuple(found["raw publish"]), "the same topics published by bare aiomqtt"
    of = f"{instances:,} instances of {JOBS} jobs"
    # A few instances are shown before a program has started, which no publishing is compared with.
    within = 1.5 if instances >= INSTANCES else None
    figure = partial(Figure, part="restart", unit="s", x=instances, picture="restart-by-instances")
    return [
        figure(
            name=f"first assignment shown, {of}",
            values=tuple(found["first assignment"]),
            target=5.0,
            curve="first assignment shown",
        ),
        figure(
            name=f"projection complete, from exec, empty broker, {of}",
            curve="everything shown, from exec",
            values=tuple(found["projection"]),
            floor=words,
            floors=raw,
            target=within,
        ),
        figure(
            name=f"all shown again, the broker came back empty, {of}",
            curve="everything shown again, from the broker's start",
            values=tuple(found["shown again"]),
            floor=words,
            floors=raw,
            target=within,
        ),
        figure(
            name=f"first due assignment shown, the broker kept everything, {of}",
            values=tuple(found["due assignment"]),
            target=5.0,
            curve="first due assignment shown, the broker kept everything",
        ),
        figure(
            name=f"projection complete, from exec, the broker kept everything, {of}",
            values=tuple(found["kept"]),
            curve="everything known to be shown, the broker kept everything",
        ),
        figure(
            name=f"raw publishing of it, bare aiomqtt, {of}", values=raw, curve="the same, published by bare aiomqtt"
        ),
        figure(name=f"raw replay of it, bare aiomqtt, {of}", values=tuple(found["raw replay"]), picture=""),
        figure(
            name=f"agent complete, {instances:,} published instances",
            values=tuple(found["agent"]),
            curve="the agent complete",
        ),
    ]


def _memory(found: Mapping[str, list[float]], instances: int, job_bytes: int) -> list[Figure]:
    of = f"{instances:,} instances of {JOBS} jobs"
    figure = partial(Figure, part="memory", x=instances * JOBS, picture="memory-by-jobs")
    grown = (full - empty for full, empty in zip(found["dashboard"], found["empty"], strict=True))
    per_job = tuple(value * 1_048_576 / (instances * JOBS) for value in grown)
    return [
        figure(unit="MiB", name=f"dashboard, {of}", values=tuple(found["dashboard"]), curve="dashboard"),
        figure(unit="MiB", name=f"agent, {instances:,} instances", values=tuple(found["agent memory"]), curve="agent"),
        Figure(
            part="memory",
            unit="bytes",
            name=f"dashboard, for each live job, {of}",
            values=per_job,
            floor="its job document",
            floors=tuple(job_bytes / (instances * JOBS) for _ in per_job),
        ),
    ]
