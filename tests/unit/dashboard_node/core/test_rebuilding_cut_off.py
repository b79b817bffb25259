"""A dashboard whose disk was lost: who holds a lock and who waits for it, and what was cut off while it was being shown."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from broker.runtime.core import Heard
from schemas.addresses import AssignmentAt, LockAt, RunReportAt
from schemas.documents import RunReport
from schemas.names import NodeName, PlanName
from schemas.plan import CommandJob, PlanSource
from schemas.requests import Action, PrepareInstance
from schemas.status import Outcome, RunPhase
from tests.support.office import Office, a_plan, at


def with_a_lock(*names: str, exclusive: bool = False) -> PlanSource:
    """A plan of commands that wait for nothing but for one lock, which one of them may hold."""
    jobs = [{"agentName": "a", "jobName": name} for name in names]
    lock = {"name": "L", "lockCount": 1, "exclusiveJobLock": exclusive}
    source = a_plan(
        scheduledJobs=jobs,
        jobDependencies=[{"jobIdentifier": f"a-{name}"} for name in names],
        jobLocks=[lock | {"jobs": {"P": [job | {"lockCount": 1} for job in jobs]}}],
    )
    command = source.jobs[1]
    assert isinstance(command, CommandJob)
    return PlanSource(
        plan=source.plan, jobs=tuple(replace(command, job_name=name, participates_in_lock=True) for name in names)
    )


def test_locks_are_held_and_waited_for_in_their_order() -> None:
    """The holder by its run, the queue as it stood."""
    office = Office(at("01-10 02:00"))
    office.imports(with_a_lock("one", "two", "three"))
    for name in ("one", "three", "two"):
        office.act(Action.SUBMIT, name)
        office.until(office.now + timedelta(minutes=1))
    office.starts("one")
    before = [office.status(name) for name in ("one", "two", "three")]

    office.lose_disk()
    after = [office.status(name) for name in ("one", "two", "three")]
    office.ends("one")

    assert before == after == ["RUNNING", "LOCK_QUEUED", "LOCK_QUEUED"]
    assert list(office.runs()) == ["three"]


def test_a_queue_that_was_not_shown_any_more_is_known_by_its_jobs() -> None:
    """Who got the lock meanwhile stands in no queue, though it shows LOCK_QUEUED until its agent has begun."""
    office = Office(at("01-10 02:00"))
    office.imports(with_a_lock("first", "second", "third"))
    for job in ("first", "second", "third"):
        office.act(Action.SUBMIT, job)
    office.starts("first")
    office.ends("first")
    office.shown = {address: document for address, document in office.shown.items() if not isinstance(address, LockAt)}
    before = [office.status(job) for job in ("first", "second", "third")]

    office.lose_disk()

    assert [office.status(job) for job in ("first", "second", "third")] == before
    office.starts("second")
    office.ends("second")
    assert office.runs()["third"].phase is not RunPhase.ENDED


@pytest.mark.parametrize("exclusive", [False, True])
def test_a_lock_that_was_handed_on_before_that_was_shown_is_held_by_both(*, exclusive: bool) -> None:
    """Cut off after the assignment of who has it now; nobody is let in beside the two, and that is said (D6)."""
    office = Office(at("01-10 02:00"))
    office.imports(with_a_lock("one", "two", "three", exclusive=exclusive))
    for name in ("one", "two", "three"):
        office.act(Action.SUBMIT, name)
    office.starts("one")
    before = dict(office.shown)
    office.ends("one")
    office.shown = before | {at: one for at, one in office.shown.items() if isinstance(at, AssignmentAt)}

    office.lose_disk()

    assert list(office.runs()) == ["one", "two"]
    assert [row.detail.partition(":")[0] for row in office.audit if row.kind == "lock"] == ["L"]
    office.starts("two")
    office.ends("two")
    assert list(office.runs()) == ["one"]
    office.ends("one")
    assert list(office.runs()) == ["three"]


def test_an_instance_laid_out_ahead_that_has_runs_had_opened() -> None:
    """Cut off between the assignment of its first run and its own status: it is open, the run goes on, and holds its lock."""
    office = Office(at("01-10 00:30"))
    office.imports(with_a_lock("one", "two"))
    office.ask(PrepareInstance(plan=PlanName("P")))
    before = dict(office.shown)
    office.until(at("01-10 01:00"))
    office.act(Action.SUBMIT, "one")
    run = office.runs()["one"].id
    office.shown = before | {at: one for at, one in office.shown.items() if isinstance(at, AssignmentAt)}

    report = RunReport(run=run, phase=RunPhase.ENDED, outcome=Outcome.SUCCEEDED, return_code=0)
    office.lose_disk([Heard(office.now, RunReportAt(NodeName("a"), run), report)])

    assert (office.only.status, office.status("one"), list(office.runs())) == ("RUNNING", "COMPLETE", [])
