"""What is down meets what happens meanwhile: ends that passed, plans that changed, results that piled up. docs/recovery.md."""

from __future__ import annotations

import pytest

from broker.runtime.core import Heard, Recovered
from dashboard_node.core.machine import DashboardCore
from schemas.addresses import AgentInstanceAt, AssignmentAt, FireReportAt, RunReportAt
from schemas.documents import Fire, FireReport, RunReport
from schemas.names import NodeName, PlanName, job_id
from schemas.requests import Action, DeletePlan, EnablePlan, EndInstance, PrepareInstance, SetParameters
from schemas.status import ContextStatus, Outcome, RunPhase
from tests.support.office import RETENTION, Office, Shape, a_plan, at

A = NodeName("a")
P = PlanName("P")


def an_office(**fields: object) -> Office:
    """In the window from 01:00 to midnight, with the command running."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan(**fields))  # type: ignore[arg-type]  # the plan's fields
    office.fires("q")
    office.starts("c")
    return office


def test_scenario_178_a_result_that_waited_for_the_dashboard_counts() -> None:
    """The agent finished while no dashboard was there; its report stands on the bus."""
    office = an_office()

    office.down_until(at("01-10 12:00"))
    office.ends("c")

    assert (office.status("c"), office.only.status) == ("COMPLETE", ContextStatus.COMPLETE)


def test_an_end_that_passed_comes_before_the_results_that_piled_up() -> None:
    """The window closed while the dashboard was down: the report that waits is recorded, and starts nothing (S2)."""
    office = an_office()
    run = office.runs()["c"]
    office.now = at("01-11 00:30")
    office.core = DashboardCore(RETENTION)
    office.core.restore(sorted(office.rows.items()))
    office.step(Recovered(office.now, 2, {}))

    report = RunReport(run=run.id, phase=RunPhase.ENDED, outcome=Outcome.SUCCEEDED, ended=at("01-10 23:00"))
    office.step(Heard(office.now, RunReportAt(A, run.id), report))

    assert office.only.status is ContextStatus.ENDED
    assert office.status("c") == "RUNNING"
    assert AssignmentAt(A, run.id) not in dict(office.core.documents())


def test_a_run_that_outlives_its_instance_is_asked_to_stop() -> None:
    """The dashboard comes back after the end and finds the command still running; the next window opens beside it."""
    office = an_office(shape=Shape(hours=20))
    run = office.runs()["c"]
    old = office.only.id

    office.down_until(at("01-11 02:00"))

    assert office.core.state.runs[run.id].stop
    assert AgentInstanceAt(A, old) not in office.shown
    assert office.instances[-1].id == "P-20260111T010000Z"
    assert office.status("c", office.instances[-1].id) == "WAITING"


def test_scenario_174_a_plan_changed_before_the_dashboard_went_down_keeps_both_versions() -> None:
    """The running instance has the one it started with, the window that opened meanwhile the new one."""
    office = an_office(shape=Shape(hours=20))
    office.imports(a_plan(shape=Shape(hours=20), description="changed"))

    office.down_until(at("01-11 02:00"))

    assert [instance.version for instance in office.instances] == [1, 2]


def test_a_plan_with_an_instance_cannot_be_deleted_and_once_ended_leaves_only_its_last_start() -> None:
    """Also when the dashboard was down in between. Up to when its starts were decided is kept, should it be imported again."""
    office = an_office()
    refused = office.ask(DeletePlan(plan=P))
    office.ends("c")
    office.ask(EndInstance(instance=office.only.id))

    office.down_until(at("01-10 02:30"))
    deleted = office.ask(DeletePlan(plan=P))

    assert (refused.ok, deleted.ok) == (False, True)
    assert not office.shown
    assert {key.table for key in office.rows} == {"answer", "deleted"}


def test_fires_that_come_after_the_end_are_in_the_ledger_as_skipped() -> None:
    """An agent that was cut off goes on firing until it hears of the end; nothing is silently gone."""
    office = an_office()
    name = office.only.id
    office.until(at("01-11 00:00"))

    report = FireReport(instance=name, job=job_id("a", "q"), fires=(Fire(sequence=2, at=at("01-10 23:59")),))
    office.step(Heard(office.now, FireReportAt(A, name, job_id("a", "q")), report))

    last = [row for row in office.audit if row.kind == "tick" and row.job][-1]
    assert (last.after, last.detail) == ("skipped", "the instance is not active")


def test_fires_that_piled_up_are_taken_once_in_order() -> None:
    """Heard again after a restart they change nothing."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    name, job = office.only.id, job_id("a", "q")
    fires = tuple(Fire(sequence=n, at=at(f"01-10 0{n + 1}:30")) for n in (1, 2, 3))
    office.down_until(at("01-10 09:00"))

    office.step(Heard(office.now, FireReportAt(A, name, job), FireReport(instance=name, job=job, fires=fires)))
    office.down_until(at("01-10 10:00"))
    office.step(Heard(office.now, FireReportAt(A, name, job), FireReport(instance=name, job=job, fires=fires)))

    rows = [row.before[11:16] for row in office.audit if row.kind == "tick" and row.job]
    assert rows == ["02:30", "03:30", "04:30"]


def test_scenario_143_parameters_set_by_a_person_survive_a_restart() -> None:
    """Those of a prepared instance too."""
    office = Office(at("01-10 00:30"))
    office.imports(a_plan(contextParameters=[{"name": "p", "defaultValue": "1"}]))
    office.ask(PrepareInstance(plan=P))
    office.ask(SetParameters(instance=office.only.id, values={"p": "2"}))

    office.down_until(at("01-10 01:30"))

    assert office.only.status is not ContextStatus.PREPARED
    assert office.only.parameters == {"p": "2"}


def test_what_a_person_did_before_the_dashboard_went_down_is_done() -> None:
    """S6: held stays held, and the answer is the same when it is asked for again."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.act(Action.HOLD, "c")

    office.down_until(at("01-10 03:00"))
    office.fires("q")

    assert office.status("c") == "ON_HOLD"
    assert office.runs() == {}


def test_a_backlog_goes_on_after_a_restart() -> None:
    """A catching-up plan that went down again in the middle of it opens what is left."""
    office = Office(at("01-09 23:00"))
    office.imports(a_plan(shape=Shape(hours=2), missedWindows="catch-up"))
    office.down_until(at("01-12 12:00"))

    office.down_until(at("01-12 15:00"))

    assert [i.id for i in office.instances if i.status is not ContextStatus.ENDED] == ["P-20260111T010000Z"]
    office.until(at("01-12 18:00"))
    assert [outcome for _, outcome in office.ticks()] == ["ran", "ran", "ran"]


@pytest.mark.parametrize("minutes", [1, 59])
def test_a_clock_that_was_set_back_repeats_nothing(minutes: int) -> None:
    """A life that begins earlier than the last one ended: what was decided stays decided."""
    office = Office(at("01-10 00:30"))
    office.imports(a_plan(shape=Shape(hours=5)))
    office.until(at("01-10 01:00"))

    office.down_until(at(f"01-10 00:{60 - minutes:02}"))
    office.until(at("01-10 02:00"))

    assert [i.id for i in office.instances] == ["P-20260110T010000Z"]
    assert office.ticks() == [("01-10 01:00", "ran")]


def test_a_suspended_machine_decides_all_starts_it_slept_through() -> None:
    """The newest one, still open, opens; those before it were missed, as if no dashboard had been there."""
    office = Office(at("01-09 23:00"))
    office.imports(a_plan(shape=Shape(hours=5)))
    office.until(at("01-09 23:30"))
    office.now = at("01-12 02:00")

    office.until(at("01-12 02:00"))

    assert office.ticks() == [("01-10 01:00", "missed"), ("01-11 01:00", "missed"), ("01-12 01:00", "ran")]
    assert office.only.closes == at("01-12 06:00")


def test_a_plan_deleted_before_it_has_caught_up_has_missed_the_rest() -> None:
    """Each start has its line in the ledger, whatever becomes of the plan (S3)."""
    office = Office(at("01-09 23:00"))
    office.imports(a_plan(shape=Shape(hours=2), missedWindows="catch-up"))
    office.down_until(at("01-12 12:00"))
    office.ask(EnablePlan(plan=PlanName("P"), enabled=False))
    office.ask(EndInstance(instance=office.only.id))

    assert office.ask(DeletePlan(plan=PlanName("P"))).ok
    assert office.ticks() == [("01-10 01:00", "ran"), ("01-11 01:00", "missed"), ("01-12 01:00", "missed")]
