"""What a live display shows, and when it says that it may be wrong."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from jobplan.client.live import View, gone, lines_of, open_for, span, view
from jobplan.client.picture import Change
from schemas.blockers import Blocker, BlockerKind
from schemas.documents import ContextState, Document
from schemas.names import ContextName, InstanceId
from schemas.status import ContextStatus, JobStatus, NodeState
from tests.support.pictures import INSTANCE, NOON, PLAN, a_job, a_picture, a_presence, an_instance, where

LATER = NOON + timedelta(seconds=30)
NESTED = (
    ContextState(context=ContextName(PLAN), status=ContextStatus.RUNNING),
    ContextState(context=ContextName("Load"), status=ContextStatus.WAITING, parent=PLAN),
)


def seen(*documents: Document) -> View:
    """The view of the instance among these documents."""
    found = view(a_picture(*documents), INSTANCE, LATER)
    assert found is not None
    return found


def test_jobs_stand_in_their_contexts_in_plan_order() -> None:
    """Order is the plan's, contexts nest."""
    shown = seen(
        a_presence(),
        an_instance(contexts=NESTED),
        a_job("Second", order=2),
        a_job("First", order=1),
        a_job("Inner", context="Load", order=3),
    )

    assert [job.name for job in shown.root.jobs] == ["First", "Second"]
    assert [(child.state.context, [job.name for job in child.jobs]) for child in shown.root.children] == [
        ("Load", ["Inner"])
    ]


def test_counts_and_progress() -> None:
    """Done is what needs nothing more."""
    statuses = (JobStatus.COMPLETE, JobStatus.SKIPPED_COMPLETE, JobStatus.ERROR, JobStatus.RUNNING)
    shown = seen(a_presence(), an_instance(), *(a_job(f"J{number}", status) for number, status in enumerate(statuses)))

    assert (shown.done, shown.counts[JobStatus.ERROR]) == (2, 1)


@pytest.mark.parametrize(
    ("presence", "doubt"),
    [
        (a_presence(), ""),
        (a_presence(complete=False), "has not shown everything"),
        (a_presence(NodeState.GONE), "is gone without a farewell"),
    ],
)
def test_a_view_says_when_it_may_be_old(presence: Document, doubt: str) -> None:
    """Without the dashboard nothing on the broker is certain to be current."""
    shown = seen(presence, an_instance())

    assert (doubt in shown.doubt) if doubt else not shown.doubt


def test_a_lost_connection_is_a_doubt() -> None:
    """Then nothing is current."""
    found = view(a_picture(a_presence(), an_instance()), INSTANCE, LATER, link="refused")

    assert found is not None
    assert "no connection to the broker (refused)" in found.doubt


def test_since_when_a_node_is_gone_is_said_only_when_it_said_so() -> None:
    """A will was written when the connection began; its time says nothing of the end."""
    assert "without a farewell" in gone(a_presence(NodeState.GONE), NOON)
    assert "gone since" in gone(a_presence(NodeState.GONE), NOON + timedelta(minutes=1))


def test_missing_jobs_are_counted() -> None:
    """An instance says how many jobs it has."""
    assert seen(a_presence(), an_instance(jobs=3), a_job()).missing == 2


def test_stuck_is_failed_with_nothing_moving_and_no_retry() -> None:
    """A job that will be tried again is not the end."""
    failed = a_job("Bad", JobStatus.ERROR)
    retry = Blocker(kind=BlockerKind.RETRY, text="retry 2")

    assert seen(a_presence(), an_instance(), failed).stuck
    assert not seen(a_presence(), an_instance(), failed, a_job("Other", JobStatus.RUNNING)).stuck
    assert not seen(a_presence(), an_instance(), failed, a_job("Other", blockers=(retry,))).stuck


def a_change(before: Document | None, after: Document) -> Change:
    """As a picture tells it."""
    return Change(address=where(after), before=before, after=after, at=NOON)


def test_a_change_of_status_is_one_line() -> None:
    """The line has the keys in the order people read them; other changes of a job are none."""
    running = a_job(status=JobStatus.RUNNING)

    lines = lines_of(a_change(a_job(), running))

    assert msgspec.json.decode(msgspec.json.encode(lines[0])) == {
        "at": "2026-03-02T12:00:00Z",
        "kind": "job",
        "instance": INSTANCE,
        "context": PLAN,
        "job": "Extract",
        "status": "RUNNING",
    }
    assert lines_of(a_change(running, a_job(status=JobStatus.RUNNING, reason="still"))) == []


def test_an_instance_tells_of_itself_and_its_contexts() -> None:
    """Its own line has neither context nor job, a context's has no job."""
    lines = lines_of(a_change(None, an_instance()))

    assert [(line.kind, line.context, line.job, line.status) for line in lines] == [
        ("context", PLAN, "", "RUNNING"),
        ("instance", "", "", "RUNNING"),
    ]


def test_lines_of_another_instance_are_left_out() -> None:
    """Who watches one hears of one."""
    assert lines_of(a_change(None, a_job()), INSTANCE)
    assert lines_of(a_change(None, a_job()), InstanceId("Other-20260101T000000Z")) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.44, "0.4s"), (12, "12s"), (187, "3m 07s"), (7500, "2h 05m"), (273_600, "3d 04h"), (-3, "0.0s")],
)
def test_spans_are_short(seconds: float, text: str) -> None:
    """Two units at most."""
    assert span(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("created", "opens", "ended", "seconds"),
    [(0, 0, None, 30), (0, 20, None, 10), (0, 40, None, 0), (10, 0, None, 20), (0, 20, 25, 5)],
    ids=["open", "prepared before", "prepared", "opened late", "ended"],
)
def test_an_instance_lives_from_its_opening(created: int, opens: int, ended: int | None, seconds: int) -> None:
    """Or from its creation, where its window had opened before; 30 seconds past noon."""

    def at(second: int | None) -> object:
        return None if second is None else NOON + timedelta(seconds=second)

    one = an_instance(created=at(created), opens=at(opens), ended=at(ended))

    assert open_for(one, LATER) == timedelta(seconds=seconds)
