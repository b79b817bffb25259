"""What is coming: windows of plans, and fires of clock jobs in them, as far as crons, calendars and blackouts can tell. Pure.

It looks at the newest version of each plan and at the instances that run. It cannot know how long an instance will take: a plan
whose instances do not run side by side is taken to use its windows to the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import heappop, heappush, merge
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from dashboard_node.core.graph import PlanGraph
from dashboard_node.core.schedules import in_blackout, length, schedule_of, zone_of
from dashboard_node.core.state import State
from schemas.blackout import JobDefinitionError, blackout_until
from schemas.blackout import zone_of as zone_of_job
from schemas.cron import parse
from schemas.names import InstanceId, NodeName, PlanName
from schemas.plan import ClockJob, FileJob, OnBlackout, StartupControl
from schemas.queries import Coming, Forecast, Foretold, What
from schemas.schedule import MOMENT, Schedule, schedule

MOST: Final = 2000
"""Rows of one forecast."""
_MOST_STARTS: Final = 100_000
_MOST_FIRES: Final = 1000
"""Fires of a clock job among which the first that counts is looked for."""
_FARTHEST: Final = timedelta(days=400)
"""How far ahead a fire is looked for in a window without an end."""


class _Window(Struct, frozen=True):
    """A time in which clock jobs of a plan version fire."""

    opens: datetime
    closes: datetime | None
    version: int
    instance: InstanceId | None = None
    """Whose time it is; None: it is still to open."""


def forecast(state: State, now: datetime, query: Forecast) -> Foretold:
    """The first rows of what is coming, in the order of time."""
    until = now + timedelta(days=query.days)
    names = sorted(state.plans) if query.plan is None else [query.plan]
    streams = [_of_plan(state, name, (now, until), query.each) for name in names]
    found = list(islice(merge(*streams, key=_when), MOST + 1))
    return Foretold(until=until, rows=tuple(found[:MOST]), more=len(found) > MOST)


def _when(row: Coming) -> tuple[datetime, str, str]:
    return (row.at, row.plan, row.job)


def _of_plan(state: State, name: PlanName, span: tuple[datetime, datetime], each: int) -> Iterator[Coming]:
    """The rows of one plan in order: a window's clock jobs are looked at when it opens."""
    heap: list[tuple[tuple[datetime, str, str], int, Coming, Iterator[Coming]]] = []
    pushed = 0

    def push(stream: Iterator[Coming]) -> None:
        nonlocal pushed
        row = next(stream, None)
        if row is not None:
            pushed += 1
            heappush(heap, (_when(row), pushed, row, stream))

    push(_windows(state, name, span))
    for instance in state.active_of(name):
        window = _Window(span[0], instance.closes, instance.version, instance.id)
        for stream in [] if instance.clocks_disabled else _clocks(state, name, window, span[1], each):
            push(stream)
    while heap:
        _, _, row, stream = heappop(heap)
        yield row
        push(stream)
        graph = state.newest(name)
        if row.what is What.OPENS and not graph.plan.quartz_schedule_driven_jobs_disabled_for_context:
            window = _Window(row.at, row.closes, state.plans[name].version)
            for inside in _clocks(state, name, window, span[1], each):
                push(inside)


def _windows(state: State, name: PlanName, span: tuple[datetime, datetime]) -> Iterator[Coming]:
    """Every start of a plan, and why one will not open."""
    record, plan = state.plans[name], state.newest(name).plan
    found, ttl, zone = schedule_of(state, plan), length(plan), zone_of(plan)
    if found is None:
        return
    busy = None if plan.able_to_run_concurrently else _busy_until(state, name)
    for start in found.between(max(record.decided, span[0]), span[1], _MOST_STARTS):
        why = found.left_out(start)
        if not why and not record.enabled:
            why = "the plan is disabled"
        if not why and in_blackout(plan, start):
            why = "inside a blackout window of the plan"
        if not why and busy is not None and start < busy:
            why = "the instance before it is still open then, and they do not run side by side"
        closes = None if ttl is None else start + ttl
        if not why and not plan.able_to_run_concurrently:
            busy = closes or datetime.max.replace(tzinfo=start.tzinfo)
        what = What.SKIPPED if why else What.OPENS
        yield _row(start, name, zone, what=what, closes=None if why else closes, note=why)


def _busy_until(state: State, name: PlanName) -> datetime | None:
    """When the last of the instances that run ends; None: none runs."""
    ends = [one.closes or datetime.max.replace(tzinfo=one.opens.tzinfo) for one in state.active_of(name)]
    return max(ends, default=None)


def _clocks(state: State, name: PlanName, window: _Window, until: datetime, each: int) -> Iterator[Iterator[Coming]]:
    graph = state.graph(name, window.version)
    end = until if window.closes is None else min(until, window.closes - MOMENT)
    for job in _clock_jobs(graph):
        fires = _fires(state, name, job, (window.opens, end), each)
        yield (replace(fire, name=graph.called(job.id), instance=window.instance) for fire in fires)


def _clock_jobs(graph: PlanGraph) -> list[ClockJob]:
    """Those that fire by themselves, by identifier. File jobs look all the time: no more can be foretold of them."""
    found = {
        copy.id: copy.artefact
        for copy in graph.copies
        if isinstance(copy.artefact, ClockJob)
        and not isinstance(copy.artefact, FileJob)
        and copy.artefact.startup_control_type is StartupControl.AUTOMATIC
    }
    return [found[key] for key in sorted(found)]


def _fires(state: State, name: PlanName, job: ClockJob, span: tuple[datetime, datetime], each: int) -> Iterator[Coming]:
    """The fires of a job in a window, at most so many; the last one says if there are more."""
    try:
        found = _schedule_of_job(state, job)
        fires = list(found.between(span[0] - MOMENT, span[1], each + 1))
        for number, at in enumerate(fires[:each], start=1):
            what, note = _fire(job, found, at)
            more = number == each and len(fires) > each
            yield _row(at, name, found.zone, job=job.id, what=what, note=note or ("and so on" if more else ""))
    except JobDefinitionError as error:
        yield _row(span[0], name, ZoneInfo("UTC"), job=job.id, what=What.SKIPPED, note=str(error))


def next_fire_of(state: State, job: ClockJob, after: datetime, closes: datetime | None) -> datetime | None:
    """The first fire of a clock job after a moment and before its window closes; None: there is none, or not by itself."""
    if job.startup_control_type is not StartupControl.AUTOMATIC:
        return None
    end = after + _FARTHEST if closes is None else closes - MOMENT
    try:
        found = _schedule_of_job(state, job)
        return next((at for at in found.between(after - MOMENT, end, _MOST_FIRES) if _counts(job, found, at)), None)
    except JobDefinitionError:
        return None


def _counts(job: ClockJob, found: Schedule, at: datetime) -> bool:
    return _fire(job, found, at)[0] is What.FIRES


def _schedule_of_job(state: State, job: ClockJob) -> Schedule:
    """A clock job's schedule, in its own zone or its agent's. Raises JobDefinitionError."""
    presence = state.presences.get(NodeName(job.agent_name))
    zone = zone_of_job(job, presence.zone if presence is not None and presence.zone else "UTC")
    return schedule(parse(job.cron_expression), zone, job, state.days())


def _fire(job: ClockJob, found: Schedule, at: datetime) -> tuple[What, str]:
    """What becomes of a fire, and why."""
    holiday = found.left_out(at)
    if holiday:
        return What.SKIPPED, holiday
    until = blackout_until(job, at, found.zone)
    if until is None:
        return What.FIRES, ""
    if job.blackout_policy is OnBlackout.PASS:
        return What.FIRES, "passed over: inside a blackout"
    delayed = "delayed by a " if job.blackout_policy is OnBlackout.DELAY else ""
    return What.SKIPPED, f"{delayed}blackout until {until.isoformat()}"


def _row(  # noqa: PLR0913  # a row's own fields, each by name
    at: datetime,
    plan: PlanName,
    zone: ZoneInfo,
    *,
    job: str = "",
    what: What,
    closes: datetime | None = None,
    note: str = "",
) -> Coming:
    local = at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    return Coming(at=at, plan=plan, job=job, local=local, zone=zone.key, what=what, closes=closes, note=note)
