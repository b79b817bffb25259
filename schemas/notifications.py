"""What people are told without asking: what is looked for, whom a plan wants told, by when work has to be done.

The keys of ``NotificationContext`` and ``NotificationDetails`` are Ikasan's (``EmailNotificationContext``,
``EmailNotificationDetails``), so a bundle's ``notification/`` and ``notification_details/`` load unchanged; what it does not
know is marked *ours*.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct, field

Instant = Annotated[datetime, Meta(tz=True)]


class Monitor(StrEnum):
    """What is looked for, and told of. The first five are Ikasan's, of jobs; the others *ours*."""

    ERROR = "ERROR"
    """A job has failed for good: after its retries."""
    OVERDUE = "OVERDUE"
    """No file has come by the time of the file job's ``slaCronExpression``."""
    COMPLETE = "COMPLETE"
    START = "START"
    RUNNING_TIME = "RUNNING_TIME"
    """A run takes longer than ``maxExecutionTime``, or took less than ``minExecutionTime``."""
    LATE_START = "LATE_START"
    """Not started by its deadline."""
    LATE_END = "LATE_END"
    """Not done by its deadline."""
    MISSED = "MISSED"
    """Something was due while nobody was there to start it, as the tick ledger says."""
    SKIPPED = "SKIPPED"
    """Something that was due did not run, on purpose: a holiday, a blackout, an instance that is still active."""
    AGENT_GONE = "AGENT_GONE"
    TEST = "TEST"
    """Somebody wants to see whether notifications arrive."""


OF_PLANS: Final = frozenset(
    {Monitor.LATE_START, Monitor.LATE_END, Monitor.MISSED, Monitor.SKIPPED, Monitor.AGENT_GONE, Monitor.TEST}
)
"""What ``monitorTypes`` asks for of the plan as well; ERROR, START and COMPLETE of the plan itself need ``planMonitorTypes``."""


class Told(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Common shape: camelCase on the wire, defaults left out."""


class Deadlines(Told, frozen=True, kw_only=True):
    """*Ours*: by when a plan or a job has to have begun, and to be done. Each way counts from the opening of the instance."""

    start_by: str = ""
    """A time of day, ``HH:MM`` or ``HH:MM:SS``, in the plan's zone: the first one after the instance has opened."""
    start_within_seconds: float | None = None
    end_by: str = ""
    end_within_seconds: float | None = None


class NotificationContext(Told, frozen=True, kw_only=True):
    """Whom a plan wants told of what. Addresses may be ``${key}``, a property of the plan, and that a list with commas."""

    context_name: str = ""
    monitor_types: tuple[Monitor, ...] = ()
    """Of every job of the plan; empty: nobody is told."""
    plan_monitor_types: tuple[Monitor, ...] = ()
    """*Ours*: of the plan itself."""
    email_send_to: tuple[str, ...] = ()
    email_send_cc: tuple[str, ...] = ()
    email_send_bcc: tuple[str, ...] = ()
    email_send_to_by_monitor_type: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """In place of ``emailSendTo``, by monitor."""
    email_send_cc_by_monitor_type: dict[str, tuple[str, ...]] = field(default_factory=dict)
    email_send_bcc_by_monitor_type: dict[str, tuple[str, ...]] = field(default_factory=dict)
    email_subject_notification_template: dict[str, str] = field(default_factory=dict)
    """Names of template files, by monitor."""
    email_body_notification_template: dict[str, str] = field(default_factory=dict)
    attachment: str = ""
    """Kept, and never sent."""
    html: bool = False


class NotificationDetails(Told, frozen=True, kw_only=True):
    """Whom to tell of one job in one context, for one monitor: it outranks the plan's ``NotificationContext`` entirely."""

    job_name: str
    context_name: str = ""
    child_context_name: str = ""
    """The context the job is in; empty: any."""
    monitor_type: Monitor
    email_notification_template_parameters: dict[str, str] = field(default_factory=dict)
    email_send_to: tuple[str, ...] = ()
    email_send_cc: tuple[str, ...] = ()
    email_send_bcc: tuple[str, ...] = ()
    email_subject: str = ""
    email_body: str = ""
    email_subject_template: str = ""
    email_body_template: str = ""
    attachment: str = ""
    html: bool = False


class Notification(Told, frozen=True, kw_only=True):
    """What people are told. By its id who gets it twice knows that it is the same: at least once is all that can be promised."""

    id: str
    monitor: Monitor
    at: Instant
    """When it was decided to tell."""
    plan: str = ""
    """Empty: it is about the whole installation."""
    instance: str = ""
    context: str = ""
    job: str = ""
    """Identifier."""
    run: str = ""
    agent: str = ""
    text: str = ""
    """What happened, in one line."""


class Mail(Told, frozen=True, kw_only=True):
    """A notification as a mail is made from it: to whom, and out of which templates; without them, out of our own."""

    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    subject: str = ""
    body: str = ""
    subject_template: str = ""
    body_template: str = ""
    html: bool = False
    parameters: dict[str, str] = field(default_factory=dict)
    """The values of Ikasan's template parameters (``EMAIL_JOB_NAME`` and so on), and of the plan's properties."""


class DeliveryState(StrEnum):
    """How far a notification has come on one channel."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    """Given up."""
    MUTED = "muted"
    """Not sent, because somebody had muted it."""


class Delivery(Told, frozen=True, kw_only=True):
    """One notification on one channel."""

    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    next_at: Instant | None = None
    """When it is tried again, unless the attempt under way succeeds."""
    ended: Instant | None = None
    error: str = ""
    """Why the last attempt failed, in one line."""
