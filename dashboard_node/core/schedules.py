"""When a plan's windows are due: its cron, zone, length, calendars and blackouts, as its newest version says. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dashboard_node.core.records import PlanRecord
from dashboard_node.core.state import State
from schemas.cron import Cron, matches, parse
from schemas.plan import ClockJob, Plan
from schemas.schedule import Schedule, schedule
from schemas.spans import span

_LOOKED_AT: Final = 1000
"""Starts among which the next one that opens is looked for."""


def zone_of(plan: Plan) -> ZoneInfo:
    """The zone in which the plan's window is read; UTC when it names none, whatever host the dashboard runs on."""
    return ZoneInfo(plan.timezone or "UTC")


def window_cron(plan: Plan) -> Cron | None:
    """The plan's start schedule; None: it is only started by hand."""
    if not plan.time_window_start:
        return None
    return parse(plan.time_window_start, custom_weekday_of_month=plan.custom_week_day_of_month)


def length(plan: Plan) -> timedelta | None:
    """How long a window stays open; None (no ``contextTtlMilliseconds``): until the instance is ended."""
    return span(milliseconds=plan.context_ttl_milliseconds) if plan.context_ttl_milliseconds > 0 else None


def schedule_of(state: State, plan: Plan) -> Schedule | None:
    """The plan's start schedule with the calendars as they are now; None: it is only started by hand."""
    cron = window_cron(plan)
    if cron is None:
        return None
    return schedule(cron, zone_of(plan), plan, state.days())


def open_since(state: State, plan: Plan, now: datetime) -> datetime | None:
    """The start of the window that is open now (both ends included); None: none is."""
    found, ttl = schedule_of(state, plan), length(plan)
    opened = found.previous(now) if found is not None else None
    if opened is None or ttl is None or now > opened + ttl:
        return None
    return opened


def next_start(state: State, record: PlanRecord) -> datetime | None:
    """The first window start not decided yet; None: there is none. What will not open is decided as well: skipped."""
    found = schedule_of(state, state.newest(record.name).plan)
    return None if found is None else found.next(record.decided)


def next_opening(state: State, record: PlanRecord) -> datetime | None:
    """The first start not decided yet at which an instance may open: on a day that runs, and outside of blackouts."""
    plan = state.newest(record.name).plan
    found = schedule_of(state, plan)
    start = record.decided
    for _ in range(_LOOKED_AT):
        following = None if found is None else found.next_running(start)
        if following is None or not in_blackout(plan, following):
            return following
        start = following
    return None


def in_blackout(plan: Plan, now: datetime) -> bool:
    """Whether no instance is to start now: a cron of the plan's blackout holds, or a range contains now (both ends included)."""
    zone = zone_of(plan)
    if any(matches(parse(text), now, zone) for text in plan.blackout_window_cron_expressions):
        return True
    millis = now.timestamp() * 1000
    return any(int(start) <= millis <= int(end) for start, end in plan.blackout_window_date_time_ranges.items())


def days_for(state: State, jobs: Iterable[ClockJob]) -> dict[str, dict[date, str]]:
    """The calendars that jobs name, with their days."""
    names = {name for job in jobs if job.calendars is not None for name in job.calendars.names}
    known = state.days()
    return {name: known[name] for name in sorted(names & known.keys())}
