"""The words for where things stand, as they are shown on topics.

Which change of them is allowed is decided by the nodes' lifecycle tables, not here.
"""

from __future__ import annotations

from enum import StrEnum


class JobKind(StrEnum):
    """What makes a job happen (Ikasan's job types)."""

    CLOCK = "clock"
    FILE = "file"
    COMMAND = "command"
    GLOBAL = "global"
    LOCAL = "local"
    START = "contextStart"
    TERMINAL = "contextTerminal"
    BRIDGING = "bridging"

    @property
    def on_agent(self) -> bool:
        """Whether an agent carries it out; the others pass inside the dashboard."""
        return self in {JobKind.CLOCK, JobKind.FILE, JobKind.COMMAND}

    @property
    def fires(self) -> bool:
        """Whether it happens by itself (clock, file) and is never started by a dependency."""
        return self in {JobKind.CLOCK, JobKind.FILE}


class JobStatus(StrEnum):
    """Status of a job in one context of an instance: Ikasan's enumeration.

    RELEASED and SKIPPED_RUNNING are accepted from elsewhere and never shown: a released job shows WAITING, and a skipped
    job passes in one step.
    """

    WAITING = "WAITING"
    ON_HOLD = "ON_HOLD"
    SKIPPED = "SKIPPED"
    DISABLED = "DISABLED"
    LOCK_QUEUED = "LOCK_QUEUED"
    RUNNING = "RUNNING"
    SKIPPED_RUNNING = "SKIPPED_RUNNING"
    COMPLETE = "COMPLETE"
    SKIPPED_COMPLETE = "SKIPPED_COMPLETE"
    ERROR = "ERROR"
    ERROR_ACKNOWLEDGED = "ERROR_ACKNOWLEDGED"
    KILLED = "KILLED"
    RELEASED = "RELEASED"
    ENDED = "ENDED"
    PREPARED = "PREPARED"


class ContextStatus(StrEnum):
    """Status of a context, the root (the instance itself) included; PREPARED and ENDED are the root's alone."""

    PREPARED = "PREPARED"
    WAITING = "WAITING"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    ERROR = "ERROR"
    ENDED = "ENDED"


class RunPhase(StrEnum):
    """How far an agent has come with a run. Nothing is shown of one that starts at once before it runs."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    ENDED = "ended"


class Outcome(StrEnum):
    """How a run ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    KILLED = "killed"
    TIMED_OUT = "timedOut"
    NOT_STARTED = "notStarted"
    """The command could not be started: no such folder, no such shell, a blank command line."""
    NOT_TODAY = "notToday"
    """``daysOfWeekToRun`` leaves this day out: nothing was run, the job is passed over as if skipped."""
    WITHDRAWN = "withdrawn"
    """Stopped before it had started."""
    LOST = "lost"
    """It was running on an agent that forgot it, or whose host went down: nobody knows how it ended."""


class FireOutcome(StrEnum):
    """What became of one firing of a clock or file job."""

    FIRED = "fired"
    PASSED = "passed"
    """Inside a blackout window of a job that lets it pass: the job is passed over as if skipped."""
    DROPPED = "dropped"
    """Inside a blackout window of a job that drops it, or on a holiday: it counts for the ledger alone."""
    MISSED = "missed"
    """Nobody looked in time: it counts for the ledger alone."""

    @property
    def counts(self) -> bool:
        """Whether anything follows from it but a row of the ledger."""
        return self in {FireOutcome.FIRED, FireOutcome.PASSED}


class Tick(StrEnum):
    """What became of a due start of a plan, or of a due time of a clock job: the tick ledger."""

    RAN = "ran"
    SKIPPED = "skipped"
    MISSED = "missed"


class NodeState(StrEnum):
    """Presence of a node."""

    ALIVE = "alive"
    GONE = "gone"
