"""What happens: windows open, processes are killed and come back; then peace, and everything is judged."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from statistics import median

from msgspec import Struct, field

from jobplan.client import connect
from schemas.codec import SchemaError, decode
from schemas.documents import InstanceStatus
from schemas.status import ContextStatus
from tests.chaos.judging import judge
from tests.chaos.plans import storm
from tests.chaos.site import DASHBOARD, NODES, Site
from tests.chaos.watcher import TOPICS, Watcher, standing
from tests.support.waiting import eventually

STARTED_WITHIN = 60.0
RECOVERED_WITHIN = 90.0
QUIET = 5.0
"""Seconds without a message after which everything has come to rest."""


class Figures(Struct):
    """How it went."""

    kills: int = 0
    recoveries: list[float] = field(default_factory=list)
    """Seconds from a node's (or the broker's) return until all that had lost something had shown all they have again."""
    runs: int = 0
    instances: int = 0
    checked: int = 0
    complaints: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """One line for people."""
        recovered = (
            f"recovered in {median(self.recoveries):.1f} s (median), {max(self.recoveries):.1f} s (worst)"
            if self.recoveries
            else "nothing to recover from"
        )
        return (
            f"{self.kills} kills survived, {self.instances} instances, {self.runs} runs, {recovered}; "
            f"promises checked {self.checked} times, {len(self.complaints)} broken"
        )


async def live(site: Site, seconds: float, chance: Random) -> Figures:
    """Live through it. Raises TimeoutError when something does not come up, or to an end."""
    site.start()
    figures = Figures()
    async with Watcher(site.url).watching() as watcher:
        await eventually(lambda: len(watcher.complete) == len(NODES), within=STARTED_WITHIN, what="all nodes are up")
        patience = timedelta(seconds=RECOVERED_WITHIN)  # who is asked may still be coming back from the last blow
        async with connect(site.url, patience=patience, program="chaos") as client:
            await client.import_plan(storm(site.runs_file, window=site.window))
            await _kill_for(site, watcher, figures, seconds=seconds, chance=chance)
            figures.complaints += site.died()
            await client.import_plan(storm(site.runs_file, window=site.window, calm=True))
            await _come_to_an_end(watcher, site.window + 60.0)
        await _rest(watcher)
        await _pass(site.noticed_within)
        views = {"who looked on": watcher.retained}
        for number, url in enumerate(site.servers_alone):
            views[f"a newcomer at server {number}"] = await standing(url)
        verdict = judge(site, views)
    figures.instances, figures.runs = len(_instances(watcher)), verdict.runs
    figures.checked, figures.complaints = verdict.checked, figures.complaints + verdict.complaints
    return figures


async def _kill_for(site: Site, watcher: Watcher, figures: Figures, *, seconds: float, chance: Random) -> None:
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    while loop.time() < ends:
        await _pass(chance.uniform(0.2, 4.0))
        figures.complaints += site.died()
        victims = site.together(_victims(site.everybody, chance))
        losing = site.losing(victims)
        before = dict(watcher.complete)
        for victim in victims:
            site.kill(victim)
        figures.kills += len(victims)
        await _pass(chance.choice([0.0, 0.5, 3.0]) * chance.random())
        for victim in chance.sample(victims, len(victims)):
            site.revive(victim)
        if chance.random() < 0.6:  # else the next blow falls before they are up again
            returned = loop.time()
            await _recovered(watcher, before, losing)
            figures.recoveries.append(loop.time() - returned)
    if site.down:
        raise AssertionError(f"still down: {site.down}")


def _victims(everybody: Sequence[str], chance: Random) -> list[str]:
    """Who is killed: one, two, or all."""
    drawn = chance.random()
    if drawn < 0.1:
        return list(everybody)
    if drawn < 0.3:
        return chance.sample(everybody, 2)
    return [chance.choice(everybody)]


async def _recovered(watcher: Watcher, before: dict[str, tuple[int, int]], affected: Sequence[str]) -> None:
    """All of these have connected again, and have shown all they have."""
    topics = [_presence(node) for node in affected]

    def there() -> bool:
        return all(watcher.complete.get(topic, (0, 0)) > before.get(topic, (0, 0)) for topic in topics)

    await eventually(there, within=RECOVERED_WITHIN, what=lambda: f"{affected} are back: {watcher.complete}")


def _presence(node: str) -> str:
    return f"{TOPICS.prefix}/" + ("dashboard/presence" if node == DASHBOARD else f"agent/{node}/presence")


async def _come_to_an_end(watcher: Watcher, within: float) -> None:
    """All windows that are open close."""

    def over() -> bool:
        found = _instances(watcher)
        return bool(found) and all(instance.status is ContextStatus.ENDED for instance in found)

    def open_ones() -> str:
        return f"all instances end; open: {[found for found in _instances(watcher) if found.status is not ContextStatus.ENDED]}"

    await eventually(over, within=within, what=open_ones)


async def _rest(watcher: Watcher) -> None:
    loop = asyncio.get_running_loop()
    await eventually(lambda: loop.time() - watcher.heard > QUIET, within=60.0, what="it becomes quiet (L4)")


def _instances(watcher: Watcher) -> list[InstanceStatus]:
    found: list[InstanceStatus] = []
    for topic, payload in sorted(watcher.retained.items()):
        if topic.startswith(f"{TOPICS.prefix}/instance/") and "/job/" not in topic:
            try:
                found.append(decode(payload, InstanceStatus))
            except SchemaError:
                continue
    return found


async def _pass(seconds: float) -> None:
    """Real time goes by, and what is under way goes on."""
    loop = asyncio.get_running_loop()
    then = loop.time() + seconds
    await eventually(lambda: loop.time() >= then, within=seconds + 10.0, what="time has passed")
