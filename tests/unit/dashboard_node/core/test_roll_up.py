"""What a job adds to its context's tally, and contexts to their parents'."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from dashboard_node.core.graph import compile_plan
from dashboard_node.core.lifecycle import Stage, Tally
from dashboard_node.core.records import ContextRecord, CopyRecord
from dashboard_node.core.roll_up import RollUp, is_busy, is_done, recount, share
from schemas.status import ContextStatus
from tests.scenarios.notation import plan

LATER = datetime(2026, 1, 1, tzinfo=UTC)
GRAPH = compile_plan(plan("P[a b | b<-and(a)]{C[c], D}"))
A, B, C = GRAPH.copies
NOTHING = (False, False, False, False, False)
AT_WORK = (False, True, True, False, True)


@pytest.mark.parametrize(
    ("record", "done"),
    [
        (CopyRecord(), False),
        (CopyRecord(skipped=True), True),
        (CopyRecord(skipped=True, live=True), False),
        (CopyRecord(skipped=True, disabled=True), False),
        (CopyRecord(skipped=True, stage=Stage.ERROR), False),
        (CopyRecord(stage=Stage.PASSED), True),
        (CopyRecord(stage=Stage.KILLED), False),
        (CopyRecord(stage=Stage.KILLED, acknowledged=True), True),
    ],
)
def test_what_is_done(record: CopyRecord, *, done: bool) -> None:
    """It fulfils, or it waits to be skipped."""
    assert is_done(record) is done


@pytest.mark.parametrize(
    ("record", "busy"),
    [
        (CopyRecord(), False),
        (CopyRecord(stage=Stage.COMPLETE), False),
        (CopyRecord(stage=Stage.QUEUED), True),
        (CopyRecord(stage=Stage.RUNNING), True),
        (CopyRecord(live=True), True),
        (CopyRecord(retry_at=LATER), True),
    ],
)
def test_what_is_under_way(record: CopyRecord, *, busy: bool) -> None:
    """It waits for a lock, runs, is handed over, or will be tried again."""
    assert is_busy(record) is busy


@pytest.mark.parametrize(
    ("record", "added"),
    [
        (CopyRecord(), (False, False, True, True, False)),
        (CopyRecord(raised=True), (False, False, True, False, False)),
        (CopyRecord(stage=Stage.QUEUED), AT_WORK),
        (CopyRecord(stage=Stage.RUNNING), AT_WORK),
        (CopyRecord(retry_at=LATER, raised=True), AT_WORK),
        (CopyRecord(stage=Stage.ERROR), (True, False, True, False, True)),
        (CopyRecord(stage=Stage.ERROR, acknowledged=True), (False, False, False, False, True)),
        (CopyRecord(stage=Stage.COMPLETE), (False, False, False, False, True)),
        (CopyRecord(stage=Stage.PASSED), NOTHING),
    ],
)
def test_what_a_leaf_adds(record: CopyRecord, added: tuple[bool, ...]) -> None:
    """Failed, busy, undone, unfed, moved."""
    assert share(B, record, unfed=True) == added


@pytest.mark.parametrize("record", [CopyRecord(redo=True), CopyRecord(disabled=True)])
def test_what_is_followed_by_others_need_not_be_done(record: CopyRecord) -> None:
    """Unless a person took back that it was done, or disabled it; but not in a copy that is decided elsewhere."""
    assert share(A, CopyRecord(), unfed=False) == NOTHING
    assert share(A, record, unfed=False) == (False, False, True, False, False)
    assert share(replace(A, shadow=True), record, unfed=False) == NOTHING


def test_a_shadow_is_only_waited_for() -> None:
    """It is neither failed nor busy nor moved."""
    shadow = replace(B, shadow=True)

    assert share(shadow, CopyRecord(), unfed=True) == (False, False, True, True, False)
    assert share(shadow, CopyRecord(stage=Stage.RUNNING), unfed=True) == (False, False, True, False, False)
    assert share(shadow, CopyRecord(stage=Stage.ERROR), unfed=True) == (False, False, True, False, False)


def test_shares_are_added_and_taken_away() -> None:
    """Each to its own count; the same share again changes nothing."""
    roll_up = RollUp(GRAPH)

    assert roll_up.tallies == [Tally(undone=2), Tally(), Tally()]
    for at, name in enumerate(("failed", "busy", "undone", "unfed", "moved")):
        only = tuple(number == at for number in range(5))
        assert roll_up.put(C, only)  # type: ignore[arg-type]  # five of them
        assert not roll_up.put(C, only)  # type: ignore[arg-type]  # five of them
        assert roll_up.tallies[1] == Tally(**{name: 1})
    assert roll_up.put(C, NOTHING)
    assert roll_up.tallies == [Tally(undone=2), Tally(), Tally()]


@pytest.mark.parametrize(
    ("status", "tally"),
    [
        (ContextStatus.WAITING, Tally(undone=2)),
        (ContextStatus.RUNNING, Tally(undone=2, moved=1)),
        (ContextStatus.COMPLETE, Tally(undone=1, moved=1)),
        (ContextStatus.ERROR, Tally(undone=2, failed=1)),
    ],
)
def test_what_a_context_adds_to_its_parent(status: ContextStatus, tally: Tally) -> None:
    """And takes away again; the outermost one has nobody to tell."""
    roll_up = RollUp(GRAPH)

    roll_up.child_moves(1, ContextStatus.WAITING, status)
    roll_up.child_moves(0, ContextStatus.WAITING, status)
    assert roll_up.tallies == [tally, Tally(), Tally()]
    roll_up.child_moves(1, status, ContextStatus.WAITING)
    assert roll_up.tallies[0] == Tally(undone=2)


def test_an_empty_context_moves_nothing() -> None:
    """It is COMPLETE from the start, and that is no sign of life."""
    roll_up = RollUp(GRAPH)

    roll_up.child_moves(2, ContextStatus.WAITING, ContextStatus.COMPLETE)

    assert roll_up.tallies[0] == Tally(undone=1)


def test_a_recount() -> None:
    """From shares and statuses alone."""
    shares = [NOTHING, AT_WORK, (True, False, True, False, True)]
    contexts = [ContextRecord(status=status) for status in (ContextStatus.ERROR, ContextStatus.ERROR)]

    tallies = recount(GRAPH, shares, [*contexts, ContextRecord(status=ContextStatus.COMPLETE)])

    assert tallies == [
        Tally(failed=1, busy=1, undone=2, moved=1),
        Tally(failed=1, undone=1, moved=1),
        Tally(),
    ]
