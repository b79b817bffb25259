"""What the dashboard saves: one Struct a table. Together they are the whole state; everything else is derived from them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Raw, Struct, field

from dashboard_node.core.lifecycle import Stage
from schemas.documents import LastOutcome
from schemas.grants import Grant
from schemas.names import InstanceId, JobId, NodeName, PlanName, RequestId, RunId, UserName
from schemas.notifications import Delivery, DeliveryState, Mail, Notification
from schemas.plan import PlanSource
from schemas.requests import Answer
from schemas.status import ContextStatus, Outcome, RunPhase

Instant = Annotated[datetime, Meta(tz=True)]


class Saved(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Common shape of records."""


class PlanRecord(Saved, frozen=True, kw_only=True):
    """A plan by name, with how far its window starts have been decided."""

    name: PlanName
    version: int
    enabled: bool = True
    decided: Instant
    """Every window start up to here has been decided (ran, skipped or missed)."""
    backlog: tuple[Instant, ...] = ()
    """Missed starts that are still to be caught up with, oldest first."""
    last_outcome: LastOutcome | None = None


class DeletedPlan(Saved, frozen=True, kw_only=True):
    """A plan that was deleted: imported again, it decides no start a second time (S3), for ids would come again."""

    name: PlanName
    decided: Instant


class VersionRecord(Saved, frozen=True, kw_only=True):
    """One imported version of a plan; never changed."""

    plan: PlanName
    version: int
    source: PlanSource
    bundle: Raw = Raw(b"null")
    imported: Instant
    by: UserName = UserName("")


class CalendarRecord(Saved, frozen=True, kw_only=True):
    """One imported version of a business calendar; never changed."""

    name: str
    version: int
    days: dict[date, str]
    imported: Instant
    by: UserName = UserName("")


class UserRecord(Saved, frozen=True, kw_only=True):
    """What a user was granted. Whoever has nothing has no record."""

    user: UserName
    grants: tuple[Grant, ...]
    changed: Instant
    by: UserName = UserName("")


class Placed(Saved, frozen=True, kw_only=True):
    """The agent chosen for an agent group. ``since``: when the one before it fell silent; None: it is the first."""

    agent: NodeName
    since: Instant | None = None


class InstanceRecord(Saved, frozen=True, kw_only=True):
    """An instance. ``closes`` None: until it is ended by hand."""

    id: InstanceId
    plan: PlanName
    version: int
    status: ContextStatus
    created: Instant
    opens: Instant
    closes: Instant | None = None
    started_by: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    clocks_disabled: bool = False
    placed: dict[NodeName, Placed] = field(default_factory=dict)
    """By agent group: who carries out its jobs in this instance."""
    hosts: tuple[NodeName, ...] = ()
    """Everybody who was ever chosen here: each of them remembers its runs for as long as the instance is published to it."""
    ended: Instant | None = None
    result: ContextStatus | None = None
    end_reason: str = ""


class ContextRecord(Saved, frozen=True, kw_only=True):
    """A context of an instance, by index in the plan version. The outermost one is index 0."""

    status: ContextStatus = ContextStatus.WAITING
    started: Instant | None = None
    ended: Instant | None = None


class CopyRecord(Saved, frozen=True, kw_only=True):
    """A job in one context of an instance, by index in the plan version."""

    stage: Stage = Stage.WAITING
    held: bool = False
    skipped: bool = False
    disabled: bool = False
    raised: bool = False
    """Its dependency has been used, or a person stood in for it: it is not initiated again by itself."""
    pending: bool = False
    """Initiated while held, or before its context might start: remembered; a fire with its ``reason`` and ``dry_run``."""
    passing: bool = False
    """The fire that is remembered came inside a blackout: the job will be passed over."""
    cause: int = -1
    """Copy whose result initiated it (pending or queued); -1: none."""
    acknowledged: bool = False
    redo: bool = False
    """A person took back that it was done: it is to be done again before its context is complete."""
    live: bool = False
    """``run`` has been handed to an agent and has not ended."""
    run: RunId | None = None
    attempt: int = 0
    tries: int = 0
    """Runs of the present round, for the retry policy."""
    retry_at: Instant | None = None
    again: int = 0
    """Initiations of a repeatable job that came while it was busy."""
    queued: int = 0
    """Place in the order of all lock requests; 0: not queued."""
    queued_at: Instant | None = None
    overrides: dict[str, str] = field(default_factory=dict)
    """Parameter values for the next run alone."""
    started: Instant | None = None
    ended: Instant | None = None
    return_code: int | None = None
    reason: str = ""
    dry_run: bool = False


class RunRecord(Saved, frozen=True, kw_only=True):
    """A run. ``phase`` None: handed over, nothing reported yet; ``agent`` may be a group: nobody has been chosen yet."""

    id: RunId
    instance: InstanceId
    copy: int
    attempt: int
    agent: NodeName
    created: Instant
    order: int
    """Place in the order of all lock requests."""
    parameters: dict[str, str | None] = field(default_factory=dict)
    journal: int = 0
    """The agent's, when it was handed over."""
    phase: RunPhase | None = None
    ready: bool = False
    """Its agent could start it now."""
    granted: bool = False
    """Of an agent group whose runs may move: its agent was told to start it, so that it stays there."""
    dry_run: bool = False
    started: Instant | None = None
    ended: Instant | None = None
    outcome: Outcome | None = None
    return_code: int | None = None
    stop: bool = False
    stop_reason: str = ""


class TakenRecord(Saved, frozen=True, kw_only=True):
    """Up to which firing of a clock or file job of an instance the dashboard has acted."""

    instance: InstanceId
    job: JobId
    agent: NodeName
    sequence: int
    due: Instant | None = None
    """When the newest of those firings was due; None: not known (a file job, or records that were lost)."""


class MeasuredRun(Struct, frozen=True, array_like=True, gc=False):
    """A run that has ended, as far as later estimates need it; of a clock or file job, its first fire in an instance.

    There are many of them, so they are written without their fields' names, and nothing in them is the garbage collector's.
    """

    instance: InstanceId
    context: str
    attempt: int
    started: Instant
    """Of a fire: when the instance opened."""
    seconds: float
    outcome: Outcome
    return_code: int | None
    agent: NodeName


class HistoryRecord(Saved, frozen=True, kw_only=True):
    """The newest runs of a job of a plan, oldest first; they outlive their instances."""

    plan: PlanName
    job: JobId
    runs: tuple[MeasuredRun, ...] = ()


class AnswerRecord(Saved, frozen=True, kw_only=True):
    """What a request was answered, so that asking again gets the same."""

    user: UserName
    request: RequestId
    answer: Answer
    at: Instant


class NotificationRecord(Saved, frozen=True, kw_only=True):
    """A notification, and how far it has come on each channel (``mqtt``, ``mail``, ``webhook NAME``)."""

    notification: Notification
    mail: Mail = Mail()
    deliveries: dict[str, Delivery] = field(default_factory=dict)

    @property
    def waiting(self) -> list[str]:
        """The channels on which it is still to be delivered."""
        return [name for name, one in self.deliveries.items() if one.state is DeliveryState.PENDING]


class MuteRecord(Saved, frozen=True, kw_only=True):
    """That nobody is told of a plan for a while; ``plan`` empty: of anything."""

    plan: PlanName = PlanName("")
    until: Instant
    since: Instant
    by: UserName = UserName("")
    reason: str = ""
