"""Business calendars: versions are added, never changed; the newest one holds for every start that is decided from now on."""

from __future__ import annotations

from datetime import date
from typing import Final

import msgspec
from msgspec import Raw

from dashboard_node.core import windows
from dashboard_node.core.records import CalendarRecord
from dashboard_node.core.step import Step
from schemas.cron import FIRST_YEAR, LAST_YEAR
from schemas.names import UserName
from schemas.requests import Answer, CalendarImported, DeleteCalendar, ImportCalendar

_FIRST: Final = date(FIRST_YEAR, 1, 1)
_LAST: Final = date(LAST_YEAR - 1, 12, 31)


def import_calendar(step: Step, request: ImportCalendar) -> Answer:
    """Store a calendar as its next version, and look at the clocks of the plans that name it."""
    if not request.name.strip() or not request.days:
        return Answer(ok=False, reason="a calendar needs a name and at least one day")
    outside = [day for day in sorted(request.days) if not _FIRST <= day <= _LAST]
    if outside:
        return Answer(ok=False, reason=f"{outside[0].isoformat()} lies outside the years {_FIRST.year} to {_LAST.year}")
    known = step.state.calendars.get(request.name, [])
    if known and known[-1].days == request.days:
        return _imported(request.name, known[-1].version, changed=False)
    version = known[-1].version + 1 if known else 1
    step.put_calendar(
        CalendarRecord(
            name=request.name,
            version=version,
            days=dict(sorted(request.days.items())),
            imported=step.now,
            by=UserName(step.user),
        )
    )
    before = f"version {version - 1}" if known else ""
    step.note("calendar", detail=request.name, before=before, after=f"version {version}")
    for plan in step.state.plans_naming(request.name):
        windows.due(step, plan)
    return _imported(request.name, version, changed=True)


def delete_calendar(step: Step, request: DeleteCalendar) -> Answer:
    """Forget a calendar with all its versions."""
    naming = step.state.plans_naming(request.name)
    if naming:
        return Answer(ok=False, reason=f"plan '{naming[0]}' names it; import that plan without it first")
    before = f"version {step.state.calendars[request.name][-1].version}"
    step.forget_calendar(request.name)
    step.note("calendar", detail=request.name, before=before, after="deleted")
    return Answer(ok=True)


def _imported(name: str, version: int, *, changed: bool) -> Answer:
    return Answer(ok=True, data=Raw(msgspec.json.encode(CalendarImported(name=name, version=version, changed=changed))))
