"""A dashboard whose disk was lost goes on from what the broker retains of it."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from broker.runtime.core import Heard
from schemas.addresses import (
    Address,
    AssignmentAt,
    CalendarAt,
    FireReportAt,
    InstanceAt,
    JobAt,
    PlanVersionAt,
    RunReportAt,
)
from schemas.documents import Document, Fire, FireReport, JobState, PlanVersion, RunReport
from schemas.names import NodeName, PlanName, job_id
from schemas.plan import CommandJob, PlanSource
from schemas.requests import (
    Action,
    DeleteCalendar,
    EnablePlan,
    EndInstance,
    ImportCalendar,
    MoveEnd,
    PrepareInstance,
    SetParameters,
)
from schemas.status import ContextStatus, FireOutcome, Outcome, RunPhase
from tests.support.office import Office, Shape, a_plan, at

A = NodeName("a")
P = PlanName("P")
UK = ImportCalendar(name="UK", days={date(2026, 1, 12): "A day off"})


def with_jobs(*names: str) -> PlanSource:
    """A plan of commands that wait for nothing."""
    jobs = [{"agentName": "a", "jobName": name} for name in names]
    source = a_plan(scheduledJobs=jobs, jobDependencies=[{"jobIdentifier": f"a-{name}"} for name in names])
    command = source.jobs[1]
    assert isinstance(command, CommandJob)
    return PlanSource(plan=source.plan, jobs=tuple(replace(command, job_name=name) for name in names))


def still(office: Office) -> dict[Address, Document]:
    """What is shown."""
    return dict(office.shown)


def test_all_that_was_shown_is_shown_again() -> None:
    """Plans with their versions, calendars, instances, statuses, runs: the documents are the same."""
    office = Office(at("01-10 02:00"))
    office.ask(UK)
    office.imports(a_plan(calendars={"exclude": ["UK"]}))
    office.imports(a_plan(description="second", calendars={"exclude": ["UK"]}))
    office.ask(SetParameters(instance=office.only.id, values={"p": "2"}))
    office.ask(MoveEnd(instance=office.only.id, closes=at("01-11 03:00")))
    office.fires("q")
    office.starts("c")
    before = still(office)

    office.lose_disk()

    assert office.shown == before
    assert {one.version for one in office.shown.values() if isinstance(one, PlanVersion)} == {1, 2}
    assert any("retained" in row.detail for row in office.audit)


def test_a_run_goes_on_and_its_result_counts() -> None:
    """What depends on nothing else completes; the instance with it."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.fires("q")
    office.starts("c")
    run = office.runs()["c"]
    report = RunReport(run=run.id, phase=RunPhase.RUNNING, started=office.now)

    office.lose_disk([Heard(office.now, RunReportAt(A, run.id), report)])
    office.ends("c")

    assert (office.status("c"), office.only.status) == ("COMPLETE", ContextStatus.COMPLETE)
    assert AssignmentAt(A, run.id) not in office.shown


def test_a_run_that_was_handed_over_and_not_started_waits_on() -> None:
    """It is not handed over a second time."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.fires("q")
    run = office.runs()["c"].id

    office.lose_disk()

    assert office.runs()["c"].id == run
    office.fires("q", 2)
    assert office.runs()["c"].id == run


def test_a_run_whose_job_was_not_shown_any_more_is_known_by_its_assignment() -> None:
    """The dashboard was cut off between the two."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    before = still(office)
    office.fires("q")
    run = office.runs()["c"].id
    office.shown |= {address: document for address, document in before.items() if isinstance(address, JobAt)}

    office.lose_disk()
    office.fires("q", 2)

    assert office.runs()["c"].id == run
    office.starts("c")
    office.ends("c")
    assert office.status("c") == "COMPLETE"


def test_a_run_after_one_whose_end_was_not_shown_any_more_starts() -> None:
    """A job that is repeatable was shown with its first run; its second one had been handed over already."""
    office = Office(at("01-10 02:00"))
    plan = a_plan()
    jobs = (replace(job, job_repeatable=True) if isinstance(job, CommandJob) else job for job in plan.jobs)
    office.imports(PlanSource(plan=plan.plan, jobs=tuple(jobs)))
    office.fires("q")
    office.starts("c")
    before, first = still(office), office.runs()["c"].id
    office.fires("q", 2)
    office.ends("c")
    second = office.runs()["c"].id
    office.shown |= {one: before[one] for one in before if isinstance(one, JobAt | AssignmentAt)}

    office.lose_disk()

    assert second != first
    assert (office.runs()["c"].id, office.status("c")) == (second, "WAITING")
    assert AssignmentAt(A, first) not in office.shown
    office.starts("c")
    assert office.status("c") == "RUNNING"
    office.ends("c")
    assert office.status("c") == "COMPLETE"


def test_an_assignment_that_was_not_cleared_any_more_starts_nothing_again() -> None:
    """Its job was shown as done."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.fires("q")
    run = office.runs()["c"].id
    before = office.shown[AssignmentAt(A, run)]
    office.starts("c")
    office.ends("c")
    office.shown[AssignmentAt(A, run)] = before

    office.lose_disk()

    assert office.status("c") == "COMPLETE"
    assert AssignmentAt(A, run) not in office.shown


def test_an_instance_that_had_ended_is_known_by_a_job_that_has_no_run_any_more() -> None:
    """The dashboard was cut off between what the late end of a run changed and the end of its instance."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.fires("q")
    office.starts("c")
    name = office.only.id
    before = office.shown[InstanceAt(name)]
    run = office.runs()["c"].id
    office.ask(EndInstance(instance=name))
    office.ends("c")
    job = next(one for one in office.shown.values() if isinstance(one, JobState) and one.run == run)
    office.shown[InstanceAt(name)] = before

    office.lose_disk()

    assert (job.status, job.live) == ("RUNNING", False)
    assert office.only.status is ContextStatus.ENDED
    assert job in office.shown.values()


def test_a_run_without_its_assignment_gets_one_anew() -> None:
    """Its job says that it has not ended."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.fires("q")
    run = office.runs()["c"].id
    del office.shown[AssignmentAt(A, run)]

    office.lose_disk()

    assert AssignmentAt(A, run) in office.shown


def test_an_end_that_was_told_before_the_run_is_handed_over_again_counts() -> None:
    """The broker was set back as well: what it had of the run is gone, and its agent has nothing more to say."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    before = still(office)
    office.fires("q")
    run = office.runs()["c"].id
    office.shown.clear()
    office.shown |= before

    ended = RunReport(run=run, phase=RunPhase.ENDED, started=office.now, ended=office.now, outcome=Outcome.SUCCEEDED)
    office.lose_disk([Heard(office.now, RunReportAt(A, run), ended)])
    office.fires("q")

    assert office.status("c") == "COMPLETE"


def test_fires_that_were_taken_are_not_taken_again() -> None:
    """Their number stood on the bus."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.fires("q")
    office.starts("c")
    office.ends("c")

    office.lose_disk()
    office.fires("q")

    assert not [row for row in office.audit if row.kind == "tick"]
    assert office.only.status is ContextStatus.COMPLETE


def test_windows_are_neither_opened_again_nor_forgotten() -> None:
    """The open one is known; the next one opens; one that passed meanwhile is in the ledger."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan(shape=Shape(hours=5)))

    office.now = at("01-12 00:30")
    office.lose_disk()
    office.until(at("01-12 01:15"))

    assert office.ticks() == [("01-11 01:00", "missed"), ("01-12 01:00", "ran")]
    assert [one.status for one in office.instances] == [ContextStatus.ENDED, ContextStatus.WAITING]


def test_what_a_person_wanted_is_kept() -> None:
    """Held, skipped, disabled, a failure acknowledged, a prepared instance, a disabled plan."""
    office = Office(at("01-10 00:30"))
    office.imports(with_jobs("held", "skipped", "failed"))
    office.ask(PrepareInstance(plan=P))
    office.act(Action.HOLD, "held")
    office.until(at("01-10 01:00"))
    office.act(Action.SKIP, "skipped")
    office.act(Action.SUBMIT, "failed")
    office.starts("failed")
    office.ends("failed", code=3)
    office.act(Action.ACKNOWLEDGE, "failed")
    office.ask(EnablePlan(plan=P, enabled=False))
    statuses = [office.status(name) for name in ("held", "skipped", "failed")]
    before = still(office)

    office.lose_disk()

    assert [office.status(name) for name in ("held", "skipped", "failed")] == statuses
    assert office.shown == before
    assert not office.core.state.plans[P].enabled


def test_what_was_remembered_of_a_fire_is_kept() -> None:
    """It came inside a blackout while its job was held: released, the job is passed over, and says why."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.act(Action.HOLD, "q")
    fire = Fire(sequence=1, at=office.now, outcome=FireOutcome.PASSED, reason="blackout until noon")
    report = FireReport(instance=office.only.id, job=job_id("a", "q"), fires=(fire,))
    office.step(Heard(office.now, FireReportAt(A, office.only.id, report.job), report))

    office.lose_disk()
    office.act(Action.RELEASE, "q")

    [reason] = [shown.reason for shown in office.shown.values() if isinstance(shown, JobState) and shown.name == "q"]
    assert (office.status("q"), reason) == ("SKIPPED_COMPLETE", "blackout until noon")


def test_an_ended_instance_stays_for_its_retention() -> None:
    """With a job that ended late still shown as RUNNING."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.fires("q")
    office.starts("c")
    office.ask(EndInstance(instance=office.only.id))
    office.ends("c")
    before = still(office)

    office.lose_disk()
    shown = still(office)
    office.until(at("01-10 04:00"))

    assert shown == before
    assert office.instances == []


def test_a_plan_whose_definition_is_not_there_is_said_to_be_gone() -> None:
    """What stood of it is cleared, and a person has to import it again."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    del office.shown[PlanVersionAt(P, 1)]

    office.lose_disk()

    assert office.shown == {}
    assert any("import it again" in row.detail for row in office.audit)


@pytest.mark.parametrize("empty", [True, False])
def test_a_disk_that_is_there_knows_better(*, empty: bool) -> None:
    """Nothing is rebuilt beside records; an empty broker and an empty disk are a new dashboard."""
    office = Office(at("01-10 02:00"))
    if not empty:
        office.imports(a_plan())
        office.ask(EndInstance(instance=office.only.id))
    before = still(office)

    office.begin()

    assert office.shown == before
    assert not [row for row in office.audit if "retained" in row.detail]


def test_versions_and_calendars_leave_the_bus_when_they_are_of_no_use() -> None:
    """The newest version stands, and those that still run."""
    office = Office(at("01-10 02:00"))
    office.ask(UK)
    office.imports(a_plan())
    office.imports(a_plan(description="second"))
    running = {1, 2} <= {one.version for one in office.shown.values() if isinstance(one, PlanVersion)}
    office.ask(EndInstance(instance=office.only.id))
    office.ask(DeleteCalendar(name="UK"))

    assert running
    assert PlanVersionAt(P, 1) not in office.shown
    assert PlanVersionAt(P, 2) in office.shown
    assert CalendarAt("UK") not in office.shown
