"""Who holds the lock that a job waits for, where the job's own document does not say."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from jobplan.client.holders import with_holders
from jobplan.client.live import view
from schemas.blockers import Blocker, BlockerKind, LockClaim
from schemas.documents import JobState, LockState
from schemas.names import InstanceId, LockName, RunId
from schemas.status import JobStatus
from tests.support.pictures import INSTANCE, NOON, a_job, a_picture, an_instance

OTHER = InstanceId("Other-20260302T120000Z")
DB = LockName("db")
WAITS = Blocker(kind=BlockerKind.LOCK, text="waits for lock db", lock=DB)
LOAD = a_job("Load", JobStatus.LOCK_QUEUED, blockers=(WAITS,))


def claim(job: JobState) -> LockClaim:
    """Of a run that got the lock at noon."""
    return LockClaim(instance=job.instance, context=job.context, job=job.job, run=job.run, since=NOON)


def a_lock(*holders: JobState, queue: tuple[JobState, ...] = (LOAD,), group: str = "") -> LockState:
    """The lock with who has it."""
    return LockState(lock=DB, group=group, holders=tuple(map(claim, holders)), queue=tuple(map(claim, queue)))


def told(job: JobState, *documents: LockState | JobState) -> Blocker:
    """What keeps a job, among these."""
    (found,) = with_holders(a_picture(job, *documents), (job,))
    (blocker,) = found.blockers
    return blocker


AT_NOON = f"since {NOON:%Y-%m-%dT%H:%M:%SZ}"
RUNS = a_job("Runs", JobStatus.RUNNING, run=RunId("r1"))
FAR = replace(RUNS, instance=OTHER)
HERE = f"waits for lock db, held by north-Runs {AT_NOON}"


@pytest.mark.parametrize(
    ("lock", "text", "run"),
    [
        (a_lock(RUNS), HERE, "r1"),
        (a_lock(FAR), f"waits for lock db, held by north-Runs of {OTHER} {AT_NOON}", "r1"),
        (a_lock(replace(RUNS, run=None)), f"waits for lock db, held by north-Runs {AT_NOON}", ""),
        (a_lock(RUNS, queue=(FAR, LOAD)), f"{HERE}; 1 before it in the queue", "r1"),
        (a_lock(), "waits for lock db", ""),
        (a_lock(RUNS, queue=(FAR,), group="test"), "waits for lock db", ""),
    ],
)
def test_a_job_that_waits_for_a_lock(lock: LockState, text: str, run: str) -> None:
    """In its own instance or another; nothing is made up of what is not seen, or of a lock of the same name elsewhere."""
    blocker = told(LOAD, lock)

    assert (blocker.text, blocker.run) == (text, run)
    assert told(LOAD).text == "waits for lock db"


def test_of_many_holders_the_first_few_are_named() -> None:
    """The others are counted, and all of them are there as data."""
    holders = [a_job(f"J{number}", JobStatus.RUNNING) for number in range(5)]

    blocker = told(LOAD, a_lock(*holders))

    assert blocker.text.count(AT_NOON) == 3
    assert blocker.text.endswith(f"north-J2 {AT_NOON} and 2 more")
    assert [holder.job for holder in blocker.holders] == [job.job for job in holders]


def test_what_a_job_says_itself_stays() -> None:
    """Only its place in the queue is added: the lock's document may be newer or older than the job's."""
    said = replace(WAITS, text=HERE, holders=(claim(RUNS),), run="r1")

    blocker = told(replace(LOAD, blockers=(said,)), a_lock(FAR, queue=(FAR, LOAD)))

    assert blocker == replace(said, text=f"{HERE}; 1 before it in the queue")


def test_jobs_that_wait_for_something_else_stay_as_they_are() -> None:
    """Also beside one that waits for a lock."""
    picture = a_picture(LOAD, RUNS, a_lock(RUNS))

    assert with_holders(picture, (RUNS,)) == (RUNS,)
    assert with_holders(picture, (LOAD, RUNS))[1] == RUNS


def test_the_rows_of_an_instance_say_it_too() -> None:
    """What `instance show` and `watch` draw."""
    found = view(a_picture(an_instance(jobs=1), LOAD, a_lock(FAR)), INSTANCE, NOON)

    assert found is not None
    assert [job.blockers[0].run for job in found.jobs] == ["r1"]
