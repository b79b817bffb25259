"""Everything that is shown of what was only pretended says so."""

from __future__ import annotations

from broker.runtime.core import Heard
from schemas.addresses import FireReportAt, RunReportAt
from schemas.documents import Fire, FireReport, JobState, RunReport
from schemas.names import NodeName, job_id
from schemas.requests import Action
from schemas.status import Outcome, RunPhase
from tests.support.office import Office, a_plan, at

A = NodeName("a")


def an_office() -> Office:
    """A dashboard with an open instance."""
    office = Office(at("01-10 01:00"))
    office.imports(a_plan())
    office.until(at("01-10 01:00:01"))
    return office


def job(office: Office, name: str) -> JobState:
    """What is shown of a job."""
    [shown] = office.jobs(name)
    return shown


def report(office: Office, phase: RunPhase, *, dry_run: bool) -> None:
    """The agent tells of the run."""
    [run] = office.runs().values()
    ended = {"outcome": Outcome.SUCCEEDED, "ended": office.now} if phase is RunPhase.ENDED else {}
    told = RunReport(run=run.id, phase=phase, started=office.now, dry_run=dry_run, **ended)  # type: ignore[arg-type]  # fields of the struct
    office.step(Heard(office.now, RunReportAt(A, run.id), told))


def test_a_pretended_run_is_shown_as_one_from_its_start_to_its_end() -> None:
    """Its job says so, running and done; the next, real one does not."""
    office = an_office()
    office.act(Action.SUBMIT, "a-c")
    report(office, RunPhase.RUNNING, dry_run=True)
    assert (job(office, "c").dry_run, job(office, "c").reason) == (True, "dry run")
    report(office, RunPhase.ENDED, dry_run=True)
    assert job(office, "c").dry_run

    office.act(Action.RESUBMIT, "a-c")
    assert not job(office, "c").dry_run
    report(office, RunPhase.ENDED, dry_run=False)
    assert not job(office, "c").dry_run


def test_a_pretended_fire_is_shown_as_one() -> None:
    """Also after the dashboard has lost its disk."""
    office = an_office()
    name, q = office.only.id, job_id("a", "q")
    fire = Fire(sequence=1, at=office.now, reason="dry run", dry_run=True)

    office.step(Heard(office.now, FireReportAt(A, name, q), FireReport(instance=name, job=q, fires=(fire,))))
    assert job(office, "q").dry_run

    office.lose_disk()
    assert job(office, "q").dry_run
