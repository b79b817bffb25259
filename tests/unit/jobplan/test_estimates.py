"""What an estimate says to a person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from jobplan.client.estimates import deadline_lines, estimate_lines
from jobplan.client.live import clock
from schemas.estimates import Deadline, DeadlineState, Estimated, ExpectedJob, Stuck
from schemas.names import ContextName, JobId
from schemas.notifications import Monitor
from schemas.status import ContextStatus, JobStatus
from tests.support.pictures import INSTANCE, NOON

SECOND = timedelta(seconds=1)
ENDS = NOON + SECOND * 90


def job(name: str) -> ExpectedJob:
    """On a path."""
    return ExpectedJob(
        context=ContextName("P"), job=JobId(f"a-{name}"), name=name, order=0, status=JobStatus.WAITING, measured=2
    )


FOUND = Estimated(instance=INSTANCE, at=NOON, ends=ENDS, ends_late=ENDS + SECOND * 30, path=(job("x"), job("y")))


def test_the_end_the_late_end_and_the_critical_path() -> None:
    """Each on its own line."""
    assert estimate_lines(FOUND, ContextStatus.RUNNING) == [
        f"ends about {clock(ENDS)} (in 1m 30s), late {clock(ENDS + SECOND * 30)}",
        "critical path: x > y",
    ]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"closes": NOON + SECOND * 60}, f": after its window closes at {clock(NOON + SECOND * 60)}"),
        ({"unmeasured": 1}, f"ends not before {clock(ENDS)}: nothing is known yet of how long 1 job takes"),
        ({"unmeasured": 3}, f"ends not before {clock(ENDS)}: nothing is known yet of how long 3 jobs take"),
    ],
)
def test_what_limits_it_is_said(change: dict[str, object], line: str) -> None:
    """In the same line."""
    assert estimate_lines(replace(FOUND, **change), ContextStatus.RUNNING)[0].endswith(line)


def test_what_does_not_go_on_by_itself_is_named() -> None:
    """With the reason."""
    stuck = (Stuck(context=ContextName("P"), job=JobId("a-x"), name="x", why="is held"),)

    lines = estimate_lines(Estimated(instance=INSTANCE, at=NOON, stuck=stuck), ContextStatus.RUNNING)

    assert lines == ["does not complete by itself", "x is held"]


def test_a_long_path_is_cut_in_its_middle() -> None:
    """The first and the last jobs are the ones to know."""
    many = replace(FOUND, path=tuple(job(f"j{n}") for n in range(10)))

    assert estimate_lines(many, ContextStatus.RUNNING)[1] == "critical path: j0 > j1 > j2 > 4 more > j7 > j8 > j9"


@pytest.mark.parametrize("status", [ContextStatus.COMPLETE, ContextStatus.ENDED])
def test_nothing_is_estimated_of_what_is_over(status: ContextStatus) -> None:
    """It says itself when it ended."""
    assert estimate_lines(FOUND, status) == []


def test_of_a_first_night_no_end_is_told() -> None:
    """A guess out of nothing misleads."""
    new = replace(FOUND, unmeasured=2, path=(replace(job("x"), measured=0),))

    assert estimate_lines(new, ContextStatus.RUNNING) == [
        "how long it takes is not known yet: its jobs have not run before"
    ]


def test_deadlines_are_told_by_how_they_stand() -> None:
    """What is late first; no more of each than a line holds."""
    due = [
        Deadline(monitor=Monitor.LATE_START, at=NOON, state=DeadlineState.MET, job=f"a-{n}", name=f"j{n}")
        for n in range(8)
    ]
    late = Deadline(monitor=Monitor.LATE_END, at=NOON, state=DeadlineState.LATE)

    lines = deadline_lines(Estimated(instance=INSTANCE, at=NOON, deadlines=(*due, late)))

    assert lines[0] == (DeadlineState.LATE, f"late: the plan (end by {clock(NOON)})")
    assert lines[1][1].startswith(f"in time: j0 (start by {clock(NOON)}), j1 ")
    assert lines[1][1].endswith(", and 2 more")
