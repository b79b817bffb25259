"""Due times of clock jobs that no agent told of are missed, once nobody can tell any more."""

from __future__ import annotations

from datetime import timedelta

from broker.runtime.core import Heard
from schemas.addresses import FireReportAt
from schemas.documents import Fire, FireReport
from schemas.names import InstanceId, NodeName, PlanName, job_id
from schemas.requests import EndInstance, PrepareInstance
from tests.support.office import RETENTION, Office, Shape, a_plan, at

JOB = job_id("a", "q")


def clock_ticks(office: Office) -> list[tuple[str, str, str]]:
    """The ledger's rows of clock jobs: due, outcome, reason."""
    return [(row.before[5:16], row.after, row.detail) for row in office.audit if row.kind == "tick" and row.job]


def fires_due(office: Office, name: InstanceId, *hours: int) -> None:
    """The agent tells of fires that were due at these hours of 10 January."""
    fires = tuple(Fire(sequence=n, at=office.now, due=at(f"01-10 {h:02}:00")) for n, h in enumerate(hours, start=1))
    office.step(
        Heard(office.now, FireReportAt(NodeName("a"), name, JOB), FireReport(instance=name, job=JOB, fires=fires))
    )


def test_a_clock_nobody_told_of_was_missed() -> None:
    """The agent was away for the whole window; said when the instance is forgotten, not before."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.until(at("01-11 00:30"))
    before = clock_ticks(office)

    office.until(at("01-11 00:00") + RETENTION + timedelta(minutes=1))

    assert before == []
    assert clock_ticks(office) == [
        (
            "01-10T07:00",
            "missed",
            "1 due time until 2026-01-10T07:00:00+00:00: agent 'a' never told what became of them",
        )
    ]


def test_what_was_told_is_not_missed() -> None:
    """Only what was due after the last fire that came."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan(shape=Shape(hours=23)))
    fires_due(office, office.only.id, 7)

    office.until(at("01-11 02:00"))

    assert [outcome for _, outcome, _ in clock_ticks(office)] == ["ran"]


def test_an_instance_that_ended_early_owes_nothing_more() -> None:
    """Nor one that never opened."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.ask(EndInstance(instance=office.only.id))
    office.ask(PrepareInstance(plan=PlanName("P")))

    office.until(at("01-10 23:00"))

    assert clock_ticks(office) == []
