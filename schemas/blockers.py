"""Why a job does not run, as data: what it waits for, and who holds its locks. Part of what is shown of a job, or of a lock."""

from __future__ import annotations

from enum import StrEnum

from schemas.names import ContextName, InstanceId, JobId, RunId
from schemas.shown import Instant, Shown


class BlockerKind(StrEnum):
    """Why a job does not run."""

    PREDECESSOR = "predecessor"
    CONTEXT = "context"
    LOCK = "lock"
    HELD = "held"
    DISABLED = "disabled"
    RETRY = "retry"
    WINDOW = "window"
    AGENT = "agent"
    NOT_TRIGGERED = "notTriggered"
    CLOCK = "clock"
    FILE = "file"


class LockClaim(Shown, frozen=True, kw_only=True):
    """A job that holds, or waits for, units of a lock; since when it does."""

    instance: InstanceId
    context: ContextName
    job: JobId
    name: str = ""
    """What people call the job: its name, or the identifier where several jobs of its plan have that name."""
    weight: int = 1
    run: RunId | None = None
    """The run that holds it."""
    since: Instant | None = None

    @property
    def called(self) -> str:
        """What people call the job; an older dashboard says its identifier alone."""
        return self.name or self.job


class Blocker(Shown, frozen=True, kw_only=True):
    """One reason why a job does not run, as data; ``text`` says it to a person."""

    kind: BlockerKind
    text: str
    job: str = ""
    """The predecessor, by identifier."""
    lock: str = ""
    holders: tuple[LockClaim, ...] = ()
    """The first few who hold the lock; only the first few of a queue say so. All are in ``lock/{lock}``."""
    run: str = ""
    """The first of the runs that hold the lock, or the one that waits on an agent."""
    agent: str = ""
    since: Instant | None = None
    """When the job began to wait for it."""
    until: Instant | None = None
