"""A flood: 500 commands due at once on one agent that runs 32 of them together. Real processes, database on disk."""

from __future__ import annotations

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import quantiles
from time import perf_counter

from agent_node.app import Agent
from agent_node.config import load
from benchmarks.figures import Figure
from benchmarks.folders import new_folder
from benchmarks.memory import peak
from broker.memory import MemoryBroker
from broker.runtime.store import SqliteStore
from schemas.names import RunId
from schemas.status import RunPhase
from schemas.tables import Table
from tests.support.agents import AGENT, a_command, an_assignment
from tests.support.desk import Desk

JOBS = 500
TOGETHER = 32
_LOOK = 0.005
"""Seconds between two looks at how late the loop is."""


async def measure(rounds: int) -> list[Figure]:
    """So many floods, each of an agent in a process of its own, whose memory is as small as an agent's."""
    found: dict[str, list[float]] = {}
    own = multiprocessing.get_context("spawn")
    for _ in range(rounds):
        with ProcessPoolExecutor(1, mp_context=own) as process:
            flood = asyncio.get_running_loop().run_in_executor(process, _flooded, new_folder())
            for what, value in (await flood).items():
                found.setdefault(what, []).append(value)
    of = f"{JOBS} commands due at once"
    return [
        Figure(part="flood", name=f"agent's loop late, p50, {of}", unit="ms", values=tuple(found["p50"])),
        Figure(part="flood", name="agent's loop late, p99", unit="ms", values=tuple(found["p99"])),
        Figure(part="flood", name="memory grown", unit="MiB", values=tuple(found["grown"])),
    ]


def _flooded(folder: Path) -> dict[str, float]:
    return asyncio.run(_flood(folder))


async def _flood(folder: Path) -> dict[str, float]:
    """Milliseconds late, MiB grown; raises unless each command ran exactly once."""
    log = folder / "log"
    jobs = [a_command(f"echo x >>{log}; sleep 0.05", job=f"j{number}") for number in range(JOBS)]
    assignments = [an_assignment(job) for job in jobs]
    late: list[float] = []
    broker = MemoryBroker()
    config = load(
        AGENT, environment={}, data=folder / "data", table=Table(name="agent", values={"concurrency": TOGETHER})
    )
    config.data.mkdir()
    before = peak()
    async with (
        SqliteStore.open(config.data / "agent.db") as store,
        Desk(broker.bus(), broker.topics.prefix).connected() as desk,
        asyncio.TaskGroup() as tasks,
    ):
        await desk.publish()
        await _say_journal(Agent(config, store, broker.bus()), desk)
        for assignment in assignments:
            await desk.assign(assignment)
        agent = Agent(config, store, broker.bus())
        watching = tasks.create_task(_watch(late), name="lateness")
        life = tasks.create_task(agent.run(), name="agent")
        await _ended(desk, [assignment.run for assignment in assignments])
        watching.cancel()
        agent.stop()
        await life
    if len(log.read_text()) != 2 * JOBS:
        raise AssertionError(f"{len(log.read_text()) // 2} commands ran, not {JOBS}")
    cuts = quantiles(late, n=100)
    return {"p50": cuts[49] * 1000, "p99": cuts[98] * 1000, "grown": peak() - before}


async def _say_journal(agent: Agent, desk: Desk) -> None:
    """A life of the agent that has nothing to do: what is assigned to it afterwards is its journal's."""
    async with asyncio.TaskGroup() as tasks:
        life = tasks.create_task(agent.run(), name="agent, for the first time")
        await desk.heard()
        agent.stop()
        await life


async def _ended(desk: Desk, runs: list[RunId]) -> None:
    """Wait until all have. Looks at the last ones first: that is cheap."""
    left = list(runs)
    while left:
        while left and desk.phase(left[-1]) is RunPhase.ENDED:
            left.pop()
        await asyncio.sleep(0.05)


async def _watch(late: list[float]) -> None:
    while True:
        begun = perf_counter()
        await asyncio.sleep(_LOOK)
        late.append(perf_counter() - begun - _LOOK)
