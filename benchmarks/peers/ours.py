"""jobplan among its peers: mosquitto, a dashboard and an agent that runs 16 at once, asked as a person asks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from benchmarks import plans
from benchmarks.peers.place import TOGETHER, Play, command
from benchmarks.peers.plays import names
from benchmarks.site import a_site
from schemas.names import JobId, PlanName
from schemas.requests import Act, Action


class Jobplan:
    """Its plans, of commands."""

    name = "jobplan"
    setup = f"mosquitto, a dashboard and one agent, {TOGETHER} commands at once; every step synced to disk"

    @contextmanager
    def running(self, folder: Path) -> Iterator[Play]:
        """All parts."""
        (folder / "jobplan.toml").write_text(f"[agent]\nconcurrency = {TOGETHER}\n")
        with asyncio.Runner() as runner:
            stack = AsyncExitStack()

            async def begin() -> Play:
                site = await stack.enter_async_context(a_site(folder, "a"))
                client = await stack.enter_async_context(site.client())

                async def play(kind: str, jobs: int, stamps: Path) -> None:
                    all_names = names(kind, jobs)
                    steps = _steps(kind, all_names)
                    name = PlanName(kind)
                    await client.import_plan(plans.plan(name, steps, command=command(stamps, "{job}")))
                    instance = await client.start_instance(name)
                    await client.act(Act(action=Action.SUBMIT, instance=instance, job=JobId(f"a-{all_names[0]}")))

                return lambda kind, jobs, stamps: runner.run(play(kind, jobs, stamps))

            try:
                yield runner.run(begin())
            finally:
                runner.run(stack.aclose())


def _steps(kind: str, jobs: list[str]) -> plans.Steps:
    if kind == "chain":
        return [(job, jobs[place - 1 : place] if place else []) for place, job in enumerate(jobs)]
    first, *middle, last = jobs
    return [(first, []), *((job, [first]) for job in middle), (last, middle)]
