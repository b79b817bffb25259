"""What people look up: answered from the state, or, where only the store knows, asked of it. Changes nothing."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from broker.runtime.core import Reply, Requested
from dashboard_node.core.effects import LookUpAudit
from dashboard_node.core.forecasting import forecast
from dashboard_node.core.records import VersionRecord
from dashboard_node.core.state import State
from dashboard_node.core.step import Step
from schemas.names import PlanName
from schemas.queries import (
    CalendarList,
    CalendarSummary,
    CalendarVersion,
    Forecast,
    ListCalendars,
    ListVersions,
    ReadAudit,
    ReadCalendar,
    ReadVersion,
    Version,
    Versions,
    VersionSummary,
)
from schemas.requests import Answer, Query


def look_up(step: Step, event: Requested, query: Query) -> None:
    """Answer a question."""
    if isinstance(query, ReadAudit):
        step.effects.append(LookUpAudit(event.user, event.request, query))
    else:
        step.effects.append(Reply(event.user, event.request, _answer(step, query)))


def _answer(step: Step, query: ListVersions | ReadVersion | ListCalendars | ReadCalendar | Forecast) -> Answer:
    state = step.state
    match query:
        case Forecast():
            if query.plan is not None and query.plan not in state.plans:
                return _no_plan(query.plan)
            return _told(forecast(state, step.now, query))
        case ListCalendars():
            return _calendars(state)
        case ReadCalendar():
            return _calendar(state, query)
        case ListVersions():
            return _versions(state, query)
        case ReadVersion():
            return _version(state, query)


def _versions(state: State, query: ListVersions) -> Answer:
    if query.plan not in state.plans:
        return _no_plan(query.plan)
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
    plan = state.plans.get(query.plan)
    if plan is None:
        return _no_plan(query.plan)
    record = state.versions.get((query.plan, query.version or plan.version))
    if record is None:
        known = ", ".join(str(one.version) for one in _all_of(state, query.plan))
        return Answer(ok=False, reason=f"plan '{query.plan}' has no version {query.version}; there are {known}")
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
    versions = state.calendars.get(query.name)
    if versions is None:
        return Answer(ok=False, reason=f"there is no calendar named '{query.name}'")
    number = query.version or versions[-1].version
    one = next((record for record in versions if record.version == number), None)
    if one is None:
        return Answer(
            ok=False, reason=f"calendar '{query.name}' has no version {number}; the newest is {versions[-1].version}"
        )
    return _told(CalendarVersion(name=one.name, version=one.version, imported=one.imported, by=one.by, days=one.days))


def _all_of(state: State, plan: PlanName) -> list[VersionRecord]:
    """The versions of a plan, the oldest first."""
    newest = state.plans[plan].version
    found = (state.versions.get((plan, version)) for version in range(1, newest + 1))
    return [record for record in found if record is not None]


def _no_plan(name: PlanName) -> Answer:
    return Answer(ok=False, reason=f"there is no plan named '{name}'")


def _told(data: Struct) -> Answer:
    return Answer(ok=True, data=Raw(msgspec.json.encode(data)))
