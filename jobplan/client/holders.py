"""Who keeps a job waiting for its lock: the job's own document names the lock, the lock's document names the holders.

A job's document does not repeat them: each release would then show again every job of a queue, however long it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from jobplan.client.live import day_and_clock
from jobplan.client.picture import Picture
from schemas.addresses import JobAt
from schemas.documents import Blocker, BlockerKind, JobState, LockClaim, LockState
from schemas.names import InstanceId

SHOWN: Final = 3
"""How many holders are named."""


def with_holders(picture: Picture, jobs: Iterable[JobState]) -> tuple[JobState, ...]:
    """The jobs, those that wait for locks with who holds them, since when, and how many wait before them."""
    return tuple(job if job.status != "LOCK_QUEUED" else _explained(picture, job) for job in jobs)


def holding(picture: Picture, jobs: Iterable[JobState]) -> frozenset[InstanceId]:
    """The instances whose runs hold what these jobs wait for."""
    waits = [job for job in jobs if job.status == "LOCK_QUEUED"]
    locks = [lock for job in waits for blocker in job.blockers if (lock := _lock(picture, job, blocker)) is not None]
    return frozenset(claim.instance for lock in locks for claim in lock.holders)


def _explained(picture: Picture, job: JobState) -> JobState:
    return replace(job, blockers=tuple(_with_holder(picture, job, blocker) for blocker in job.blockers))


def _with_holder(picture: Picture, job: JobState, blocker: Blocker) -> Blocker:
    lock = _lock(picture, job, blocker)
    if lock is None:
        return blocker
    holders = [_run(picture, claim) for claim in lock.holders]
    named = ", ".join(_named(claim, run, job) for claim, run in zip(lock.holders[:SHOWN], holders, strict=False))
    more = f" and {len(holders) - SHOWN} more" if len(holders) > SHOWN else ""
    text = f"{blocker.text}, held by {named}{more}" if holders else f"{blocker.text}, which nobody holds now"
    before = next(place for place, claim in enumerate(lock.queue) if _is(claim, job))
    text += f"; {before} before it in the queue" if before else ""
    return replace(blocker, text=text, run=next(iter(holders), ""))


def _lock(picture: Picture, job: JobState, blocker: Blocker) -> LockState | None:
    """The lock in whose queue the job is: its name alone does not say in which environment group."""
    if blocker.kind is not BlockerKind.LOCK:
        return None
    known = (lock for lock in picture.locks if lock.lock == blocker.lock)
    return next((lock for lock in known if any(_is(claim, job) for claim in lock.queue)), None)


def _is(claim: LockClaim, job: JobState) -> bool:
    return (claim.instance, claim.job) == (job.instance, job.job)


def _run(picture: Picture, claim: LockClaim) -> str:
    """The run that holds it, if its instance's jobs are seen."""
    holder = picture.get(JobAt(claim.instance, claim.context, claim.job), JobState)
    return (holder.run or "") if holder is not None else ""


def _named(claim: LockClaim, run: str, job: JobState) -> str:
    where = claim.job if claim.instance == job.instance else f"{claim.job} of {claim.instance}"
    which = f" (run {run})" if run else ""
    since = f" since {day_and_clock(claim.since)}" if claim.since is not None else ""
    return f"{where}{which}{since}"
