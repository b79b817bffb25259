"""What people are told of: found in the audit rows of a step, and when a limit has passed. Sends nothing: see `outbox`.

Every change has an audit row, so nothing else has to be watched: a job's new status, an instance's, a row of the tick ledger, an
agent that went. Ids are made from the execution they tell of, so that telling twice is impossible.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from broker.runtime.core import AuditRow
from dashboard_node.core import deadlines, outbox
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.deadlines import PLAN, Limit
from dashboard_node.core.facts import facts_of
from dashboard_node.core.graph import Copy
from dashboard_node.core.records import InstanceRecord
from dashboard_node.core.state import ACTIVE
from dashboard_node.core.step import Step
from schemas.names import InstanceId, NodeName, PlanName, RunId, escape
from schemas.notifications import Mail, Monitor, Notification
from schemas.status import ContextStatus, JobStatus, NodeState, Tick

_OF_JOBS: Final[Mapping[str, Monitor]] = {
    JobStatus.ERROR: Monitor.ERROR,
    JobStatus.COMPLETE: Monitor.COMPLETE,
    JobStatus.RUNNING: Monitor.START,
}
_OF_PLANS: Final[Mapping[str, Monitor]] = {
    ContextStatus.ERROR: Monitor.ERROR,
    ContextStatus.COMPLETE: Monitor.COMPLETE,
    ContextStatus.RUNNING: Monitor.START,
}
_OF_TICKS: Final[Mapping[str, Monitor]] = {Tick.MISSED: Monitor.MISSED, Tick.SKIPPED: Monitor.SKIPPED}


class Subject(Struct, frozen=True, kw_only=True):
    """What a notification is about: an instance, and in it a job copy (``PLAN``: the instance itself)."""

    instance: InstanceRecord
    machine: ContextMachine
    index: int

    @property
    def copy(self) -> Copy | None:
        """The job; None: the plan itself."""
        return None if self.index == PLAN else self.machine.graph.copies[self.index]

    @property
    def context(self) -> str:
        """The context it is in."""
        return self.machine.graph.contexts[0 if self.copy is None else self.copy.context].name


def follow(step: Step) -> None:
    """Tell of whatever has changed in a step. Looks at rows that are there already: what it notes itself is told of nowhere.

    Whatever caused the change has caused its notification: a step has the rows of what was due before its event as well.
    """
    ticks: dict[tuple[str, str, str], list[AuditRow]] = {}
    for row in tuple(step.audit):
        step.cause, step.user = row.cause, row.user
        match row.kind:
            case "job":
                _job_moved(step, row)
            case "instance" if row.context:
                _plan_moved(step, row)
            case "tick" if row.context and row.before:
                ticks.setdefault((row.context, row.job, row.after), []).append(row)
            case "agent":
                _agent_moved(step, NodeName(row.detail))
            case _:
                pass
    for rows in ticks.values():
        step.cause, step.user = rows[0].cause, rows[0].user
        _ticked(step, rows)


# Jobs and plans


def _job_moved(step: Step, row: AuditRow) -> None:
    """A job has another status. A run is told of where it belongs, not once more for each copy that it stands for."""
    machine = step.state.machines.get(InstanceId(row.instance))
    instance = step.state.instances.get(InstanceId(row.instance))
    index = None if machine is None else _find(machine, row.context, row.job)
    if machine is None or instance is None or index is None:
        return
    run = step.state.runs.get(RunId(row.run))
    if run is not None and run.copy != index and index in machine.graph.copies[run.copy].stands_for:
        return
    subject = Subject(instance=instance, machine=machine, index=index)
    if run is not None and row.after == JobStatus.RUNNING:
        deadlines.arm_run(step.state, machine, run)
    if run is not None and row.before == JobStatus.RUNNING:
        _took(step, subject, run.id, complete=row.after == JobStatus.COMPLETE)
    monitor = _OF_JOBS.get(row.after)
    if monitor is not None and row.before != JobStatus.ERROR_ACKNOWLEDGED:
        said = f": {row.detail}" if row.detail else ""
        _tell(step, subject, monitor, f"{subject.machine.graph.copies[index].name} is {row.after}{said}", run=row.run)


def _plan_moved(step: Step, row: AuditRow) -> None:
    """The instance itself has another status; it starts once, and may fail and be completed again and again."""
    machine = step.state.machines.get(InstanceId(row.instance))
    instance = step.state.instances.get(InstanceId(row.instance))
    monitor = _OF_PLANS.get(row.after)
    if machine is None or instance is None or monitor is None:
        return
    subject = Subject(instance=instance, machine=machine, index=PLAN)
    moment = "" if monitor is Monitor.START else _stamp(step.now)
    _tell(step, subject, monitor, f"{instance.id} is {row.after}", moment=moment)


def _find(machine: ContextMachine, context: str, job: str) -> int | None:
    residences = machine.graph.residences.get(job, ())
    return next((index for index in residences if machine.graph.context_of(index).name == context), None)


# Limits


def limit_passed(step: Step, instance: InstanceId, monitor: Monitor, index: int) -> None:
    """By now something ought to have happened in an instance."""
    record = step.state.instances.get(instance)
    if record is None or record.status not in ACTIVE:
        return
    machine = step.state.machines[instance]
    limit = next(_limits(step, record, machine, monitor, index), None)
    if limit is None or not deadlines.is_late(machine, limit):
        return
    subject = Subject(instance=record, machine=machine, index=index)
    name = "the plan" if subject.copy is None else subject.copy.name
    _tell(step, subject, monitor, _WORDS[monitor].format(name=name, at=f"{limit.at:%Y-%m-%dT%H:%M:%SZ}"))


_WORDS: Final = {
    Monitor.OVERDUE: "no file has come for {name} by {at}",
    Monitor.LATE_START: "{name} has not started by {at}",
    Monitor.LATE_END: "{name} was not done by {at}",
}


def _limits(
    step: Step, instance: InstanceRecord, machine: ContextMachine, monitor: Monitor, index: int
) -> Iterator[Limit]:
    found = deadlines.limits(step.state, instance, machine)
    return (limit for limit in found if limit.monitor is monitor and limit.index == index)


def takes_too_long(step: Step, run: RunId) -> None:
    """A run has reached its longest time."""
    record = step.state.runs.get(run)
    instance = step.state.instances.get(record.instance) if record is not None else None
    if record is None or instance is None:
        return
    subject = Subject(instance=instance, machine=step.state.machines[record.instance], index=record.copy)
    _took(step, subject, run, complete=False)


def _took(step: Step, subject: Subject, run: RunId, *, complete: bool) -> None:
    """Tell of a run that took, or takes, too long; or that was done too soon, which only its completion can show."""
    record = step.state.runs[run]
    limit = deadlines.running_time(subject.machine.graph.copies[record.copy])
    if limit is None or record.started is None:
        return
    took = (record.ended or step.now) - record.started
    name = subject.machine.graph.copies[record.copy].name
    if limit.longest is not None and took > limit.longest:
        doing = "took" if record.ended is not None else "is running"
        text = f"{name} {doing} longer than {limit.longest}"
    elif complete and limit.shortest is not None and took < limit.shortest:
        text = f"{name} took {took}, less than {limit.shortest}"
    else:
        return
    _tell(step, subject, Monitor.RUNNING_TIME, text, run=run)


# The tick ledger, and agents


def _ticked(step: Step, rows: list[AuditRow]) -> None:
    """Starts of a plan, or fires of a job, that the ledger says were missed or skipped: together, by the newest of them."""
    newest = rows[-1]
    monitor = _OF_TICKS.get(newest.after)
    plan = step.state.plans.get(PlanName(newest.context))
    if monitor is None or plan is None:
        return
    routing = step.state.routing(plan.name, plan.version)
    due = datetime.fromisoformat(newest.before)
    many = f"{len(rows)} times, the last one due at" if len(rows) > 1 else "due at"
    name = newest.job or newest.context
    told = Notification(
        id=f"{escape(plan.name)}~{escape(newest.job)}~{_stamp(due)}~{monitor}",
        monitor=monitor,
        at=step.now,
        plan=plan.name,
        instance=newest.instance,
        job=newest.job,
        text=f"{name} {newest.after}, {many} {_stamp(due)}" + (f": {newest.detail}" if newest.detail else ""),
    )
    outbox.tell(step, told, routing.of_plan(monitor), facts_of(step.state, told))


def _agent_moved(step: Step, agent: NodeName) -> None:
    """Only an agent that stays away is told of."""
    gone = _is_gone(step, agent)
    step.state.timers.set(("gone", agent), step.now + step.state.telling.agent_gone_after if gone else None)


def _is_gone(step: Step, agent: NodeName) -> bool:
    presence = step.state.presences.get(agent)
    return presence is not None and presence.state is NodeState.GONE


def agent_stays_away(step: Step, agent: NodeName) -> None:
    """An agent has been gone for so long that it is no restart. By the connection that it lost, it is told of once."""
    presence = step.state.presences.get(agent)
    if presence is None or not _is_gone(step, agent):
        return
    live = step.state.standing.runs_at.of(agent)
    told = Notification(
        id=f"~{escape(agent)}~{_stamp(presence.since)}~{presence.connection}~{Monitor.AGENT_GONE}",
        monitor=Monitor.AGENT_GONE,
        at=step.now,
        agent=agent,
        text=f"agent {agent} is gone; {len(live)} runs that have not ended are its"
        if live
        else f"agent {agent} is gone",
    )
    outbox.tell(step, told, None, facts_of(step.state, told))


# Telling


def _tell(step: Step, subject: Subject, monitor: Monitor, text: str, *, run: str = "", moment: str = "") -> None:
    copy = subject.copy
    asked_for = _asked_for(step, subject, monitor)
    if not outbox.is_wanted(step.state, monitor, asked_for) or (copy is None and _said_by_jobs(monitor, asked_for)):
        return
    told = Notification(
        id=f"{run or _execution(step, subject, monitor, moment)}~{monitor}",
        monitor=monitor,
        at=step.now,
        plan=subject.instance.plan,
        instance=subject.instance.id,
        context=subject.context,
        job=copy.id if copy is not None else "",
        run=run,
        agent=step.state.runs[RunId(run)].agent if run else (copy.agent if copy is not None else ""),
        text=text,
    )
    facts = facts_of(step.state, told, copy, subject.machine.copies[subject.index] if copy is not None else None)
    outbox.tell(step, told, asked_for, facts)


def _said_by_jobs(monitor: Monitor, asked_for: Mail | None) -> bool:
    """Of the plan itself, what its jobs say already is told only if the plan asks for it."""
    return asked_for is None and monitor in _OF_PLANS.values()


def _asked_for(step: Step, subject: Subject, monitor: Monitor) -> Mail | None:
    routing = step.state.routing(subject.instance.plan, subject.instance.version)
    copy, graph = subject.copy, subject.machine.graph
    if copy is None:
        return routing.of_plan(monitor)
    others = (graph.context_of(index).name for index in copy.stands_for if index != copy.index)
    return routing.of_job(monitor, copy.name, (subject.context, *others))


def _execution(step: Step, subject: Subject, monitor: Monitor, moment: str) -> str:
    """What has no run: a limit is passed once in an instance, anything else happens at a moment."""
    where = f"{subject.instance.id}~{escape(subject.context)}"
    if subject.copy is None:
        return f"{subject.instance.id}~~{moment}"
    if monitor not in _WORDS:
        record = subject.machine.copies[subject.index]
        moment = _stamp(record.started or record.ended or step.now)
    return f"{where}~{escape(subject.copy.id)}~{moment}"


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
