"""What a person's tool may look up at the dashboard, and what it is told. Looking up changes nothing and is not remembered."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Raw, field

from schemas.asked import Asked, Instant, Told
from schemas.grants import Grant, Right
from schemas.names import InstanceId, PlanName, UserName
from schemas.notifications import Delivery, DeliveryState, Notification
from schemas.plan import PlanSource

MOST_ROWS: Final = 500
"""So many rows of the audit trail fit in one answer."""


class ReadAudit(Asked, frozen=True, kw_only=True, tag="audit.read"):
    """Rows of the audit trail, the newest first unless it says otherwise. An empty field asks for nothing in particular."""

    kind: str = ""
    """What sort of thing changed: ``job``, ``context``, ``instance``, ``run``, ``plan``, ``request``, ``tick``, ..."""
    instance: str = ""
    context: str = ""
    """A context's name; of ticks, the plan's."""
    job: str = ""
    run: str = ""
    user: str = ""
    since: Instant | None = None
    """At or after this instant."""
    until: Instant | None = None
    """Before this instant."""
    before: Annotated[int, Meta(ge=0)] = 0
    """Only rows numbered lower: to page on from the last answer. 0: from the newest."""
    oldest_first: bool = False
    after: Annotated[int, Meta(ge=0)] = 0
    """Only rows numbered higher: to page on when the oldest come first. 0: from the oldest."""
    limit: Annotated[int, Meta(ge=1, le=MOST_ROWS)] = 100


class AuditEntry(Told, frozen=True, kw_only=True):
    """A row of the audit trail; later ones have higher numbers."""

    number: int
    at: Instant
    kind: str
    instance: str = ""
    context: str = ""
    job: str = ""
    run: str = ""
    before: str = ""
    after: str = ""
    cause: str = ""
    user: str = ""
    detail: str = ""


class AuditPage(Told, frozen=True, kw_only=True):
    """Data of the answer to ReadAudit."""

    rows: tuple[AuditEntry, ...] = ()
    more: bool = False
    """Whether older rows match as well."""


class ReadTime(Asked, frozen=True, kw_only=True, tag="time.read"):
    """What time a node has, which it decides by. Whoever answers lives."""


class NodeTime(Told, frozen=True, kw_only=True):
    """Data of the answer to ReadTime."""

    at: Instant


class Forecast(Asked, frozen=True, kw_only=True, tag="forecast"):
    """Which windows and clock jobs are coming."""

    days: Annotated[int, Meta(ge=1, le=400)] = 7
    plan: PlanName | None = None
    """None: every plan."""
    each: Annotated[int, Meta(ge=1, le=1000)] = 20
    """So many fires of one clock job in one window."""


class What(StrEnum):
    """What will be, as far as can be told."""

    OPENS = "opens"
    FIRES = "fires"
    SKIPPED = "skipped"


class Coming(Told, frozen=True, kw_only=True):
    """A start of a plan, or (``job``) a fire of a clock job."""

    at: Instant
    plan: PlanName
    job: str = ""
    """Its identifier."""
    name: str = ""
    """What people call the job: its name, or the identifier where several jobs have that name."""
    instance: InstanceId | None = None
    """Of a fire: the instance in which it will be; null: in one that is still to open."""
    local: str
    """The wall time in ``zone``."""
    zone: str
    what: What
    closes: Instant | None = None
    note: str = ""


class Foretold(Told, frozen=True, kw_only=True):
    """Data of the answer to Forecast, in the order of time."""

    until: Instant
    rows: tuple[Coming, ...]
    more: bool = False
    """Whether it was cut off."""


class ListCalendars(Asked, frozen=True, kw_only=True, tag="calendar.list"):
    """The business calendars that are kept."""


class CalendarSummary(Told, frozen=True, kw_only=True):
    """One calendar in a list."""

    name: str
    version: int
    days: int
    first: date | None = None
    last: date | None = None
    imported: Instant
    by: UserName = UserName("")
    plans: tuple[PlanName, ...] = ()
    """Plans whose newest version, or a running instance, names it."""


class CalendarList(Told, frozen=True, kw_only=True):
    """Data of the answer to ListCalendars, by name."""

    calendars: tuple[CalendarSummary, ...]


class ReadCalendar(Asked, frozen=True, kw_only=True, tag="calendar.show"):
    """One calendar, whole."""

    name: str
    version: Annotated[int, Meta(ge=0)] = 0
    """0: the newest."""


class CalendarVersion(Told, frozen=True, kw_only=True):
    """Data of the answer to ReadCalendar."""

    name: str
    version: int
    imported: Instant
    by: UserName = UserName("")
    days: dict[date, str]


class ListNotifications(Asked, frozen=True, kw_only=True, tag="notification.list"):
    """What people were told, or were to be told, the newest first; and what is muted."""

    plan: PlanName | None = None
    """None: of every plan, and of the installation."""
    state: DeliveryState | None = None
    """Only what stands so on some channel."""
    limit: Annotated[int, Meta(ge=1, le=MOST_ROWS)] = 100


class NotificationEntry(Told, frozen=True, kw_only=True):
    """A notification, and how far it has come on each channel (``mqtt``, ``mail``, ``webhook NAME``)."""

    notification: Notification
    to: tuple[str, ...] = ()
    """The addresses of its mail."""
    deliveries: dict[str, Delivery]


class Mute(Told, frozen=True, kw_only=True):
    """That nobody is told of a plan for a while; without a plan: of anything."""

    plan: PlanName = PlanName("")
    until: Instant
    since: Instant
    by: UserName = UserName("")
    reason: str = ""


class NotificationList(Told, frozen=True, kw_only=True):
    """Data of the answer to ListNotifications."""

    notifications: tuple[NotificationEntry, ...] = ()
    mutes: tuple[Mute, ...] = ()
    waiting: int = 0
    """How many have not been delivered everywhere, of all plans."""


class ListVersions(Asked, frozen=True, kw_only=True, tag="plan.versions"):
    """The versions of a plan that are kept: all that were ever imported."""

    plan: PlanName


class VersionSummary(Told, frozen=True, kw_only=True):
    """One version in a list."""

    version: int
    imported: Instant
    by: UserName = UserName("")
    jobs: int = 0
    instances: int = 0
    """Instances that are kept and were made from it."""


class Versions(Told, frozen=True, kw_only=True):
    """Data of the answer to ListVersions, the oldest first."""

    plan: PlanName
    versions: tuple[VersionSummary, ...]


class ReadVersion(Asked, frozen=True, kw_only=True, tag="plan.version"):
    """One version of a plan, whole."""

    plan: PlanName
    version: Annotated[int, Meta(ge=0)] = 0
    """0: the newest."""
    bundle: bool = False
    """With the documents it was imported from, in place of the plan as it is understood."""


class Version(Told, frozen=True, kw_only=True):
    """Data of the answer to ReadVersion."""

    plan: PlanName
    version: int
    imported: Instant
    by: UserName = UserName("")
    source: PlanSource | None = None
    """What instances are made from. None when the bundle was asked for, and there is one."""
    bundle: Raw = Raw(b"null")


class WhoAmI(Asked, frozen=True, kw_only=True, tag="user.whoAmI"):
    """Who asks, as the broker knows them, and what they may do. Everybody may ask this."""


class You(Told, frozen=True, kw_only=True):
    """Data of the answer to WhoAmI. A request is allowed by a grant of its role, or a higher one, for its plan."""

    user: UserName
    open: bool = False
    """Nothing was granted to anybody yet: everybody may do everything but grant."""
    grants: tuple[Grant, ...] = ()
    """Those of this user and of everybody."""
    rights: dict[str, Right] = field(default_factory=dict)
    """What each kind of request needs, by its ``ask``; others need nothing."""


class ListUsers(Asked, frozen=True, kw_only=True, tag="user.list"):
    """Who was granted what."""


class UserSummary(Told, frozen=True, kw_only=True):
    """One user in a list; ``*`` stands for everybody."""

    user: UserName
    grants: tuple[Grant, ...]
    changed: Instant
    by: UserName = UserName("")
    """Who changed it last; empty: the dashboard's settings."""
    named: bool = False
    """An admin by the dashboard's settings, who stays one as long as they say so."""


class UserList(Told, frozen=True, kw_only=True):
    """Data of the answer to ListUsers, by name. Empty: everybody may do everything but grant."""

    users: tuple[UserSummary, ...] = ()
