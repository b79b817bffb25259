"""All the dashboard's documents, one after the other, while events come between two of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import msgspec
from msgspec import Raw

from broker.runtime.core import Changes, Heard, Requested, Tick
from schemas.addresses import (
    Address,
    AgentInstanceAt,
    AgentPlanAt,
    AssignmentAt,
    InstanceAt,
    JobAt,
    PlanAt,
    PlanVersionAt,
    RunReportAt,
)
from schemas.documents import Document, RunReport
from schemas.names import PlanName, RequestId
from schemas.requests import Action, EndInstance, ImportPlan
from schemas.status import Outcome, RunPhase
from tests.support.office import ANN, RETENTION, Office, a_plan, at

PLAN = PlanName("P")
NOON = at("01-31 12:00")
Shown = Iterator[tuple[Address, Document]]


def an_office() -> Office:
    """Two instances, in each of which a command is with its agent: that of the window, and one by hand."""
    office = Office(NOON)
    office.imports(a_plan(ableToRunConcurrently=True))
    office.start("P")
    for instance in office.instances:
        office.act(Action.SUBMIT, "a-c", instance.id)
    return office


def until(rest: Shown, kind: type[Address]) -> list[Address]:
    """Take documents up to the first of a kind."""
    found: list[Address] = []
    for address, _ in rest:
        found.append(address)
        if isinstance(address, kind):
            return found
    raise AssertionError(f"there is no {kind}")


def happens(office: Office, event: Heard | Tick) -> list[Address]:
    """Where something is to be shown differently because of an event, in its order."""
    changes: Changes = office.core.step(event).changes
    return list(office.core.project(changes))


def an_end(office: Office, number: int) -> Heard:
    """The run of the first or second instance ends."""
    (run,) = office.core.state.live_runs(office.instances[number].id)
    report = RunReport(run=run.id, phase=RunPhase.ENDED, started=NOON, ended=NOON, outcome=Outcome.SUCCEEDED)
    return Heard(NOON, RunReportAt(run.agent, run.id), report)


def test_what_agents_act_on_comes_first_and_what_speaks_for_others_last() -> None:
    """Of all instances: an agent waits for no job's document, and no status stands before what it speaks for."""
    kinds = [type(address) for address, _ in an_office().core.documents()]

    assert kinds == [
        AgentPlanAt,
        PlanVersionAt,
        *(AgentInstanceAt, AssignmentAt) * 2,
        *(JobAt, JobAt, InstanceAt) * 2,
        PlanAt,
    ]


def test_status_whose_turn_is_to_come_brings_all_that_it_speaks_for() -> None:
    """What changes is shown at once; the plan's own status, which says which starts are decided, waits for its turn."""
    office = an_office()
    first, second = (instance.id for instance in office.instances)
    rest = office.core.documents()
    until(rest, InstanceAt)
    shown = [*happens(office, an_end(office, 0)), *happens(office, an_end(office, 1))]
    of_second = [
        type(address) for address in shown if isinstance(address, JobAt | InstanceAt) and address.instance == second
    ]

    assert {address for address in shown if isinstance(address, InstanceAt)} == {InstanceAt(first), InstanceAt(second)}
    assert of_second == [JobAt, JobAt, InstanceAt]
    assert PlanAt(PLAN) not in shown
    assert PlanAt(PLAN) in {address for address, _ in rest}


def test_status_that_changes_before_the_first_document_is_taken_brings_all_that_it_speaks_for() -> None:
    """Its turn is to come from the moment on at which all is asked for."""
    office = an_office()
    rest = office.core.documents()
    shown = happens(office, an_end(office, 0))

    assert [type(address) for address in shown if isinstance(address, JobAt | InstanceAt)] == [JobAt, JobAt, InstanceAt]
    assert InstanceAt(office.instances[0].id) in {address for address, _ in rest}


def test_once_all_is_shown_statuses_are_shown_at_once() -> None:
    """Also when the rest was given up, because the connection is gone."""
    office = an_office()
    first, second = (instance.id for instance in office.instances)
    rest = office.core.documents()
    until(rest, AssignmentAt)
    del rest
    shown = {*happens(office, an_end(office, 0)), *happens(office, an_end(office, 1))}

    assert {InstanceAt(first), InstanceAt(second), PlanAt(PLAN)} <= shown


def test_version_that_goes_in_the_moment_of_its_plans_turn_is_cleared() -> None:
    """It was shown before, and is not among all there is to show any more."""
    office = Office(NOON)
    office.imports(a_plan())
    office.ask(EndInstance(instance=office.only.id))
    rest = office.core.documents()
    newer = Raw(msgspec.json.encode(ImportPlan(source=a_plan(description="newer"))))
    changes = office.core.step(Requested(NOON, ANN, RequestId("newer"), newer)).changes
    until(rest, PlanVersionAt)
    shown = office.core.project(changes)

    assert shown[PlanVersionAt(PLAN, 1)] is None
    assert shown[PlanVersionAt(PLAN, 2)] is not None


def test_instance_that_is_removed_meanwhile_does_not_come() -> None:
    """Neither what of it is left, nor its status."""
    office = an_office()
    first, second = (instance.id for instance in office.instances)
    for number in range(2):
        office.step(an_end(office, number))
    office.ask(EndInstance(instance=second))
    rest = office.core.documents()
    until(rest, JobAt)
    happens(office, Tick(NOON + RETENTION + timedelta(seconds=1)))
    came = {address for address, _ in rest}

    assert InstanceAt(first) in came
    assert not any(address.instance == second for address in came if isinstance(address, JobAt | InstanceAt))
