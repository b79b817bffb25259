"""The agent put together, over a broker and a store in memory, with real processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from agent_node.app import Agent
from agent_node.config import load
from agent_node.core import wishes
from broker.memory import MemoryBroker
from broker.runtime.store import StoreError
from schemas.addresses import AgentInstanceAt, AgentPlanAt, AssignmentAt
from schemas.documents import AgentPlan
from schemas.plan import FileJob
from schemas.requests import Drain, LogPart, RaiseEvent, ReadLog
from schemas.status import Outcome, RunPhase
from schemas.tables import Table
from tests.fakes.memory_store import MemoryStore
from tests.support.agents import AGENT, INSTANCE, PLAN, a_command, a_file_job, a_run, an_assignment
from tests.support.desk import Desk
from tests.support.waiting import eventually

RUN = a_run()
SOON = 10.0


class Site:
    """A host on which an agent may live and die; its disk and its broker stay."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.broker = MemoryBroker()
        self.store = MemoryStore()

    @asynccontextmanager
    async def agent(self, **settings: object) -> AsyncIterator[Agent]:
        """One life of the agent, ended in order."""
        config = load(AGENT, environment={}, data=self.data, table=Table(name="agent", values=settings))
        agent = Agent(config, self.store, self.broker.bus())
        async with asyncio.TaskGroup() as tasks:
            life = tasks.create_task(agent.run(), name="agent")
            try:
                yield agent
            finally:
                agent.stop()
                await life


@asynccontextmanager
async def a_site(data: Path) -> AsyncIterator[tuple[Site, Desk]]:
    """A site, and a desk connected to its broker, which has published the instance."""
    site = Site(data)
    async with Desk(site.broker.bus(), site.broker.topics.prefix).connected() as desk:
        await desk.publish()
        yield site, desk


async def ends(desk: Desk) -> None:
    """Wait for the end of the run."""
    await eventually(lambda: desk.phase() is RunPhase.ENDED, within=SOON, what="the run ends")


async def test_run_and_its_output(tmp_path: Path) -> None:
    """Assigned, run, reported; its output is read by a request."""
    async with a_site(tmp_path) as (site, desk), site.agent():
        await desk.assign(an_assignment(a_command("echo hello; exit 3")))
        await ends(desk)
        await desk.ask(ReadLog(run=RUN))
        await eventually(lambda: desk.answers != [], within=SOON, what="an answer comes")
        end = desk.report()

    assert end is not None
    assert (end.outcome, end.return_code) == (Outcome.FAILED, 3)
    part = msgspec.json.decode(bytes(desk.answers[0].data), type=LogPart)
    assert (part.content, part.ended) == (b"hello\n", True)


async def test_request_that_no_agent_knows_is_refused(tmp_path: Path) -> None:
    """With the reason."""
    async with a_site(tmp_path) as (site, desk), site.agent():
        await desk.assign(an_assignment())
        await ends(desk)
        await desk.ask(RaiseEvent(event="e"))
        await eventually(lambda: desk.answers != [], within=SOON, what="an answer comes")

    assert not desk.answers[0].ok
    assert "not a request an agent knows" in desk.answers[0].reason


async def test_hundred_runs_at_once(tmp_path: Path) -> None:
    """More than may run together: all end, each once."""
    jobs = [a_command(f"echo ran >>{tmp_path}/log{number}", job=f"job{number}") for number in range(100)]
    async with a_site(tmp_path) as (site, desk), site.agent():
        for job in jobs:
            await desk.assign(an_assignment(job))
        runs = [a_run(job=job.job_name) for job in jobs]
        await eventually(
            lambda: all(desk.phase(run) is RunPhase.ENDED for run in runs), within=30, what="all have ended"
        )

    assert [(tmp_path / f"log{number}").read_text() for number in range(100)] == ["ran\n"] * 100


async def test_next_life_goes_on(tmp_path: Path) -> None:
    """A command outlives its agent; the next life attends to it and stops it when told."""
    async with a_site(tmp_path) as (site, desk):
        async with site.agent():
            await desk.assign(an_assignment(a_command("sleep 600")))
            await eventually(lambda: desk.phase() is RunPhase.RUNNING, within=SOON, what="it runs")
        async with site.agent():
            await desk.assign(an_assignment(a_command("sleep 600"), stop=True))
            await ends(desk)
        end = desk.report()

    assert end is not None
    assert end.outcome is Outcome.KILLED


async def test_lost_database_finds_run_by_its_folder(tmp_path: Path) -> None:
    """Neither started again nor lost: its folder knows."""
    go = tmp_path / "go"
    command = a_command(f"echo ran >>{tmp_path}/log; until [ -e {go} ]; do sleep 0.02; done; exit 4")
    async with a_site(tmp_path) as (site, desk):
        async with site.agent():
            await desk.assign(an_assignment(command))
            await eventually(lambda: desk.phase() is RunPhase.RUNNING, within=SOON, what="it runs")
        site.store = MemoryStore()
        async with site.agent() as agent:
            await eventually(lambda: agent.driver.life.complete, within=SOON, what="it has found what runs")
            go.touch()
            await ends(desk)
        end = desk.report()

    assert end is not None
    assert (end.outcome, end.return_code) == (Outcome.FAILED, 4)
    assert (tmp_path / "log").read_text() == "ran\n"


async def test_empty_broker_is_filled_again(tmp_path: Path) -> None:
    """The broker loses everything: the agent keeps its runs and shows them again; nothing is started twice."""
    command = a_command(f"echo ran >>{tmp_path}/log; until [ -e {tmp_path}/go ]; do sleep 0.02; done")
    async with a_site(tmp_path) as (site, first), site.agent():
        await first.assign(an_assignment(command))
        await eventually(lambda: first.phase() is RunPhase.RUNNING, within=SOON, what="it runs")
        site.broker.kill()
        site.broker.start({})
        async with Desk(site.broker.bus(), site.broker.topics.prefix).connected() as desk:
            await eventually(lambda: desk.phase() is RunPhase.RUNNING, within=SOON, what="it is shown again")
            (tmp_path / "go").touch()
            await ends(desk)

    assert (tmp_path / "log").read_text() == "ran\n"


async def test_all_is_quiet_at_the_end(tmp_path: Path) -> None:
    """When instance and assignment are gone nothing is shown but the agent's presence, and nothing is kept of them."""
    async with a_site(tmp_path) as (site, desk), site.agent() as agent:
        await desk.assign(an_assignment())
        await ends(desk)
        await desk.show(AssignmentAt(AGENT, RUN), None)
        await desk.show(AgentInstanceAt(AGENT, INSTANCE), None)
        kept = {"life", "dashboard", "runtime", "runtime.seen"}
        await eventually(lambda: {key.table for key in site.store.records} <= kept, within=SOON, what="nothing is kept")
        shown = dict(agent.core.documents())
        reports = [topic for topic in site.broker.retained if "/report/" in topic]

    assert shown == {}
    assert reports == []


async def test_disk_that_fails_stops_the_agent(tmp_path: Path) -> None:
    """Nothing is started that could not be saved; the node ends, and says why."""
    async with a_site(tmp_path) as (site, desk):
        async with site.agent():
            await desk.heard()
        await desk.assign(an_assignment(a_command(f"touch {tmp_path}/ran")))
        site.store.broken = True
        agent = Agent(load(AGENT, environment={}, data=tmp_path), site.store, site.broker.bus())
        with pytest.raises(StoreError, match="disk is full"):
            await agent.run()

    assert not (tmp_path / "ran").exists()


async def test_full_disk_starts_nothing_until_there_is_space(tmp_path: Path) -> None:
    """What is assigned waits; the next life, content with less, runs it."""
    async with a_site(tmp_path) as (site, desk):
        async with site.agent(**{"least-disk-free": 2**62}) as agent:
            await eventually(lambda: wishes.condition(agent.core.state).disk_full, within=SOON, what="it is noticed")
            await desk.assign(an_assignment())
            await eventually(lambda: desk.phase() is RunPhase.ACCEPTED, within=SOON, what="it is accepted")
            said = agent.driver.life.identity.condition
        async with site.agent():
            await ends(desk)

    assert desk.history[0] is RunPhase.ACCEPTED
    assert said.disk_free is not None


async def test_plan_changes_take_effect_without_a_restart(tmp_path: Path) -> None:
    """File jobs added, changed and removed; a run that lives keeps what it started with."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    go = tmp_path / "go"
    command = a_command(f"until [ -e {go} ]; do sleep 0.02; done; exit 3")
    async with a_site(tmp_path / "data") as (site, desk), site.agent():
        await desk.assign(an_assignment(command))
        await eventually(lambda: desk.phase() is RunPhase.RUNNING, within=SOON, what="it runs")
        await provide(desk, a_file_job(f"{tmp_path}/one/.*", pollSeconds=0.1))
        (tmp_path / "one" / "a").touch()
        await eventually(lambda: desk.fires("arrival") is not None, within=SOON, what="the added job fires")
        await provide(desk, a_file_job(f"{tmp_path}/two/.*", pollSeconds=0.1))
        (tmp_path / "two" / "b").touch()
        await eventually(lambda: fired(desk) == 2, within=SOON, what="the changed job fires")
        await provide(desk)
        (tmp_path / "two" / "c").touch()
        await desk.assign(an_assignment(a_command("exit 5", job="other")))  # as good as a moment
        await eventually(lambda: desk.phase(a_run(job="other")) is RunPhase.ENDED, within=SOON, what="it ends")
        after = fired(desk)
        go.touch()
        await ends(desk)
        end = desk.report()

    assert after == 2
    assert end is not None
    assert end.return_code == 3


async def test_drained_agent_says_so_and_starts_nothing(tmp_path: Path) -> None:
    """Asked for over the bus; the presence tells it within a second or two; the next life still drains, until told."""
    async with a_site(tmp_path) as (site, desk):
        async with site.agent() as agent:
            await eventually(lambda: agent.driver.life.complete, within=SOON, what="it listens")
            await desk.ask(Drain(), "r1")
            await eventually(lambda: len(desk.answers) == 1, within=SOON, what="an answer comes")
            await eventually(lambda: agent.driver.life.identity.condition.draining, within=SOON, what="it says so")
        async with site.agent():
            await desk.assign(an_assignment())
            await eventually(lambda: desk.phase() is RunPhase.ACCEPTED, within=SOON, what="it is accepted")
            await desk.ask(Drain(draining=False), "r2")
            await ends(desk)

    assert [answer.ok for answer in desk.answers] == [True, True]


async def provide(desk: Desk, *jobs: FileJob) -> None:
    """The plan's file jobs here are these."""
    await desk.show(AgentPlanAt(AGENT, PLAN), AgentPlan(plan=PLAN, versions={"1": jobs}))


def fired(desk: Desk) -> int:
    """How many fires of the file job are shown."""
    report = desk.fires("arrival")
    return 0 if report is None else len(report.fires)
