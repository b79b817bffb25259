"""By when something has to have happened in an instance: file jobs' SLA times, longest running times, deadlines of plan and jobs.

Each is a name in the one heap of timers, set when the instance opens (or, for a run, when it starts) and again after a restart;
what has been told of already is known by its id. Whether it is late is judged when it is due, by what has happened until then.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.graph import Copy
from dashboard_node.core.lifecycle import Stage, fulfils
from dashboard_node.core.records import InstanceRecord, RunRecord
from dashboard_node.core.schedules import zone_of
from dashboard_node.core.state import State
from schemas.cron import instant_of, next_fire, parse
from schemas.notifications import Deadlines, Monitor
from schemas.plan import CommandJob, FileJob, Plan
from schemas.schedule import DAY, MOMENT, policy_of
from schemas.spans import span
from schemas.status import ContextStatus

PLAN = -1
"""In place of a job copy's index: the plan itself."""


class Limit(Struct, frozen=True, kw_only=True):
    """By when something has to have happened in an instance; ``index`` is the job copy, or ``PLAN``."""

    monitor: Monitor
    index: int
    at: datetime


def arm(state: State, instance: InstanceRecord) -> None:
    """Have every limit of an instance that is open come up in time."""
    machine = state.machines[instance.id]
    for limit in limits(state, instance, machine):
        name = ("limit", instance.id, limit.monitor, str(limit.index))
        state.timers.set(name, limit.at + MOMENT)  # what happens in that very second is in time
    for run in state.live_runs(instance.id):
        arm_run(state, machine, run)


def arm_run(state: State, machine: ContextMachine, run: RunRecord) -> None:
    """Have a run that has started come up when it has taken too long."""
    limit = running_time(machine.graph.copies[run.copy])
    if run.started is not None and limit is not None and limit.longest is not None:
        state.timers.set(("tooLong", run.id), run.started + limit.longest + MOMENT)


def limits(state: State, instance: InstanceRecord, machine: ContextMachine) -> Iterator[Limit]:
    """All limits of an instance but those of running times."""
    plan = machine.graph.plan
    for monitor, at in _of_deadlines(plan.deadlines, instance.opens, plan):
        yield Limit(monitor=monitor, index=PLAN, at=at)
    for copy in machine.graph.copies:
        job = copy.artefact
        if job is None or copy.shadow:
            continue
        for monitor, at in _of_deadlines(job.deadlines, instance.opens, plan):
            yield Limit(monitor=monitor, index=copy.index, at=at)
        arrival = arrival_limit(state, instance, job, plan) if isinstance(job, FileJob) else None
        if arrival is not None:
            yield Limit(monitor=Monitor.OVERDUE, index=copy.index, at=arrival)


def arrival_limit(state: State, instance: InstanceRecord, job: FileJob, plan: Plan) -> datetime | None:
    """By when a file has to have come: the first SLA time after the instance was created, and the tolerance (Ikasan)."""
    if not job.sla_cron_expression:
        return None
    zone = ZoneInfo(job.time_zone) if job.time_zone else zone_of(plan)
    sla = next_fire(parse(job.sla_cron_expression), instance.created, zone, policy_of(job))
    return None if sla is None else sla + state.telling.overdue_tolerance


def _of_deadlines(wish: Deadlines | None, opens: datetime, plan: Plan) -> Iterator[tuple[Monitor, datetime]]:
    """The earlier one where both a time of day and a span are given."""
    if wish is None:
        return
    for monitor, clock, seconds in (
        (Monitor.LATE_START, wish.start_by, wish.start_within_seconds),
        (Monitor.LATE_END, wish.end_by, wish.end_within_seconds),
    ):
        found = [opens + span(seconds=seconds)] if seconds is not None else []
        found += [_next_clock(time.fromisoformat(clock), opens, plan)] if clock else []
        if found:
            yield monitor, min(found)


def _next_clock(clock: time, after: datetime, plan: Plan) -> datetime:
    """The first moment at or after another at which it is this time of day in the plan's zone."""
    zone = zone_of(plan)
    day = after.astimezone(zone).date()
    found = instant_of(datetime.combine(day, clock), zone)
    return found if found >= after else instant_of(datetime.combine(day + DAY, clock), zone)


def is_late(machine: ContextMachine, limit: Limit) -> bool:
    """Whether what had to have happened by then had not."""
    if limit.index == PLAN:
        return _is_plan_late(machine, limit)
    record, copy = machine.copies[limit.index], machine.graph.copies[limit.index]
    if record.skipped or record.disabled:
        return False
    if limit.monitor is Monitor.LATE_END:
        done = fulfils(record.stage, acknowledged=record.acknowledged)
        return not done or (record.ended is not None and record.ended > limit.at)
    if copy.kind.fires and record.pending:  # it has come, and is remembered
        return False
    begun = record.stage not in {Stage.WAITING, Stage.QUEUED} or record.started is not None
    return not begun or (record.started is not None and record.started > limit.at)


def _is_plan_late(machine: ContextMachine, limit: Limit) -> bool:
    root = machine.contexts[0]
    if limit.monitor is Monitor.LATE_END:
        return root.status is not ContextStatus.COMPLETE or (root.ended is not None and root.ended > limit.at)
    return root.started is None or root.started > limit.at


class RunningTime(Struct, frozen=True):
    """How long a run may take, and has to; None: no matter."""

    shortest: timedelta | None
    longest: timedelta | None


def running_time(copy: Copy) -> RunningTime | None:
    """The limits of a command job; None: it has none. Minutes, and only if both are given (Ikasan); a longest of 0 is none."""
    job = copy.artefact
    if not isinstance(job, CommandJob) or -1 in {job.min_execution_time, job.max_execution_time}:
        return None
    shortest, longest = job.min_execution_time, job.max_execution_time
    return RunningTime(
        span(seconds=shortest * 60) if shortest > 0 else None,
        span(seconds=longest * 60) if longest > 0 else None,
    )
