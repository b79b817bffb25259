"""What a real broker carries for many agents under one real dashboard: bytes, messages and processor time.

``python -m benchmarks.crowd [AGENTS]``, a hundred or more. Agents are played: each is a connection of its own that subscribes to
what an agent does, says that it is there, and answers each assignment as an agent would whose commands take a second. A hundred
plans divide the agents among them; each is a chain that is handed round its agents, so a hundred commands run at a time.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from asyncio import TaskGroup
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Final

from msgspec import Struct
from rich.console import Console

from benchmarks.plans import chain, plan
from benchmarks.site import Site, a_site, cpu_seconds
from broker.bus import Delivery, Publication, Session
from broker.mqtt.bus import MqttBus
from broker.topic_table import Role
from broker.topics import Topics
from schemas.addresses import Address, AgentPresenceAt, AssignmentAt, RunReportAt
from schemas.codec import encode_body, stamp
from schemas.documents import Document, Presence, RunReport
from schemas.names import JobId, NodeName, PlanName, RunId
from schemas.requests import Act, Action
from schemas.status import NodeState, Outcome, RunPhase

PLANS = 100
JOBS = 120
"""Of a plan: more than are done while it is measured."""
SECONDS: Final = 30
WARMING: Final = 12
"""Seconds of work before what is measured, so that the first turns are over."""
_COUNTERS = ("bytes/sent", "bytes/received", "publish/messages/sent")


class Player:
    """One agent, as far as the bus sees it."""

    def __init__(self, name: NodeName, topics: Topics) -> None:
        self.name = name
        self.ended = 0
        """Runs."""
        self._topics = topics
        self._revision = 0
        self._out: asyncio.Queue[Publication] = asyncio.Queue()
        self._mine: set[RunId] = set()

    def deliver(self, delivery: Delivery) -> None:
        """An assignment comes or goes; the rest is read by nobody here."""
        if "/assignment/" not in delivery.topic:
            return
        address = self._topics.address_of(delivery.topic)
        if not isinstance(address, AssignmentAt):
            return
        if not delivery.payload:
            self._out.put_nowait(Publication(self._topics.topic_of(RunReportAt(self.name, address.run)), b""))
        elif address.run not in self._mine:
            self._mine.add(address.run)
            self._report(RunReport(run=address.run, phase=RunPhase.RUNNING, started=_now()))
            asyncio.get_running_loop().call_later(1.0, self._end, address.run)

    async def live(self, session: Session) -> None:
        """Say that we are there, then what is to be said."""
        word = Presence(node=self.name, state=NodeState.ALIVE, connection=1, since=_now(), complete=True)
        self._show(AgentPresenceAt(self.name), word)
        await session.subscribe(self._topics.foreign_filters(Role.AGENT, self.name))
        while True:
            await session.publish([await self._out.get()])

    def _end(self, run: RunId) -> None:
        self.ended += 1
        now = _now()
        self._report(
            RunReport(run=run, phase=RunPhase.ENDED, started=now, ended=now, outcome=Outcome.SUCCEEDED, return_code=0)
        )

    def _report(self, report: RunReport) -> None:
        self._show(RunReportAt(self.name, report.run), report)

    def _show(self, address: Address, document: Document) -> None:
        self._revision += 1
        payload = stamp(encode_body(document), epoch=1, revision=self._revision, at=_now())
        self._out.put_nowait(Publication(self._topics.topic_of(address), payload))


class Look(Struct, frozen=True):
    """How everything stood at one moment."""

    at: float
    counted: dict[str, int]
    """The broker's counters."""
    broker: float
    """Processor time."""
    dashboard: float
    jobs: int


class Counters:
    """The broker's own, as it tells them every ten seconds."""

    def __init__(self) -> None:
        self._counted: dict[str, int] = {}
        self._told = asyncio.Event()

    def deliver(self, delivery: Delivery) -> None:
        """One of them."""
        self._counted[delivery.topic.removeprefix("$SYS/broker/")] = int(delivery.payload)
        if not delivery.retained and len(self._counted) == len(_COUNTERS):
            self._told.set()

    async def next(self) -> dict[str, int]:
        """As they are told next."""
        self._told.clear()
        await self._told.wait()
        await asyncio.sleep(0.2)  # they come one after the other
        return dict(self._counted)


async def measure(agents: int) -> None:
    """Print what it took."""
    names = [NodeName(f"agent-{number:05}") for number in range(agents)]
    with tempfile.TemporaryDirectory() as folder:
        async with a_site(Path(folder)) as site, AsyncExitStack() as stack, TaskGroup() as group:
            players = [Player(name, site.topics) for name in names]
            bus = MqttBus(site.url)
            tasks = []
            for player in players:
                session = await stack.enter_async_context(
                    bus.connect(client=player.name, will=None, on_delivery=player.deliver)
                )
                tasks.append(group.create_task(player.live(session)))
            counters = Counters()
            watching = await stack.enter_async_context(
                bus.connect(client="counters", will=None, on_delivery=counters.deliver)
            )
            await watching.subscribe([f"$SYS/broker/{name}" for name in _COUNTERS])
            await _begin(site, names)
            await asyncio.sleep(WARMING)
            before = await _look(site, counters, players)
            while (after := await _look(site, counters, players)).at - before.at < SECONDS:
                pass
            _tell(agents, before, after)
            for task in tasks:
                task.cancel()


async def _begin(site: Site, names: list[NodeName]) -> None:
    """Each plan has its agents; an instance of each begins."""
    async with site.client() as client:
        for number in range(PLANS):
            name, agents = PlanName(f"P{number}"), names[number::PLANS]
            await client.import_plan(plan(name, chain(JOBS), agents))
            instance = await client.start_instance(name)
            await client.act(Act(action=Action.SUBMIT, instance=instance, job=JobId(f"{agents[0]}-j0")))


async def _look(site: Site, counters: Counters, players: list[Player]) -> Look:
    counted = await counters.next()
    ended = sum(player.ended for player in players)
    pids = site.broker.pid, site.dashboard.pid
    broker, dashboard = (cpu_seconds(pid) for pid in pids)
    return Look(perf_counter(), counted, broker, dashboard, ended)


def _tell(agents: int, before: Look, after: Look) -> None:
    out, seconds, jobs = Console(), after.at - before.at, after.jobs - before.jobs
    out.print(f"{agents} agents, {seconds:.1f} s, {jobs} jobs, {jobs / seconds:.1f} a second")
    for name in _COUNTERS:
        found = (after.counted[name] - before.counted[name]) / seconds
        out.print(f"  broker {name}: {found:,.0f} a second, {found * seconds / max(jobs, 1):,.0f} a job")
    for node, cpu in (
        ("broker", after.broker - before.broker),
        ("dashboard", after.dashboard - before.dashboard),
    ):
        out.print(f"  {node}: {cpu / seconds * 100:.1f} % of a core, {cpu / max(jobs, 1) * 1000:.2f} ms a job")


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # as real agents have it


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000))
