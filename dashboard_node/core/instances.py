"""The life of an instance: opened, published, ended, removed when its retention has passed."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from broker.runtime.core import Key
from dashboard_node.core import deadlines, own_windows, placement, runs
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.graph import PlanGraph
from dashboard_node.core.lifecycle import Stage
from dashboard_node.core.locks import Owner
from dashboard_node.core.parameters import of_instance
from dashboard_node.core.records import ContextRecord, CopyRecord, InstanceRecord
from dashboard_node.core.state import ACTIVE
from dashboard_node.core.step import Step
from dashboard_node.core.unreported import unreported
from schemas.documents import LastOutcome
from schemas.names import InstanceId, PlanName, escape
from schemas.plan import OnEnd
from schemas.status import ContextStatus, Tick

LINGER = timedelta(seconds=30)
"""How long an instance outstays its retention for the sake of a run that has not ended."""


def open_instance(  # noqa: PLR0913  # what an instance is opened with, each by name
    step: Step,
    plan: PlanName,
    *,
    name: InstanceId,
    closes: datetime | None,
    started_by: str,
    parameters: dict[str, str],
    held: bool = False,
) -> InstanceRecord:
    """Start an instance of the plan's newest version now. The caller has made sure that the id is free."""
    record = step.state.plans[plan]
    graph = step.state.newest(plan)
    declared = _parameters(step, graph, step.now)
    instance = InstanceRecord(
        id=name,
        plan=plan,
        version=record.version,
        status=ContextStatus.WAITING,
        created=step.now,
        opens=step.now,
        closes=closes,
        started_by=started_by,
        parameters=declared | parameters,
        clocks_disabled=graph.plan.quartz_schedule_driven_jobs_disabled_for_context,
    )
    step.put_instance(instance)
    step.note("instance", instance=name, after=ContextStatus.WAITING, detail=f"version {record.version}, {started_by}")
    machine = _lay_out(step, instance, graph, held=held)
    step.state.timers.set(("close", name), closes)
    deadlines.arm(step.state, instance)
    own_windows.begin(step, machine)
    placement.place_watches(step, name)
    _pass_what_has_nothing_before_it(step, machine)
    return instance


def _parameters(step: Step, graph: PlanGraph, opens: datetime) -> dict[str, str]:
    """The values of an instance that opens then: dates are those of the plan's zone."""
    plan = graph.plan
    day = opens.astimezone(ZoneInfo(plan.timezone or "UTC")).date()
    return of_instance(plan.context_parameters, step.state.properties.get(PlanName(plan.name), {}), day)


def prepare_instance(
    step: Step, plan: PlanName, *, name: InstanceId, opens: datetime, closes: datetime | None
) -> InstanceRecord:
    """Lay out the instance of a start to come, so that jobs can be held or skipped and parameters edited before it opens."""
    graph = step.state.newest(plan)
    instance = InstanceRecord(
        id=name,
        plan=plan,
        version=step.state.plans[plan].version,
        status=ContextStatus.PREPARED,
        created=step.now,
        opens=opens,
        closes=closes,
        started_by=step.user,
        parameters=_parameters(step, graph, opens),
        clocks_disabled=graph.plan.quartz_schedule_driven_jobs_disabled_for_context,
    )
    step.put_instance(instance)
    step.note("instance", instance=name, after=ContextStatus.PREPARED)
    machine = _lay_out(step, instance, graph, held=False)
    machine.set_context(step, 0, ContextStatus.PREPARED)
    return instance


def activate(step: Step, prepared: InstanceRecord) -> None:
    """The start of a prepared instance has come."""
    machine = step.state.machines[prepared.id]
    instance = replace(prepared, status=ContextStatus.WAITING, opens=step.now)
    step.put_instance(instance)
    machine.set_context(step, 0, ContextStatus.WAITING)
    for node in machine.graph.contexts:  # what was edited before has not been settled, or not in this life
        machine.touch(node.index)
    step.touch(machine)
    step.state.timers.set(("close", prepared.id), prepared.closes)
    deadlines.arm(step.state, instance)
    own_windows.begin(step, machine)
    placement.place_watches(step, prepared.id)
    _pass_what_has_nothing_before_it(step, machine)


def _lay_out(step: Step, instance: InstanceRecord, graph: PlanGraph, *, held: bool) -> ContextMachine:
    """All jobs and contexts at their beginning."""
    machine = ContextMachine(
        instance.id,
        graph,
        [_untouched(held=(copy.held or held) and not copy.skipped, skipped=copy.skipped) for copy in graph.copies],
        [ContextRecord() for _ in graph.contexts],
        clocks_disabled=instance.clocks_disabled,
    )
    step.state.machines[instance.id] = machine
    for copy in graph.copies:
        step.changes[Key("job", f"{instance.id}~{copy.index}")] = machine.copies[copy.index]
    for node in graph.contexts:
        step.changes[Key("context", f"{instance.id}~{node.index}")] = machine.contexts[node.index]
        machine.touch(node.index)
    step.touch(machine)
    placement.as_before(step, instance.id)
    return machine


@cache
def _untouched(*, held: bool, skipped: bool) -> CopyRecord:
    """One record for all jobs to which nothing has happened yet."""
    return CopyRecord(held=held, skipped=skipped)


def _pass_what_has_nothing_before_it(step: Step, machine: ContextMachine) -> None:
    """A job that is skipped from the start and waits for nothing is passed over at once, so that others need not wait for it."""
    passed: set[int] = set()
    for copy in machine.graph.copies:
        record = machine.copies[copy.index]
        if record.skipped and not (record.disabled or copy.index in passed or has_upstream(machine, copy.index)):
            machine.pass_over(step, copy.index, "skipped from the start")
            passed.update(copy.stands_for)


def has_upstream(machine: ContextMachine, index: int) -> bool:
    """Whether any copy of the job has a dependency."""
    copies = machine.graph.copies
    return any(copies[other].rule is not None for other in copies[index].residences)


def end_instance(step: Step, instance: InstanceRecord, reason: str) -> None:
    """End it now: status ENDED, its locks to the next, its running commands stopped unless the plan lets them run on."""
    machine = step.state.machines[instance.id]
    result = step.root_status(machine)
    plan = machine.graph.plan
    for run in step.state.live_runs(instance.id):
        if plan.on_end is OnEnd.KILL and not placement.withheld(step.state, run):
            runs.stop(step, run, "the instance ended")
    owners = sorted(  # those that wait leave first, so that none of them comes to hold what the others let go of
        Owner(c.queued, instance.id, i) for i, c in enumerate(machine.copies) if c.stage is Stage.QUEUED and c.queued
    )
    owners += sorted(Owner(run.order, instance.id, run.copy) for run in step.state.live_runs(instance.id))
    machine.set_context(step, 0, ContextStatus.ENDED)
    ended = replace(instance, status=ContextStatus.ENDED, ended=step.now, result=result, end_reason=reason)
    step.put_instance(ended)
    for run in step.state.live_runs(instance.id):
        if placement.withheld(step.state, run):
            runs.stop(step, run, "the instance ended")
    for owner in owners:
        runs.release(step, owner)
    record = step.state.plans.get(instance.plan)
    if record is not None:
        outcome = LastOutcome(instance=instance.id, status=result, ended=step.now)
        step.put_plan(replace(record, last_outcome=outcome))
    step.freed.setdefault(instance.plan)
    step.state.timers.set(("close", instance.id), None)
    own_windows.forget(step, machine)
    for index, copy in enumerate(machine.copies):
        if copy.retry_at is not None:
            step.state.timers.set(("retry", instance.id, str(index)), None)
    step.state.timers.set(("remove", instance.id), step.now + step.state.retention)


def move_end(step: Step, instance: InstanceRecord, closes: datetime | None) -> None:
    """Let the instance end at another time; None: only when somebody ends it."""
    step.put_instance(replace(instance, closes=closes))
    if instance.status in ACTIVE:
        step.state.timers.set(("close", instance.id), closes)
    before, after = (at.isoformat() if at is not None else "never" for at in (instance.closes, closes))
    step.note("instance", instance=instance.id, before=before, after=after, detail="closes")


def set_parameters(step: Step, instance: InstanceRecord, values: dict[str, str]) -> None:
    """Change parameters of an instance: runs handed over from now on get the new values."""
    step.put_instance(replace(instance, parameters=instance.parameters | values))
    for name in sorted(values):
        before = instance.parameters.get(name, "")
        step.note("instance", instance=instance.id, before=before, after=values[name], detail=f"parameter {name}")


def follow_root(step: Step, machine: ContextMachine) -> None:
    """The instance's own status is its outermost context's; a plan may ask to be ended when that is COMPLETE."""
    instance = step.state.instances[machine.instance]
    status = step.root_status(machine)
    if instance.status not in ACTIVE or status is instance.status:
        return
    step.put_instance(replace(instance, status=status))
    if status is ContextStatus.COMPLETE and machine.graph.plan.end_job_plan_upon_completion:
        end_instance(step, step.state.instances[machine.instance], "all of it is complete")


def remove_instance(step: Step, name: InstanceId) -> None:
    """Forget an ended instance: its documents leave the bus, its records the store; the audit keeps its story."""
    instance = step.state.instances.get(name)
    if instance is None or instance.status is not ContextStatus.ENDED:
        return
    if step.state.live.get(name):
        step.state.timers.set(("remove", name), step.now + LINGER)
        return
    for owed in unreported(step.state, instance):
        step.note(
            "tick",
            instance=name,
            context=instance.plan,
            job=owed.job,
            before=owed.first.isoformat(),
            after=Tick.MISSED,
            detail=owed.reason,
        )
    machine = step.state.machines.pop(name)
    gone = [Key("job", f"{name}~{copy.index}") for copy in machine.graph.copies]
    gone += [Key("context", f"{name}~{node.index}") for node in machine.graph.contexts]
    gone += [Key("run", run) for run in step.state.runs_of(name)]
    gone += [Key("taken", f"{name}~{escape(job)}") for job in step.state.taken_of(name)]
    for key in (*gone, Key("instance", name)):
        step.changes[key] = None
    step.state.forget(instance)
    step.note("instance", instance=name, before=ContextStatus.ENDED, after="removed")
