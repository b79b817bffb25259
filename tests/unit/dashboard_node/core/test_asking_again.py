"""A request is decided once, whatever is lost meanwhile, and answered the same each time it is asked."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from broker.runtime.core import Key, Requested
from dashboard_node.core.records import AnswerRecord
from schemas.names import PlanName, RequestId, UserName, escape
from schemas.requests import (
    Change,
    DeleteCalendar,
    DeletePlan,
    EnablePlan,
    EndInstance,
    ImportCalendar,
    ImportPlan,
    StartInstance,
)
from tests.support.office import ANN, Office, a_plan, at

P = PlanName("P")
REQUEST = "00000abc"


def an_office() -> Office:
    """With a plan whose window is not open."""
    office = Office(at("01-10 00:30"))
    office.imports(a_plan())
    return office


def test_an_answer_is_saved_with_what_it_tells_of() -> None:
    """In one decision: there is no moment in which one of them is there without the other."""
    office = an_office()
    body = Raw(msgspec.json.encode(StartInstance(plan=P)))

    decision = office.core.step(Requested(office.now, ANN, RequestId(REQUEST), body))

    saved = decision.changes[Key("answer", f"{escape(ANN)}~{REQUEST}")]
    assert isinstance(saved, AnswerRecord)
    assert decision.answers == (saved.answer,)
    assert [key.table for key in decision.changes if key.table == "instance"] == ["instance"]
    assert {(row.user, row.cause) for row in decision.audit} == {("ann", f"request {REQUEST}")}


def test_asked_again_after_a_crash_it_is_answered_the_same_and_done_once() -> None:
    """The dashboard had saved it, and died before it answered."""
    office = an_office()
    lost = office.ask(StartInstance(plan=P), REQUEST)
    rows = [row for row in office.audit if row.kind == "instance"]
    office.begin()

    again = office.ask(StartInstance(plan=P), REQUEST)

    assert again == lost
    assert again.ok
    assert len(office.instances) == 1
    assert [row for row in office.audit if row.kind == "instance"] == rows


def test_a_refusal_is_remembered_too() -> None:
    """Though it would be done now: who asks once more asks anew, with another id."""
    office = an_office()
    refused = office.ask(StartInstance(plan=PlanName("Q")), REQUEST)
    office.imports(a_plan("Q"))
    office.begin()

    assert office.ask(StartInstance(plan=PlanName("Q")), REQUEST) == refused
    assert not refused.ok


def test_ids_of_two_people_do_not_meet() -> None:
    """Each has its own answers."""
    office = an_office()
    started = office.ask(StartInstance(plan=P), REQUEST)
    other = office.ask(EndInstance(instance=office.only.id), REQUEST, user=UserName("bob"))

    assert started.ok
    assert other.ok
    assert started != other


def test_what_a_person_changes_is_audited_with_before_and_after() -> None:
    """Each row says who, what, from what, to what, and by which request."""
    office = an_office()
    asked: list[Change] = [
        EnablePlan(plan=P, enabled=False),
        ImportPlan(source=a_plan(description="changed")),
        ImportCalendar(name="UK", days={office.now.date(): "today"}),
        DeleteCalendar(name="UK"),
        DeletePlan(plan=P),
    ]
    rows = len(office.audit)
    for number, change in enumerate(asked, start=90):
        assert office.ask(change, f"{number:08d}").ok

    found = [(row.kind, row.detail, row.before, row.after) for row in office.audit[rows:] if row.user]
    assert found == [
        ("plan", "P", "enabled", "disabled"),
        ("plan", "P", "version 1", "version 2"),
        ("calendar", "UK", "", "version 1"),
        ("calendar", "UK", "version 1", "deleted"),
        ("plan", "P", "version 2", "deleted"),
    ]
    assert {row.cause for row in office.audit[rows:] if row.user} == {
        f"request {number:08d}" for number in range(90, 95)
    }
