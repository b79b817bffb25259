"""Who holds the lock that a job waits for."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from jobplan.client.holders import holding, with_holders
from jobplan.client.live import day_and_clock
from schemas.documents import Blocker, BlockerKind, JobState, LockClaim, LockState
from schemas.names import InstanceId, LockName, RunId
from schemas.status import JobStatus
from tests.support.pictures import INSTANCE, NOON, a_job, a_picture

OTHER = InstanceId("Other-20260302T120000Z")
DB = LockName("db")
WAITS = Blocker(kind=BlockerKind.LOCK, text="waits for lock db", lock=DB)
LOAD = a_job("Load", JobStatus.LOCK_QUEUED, blockers=(WAITS,))


def claim(job: JobState) -> LockClaim:
    """Of a run that asked at noon."""
    return LockClaim(instance=job.instance, context=job.context, job=job.job, since=NOON)


def a_lock(*holders: JobState, queue: tuple[JobState, ...] = (LOAD,), group: str = "") -> LockState:
    """The lock with who has it."""
    return LockState(lock=DB, group=group, holders=tuple(map(claim, holders)), queue=tuple(map(claim, queue)))


def told(*documents: LockState | JobState) -> Blocker:
    """What keeps Load, among these."""
    (job,) = with_holders(a_picture(LOAD, *documents), (LOAD,))
    (blocker,) = job.blockers
    return blocker


AT_NOON = f"since {day_and_clock(NOON)}"
RUNS = a_job("Runs", JobStatus.RUNNING, run=RunId("r1"))
FAR = replace(RUNS, instance=OTHER)


@pytest.mark.parametrize(
    ("documents", "text", "run"),
    [
        ((a_lock(RUNS), RUNS), f"waits for lock db, held by north-Runs (run r1) {AT_NOON}", "r1"),
        ((a_lock(FAR), FAR), f"waits for lock db, held by north-Runs of {OTHER} (run r1) {AT_NOON}", "r1"),
        ((a_lock(FAR),), f"waits for lock db, held by north-Runs of {OTHER} {AT_NOON}", ""),
        (
            (a_lock(RUNS, queue=(FAR, LOAD)), RUNS),
            f"waits for lock db, held by north-Runs (run r1) {AT_NOON}; 1 before it in the queue",
            "r1",
        ),
        ((a_lock(),), "waits for lock db, which nobody holds now", ""),
        ((a_lock(RUNS, queue=(FAR,), group="test"), RUNS), "waits for lock db", ""),
        ((), "waits for lock db", ""),
    ],
)
def test_a_job_that_waits_for_a_lock(documents: tuple[LockState | JobState, ...], text: str, run: str) -> None:
    """In its own instance or another; nothing is made up of what is not seen, or of a lock of the same name elsewhere."""
    blocker = told(*documents)

    assert (blocker.text, blocker.run) == (text, run)


def test_of_many_holders_the_first_few_are_named() -> None:
    """The others are counted."""
    holders = [a_job(f"J{number}", JobStatus.RUNNING) for number in range(5)]

    text = told(a_lock(*holders)).text

    assert text.count(AT_NOON) == 3
    assert text.endswith(f"north-J2 {AT_NOON} and 2 more")


def test_whose_jobs_have_to_be_seen() -> None:
    """Those of the instances that hold what is waited for; none for a job that waits for something else."""
    picture = a_picture(LOAD, a_lock(FAR))

    assert holding(picture, (LOAD,)) == {OTHER}
    assert not holding(picture, (a_job("Load"),))
    assert with_holders(picture, (RUNS,)) == (RUNS,)
    assert LOAD.instance == INSTANCE
