"""The transition tables."""

from __future__ import annotations

import pytest

from dashboard_node.core.lifecycle import (
    CONTEXT_RULES,
    TRANSITIONS,
    Stage,
    Tally,
    TransitionError,
    Trigger,
    advance,
    context_status,
    fulfils,
    shown,
)
from schemas.status import ContextStatus, JobStatus


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("trigger", Trigger)
def test_every_move_is_in_the_table_or_refused(stage: Stage, trigger: Trigger) -> None:
    """Nothing in between."""
    if (stage, trigger) in TRANSITIONS:
        assert advance(stage, trigger) is TRANSITIONS[stage, trigger]
    else:
        with pytest.raises(TransitionError, match=f"{stage} cannot {trigger}"):
            advance(stage, trigger)


def test_nothing_that_runs_is_reset() -> None:
    """It has to end first."""
    assert (Stage.RUNNING, Trigger.RESET) not in TRANSITIONS
    assert (Stage.RUNNING, Trigger.QUEUE) not in TRANSITIONS
    assert (Stage.RUNNING, Trigger.START) not in TRANSITIONS


@pytest.mark.parametrize(
    ("tally", "status"),
    [
        (Tally(), ContextStatus.COMPLETE),
        (Tally(failed=1, busy=1, undone=1, moved=1), ContextStatus.ERROR),
        (Tally(undone=1), ContextStatus.WAITING),
        (Tally(undone=1, moved=1), ContextStatus.RUNNING),
        (Tally(busy=1), ContextStatus.WAITING),
        (Tally(unfed=1, moved=3), ContextStatus.RUNNING),
    ],
)
def test_how_a_context_stands(tally: Tally, status: ContextStatus) -> None:
    """The first rule that applies."""
    assert context_status(tally) is status
    assert status in {rule[0] for rule in CONTEXT_RULES}


def test_what_is_wanted_shows_only_while_it_waits() -> None:
    """Disabled before held before skipped."""
    everything = {"held": True, "skipped": True, "disabled": True, "acknowledged": False}

    assert shown(Stage.WAITING, **everything) is JobStatus.DISABLED
    assert shown(Stage.WAITING, **everything | {"disabled": False}) is JobStatus.ON_HOLD
    assert shown(Stage.WAITING, **everything | {"disabled": False, "held": False}) is JobStatus.SKIPPED
    assert shown(Stage.COMPLETE, **everything) is JobStatus.COMPLETE
    assert shown(Stage.KILLED, **everything | {"acknowledged": True}) is JobStatus.ERROR_ACKNOWLEDGED


@pytest.mark.parametrize("stage", Stage)
def test_what_fulfils_a_dependency(stage: Stage) -> None:
    """What is done, and what failed and is acknowledged."""
    assert fulfils(stage, acknowledged=False) is (stage in {Stage.COMPLETE, Stage.PASSED})
    assert fulfils(stage, acknowledged=True) is (stage in {Stage.COMPLETE, Stage.PASSED, Stage.ERROR, Stage.KILLED})
