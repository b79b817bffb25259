"""The transition tables: where a job copy may go from where, and how a context stands by what is in it.

The only file that decides a status. Where a thing stands (``Stage``) is kept apart from what somebody wants (held, skipped,
disabled, acknowledged); ``shown`` combines both into Ikasan's enumeration for the wire.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from schemas.status import ContextStatus, JobStatus


class Stage(StrEnum):
    """Where a job copy stands."""

    WAITING = "waiting"
    QUEUED = "queued"
    """For a lock."""
    RUNNING = "running"
    COMPLETE = "complete"
    PASSED = "passed"
    """Passed over as if done: skipped, not its day, or a blackout that lets it pass."""
    ERROR = "error"
    KILLED = "killed"


class Trigger(StrEnum):
    """What moves a job copy."""

    QUEUE = "queue"
    START = "start"
    SUCCEED = "succeed"
    PASS = "pass"  # noqa: S105  # no password: a job is passed over
    FAIL = "fail"
    KILL = "kill"
    RETRY = "retry"
    RESET = "reset"


_ANY = tuple(Stage)
_AT_REST = (Stage.WAITING, Stage.COMPLETE, Stage.PASSED, Stage.ERROR, Stage.KILLED)

_TABLE: Final = {
    Trigger.QUEUE: (_AT_REST, Stage.QUEUED),
    Trigger.START: ((*_AT_REST, Stage.QUEUED), Stage.RUNNING),
    Trigger.SUCCEED: (_ANY, Stage.COMPLETE),
    Trigger.PASS: (_ANY, Stage.PASSED),
    Trigger.FAIL: (_ANY, Stage.ERROR),
    Trigger.KILL: (_ANY, Stage.KILLED),
    Trigger.RETRY: ((*_AT_REST, Stage.QUEUED, Stage.RUNNING), Stage.WAITING),
    Trigger.RESET: ((*_AT_REST, Stage.QUEUED), Stage.WAITING),
}

TRANSITIONS: Final = MappingProxyType(
    {(stage, trigger): target for trigger, (sources, target) in _TABLE.items() for stage in sources}
)
"""(stage, trigger) to the next stage; what is missing is illegal."""

ACTIVE: Final = frozenset({ContextStatus.WAITING, ContextStatus.RUNNING, ContextStatus.COMPLETE, ContextStatus.ERROR})
"""Statuses of an instance that events reach."""

FAILED: Final = frozenset({Stage.ERROR, Stage.KILLED})
"""A job that ended badly; until it is acknowledged its context is ERROR."""
_FULFILLING: Final = frozenset({Stage.COMPLETE, Stage.PASSED})


class TransitionError(AssertionError):
    """A move the table does not have: our own mistake."""


def advance(stage: Stage, trigger: Trigger) -> Stage:
    """The next stage. Raises TransitionError, naming both, for a move that is not in the table."""
    try:
        return TRANSITIONS[stage, trigger]
    except KeyError:
        raise TransitionError(f"a job that is {stage} cannot {trigger}") from None


def fulfils(stage: Stage, *, acknowledged: bool) -> bool:
    """Whether a dependency on a job in this stage is satisfied (Ikasan: COMPLETE, SKIPPED_COMPLETE, acknowledged ERROR)."""
    return stage in _FULFILLING or (stage in FAILED and acknowledged)


def shown(stage: Stage, *, held: bool, skipped: bool, disabled: bool, acknowledged: bool) -> JobStatus:
    """The status on the wire: where the job stands combined with what somebody wants of it."""
    if stage in FAILED and acknowledged:
        return JobStatus.ERROR_ACKNOWLEDGED
    if stage is not Stage.WAITING:
        return _SHOWN[stage]
    if disabled:
        return JobStatus.DISABLED
    if held:
        return JobStatus.ON_HOLD
    return JobStatus.SKIPPED if skipped else JobStatus.WAITING


_SHOWN: Final = {
    Stage.QUEUED: JobStatus.LOCK_QUEUED,
    Stage.RUNNING: JobStatus.RUNNING,
    Stage.COMPLETE: JobStatus.COMPLETE,
    Stage.PASSED: JobStatus.SKIPPED_COMPLETE,
    Stage.ERROR: JobStatus.ERROR,
    Stage.KILLED: JobStatus.KILLED,
}


class Tally(Struct):
    """What is in a context, counted: derived from its jobs and children, never saved."""

    failed: int = 0
    """Jobs that failed and are not acknowledged, and children that are ERROR."""
    busy: int = 0
    """Jobs that run, wait for a lock, are handed to an agent, or will be tried again."""
    undone: int = 0
    """Leaf jobs, and jobs to be done again, that are not done; children that are not COMPLETE."""
    unfed: int = 0
    """Jobs nobody has initiated whose dependency does not hold."""
    moved: int = 0
    """Jobs that did or do something, and children that run or are done."""


CONTEXT_RULES: Final = (
    (ContextStatus.ERROR, "a job in it failed and is not acknowledged, or a context in it is ERROR"),
    (
        ContextStatus.COMPLETE,
        "its leaf jobs are done, its contexts COMPLETE, nothing in it is busy, and no job waits for a dependency in vain",
    ),
    (ContextStatus.RUNNING, "a job in it runs, waits for a lock or is done, or a context in it runs or is done"),
    (ContextStatus.WAITING, "nothing has happened in it"),
)
"""How a context stands: the first rule that applies wins. ENDED and PREPARED are the lifecycle's and stay."""


def context_status(tally: Tally) -> ContextStatus:
    """The status that follows from what is in a context (``CONTEXT_RULES``)."""
    if tally.failed:
        return ContextStatus.ERROR
    if not (tally.undone or tally.busy or tally.unfed):
        return ContextStatus.COMPLETE
    return ContextStatus.RUNNING if tally.moved else ContextStatus.WAITING
