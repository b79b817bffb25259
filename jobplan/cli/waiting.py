"""Waiting for a run: that one has begun, or that the one a person has just asked for is over."""

from __future__ import annotations

from typing import Final

from jobplan.client import Client
from jobplan.client.feed import Link
from jobplan.client.live import MOVING
from schemas.addresses import JobAt
from schemas.documents import JobState
from schemas.status import ContextStatus, JobKind, JobStatus

PENDING: Final = MOVING | {JobStatus.WAITING, JobStatus.ON_HOLD, JobStatus.PREPARED}


async def until_run_over(client: Client, before: tuple[JobState, ...]) -> tuple[JobState, ...]:
    """The copies of a job as they stand once the run after ``before`` is over.

    The change may have come before the answer did: so the picture is compared, and news only say when to look again.
    """
    feed = client.changes()
    try:
        while True:
            states = tuple(_now(client, copy) for copy in before)
            if any(_over(old, new) for old, new in zip(before, states, strict=True)):
                return states
            for news in await feed.wait(5.0):
                if isinstance(news, Link) and not news.up:
                    break
    finally:
        feed.close()


async def until_it_runs(client: Client, before: tuple[JobState, ...]) -> tuple[JobState, ...]:
    """The copies of a job once one of them has a run; as they stand where none will come: no command, or its instance is over."""
    feed = client.changes()
    try:
        while True:
            states = tuple(_now(client, copy) for copy in before)
            instance = client.picture.instances.get(before[0].instance)
            over = instance is None or instance.status is ContextStatus.ENDED
            if over or before[0].kind is not JobKind.COMMAND or any(state.run is not None for state in states):
                return states
            await feed.wait(5.0)
    finally:
        feed.close()


def _now(client: Client, copy: JobState) -> JobState:
    found = client.picture.get(JobAt(copy.instance, copy.context, copy.job), JobState)
    return copy if found is None else found


def _over(before: JobState, after: JobState) -> bool:
    again = (after.run, after.attempt, after.ended) != (before.run, before.attempt, before.ended)
    moved = again or after.status != before.status
    retried = any(blocker.kind == "retry" for blocker in after.blockers)
    return moved and after.status not in PENDING and not retried
