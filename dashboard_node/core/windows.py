"""Windows: when a plan's instances are due, how long they stay open, and that every due start is decided exactly once."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from msgspec.structs import replace

from dashboard_node.core.instances import activate, end_instance, open_instance, prepare_instance
from dashboard_node.core.records import InstanceRecord, PlanRecord
from dashboard_node.core.schedules import in_blackout, length, next_opening, next_start, schedule_of
from dashboard_node.core.step import Step
from schemas.names import PlanName, instance_id
from schemas.plan import MissedWindows, Plan
from schemas.schedule import MOMENT, Schedule
from schemas.status import ContextStatus, Tick

HAND_MARGIN = timedelta(seconds=60)
"""An instance started by hand ends so long before the plan's next start, unless instances may run side by side (Ikasan)."""
CATCH_UP = 10
"""So many missed windows, the newest ones, does a plan catch up with at most."""
MOST = 1000
"""So many missed starts are recorded one by one; those before them in one row."""


class NotStartedError(Exception):
    """An instance cannot be started now; the message says why."""


def arm(step: Step, record: PlanRecord) -> None:
    """Have the plan's next start come up in time."""
    step.state.timers.set(("open", record.name), next_start(step.state, record))


def due(step: Step, name: PlanName) -> None:
    """One or more starts of the plan are due: each is decided, once (S3), and the ledger says how."""
    record = step.state.plans[name]
    plan = step.state.newest(name).plan
    schedule = schedule_of(step.state, plan)
    starts, left_out = _undecided(schedule, record.decided, step.now) if schedule is not None else ([], None)
    if schedule is None or not starts:
        arm(step, record)
        return
    if left_out is not None:
        reason = f"and every start up to {starts[0].isoformat()}: too many to list"
        _ledger(step, name, left_out, Tick.MISSED, reason)
    running = [start for start in starts if not schedule.left_out(start)]
    missed = [start for start in running if start < step.state.up_since]
    backlog: list[datetime] = []
    if plan.missed_windows is MissedWindows.CATCH_UP:
        backlog = missed[-CATCH_UP:]
    for start in starts:
        if reason := schedule.left_out(start):
            _ledger(step, name, start, Tick.SKIPPED, reason)
        elif start in running[:-1] and start not in backlog:
            _ledger(step, name, start, Tick.MISSED, "no dashboard was there, or it was held up")
    _drop_prepared(step, name, starts[-1])
    if running and running[-1] not in backlog:
        _decide(step, name, plan, running[-1], missed=running[-1] in missed)
    record = replace(step.state.plans[name], decided=starts[-1], backlog=record.backlog + tuple(backlog))
    step.put_plan(record)
    catch_up(step, name)
    arm(step, record)


def _drop_prepared(step: Step, name: PlanName, newest: datetime) -> None:
    """Instances prepared for starts that have passed without them."""
    for instance in step.state.standing_of(name):
        if instance.status is ContextStatus.PREPARED and instance.opens < newest:
            end_instance(step, instance, "its start passed while nobody was there to open it")


def _undecided(schedule: Schedule, decided: datetime, now: datetime) -> tuple[list[datetime], datetime | None]:
    """The due starts after ``decided``, oldest first, at most ``MOST`` of the newest; and the oldest of those left out."""
    newest = schedule.previous(now)
    found: list[datetime] = []
    while newest is not None and newest > decided and len(found) < MOST:
        found.append(newest)
        newest = schedule.previous(newest - MOMENT)
    if newest is None or newest <= decided:
        return found[::-1], None
    return found[::-1], schedule.next(decided)


def _decide(step: Step, name: PlanName, plan: Plan, start: datetime, *, missed: bool) -> None:
    """Open the instance of a start that has just come due, or of a window that is still open; or say why not."""
    ttl = length(plan)
    instance = instance_id(name, start)
    known = step.state.instances.get(instance)
    if missed and plan.missed_windows is MissedWindows.SKIP:
        _ledger(step, name, start, Tick.MISSED, "no dashboard was there, and the plan skips what it missed")
    elif ttl is not None and step.now >= start + ttl:
        _ledger(step, name, start, Tick.MISSED, "the window had closed before a dashboard was there")
    elif known is not None and known.status is not ContextStatus.PREPARED:
        _ledger(step, name, start, Tick.SKIPPED, "its instance is there already")
    elif reason := _not_now(step, name, plan):
        _ledger(step, name, start, Tick.SKIPPED, reason)
    else:
        closes = None if ttl is None else start + ttl
        if known is not None:
            activate(step, known)
        else:
            open_instance(step, name, name=instance, closes=closes, started_by="cron", parameters={})
        _ledger(step, name, start, Tick.RAN, instance=instance)


def _not_now(step: Step, name: PlanName, plan: Plan) -> str:
    """Why no instance of the plan may open now; empty: it may."""
    if not step.state.plans[name].enabled:
        return "the plan is disabled"
    if in_blackout(plan, step.now):
        return "inside a blackout window of the plan"
    running = [] if plan.able_to_run_concurrently else step.state.active_of(name)
    if running:
        return f"{running[0].id} is still active, and the plan's instances do not run side by side"
    return ""


def catch_up(step: Step, name: PlanName) -> None:
    """Open what a catching-up plan has missed, oldest first, as soon as it may; each gets its whole time from now."""
    record = step.state.plans.get(name)
    while record is not None and record.backlog and not _not_now(step, name, step.state.newest(name).plan):
        start, *rest = record.backlog
        record = replace(record, backlog=tuple(rest))
        step.put_plan(record)
        instance, ttl = instance_id(name, start), length(step.state.newest(name).plan)
        if instance not in step.state.instances:
            closes = None if ttl is None else step.now + ttl
            open_instance(step, name, name=instance, closes=closes, started_by="catch-up", parameters={})
            _ledger(step, name, start, Tick.RAN, "caught up", instance=instance)
        else:
            _ledger(step, name, start, Tick.SKIPPED, "its instance is there already")
        record = step.state.plans[name]


def drop_backlog(step: Step, name: PlanName, reason: str) -> None:
    """What is still to be caught up with never will be: each start is told as missed."""
    record = step.state.plans[name]
    for start in record.backlog:
        _ledger(step, name, start, Tick.MISSED, reason)
    if record.backlog:
        step.put_plan(replace(record, backlog=()))


def _ledger(step: Step, name: PlanName, start: datetime, outcome: Tick, reason: str = "", instance: str = "") -> None:
    """A row of the tick ledger: which start, and what became of it."""
    step.note("tick", context=name, before=start.isoformat(), after=outcome, detail=reason, instance=instance)


def prepare(step: Step, name: PlanName) -> InstanceRecord:
    """Lay out the instance of the plan's next start outside a blackout. Raises NotStartedError."""
    record = step.state.plans[name]
    plan = step.state.newest(name).plan
    start = next_opening(step.state, record)
    if start is None:
        raise NotStartedError(f"plan '{name}' has no start to come that could be prepared")
    instance, ttl = instance_id(name, start), length(plan)
    if instance in step.state.instances:
        raise NotStartedError(f"{instance} is {step.state.instances[instance].status} already")
    closes = None if ttl is None else start + ttl
    return prepare_instance(step, name, name=instance, opens=start, closes=closes)


def start_by_hand(step: Step, name: PlanName, request: str, parameters: dict[str, str]) -> InstanceRecord:
    """Start an instance because a person asks. Raises NotStartedError."""
    record = step.state.plans[name]
    plan = step.state.newest(name).plan
    if not record.enabled:
        raise NotStartedError(f"plan '{name}' is disabled; enable it first")
    running = [] if plan.able_to_run_concurrently else step.state.active_of(name)
    if running:
        raise NotStartedError(
            f"{running[0].id} is still active, and instances of '{name}' do not run side by side; end it first"
        )
    return open_instance(
        step,
        name,
        name=instance_id(name, step.now, _mark(step, request)),
        closes=_closes_by_hand(step, record, plan),
        started_by=step.user or "a person",
        parameters=parameters,
    )


def reset_instance(step: Step, old: InstanceRecord, request: str, *, held: bool) -> InstanceRecord:
    """End an instance and open a new one in its place, with its parameters, for the same window."""
    ttl = length(step.state.newest(old.plan).plan)
    closes = old.closes
    if closes is not None and closes <= step.now and ttl is not None:
        closes = step.now + ttl
    end_instance(step, old, f"reset by {step.user or 'a person'}")
    return open_instance(
        step,
        old.plan,
        name=instance_id(old.plan, step.now, _mark(step, request)),
        closes=closes,
        started_by=step.user or "a person",
        parameters=old.parameters,
        held=held,
    )


def _mark(step: Step, request: str) -> str:
    """What makes an instance id of a request: the same request gives the same id."""
    return hashlib.sha256(f"{step.user}/{request}".encode()).hexdigest()[:8]


def _closes_by_hand(step: Step, record: PlanRecord, plan: Plan) -> datetime | None:
    """Ikasan's rule: the end of the window that is open, else so long from now; never into the next start of a lone plan."""
    ttl = length(plan)
    if ttl is None:
        return None
    schedule = schedule_of(step.state, plan)
    opened = schedule.previous(step.now) if schedule is not None else None
    if opened is not None and opened + ttl > step.now:
        return opened + ttl
    following = schedule.next_running(step.now) if schedule is not None else None
    if plan.able_to_run_concurrently or following is None:
        return step.now + ttl
    if step.now > following - HAND_MARGIN:
        raise NotStartedError(f"the next instance of '{record.name}' starts at {following.isoformat()}: too close")
    return min(step.now + ttl, following - HAND_MARGIN)
