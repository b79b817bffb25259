"""What people look up: answered from the state, or, where only the store knows, asked of it. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

import msgspec
from msgspec import Raw, Struct

from broker.runtime.core import Reply, Requested
from dashboard_node.core import estimating, naming
from dashboard_node.core.effects import LookUpAudit
from dashboard_node.core.forecasting import forecast
from dashboard_node.core.plan_rules import faults
from dashboard_node.core.plan_rules.groups import Seen, groups
from dashboard_node.core.plan_rules.survey import survey
from dashboard_node.core.records import VersionRecord
from dashboard_node.core.schedules import in_blackout, schedule_of
from dashboard_node.core.state import State
from dashboard_node.core.step import Step
from schemas.estimates import EstimateEnd, ReadDurations, ReadJobHistory
from schemas.grants import grants_of
from schemas.names import PlanName, UserName
from schemas.near import there
from schemas.plan import Plan
from schemas.queries import (
    CalendarList,
    CalendarSummary,
    CalendarVersion,
    Forecast,
    ListCalendars,
    ListNotifications,
    ListUsers,
    ListVersions,
    Mute,
    NodeTime,
    NotificationEntry,
    NotificationList,
    ReadAudit,
    ReadCalendar,
    ReadTime,
    ReadVersion,
    UserList,
    UserSummary,
    Version,
    Versions,
    VersionSummary,
    WhoAmI,
    You,
)
from schemas.requests import Answer, CheckPlan, PlanChecked, Query
from schemas.rights import rights

_STARTS: Final = 5
"""So many next starts of a plan that is checked are told."""
_LOOKED_AT: Final = 1000
"""Among so many starts: a blackout may leave none."""


_Told = (
    ListVersions
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
"""What is answered from the state."""


def look_up(step: Step, event: Requested, query: Query) -> None:
    """Answer a question."""
    if isinstance(query, ReadAudit):
        step.effects.append(LookUpAudit(event.user, event.request, query))
    else:
        answer = naming.stranger(step.state, query) or _answer(step, query)
        step.effects.append(Reply(event.user, event.request, answer))


def _answer(  # noqa: C901, PLR0911  # one branch a question
    step: Step, query: _Told
) -> Answer:
    state = step.state
    match query:
        case Forecast():
            return _told(forecast(state, step.now, query))
        case ListNotifications():
            return _notifications(state, query)
        case CheckPlan():
            return _checked(step, query)
        case EstimateEnd() | ReadDurations() | ReadJobHistory():
            found = estimating.look_up(state, step.now, query)
            return found if isinstance(found, Answer) else _told(found)
        case ListCalendars():
            return _calendars(state)
        case ReadCalendar():
            return _calendar(state, query)
        case ListVersions():
            return _versions(state, query)
        case ReadVersion():
            return _version(state, query)
        case ReadTime():
            return _told(NodeTime(at=step.now))
        case WhoAmI():
            return _you(state, UserName(step.user))
        case ListUsers():
            return _users(state)


def _versions(state: State, query: ListVersions) -> Answer:
    kept = [instance.version for instance in state.instances_of(query.plan)]
    found = tuple(
        VersionSummary(
            version=record.version,
            imported=record.imported,
            by=record.by,
            jobs=len(record.source.jobs),
            instances=kept.count(record.version),
        )
        for record in _all_of(state, query.plan)
    )
    return _told(Versions(plan=query.plan, versions=found))


def _version(state: State, query: ReadVersion) -> Answer:
    number = query.version or state.plans[query.plan].version
    record = state.versions.get((query.plan, number))
    if record is None:
        known = [one.version for one in _all_of(state, query.plan)]
        return _no_version(f"plan '{query.plan}'", number, known)
    as_imported = query.bundle and bytes(record.bundle) != b"null"
    return _told(
        Version(
            plan=record.plan,
            version=record.version,
            imported=record.imported,
            by=record.by,
            source=None if as_imported else record.source,
            bundle=record.bundle if as_imported else Raw(b"null"),
        )
    )


def _you(state: State, user: UserName) -> Answer:
    granted = state.granted
    return _told(You(user=user, open=not granted, grants=grants_of(granted, user), rights=rights()))


def _users(state: State) -> Answer:
    found = tuple(
        UserSummary(user=one.user, grants=one.grants, changed=one.changed, by=one.by, named=one.user in state.admins)
        for _, one in sorted(state.users.items())
    )
    return _told(UserList(users=found))


def _calendars(state: State) -> Answer:
    newest = [state.calendars[name][-1] for name in sorted(state.calendars)]
    found = tuple(
        CalendarSummary(
            name=one.name,
            version=one.version,
            days=len(one.days),
            first=min(one.days, default=None),
            last=max(one.days, default=None),
            imported=one.imported,
            by=one.by,
            plans=tuple(state.plans_naming(one.name)),
        )
        for one in newest
    )
    return _told(CalendarList(calendars=found))


def _calendar(state: State, query: ReadCalendar) -> Answer:
    versions = state.calendars[query.name]
    number = query.version or versions[-1].version
    one = next((record for record in versions if record.version == number), None)
    if one is None:
        return _no_version(f"calendar '{query.name}'", number, [record.version for record in versions])
    return _told(CalendarVersion(name=one.name, version=one.version, imported=one.imported, by=one.by, days=one.days))


def _notifications(state: State, query: ListNotifications) -> Answer:
    records = sorted(
        state.notifications.values(), key=lambda one: (one.notification.at, one.notification.id), reverse=True
    )
    wanted = [
        one
        for one in records
        if query.plan in {None, one.notification.plan}
        and (query.state is None or any(delivery.state is query.state for delivery in one.deliveries.values()))
    ]
    found = tuple(
        NotificationEntry(
            notification=one.notification,
            to=(*one.mail.to, *one.mail.cc, *one.mail.bcc),
            deliveries=one.deliveries,
        )
        for one in wanted[: query.limit]
    )
    mutes = tuple(
        Mute(plan=one.plan, until=one.until, since=one.since, by=one.by, reason=one.reason)
        for _, one in sorted(state.mutes.items())
    )
    return _told(NotificationList(notifications=found, mutes=mutes, waiting=len(state.undelivered)))


def _checked(step: Step, query: CheckPlan) -> Answer:
    """What importing a plan would say, and its next starts."""
    state, plan = step.state, query.source.plan
    name = PlanName(plan.name)
    found = faults(query.source, state.calendars)
    wrong = any(not fault.warning for fault in found)
    warnings = () if wrong else tuple(groups(survey(query.source), Seen.among(state.presences)))
    record = state.plans.get(name)
    same = record is not None and state.versions[name, record.version].source == query.source
    starts = () if wrong else tuple(islice(_starts(state, plan, step.now), _STARTS))
    return _told(PlanChecked(plan=name, faults=(*found, *warnings), changed=not same, next_starts=starts))


def _starts(state: State, plan: Plan, after: datetime) -> Iterator[datetime]:
    """The starts after a moment, as if the plan were here."""
    found = schedule_of(state, plan)
    for _ in range(_LOOKED_AT):
        following = None if found is None else found.next_running(after)
        if following is None:
            return
        if not in_blackout(plan, following):
            yield following
        after = following


def _all_of(state: State, plan: PlanName) -> list[VersionRecord]:
    """The versions of a plan, the oldest first."""
    newest = state.plans[plan].version
    found = (state.versions.get((plan, version)) for version in range(1, newest + 1))
    return [record for record in found if record is not None]


def _no_version(what: str, number: int, known: Sequence[int]) -> Answer:
    """The newest ones are told: they are looked for most."""
    versions = [str(version) for version in reversed(known)]
    return Answer(ok=False, unknown=True, reason=f"{what} has no version {number}; {there(versions)}")


def _told(data: Struct) -> Answer:
    return Answer(ok=True, data=Raw(msgspec.json.encode(data)))
