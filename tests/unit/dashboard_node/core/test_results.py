"""What a job's record and its instance's counts say after a result."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from broker.runtime.core import Requested
from schemas.names import RequestId, UserName
from schemas.requests import Act, Action
from schemas.status import JobStatus
from tests.scenarios.house import House


def test_counts_by_status() -> None:
    """Each job is counted once, under the status it has now."""
    house = House()
    house.open("i", "P[a b c]")
    house.act(Action.SUBMIT, "i.a")
    house.ended("i.a")
    house.act(Action.HOLD, "i.b")

    counts = {status: number for status, number in house.machine("i").counts.items() if number}
    assert counts == {JobStatus.COMPLETE: 1, JobStatus.ON_HOLD: 1, JobStatus.WAITING: 1}


def test_what_was_to_be_done_again_is_done() -> None:
    """A second result settles it."""
    house = House()
    house.open("i", "P[a b | b<-and(a)]")
    house.act(Action.SUBMIT, "i.a")
    house.ended("i.a")
    house.act(Action.RESET, "i.a")
    assert house.machine("i").copies[0].redo
    house.act(Action.SUBMIT, "i.a")
    house.ended("i.a")

    assert not house.machine("i").copies[0].redo


def test_what_was_remembered_is_used_up_when_it_is_passed_over() -> None:
    """It is not initiated a second time."""
    house = House()
    house.open("i", "P{C1[a | a<-], C2[q:q b | b<-and(q)]}", gates={"C2": "and(C1)"})
    house.fired("i.q")
    assert house.machine("i").copies[1].pending
    house.act(Action.SKIP, "i.q")

    assert house.status("i.q") == "SKIPPED_COMPLETE"
    assert not house.machine("i").copies[1].pending


def test_what_happens_starts_and_ends_at_once() -> None:
    """A job without a run has both times."""
    house = House()
    house.open("i", "P[q:q a | a<-and(q)]")
    fired = house.now
    house.fired("i.q")
    record = house.machine("i").copies[0]

    assert record.started == fired
    assert record.ended == house.now


def test_what_a_person_enables_follows_a_person() -> None:
    """The audit trail names nobody's result as the cause."""
    house = House()
    house.open("i", "P[a b l:c | b<-and(a), c<-and(b)]")
    house.act(Action.DISABLE, "i.c")
    house.act(Action.SUBMIT, "i.b")
    house.ended("i.b")
    enable = Act(action=Action.ENABLE, instance=house.instances["i"], job=house.machine("i").graph.copies[2].id)

    body = Raw(msgspec.json.encode(enable))
    decision = house.core.step(Requested(house.now, UserName("somebody"), RequestId("e"), body))

    assert house.status("i.c") == "COMPLETE"
    assert "after a person" in [row.detail for row in decision.audit]


def test_an_event_happens_wherever_it_is_not_disabled() -> None:
    """Also in contexts after one in which it is; why it was passed over before is forgotten."""
    house = House()
    house.open("i", "P{C1[g:g | g<-], C2[g:g b* | b<-and(g)]}", skipped={"C2": "g"})
    first, second, _ = (copy.index for copy in house.machine("i").graph.copies)
    house.ended("i.b")
    house.act(Action.DISABLE, "i.g")
    assert house.machine("i").copies[second].reason == "skipped from the start"

    assert house.raise_event("g") == ["i.b"]
    assert house.machine("i").copies[first].disabled
    assert house.machine("i").copies[second].started == house.now
    assert not house.machine("i").copies[second].reason
