"""The plans that are measured: chains and fans of commands that do next to nothing."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from schemas.plan import PlanSource

STAMP = "echo $EPOCHREALTIME"
"""A command that does as little as ``true`` and leaves, as its last act, the microsecond at which it did."""

Steps = Sequence[tuple[str, Sequence[str]]]
"""Jobs by name, each with the names of those it waits for."""


def chain(jobs: int) -> Steps:
    """Each job after the one before."""
    return [(f"j{i}", [f"j{i - 1}"] if i else []) for i in range(jobs)]


def join(jobs: int) -> Steps:
    """A chain, and one job at the end that waits for every job of it."""
    steps = chain(jobs - 1)
    return [*steps, ("last", [name for name, _ in steps])]


def fan(width: int) -> Steps:
    """One job, then so many at once, then one."""
    middle = [f"m{i}" for i in range(width)]
    return [("first", []), *((name, ["first"]) for name in middle), ("last", middle)]


def plan(name: str, steps: Steps, agents: Sequence[str] = ("a",), command: str = "true") -> PlanSource:
    """A plan of commands, handed round the agents in turn; ``{job}`` in the command is the job's name."""
    at = {job: agents[index % len(agents)] for index, (job, _) in enumerate(steps)}
    return msgspec.convert(
        {
            "plan": {
                "name": name,
                "ableToRunConcurrently": True,
                "scheduledJobs": [{"agentName": at[job], "jobName": job} for job, _ in steps],
                "jobDependencies": [
                    {
                        "jobIdentifier": f"{at[job]}-{job}",
                        "logicalGrouping": {"and": [{"identifier": f"{at[one]}-{one}"} for one in before]},
                    }
                    for job, before in steps
                ],
            },
            "jobs": [
                {
                    "type": "internalEventDrivenJob",
                    "agentName": at[job],
                    "jobName": job,
                    "commandLine": command.replace("{job}", job),
                }
                for job, _ in steps
            ],
        },
        PlanSource,
    )
