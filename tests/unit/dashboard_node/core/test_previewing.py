"""What would follow from an action can be asked, and asking changes nothing."""

from __future__ import annotations

import msgspec

from schemas.acted import Foreseen
from schemas.requests import Act, Action
from tests.support.office import Office, a_plan, at


def test_preview_tells_what_would_start_and_changes_nothing() -> None:
    """Submitting the clock job would start the command after it."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    shown = dict(office.shown)

    answer = office.ask(Act(action=Action.SUBMIT, instance=office.only.id, job="q", preview=True))
    foreseen = msgspec.json.decode(answer.data, type=Foreseen)

    changed = [(change.job, change.name, change.after) for change in foreseen.changed]
    assert changed == [("a-q", "q", "COMPLETE"), ("", "", "RUNNING")]
    assert [(start.context, start.job, start.name) for start in foreseen.starts] == [("P", "a-c", "c")]
    assert [start.run.split("~")[2] for start in foreseen.starts] == ["a-c"]
    assert office.shown == shown
    assert office.runs() == {}


def test_preview_of_what_is_refused_is_refused_for_the_same_reason() -> None:
    """Releasing a job that is not held."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())

    foreseen = office.ask(Act(action=Action.RELEASE, instance=office.only.id, job="c", preview=True))
    done = office.ask(Act(action=Action.RELEASE, instance=office.only.id, job="c"))

    assert not foreseen.ok
    assert foreseen.reason == done.reason
