"""Windows: when a plan's instances are due, how long they stay open, and that every due start is decided exactly once."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from dashboard_node.core.instances import end_instance, open_instance
from dashboard_node.core.records import InstanceRecord, PlanRecord
from dashboard_node.core.state import State
from dashboard_node.core.step import Step
from schemas.cron import Cron, matches, next_fire, parse, previous_fire
from schemas.names import PlanName, instance_id
from schemas.plan import Plan

HAND_MARGIN = timedelta(seconds=60)
"""An instance started by hand ends so long before the plan's next start, unless instances may run side by side (Ikasan)."""
MOMENT = timedelta(seconds=1)
"""The grain of cron time."""
CATCH_UP = timedelta(days=400)
"""Window starts further back than this are not even recorded as missed."""


class NotStartedError(Exception):
    """An instance cannot be started now; the message says why."""


def zone_of(plan: Plan) -> ZoneInfo:
    """The zone in which the plan's window is read; UTC when it names none, whatever host the dashboard runs on."""
    return ZoneInfo(plan.timezone or "UTC")


def window_cron(plan: Plan) -> Cron | None:
    """The plan's start schedule; None: it is only started by hand."""
    if not plan.time_window_start:
        return None
    return parse(plan.time_window_start, custom_weekday_of_month=plan.custom_week_day_of_month)


def open_since(plan: Plan, now: datetime) -> datetime | None:
    """The start of the window that is open now (both ends included); None: none is."""
    cron, ttl = window_cron(plan), length(plan)
    opened = previous_fire(cron, now, zone_of(plan)) if cron is not None else None
    if opened is None or ttl is None or now > opened + ttl:
        return None
    return opened


def length(plan: Plan) -> timedelta | None:
    """How long a window stays open; None (no ``contextTtlMilliseconds``): until the instance is ended."""
    return timedelta(milliseconds=plan.context_ttl_milliseconds) if plan.context_ttl_milliseconds > 0 else None


def next_start(state: State, record: PlanRecord) -> datetime | None:
    """The first window start that has not been decided yet; None: there is none, or the plan is disabled."""
    plan = state.newest(record.name).plan
    cron = window_cron(plan)
    return None if cron is None or not record.enabled else next_fire(cron, record.decided, zone_of(plan))


def arm(step: Step, record: PlanRecord) -> None:
    """Have the plan's next start come up in time."""
    step.state.timers.set(("open", record.name), next_start(step.state, record))


def due(step: Step, name: PlanName) -> None:
    """One or more starts of the plan are due: the newest may open, those before it were missed while nobody was there."""
    record = step.state.plans[name]
    plan = step.state.newest(name).plan
    cron, zone = window_cron(plan), zone_of(plan)
    newest = previous_fire(cron, step.now, zone) if cron is not None else None
    if cron is None or newest is None or newest <= record.decided:
        arm(step, record)
        return
    first = next_fire(cron, max(record.decided, step.now - CATCH_UP), zone)
    if first is not None and first < newest:
        last = previous_fire(cron, newest - MOMENT, zone) or first
        step.note("tick", detail=f"{name}: starts from {first.isoformat()} to {last.isoformat()}", after="missed")
    refused = _decide(step, name, plan, newest)
    at = newest.isoformat()
    step.note("tick", detail=f"{name}: start at {at}" + (f": {refused}" if refused else ""), after="skipped" if refused else "ran")
    record = replace(step.state.plans[name], decided=newest)
    step.put_plan(record)
    arm(step, record)


def _decide(step: Step, name: PlanName, plan: Plan, start: datetime) -> str:
    """Open the instance for a due start, or say why not."""
    ttl = length(plan)
    if ttl is not None and step.now > start + ttl:
        return "missed: the window closed while no dashboard was there"
    if in_blackout(plan, step.now):
        return "inside a blackout window of the plan"
    running = step.state.active_of(name)
    if running and not plan.able_to_run_concurrently:
        return f"{running[0].id} is still active, and the plan's instances do not run side by side"
    instance = instance_id(name, start)
    if instance in step.state.instances:
        return "its instance is there already"
    open_instance(
        step, name, name=instance, closes=None if ttl is None else start + ttl, started_by="cron", parameters={}
    )
    return ""


def in_blackout(plan: Plan, now: datetime) -> bool:
    """Whether no instance is to start now: a cron of the plan's blackout holds, or a range contains now (both ends included)."""
    zone = zone_of(plan)
    if any(matches(parse(text), now, zone) for text in plan.blackout_window_cron_expressions):
        return True
    millis = now.timestamp() * 1000
    return any(int(start) <= millis <= int(end) for start, end in plan.blackout_window_date_time_ranges.items())


def start_by_hand(step: Step, name: PlanName, request: str, parameters: dict[str, str]) -> InstanceRecord:
    """Start an instance because a person asks. Raises NotStartedError."""
    record = step.state.plans.get(name)
    if record is None:
        raise NotStartedError(f"there is no plan named '{name}'")
    plan = step.state.newest(name).plan
    if not record.enabled:
        raise NotStartedError(f"plan '{name}' is disabled; enable it first")
    running = step.state.active_of(name)
    if running and not plan.able_to_run_concurrently:
        raise NotStartedError(f"{running[0].id} is still active, and instances of '{name}' do not run side by side; end it first")
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
    cron, zone = window_cron(plan), zone_of(plan)
    opened = previous_fire(cron, step.now, zone) if cron is not None else None
    if opened is not None and opened + ttl > step.now:
        return opened + ttl
    following = next_fire(cron, step.now, zone) if cron is not None else None
    if plan.able_to_run_concurrently or following is None:
        return step.now + ttl
    if step.now > following - HAND_MARGIN:
        raise NotStartedError(f"the next instance of '{record.name}' starts at {following.isoformat()}: too close")
    return min(step.now + ttl, following - HAND_MARGIN)
