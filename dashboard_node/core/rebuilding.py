"""A dashboard whose disk was lost goes on from what it had shown: users, plans, calendars, instances, jobs, runs, locks.

What the bus does not keep is gone, and that is said: the audit trail, older versions of plans, values given for one run alone,
and how often a busy job was asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeVar

from broker.runtime.core import Key
from dashboard_node.core import instances, restoring
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.graph import Copy
from dashboard_node.core.lifecycle import FAILED, Stage
from dashboard_node.core.records import (
    CalendarRecord,
    ContextRecord,
    CopyRecord,
    InstanceRecord,
    Placed,
    PlanRecord,
    RunRecord,
    TakenRecord,
    UserRecord,
    VersionRecord,
)
from dashboard_node.core.state import ACTIVE
from dashboard_node.core.step import Step
from schemas.addresses import Address, AgentInstanceAt, AssignmentAt, GrantsAt, TakenAt
from schemas.blockers import BlockerKind
from schemas.documents import (
    Assignment,
    CalendarDays,
    Document,
    Grants,
    InstanceStatus,
    JobState,
    LockState,
    PlanStatus,
    PlanVersion,
    Taken,
)
from schemas.grants import told
from schemas.names import ContextName, InstanceId, JobId, NodeName, RunId, UserName, escape, run_leaf
from schemas.status import ContextStatus, JobStatus, Outcome, RunPhase

D = TypeVar("D", bound=Document)

_STAGES: Final = {
    JobStatus.LOCK_QUEUED: Stage.QUEUED,
    JobStatus.RUNNING: Stage.RUNNING,
    JobStatus.COMPLETE: Stage.COMPLETE,
    JobStatus.SKIPPED_COMPLETE: Stage.PASSED,
    JobStatus.ERROR: Stage.ERROR,
    JobStatus.ERROR_ACKNOWLEDGED: Stage.ERROR,
    JobStatus.KILLED: Stage.KILLED,
}
"""Where a job stood by what was shown; any other status: WAITING."""
_UNDER_WAY: Final = {status: _STAGES[status] for status in (JobStatus.LOCK_QUEUED, JobStatus.RUNNING)}
"""Where a job stands whose run is assigned; from a queue, it stands there until its agent has begun."""
_LOST: Final = "the dashboard's own records were gone: made again from what the broker retained"
_OVER: Final = "its run had ended, though that was not shown any more"
_RELEASED: Final = "it had been released, though that was not shown any more: its run is assigned"
_CROWDED: Final = "more hold it, by what was shown, than may: nobody is let in until enough of them have left"

Place = tuple[InstanceId, ContextName, JobId]
"""Instance, context, job."""


def rebuild(step: Step, shown: Mapping[Address, Document]) -> None:
    """Fill an empty state from our own documents; a state with anything in it knows better."""
    if step.state.plans or step.state.instances or step.state.calendars or step.state.users:
        return
    _users(step, shown.get(GrantsAt()))
    for days in _of(shown, CalendarDays):
        step.put_calendar(
            CalendarRecord(
                name=days.calendar, version=days.version, days=days.days, imported=days.imported, by=UserName(days.by)
            )
        )
    for version in _of(shown, PlanVersion):
        step.put_version(
            VersionRecord(
                plan=version.plan,
                version=version.version,
                source=version.source,
                imported=version.imported,
                by=UserName(version.by),
            )
        )
    for plan in _of(shown, PlanStatus):
        _plan(step, plan)
    jobs: dict[Place, JobState] = {(one.instance, one.context, one.job): one for one in _of(shown, JobState)}
    published: dict[InstanceId, set[NodeName]] = {}
    for at in shown:
        if isinstance(at, AgentInstanceAt):
            published.setdefault(at.instance, set()).add(at.agent)
    for instance in _of(shown, InstanceStatus):
        _instance(step, instance, jobs, published.get(instance.instance, set()))
    _runs(step, shown, jobs)
    _locks(step, shown, jobs)
    _taken(step, shown)
    restoring.derive(step.state)
    for lock in step.state.locks.crowded():
        step.note("lock", detail=f"{lock.lock}: {_CROWDED}")
    _settle(step, {job.run: job.agent for job in jobs.values() if job.run is not None})
    _open(step)
    _end(step, {job.instance: None for job in jobs.values() if _outlived(job)})


def _of(shown: Mapping[Address, Document], kind: type[D]) -> Iterator[D]:
    """The documents of a kind, in the order of their addresses."""
    for address in sorted(shown, key=repr):
        document = shown[address]
        if isinstance(document, kind):
            yield document


def _users(step: Step, grants: Document | None) -> None:
    """Who may do what must not be forgotten: nobody would be refused anything any more."""
    if not isinstance(grants, Grants):
        return
    for user, granted in sorted(grants.users.items()):
        step.put_user(user, UserRecord(user=user, grants=granted, changed=step.now))
        step.note("user", detail=f"{user}: {_LOST}", after=told(granted))


def _plan(step: Step, status: PlanStatus) -> None:
    if (status.plan, status.version) not in step.state.versions:
        step.note("plan", detail=f"{status.plan}: {_LOST}, and its definition was not among it: import it again")
        return
    step.put_plan(
        PlanRecord(
            name=status.plan,
            version=status.version,
            enabled=status.enabled,
            decided=status.decided or step.now,
            backlog=status.backlog,
            last_outcome=status.last_outcome,
        )
    )
    step.note("plan", detail=f"{status.plan}: version {status.version}, {_LOST}")


def _instance(step: Step, status: InstanceStatus, jobs: Mapping[Place, JobState], published: set[NodeName]) -> None:
    if status.plan not in step.state.plans or (status.plan, status.version) not in step.state.versions:
        return
    graph = step.state.graph(status.plan, status.version)
    record = InstanceRecord(
        id=status.instance,
        plan=status.plan,
        version=status.version,
        status=status.status,
        placed={group: Placed(agent=agent) for group, agent in status.placed.items()},
        hosts=tuple(sorted(published.difference(graph.agents))),
        created=status.created,
        opens=status.opens,
        closes=status.closes,
        started_by=status.started_by,
        parameters=status.parameters,
        clocks_disabled=graph.plan.quartz_schedule_driven_jobs_disabled_for_context,
        ended=status.ended,
        result=status.result,
        end_reason=status.end_reason,
    )
    contexts = {one.context: one for one in status.contexts}
    found = [jobs.get((record.id, graph.context_of(copy.index).name, copy.id)) for copy in graph.copies]
    over = record.status is ContextStatus.ENDED or any(job is not None and _outlived(job) for job in found)
    copies = [_copy(job, over=over) for job in found]
    nodes = [contexts.get(node.name) for node in graph.contexts]
    machine = ContextMachine(
        record.id,
        graph,
        copies,
        [
            ContextRecord() if one is None else ContextRecord(status=one.status, started=one.started, ended=one.ended)
            for one in nodes
        ],
        clocks_disabled=record.clocks_disabled,
    )
    step.put_instance(record)
    step.state.machines[record.id] = machine
    for index, node in enumerate(machine.contexts):
        step.changes[Key("context", f"{record.id}~{index}")] = node
    for index, copy in enumerate(copies):
        step.changes[Key("job", f"{record.id}~{index}")] = copy
    step.note("instance", instance=record.id, detail=f"{record.status}: {_LOST}")


def _outlived(job: JobState) -> bool:
    """Whether its run has ended and it has not: then its instance had ended before, though that was not shown any more."""
    return job.status is JobStatus.RUNNING and not job.live


def _copy(job: JobState | None, *, over: bool) -> CopyRecord:
    """What a job's document tells of its copy. Its run, or its place in a queue, is found afterwards, unless all is ``over``."""
    if job is None:
        return CopyRecord()
    stage = _STAGES.get(job.status, Stage.WAITING)
    retries = [one.until for one in job.blockers if one.kind is BlockerKind.RETRY]
    return CopyRecord(
        stage=Stage.WAITING if stage in {Stage.RUNNING, Stage.QUEUED} and not over else stage,
        held=job.held,
        skipped=job.skipped,
        disabled=job.disabled,
        acknowledged=job.acknowledged and stage in FAILED,
        raised=job.raised,
        pending=job.pending,
        passing=job.passing,
        run=job.run,
        attempt=job.attempt,
        tries=job.tries,
        dry_run=job.dry_run,
        retry_at=retries[0] if retries else None,
        started=job.started,
        ended=job.ended,
        return_code=job.return_code,
        reason=job.reason,
    )


def _runs(step: Step, shown: Mapping[Address, Document], jobs: Mapping[Place, JobState]) -> None:
    """What is handed over and has not ended: by the assignments that stand, and by jobs that say so of their newest run.

    What was shown may have been cut off at any place (`Projection.changed`): an assignment that is newer than its job counts, an
    older one is over.
    """
    assigned = [
        (at.agent, one) for at, one in shown.items() if isinstance(at, AssignmentAt) and isinstance(one, Assignment)
    ]
    for agent, assignment in sorted(assigned, key=lambda found: (-found[1].attempt, found[1].run)):
        job = jobs.get((assignment.instance, assignment.context, assignment.job))
        if job is not None and (assignment.attempt > job.attempt or (assignment.run == job.run and job.live)):
            _run(step, agent, assignment, job)
    for place, job in jobs.items():
        if (
            job.live
            and job.run is not None
            and job.run not in step.state.runs
            and run_leaf(job.run).startswith(f"{escape(place[1])}~")
        ):
            _run(step, job.agent, None, job)


def _run(step: Step, agent: NodeName, assignment: Assignment | None, job: JobState) -> None:
    """A run that has not ended, unless its job has a newer one; without an assignment it gets one anew.

    The copies it stands for stand where they were shown. One shown as RUNNING with an older run waits: that one has ended.
    """
    machine = step.state.machines.get(job.instance)
    home = None if machine is None else _find(machine, job.context, job.job)
    run = assignment.run if assignment is not None else job.run
    if machine is None or home is None or run is None or any(machine.copies[index].live for index in home.stands_for):
        return
    running = job.status is JobStatus.RUNNING and job.run == run
    outlived = job.status is JobStatus.RUNNING and not running
    attempt = assignment.attempt if assignment is not None else job.attempt
    step.put_run(
        RunRecord(
            id=run,
            instance=job.instance,
            copy=home.index,
            attempt=attempt,
            agent=agent,
            created=job.started or step.now,
            order=step.next_order(),
            parameters=assignment.parameters if assignment is not None else {},
            journal=assignment.journal if assignment is not None else 0,
            granted=assignment is None or not assignment.hold,
            phase=RunPhase.RUNNING if running else None,
            started=job.started if running else None,
            stop=assignment is not None and assignment.stop,
            stop_reason=assignment.stop_reason if assignment is not None else "",
        )
    )
    for index in home.stands_for:
        record = machine.copies[index]
        if record.run == run or record.attempt < attempt:
            stage = record.stage if record.skipped or outlived else _UNDER_WAY.get(job.status, record.stage)
            released = record.held and record.attempt < attempt
            if (outlived and not record.skipped) or released:
                place = {"context": machine.graph.context_of(index).name, "job": job.job, "run": job.run or ""}
                why = _RELEASED if released else _OVER
                step.note("job", instance=job.instance, **place, before=job.status, after=JobStatus.WAITING, detail=why)
            facts = {"run": run, "attempt": attempt, "raised": True, "pending": False, "retry_at": None}
            facts |= {"held": record.held and not released}
            _put(step, machine, index, live=True, stage=stage, queued=0, **facts)


def _locks(step: Step, shown: Mapping[Address, Document], jobs: Mapping[Place, JobState]) -> None:
    """Jobs that were queued take their places again, in the order in which they stood; those whose place was not shown, last."""
    claims = [claim for lock in _of(shown, LockState) for claim in lock.queue]
    places = {
        (claim.instance, claim.context, claim.job): claim.since
        for claim in sorted(claims, key=lambda claim: claim.since or step.now)
    }
    for place in dict.fromkeys((*places, *jobs)):
        job, machine = jobs.get(place), step.state.machines.get(place[0])
        copy = None if machine is None else _find(machine, place[1], place[2])
        if job is None or job.status is not JobStatus.LOCK_QUEUED or machine is None or copy is None:
            continue
        if any(machine.copies[index].live or machine.copies[index].queued for index in copy.stands_for):
            continue
        for index in copy.stands_for:
            order = step.next_order() if index == copy.index else 0
            _put(step, machine, index, stage=Stage.QUEUED, queued=order, queued_at=places.get(place, step.now))


def _taken(step: Step, shown: Mapping[Address, Document]) -> None:
    """Up to where fires count already."""
    for address, document in shown.items():
        if isinstance(address, TakenAt) and isinstance(document, Taken) and document.instance in step.state.instances:
            step.put_taken(
                TakenRecord(
                    instance=document.instance, job=document.job, agent=address.agent, sequence=document.sequence
                )
            )


def _find(machine: ContextMachine, context: str, job: str) -> Copy | None:
    found = (copy for copy in machine.graph.copies if copy.id == job)
    return next((copy for copy in found if machine.graph.context_of(copy.index).name == context), None)


def _put(step: Step, machine: ContextMachine, index: int, **fields: object) -> None:
    """Replace what is known of a copy, past the tables: nothing happens to it, it is only found to stand so."""
    known = {name: getattr(machine.copies[index], name) for name in CopyRecord.__struct_fields__}
    machine.copies[index] = CopyRecord(**(known | fields))
    step.changes[Key("job", f"{machine.instance}~{index}")] = machine.copies[index]


def _settle(step: Step, agents: Mapping[RunId, NodeName]) -> None:
    """Count again what is in each context, now that all runs are found; and remember which runs have ended."""
    for name in sorted(step.state.machines):
        old = step.state.machines[name]
        machine = ContextMachine(name, old.graph, old.copies, old.contexts, clocks_disabled=old.clocks_disabled)
        step.state.machines[name] = machine
        for index, record in enumerate(machine.copies):
            if record.run is not None and not record.live and record.run not in step.state.runs:
                step.put_run(_ended(step, machine, index, record.run, agents[record.run]))
        if step.state.instances[name].status in ACTIVE:
            for index in range(len(machine.contexts)):
                machine.touch(index)
            step.touch(machine)


def _open(step: Step) -> None:
    """Instances laid out ahead, of which jobs were initiated: they had opened, though that was not shown any more."""
    for name in sorted(step.state.standing.instances):
        record, copies = step.state.instances[name], step.state.machines[name].copies
        if record.status is ContextStatus.PREPARED and any(copy.live or copy.queued for copy in copies):
            instances.activate(step, record)


def _end(step: Step, over: Iterable[InstanceId]) -> None:
    """Instances that had ended, though their end was not shown any more."""
    for name in over:
        record = step.state.instances.get(name)
        if record is not None and record.status in ACTIVE:
            instances.end_instance(step, record, "it had ended before the dashboard's own records were gone")


def _ended(step: Step, machine: ContextMachine, index: int, run: RunId, agent: NodeName) -> RunRecord:
    record = machine.copies[index]
    return RunRecord(
        id=run,
        instance=machine.instance,
        copy=index,
        attempt=record.attempt,
        agent=agent,
        created=record.started or step.now,
        order=0,
        phase=RunPhase.ENDED,
        started=record.started,
        ended=record.ended,
        outcome=Outcome.FAILED if record.stage in FAILED else Outcome.SUCCEEDED,
        return_code=record.return_code,
    )
