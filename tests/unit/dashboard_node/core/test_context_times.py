"""When a context, and an instance, began and ended: what their documents and the deadlines say."""

from __future__ import annotations

import pytest

from dashboard_node.core.routing import Rules
from schemas.documents import ContextState, InstanceStatus
from schemas.names import PlanName
from schemas.notifications import Deadlines, Monitor
from schemas.requests import Action, EndInstance, PrepareInstance
from schemas.status import ContextStatus
from tests.scenarios.notation import plan
from tests.support.notified import Desk
from tests.support.office import Office, at
from tests.support.written import Written


def times(office: Office, context: str = "P") -> tuple[ContextStatus, str | None, str | None]:
    """How a context of the instance stands, and when it began and ended."""
    [shown] = [one for one in office.shown.values() if isinstance(one, InstanceStatus)]
    [state] = [one for one in shown.contexts if one.context == context]
    assert isinstance(state, ContextState)
    began, ended = (None if time is None else f"{time:%H:%M}" for time in (state.started, state.ended))
    return state.status, began, ended


def test_a_context_begins_with_its_first_job_and_ends_when_it_is_complete() -> None:
    """Complete no more, it has not ended; it began when it did."""
    office = Written("P[a]{C[q:q | q<-]}")
    waits = times(office)
    office.until(at("04-02 12:01"))
    office.act(Action.SUBMIT, "a")
    office.until(at("04-02 12:02"))
    office.starts("a")
    runs = times(office)
    office.until(at("04-02 12:03"))
    office.fires("q", agent="north")
    inner = times(office, "C")
    office.until(at("04-02 12:04"))
    office.ends("a")
    complete = times(office)
    office.until(at("04-02 12:05"))
    office.act(Action.RESET, "a")
    office.act(Action.RESET, "q")

    assert waits == (ContextStatus.WAITING, None, None)
    assert runs == (ContextStatus.RUNNING, "12:02", None)
    assert inner == (ContextStatus.COMPLETE, "12:03", "12:03")
    assert complete == (ContextStatus.COMPLETE, "12:02", "12:04")
    assert times(office) == (ContextStatus.WAITING, "12:02", None)
    assert times(office, "C") == (ContextStatus.WAITING, "12:03", None)


def test_a_context_that_fails_has_begun_and_not_ended() -> None:
    """Also when nobody saw its job start."""
    office = Written("P[a]")
    office.act(Action.SUBMIT, "a")
    office.until(at("04-02 12:01"))
    office.ends("a", code=1)

    assert times(office) == (ContextStatus.ERROR, "12:01", None)


def test_a_context_ended_when_it_became_complete() -> None:
    """What happens in it afterwards and leaves it complete is no new end."""
    office = Written("P[a g:g c | c<-or(a,g)]")
    office.act(Action.SUBMIT, "a")
    office.ends("a")
    office.until(at("04-02 12:01"))
    office.ends("c")
    office.until(at("04-02 12:02"))
    office.act(Action.SUBMIT, "g")

    assert office.status("g") == "COMPLETE"
    assert times(office) == (ContextStatus.COMPLETE, "12:00", "12:01")


@pytest.mark.parametrize(("begun", "began"), [(False, None), (True, "12:01")])
def test_an_instance_that_was_ended(begun: bool, began: str | None) -> None:  # noqa: FBT001  # a parameter of the test
    """One in which nothing has begun never began."""
    office = Written("P[a b]")
    office.until(at("04-02 12:01"))
    if begun:
        office.act(Action.SUBMIT, "a")
        office.starts("a")
    office.until(at("04-02 12:02"))
    office.ask(EndInstance(instance=office.only.id))

    assert times(office) == (ContextStatus.ENDED, began, "12:02")


def test_an_instance_does_not_begin_with_its_preparation() -> None:
    """Nor by opening: it is late when no job of it has started in time."""
    desk = Desk(at("01-01 00:30"))
    desk.rules = desk.core.state.telling = Rules(monitors=frozenset({Monitor.LATE_START}))
    limits = Deadlines(start_within_seconds=60)
    desk.imports(plan("P[a | a<-]", time_window_start="0 0 1 * * ?", deadlines=limits))
    assert desk.ask(PrepareInstance(plan=PlanName("P"))).ok
    prepared = times(desk)

    desk.until(at("01-01 01:00"))
    opened = times(desk)
    desk.until(at("01-01 01:02"))

    assert prepared == (ContextStatus.PREPARED, None, None)
    assert opened == (ContextStatus.WAITING, None, None)
    assert [(one.monitor, one.job) for one in desk.told()] == [(Monitor.LATE_START, "")]
