"""Who keeps a job waiting for its lock, and how many wait before it.

The first of a queue say themselves who holds the lock (and are shown again when that changes); for the others it is taken from
the lock's document, or each release would show a whole queue again.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from jobplan.client.picture import Picture
from schemas.blockers import Blocker, BlockerKind
from schemas.documents import JobState, LockState
from schemas.holders import held_by
from schemas.names import InstanceId, JobId

Asked = tuple[str, InstanceId, JobId]
"""Lock, and who waits for it: the lock's name alone does not say in which environment group."""


class _Place(Struct, frozen=True):
    """Where in a queue somebody waits."""

    lock: LockState
    before: int


def with_holders(picture: Picture, jobs: Iterable[JobState]) -> tuple[JobState, ...]:
    """The jobs, those that wait for locks with who holds them, since when, and how many wait before them."""
    known = tuple(jobs)
    if not any(job.status == "LOCK_QUEUED" for job in known):
        return known
    places: dict[Asked, _Place] = {
        (lock.lock, claim.instance, claim.job): _Place(lock, before)
        for lock in picture.locks
        for before, claim in enumerate(lock.queue)
    }
    return tuple(job if job.status != "LOCK_QUEUED" else _explained(job, places) for job in known)


def _explained(job: JobState, places: dict[Asked, _Place]) -> JobState:
    told = (_with_holder(blocker, job, places.get((blocker.lock, job.instance, job.job))) for blocker in job.blockers)
    return replace(job, blockers=tuple(told))


def _with_holder(blocker: Blocker, job: JobState, place: _Place | None) -> Blocker:
    if place is None or blocker.kind is not BlockerKind.LOCK:
        return blocker
    holders = blocker.holders or place.lock.holders
    text = blocker.text
    if holders and not blocker.holders:
        text = f"waits for lock {blocker.lock}{held_by(holders, job.instance)}"
    if place.before:
        text += f"; {place.before} before it in the queue"
    return replace(blocker, text=text, holders=holders, run=(holders[0].run or "") if holders else "")
