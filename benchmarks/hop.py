"""The hop: from the last act of one command of a chain to that of the next, through agent, broker, dashboard and back.

The jobs stamp the time as their only act, so the gap holds everything between: the shell's end, the wrapper's, the report, the
decision and its commit, the assignment, the agent's journal, and the start of wrapper and shell. Its floor is the sum of three
parts measured in the same run: the same process started and ended in a bare loop, two hops of bare aiomqtt, one commit.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles

from benchmarks import floors
from benchmarks.figures import Figure
from benchmarks.folders import new_folder
from benchmarks.plans import STAMP, chain, plan
from benchmarks.site import Site, a_site, cpu_seconds
from schemas.names import ContextName, InstanceId, JobId, PlanName, run_id, run_leaf

JOBS = 100
LENGTHS = (10, 100, 1_000)
CHAIN = PlanName("Chain")


async def measure(rounds: int) -> list[Figure]:
    """So many chains, each after its floor."""
    typical, slow, floor, spent = [], [], [], []
    parts: dict[str, list[float]] = {"process": [], "two hops": [], "commit": []}
    folder = new_folder()
    async with a_site(folder, "a") as site, site.client() as client, site.watching() as watcher:
        await client.import_plan(plan(CHAIN, chain(JOBS), command=STAMP))
        await site.play(client, watcher, CHAIN, "a-j0", f"a-j{JOBS - 1}")  # nothing is cold afterwards
        for number in range(rounds):
            found = await _floors(site, folder / f"floor{number}")
            before = _spent(site)
            instance = await site.play(client, watcher, CHAIN, "a-j0", f"a-j{JOBS - 1}")
            spent.append((_spent(site) - before) / JOBS * 1000)
            cuts = quantiles(gaps(site, instance), n=100)
            typical.append(cuts[49])
            slow.append(cuts[98])
            floor.append(sum(found.values()))
            for part, value in found.items():
                parts[part].append(value)
    words = "process + two hops + commit"
    figure = partial(Figure, part="hop", unit="ms")
    return [
        figure(name="gap, median", values=tuple(typical), floor=words, floors=tuple(floor), target=2.0),
        figure(name="gap, p99", values=tuple(slow), floor=words, floors=tuple(floor)),
        *(figure(name=f"floor: {part}", values=tuple(values)) for part, values in parts.items()),
        figure(name="processor time a job, all nodes and broker", values=tuple(spent)),
    ]


async def by_length(rounds: int, lengths: tuple[int, ...] = LENGTHS) -> list[Figure]:
    """The gap in ever longer chains, beside that in the shortest of the same round."""
    found: dict[int, list[float]] = {length: [] for length in lengths}
    async with a_site(new_folder(), "a") as site, site.client() as client, site.watching() as watcher:
        for length in lengths * (rounds + 1):
            await client.import_plan(plan(CHAIN, chain(length), command=STAMP))
            instance = await site.play(client, watcher, CHAIN, "a-j0", f"a-j{length - 1}")
            found[length].append(median(gaps(site, instance, length)))
    return [
        Figure(
            part="hop",
            name=f"gap, median, jobs in the chain: {length:,}",
            unit="ms",
            values=tuple(found[length][1:]),  # the first time everything is cold
            floor=f"with {lengths[0]}",
            floors=tuple(found[lengths[0]][1:]),
            target=1.3,
            x=length,
            picture="hop-by-length",
            curve="from one job's act to the next one's",
        )
        for length in lengths
    ]


def gaps(site: Site, instance: InstanceId, jobs: int = JOBS) -> list[float]:
    """Milliseconds between the acts of one job and the next."""
    runs = [run_id(instance, ContextName(CHAIN), JobId(f"a-j{number}"), 1) for number in range(jobs)]
    stamps = [float(site.output("a", instance, run_leaf(run))) for run in runs]
    return [(after - before) * 1000 for before, after in pairwise(stamps)]


async def _floors(site: Site, folder: Path) -> dict[str, float]:
    """Milliseconds of each part, at the median."""
    launched = floors.Launched(folder, JOBS)
    launched.together(1)
    async with floors.echo(site.broker) as echo:
        hops = await echo.round_trips(JOBS)
    synced = floors.commits(folder / "floor.db", JOBS)
    found = {"process": launched.gaps(), "two hops": hops, "commit": synced}
    return {part: median(seconds) * 1000 for part, seconds in found.items()}


def _spent(site: Site) -> float:
    return sum(cpu_seconds(pid) for pid in (site.dashboard.pid, site.agents["a"].pid, site.broker.pid))
