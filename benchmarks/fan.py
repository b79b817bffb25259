"""The fan: one job, a thousand at once, one that waits for all of them; on one agent and on four, all on this machine."""

from __future__ import annotations

from functools import partial

from benchmarks import floors
from benchmarks.figures import Figure
from benchmarks.folders import new_folder
from benchmarks.plans import STAMP, fan, plan
from benchmarks.site import Site, a_site
from schemas.names import ContextName, InstanceId, JobId, PlanName, run_id, run_leaf

JOBS = 1_000
TOGETHER = 64
"""What an agent runs at once, unless told otherwise."""
FAN = PlanName("Fan")


async def measure(rounds: int) -> list[Figure]:
    """So many fans on one agent, then on four."""
    return [*await one_agent(rounds), *await _fans(rounds, "a", "b", "c", "d")]


async def one_agent(rounds: int) -> list[Figure]:
    """So many fans on one agent."""
    return await _fans(rounds, "a")


async def _fans(rounds: int, *agents: str) -> list[Figure]:
    rates, claiming, bare = [], [], []
    last = f"{agents[(JOBS + 1) % len(agents)]}-last"
    folder = new_folder()
    async with a_site(folder, *agents) as site, site.client() as client, site.watching() as watcher:
        await client.import_plan(plan(FAN, fan(JOBS), agents, STAMP))
        await site.play(client, watcher, FAN, "a-first", last)  # nothing is cold afterwards
        for number in range(rounds):
            claiming.append(JOBS / floors.Launched(folder / f"floor{number}", JOBS).together(TOGETHER))
            bare.append(JOBS / await floors.bare(JOBS, TOGETHER))
            instance = await site.play(client, watcher, FAN, "a-first", last)
            seconds = _stamp(site, instance, last) - _stamp(site, instance, "a-first")
            rates.append(JOBS / seconds)
    on = f"{len(agents)} agent{'s' if len(agents) > 1 else ''}"
    figure = partial(Figure, part="fan", unit="jobs/s", values=tuple(rates), better="more")
    return [
        figure(name=on, floor="bare loop of the claiming wrapper", floors=tuple(claiming), target=0.6),
        figure(name=f"{on}, against bare asyncio", floor="asyncio, `true`", floors=tuple(bare)),
    ]


def _stamp(site: Site, instance: InstanceId, job: str) -> float:
    run = run_id(instance, ContextName(FAN), JobId(job), 1)
    return float(site.output(job[0], instance, run_leaf(run)))
