"""What a person's tool asks of a node, and what the node answers. Neither is ever retained.

A request is idempotent by its id: asked again, it is answered again and done once. An answer says ``ok`` with data, or why
not.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from msgspec import Raw, Struct, field

from schemas.asked import Asked as Asked  # noqa: PLC0414  # for those who ask: the shape of every request
from schemas.asked import Instant
from schemas.estimates import EstimateEnd, ReadDurations, ReadJobHistory
from schemas.grants import EVERYTHING, Grant, UserRole
from schemas.names import InstanceId, PlanName, RunId, UserName
from schemas.plan import PlanSource
from schemas.queries import (
    Forecast,
    ListCalendars,
    ListNotifications,
    ListUsers,
    ListVersions,
    ReadAudit,
    ReadCalendar,
    ReadTime,
    ReadVersion,
    WhoAmI,
)


class ImportPlan(Asked, frozen=True, kw_only=True, tag="plan.import"):
    """Store a new version of a plan and provision it. Refused with every fault at its path."""

    source: PlanSource
    bundle: Raw = Raw(b"null")
    """The documents as they were imported, unknown keys included, so that an export gives them back."""


class CheckPlan(Asked, frozen=True, kw_only=True, tag="plan.check"):
    """What ImportPlan would say of a plan, and when its windows would open. Stores nothing."""

    source: PlanSource


class StartInstance(Asked, frozen=True, kw_only=True, tag="instance.start"):
    """Start an instance of a plan now."""

    plan: PlanName
    parameters: dict[str, str] = field(default_factory=dict)


class EndInstance(Asked, frozen=True, kw_only=True, tag="instance.end"):
    """End an instance now."""

    instance: InstanceId


class EnablePlan(Asked, frozen=True, kw_only=True, tag="plan.enable"):
    """Let a plan's windows open again, or (``enabled`` false) no more; its running instances go on."""

    plan: PlanName
    enabled: bool = True


class DeletePlan(Asked, frozen=True, kw_only=True, tag="plan.delete"):
    """Forget a plan with all its versions. Refused while it has instances that have not ended."""

    plan: PlanName


class PrepareInstance(Asked, frozen=True, kw_only=True, tag="instance.prepare"):
    """Lay out the instance of a plan's next start ahead of time, so that it can be edited."""

    plan: PlanName


class MoveEnd(Asked, frozen=True, kw_only=True, tag="instance.moveEnd"):
    """Let an instance end at another time; ``closes`` null: only when somebody ends it (keep open)."""

    instance: InstanceId
    closes: Instant | None = None


class SetParameters(Asked, frozen=True, kw_only=True, tag="instance.parameters"):
    """Change parameters of an instance, for the runs that are still to come."""

    instance: InstanceId
    values: dict[str, str]


class ResetInstance(Asked, frozen=True, kw_only=True, tag="instance.reset"):
    """End an instance and open a fresh one of the plan's newest version in its place, optionally with every job held."""

    instance: InstanceId
    held: bool = False


class ImportCalendar(Asked, frozen=True, kw_only=True, tag="calendar.import"):
    """Store a new version of a business calendar; it holds for every start that is decided from now on."""

    name: str
    days: dict[date, str]
    """Its days, each with its name."""


class DeleteCalendar(Asked, frozen=True, kw_only=True, tag="calendar.delete"):
    """Forget a business calendar. Refused while a plan names it."""

    name: str


class GrantRole(Asked, frozen=True, kw_only=True, tag="user.grant"):
    """Let a user do what a role may, with all plans or with those whose names fit a pattern."""

    user: UserName
    """A person as the broker knows them; ``*``: everybody."""
    role: UserRole
    plans: str = EVERYTHING


class RevokeRole(Asked, frozen=True, kw_only=True, tag="user.revoke"):
    """Take grants back from a user: all of them, those of a role, those of a pattern. Refused for the last admin's."""

    user: UserName
    role: UserRole | None = None
    plans: str | None = None


class MuteNotifications(Asked, frozen=True, kw_only=True, tag="notification.mute"):
    """Tell nobody of a plan (None: of anything) until then; what would have been told is on record as muted."""

    plan: PlanName | None = None
    until: Instant
    reason: str = ""


class UnmuteNotifications(Asked, frozen=True, kw_only=True, tag="notification.unmute"):
    """Tell people again."""

    plan: PlanName | None = None


class TestNotification(Asked, frozen=True, kw_only=True, tag="notification.test"):
    """Tell those who are told of a plan (None: those the settings name) that this is a test, muted or not."""

    plan: PlanName | None = None


class Action(StrEnum):
    """What a person does to a job, to a context, or to a whole instance."""

    SUBMIT = "submit"
    RESUBMIT = "resubmit"
    CONTINUE = "continue"
    HOLD = "hold"
    RELEASE = "release"
    SKIP = "skip"
    UNSKIP = "unskip"
    DISABLE = "disable"
    ENABLE = "enable"
    RESET = "reset"
    KILL = "kill"
    ACKNOWLEDGE = "acknowledge"


class Act(Asked, frozen=True, kw_only=True, tag="act"):
    """Do something to a job (``job`` given), to all jobs of a context (``context`` alone), or of an instance (neither)."""

    action: Action
    instance: InstanceId
    context: str = ""
    job: str = ""
    """Name or identifier."""
    parameters: dict[str, str] = field(default_factory=dict)
    """For submit and resubmit: values for this run alone."""
    ticket: str = ""
    message: str = ""
    onward: bool = False
    """For acknowledge: also start what depends on the job."""
    preview: bool = False
    """Change nothing; answer what would follow (``Foreseen``)."""


class RaiseEvent(Asked, frozen=True, kw_only=True, tag="event.raise"):
    """Raise a global event by name, in every running instance that has it."""

    event: str


class ReadLog(Asked, frozen=True, kw_only=True, tag="log.read"):
    """Asked of an agent: a part of a run's output; with ``follow`` further parts come until the run has ended."""

    run: RunId
    errors: bool = False
    """Standard error instead of standard output."""
    offset: int = 0
    """First byte wanted; negative: so many bytes before the end."""
    limit: int = 1_048_576
    follow: bool = False


class SetDryRun(Asked, frozen=True, kw_only=True, tag="agent.dryRun"):
    """Asked of an agent: pretend to run commands, all or a job's, with chosen outcomes; ``on`` null: as its settings say."""

    on: bool | None
    job: str = ""
    """Identifier of a command or file job; empty: every command."""
    seconds: float = 0.0
    return_code: int | None = None
    error_percentage: int = 0
    """Without a return code: how many of a hundred pretend to fail."""
    files: tuple[str, ...] = ()
    """For a file job: fire with these now, once; what arrives meanwhile is not looked at."""


class Drain(Asked, frozen=True, kw_only=True, tag="agent.drain"):
    """Asked of an agent: start no more runs, or (``draining`` false) start again; running ones finish."""

    draining: bool = True


class SwitchWatch(Asked, frozen=True, kw_only=True, tag="agent.watch"):
    """Asked of an agent: let a clock or file job fire in an instance, or (``on`` false) no more. MANUAL ones wait for this."""

    instance: InstanceId
    job: str
    """Identifier."""
    on: bool = True


Query = (
    ReadAudit
    | ListVersions
    | ReadVersion
    | ListCalendars
    | ReadCalendar
    | Forecast
    | CheckPlan
    | ReadJobHistory
    | ReadDurations
    | EstimateEnd
    | WhoAmI
    | ReadTime
    | ListUsers
    | ListNotifications
)
"""What only looks something up."""
Change = (
    ImportPlan
    | EnablePlan
    | DeletePlan
    | StartInstance
    | PrepareInstance
    | EndInstance
    | MoveEnd
    | SetParameters
    | ResetInstance
    | Act
    | RaiseEvent
    | ImportCalendar
    | DeleteCalendar
    | GrantRole
    | RevokeRole
    | MuteNotifications
    | UnmuteNotifications
    | TestNotification
)
"""What is done once, and answered the same when it is asked again."""
DashboardRequest = Query | Change
AgentRequest = ReadLog | SetDryRun | Drain | SwitchWatch | ReadAudit | ReadTime
"""What an agent is asked; each node has an audit trail of its own."""


class Fault(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Something wrong in what was asked or imported: where, what, and what to do."""

    path: str
    """File and JSON path, such as ``context/Plan.json $.contexts[0].name``."""
    message: str
    warning: bool = False


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A node's answer, or one part of it."""

    ok: bool
    reason: str = ""
    """Why it was refused, in one line."""
    unknown: bool = False
    """Refused because something that was named is not there; the reason says which name was perhaps meant."""
    faults: tuple[Fault, ...] = ()
    data: Raw = Raw(b"null")
    last: bool = True
    """Whether no further part follows."""


class PlanImported(Struct, frozen=True, kw_only=True, rename="camel"):
    """Data of the answer to ImportPlan."""

    plan: PlanName
    version: int
    changed: bool
    """False: the same as the newest version, nothing was stored."""
    warnings: tuple[Fault, ...] = ()
    """What only the dashboard can know: agent groups in which no agent is known."""


class PlanChecked(Struct, frozen=True, kw_only=True, rename="camel"):
    """Data of the answer to CheckPlan."""

    plan: PlanName
    faults: tuple[Fault, ...]
    """All that is wrong, warnings included; without errors it can be imported."""
    changed: bool
    """False: the same as the newest version."""
    next_starts: tuple[Instant, ...] = ()
    """The first starts from now on that calendars let run; empty when faults keep them from being told."""


class CalendarImported(Struct, frozen=True, kw_only=True, rename="camel"):
    """Data of the answer to ImportCalendar."""

    name: str
    version: int
    changed: bool
    """False: the same as the newest version, nothing was stored."""


class UserGrants(Struct, frozen=True, kw_only=True, rename="camel"):
    """Data of the answers to GrantRole and RevokeRole: what the user has now."""

    user: UserName
    grants: tuple[Grant, ...]
    changed: bool
    """False: it was so already."""


class NotificationRaised(Struct, frozen=True, kw_only=True, rename="camel"):
    """Data of the answer to TestNotification."""

    id: str


class InstanceStarted(Struct, frozen=True, kw_only=True, rename="camel"):
    """Data of the answer to StartInstance."""

    instance: InstanceId


class EventRaised(Struct, frozen=True, kw_only=True, rename="camel"):
    """Data of the answer to RaiseEvent."""

    instances: int
    """How many have heard it."""


class LogPart(Struct, frozen=True, kw_only=True, rename="camel"):
    """Data of an answer to ReadLog. ``content`` is base64 of the raw bytes."""

    offset: int
    content: bytes
    size: int
    """Of the whole file so far, in bytes."""
    ended: bool
    """Whether the run has ended and all of it was sent."""
