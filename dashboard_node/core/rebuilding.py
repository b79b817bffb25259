"""A dashboard whose disk was lost goes on from what it had shown: plans, calendars, instances, jobs, runs, locks.

What the bus does not keep is gone, and that is said: the audit trail, older versions of plans, values given for one run alone,
and how often a busy job was asked for again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeVar

from broker.runtime.core import Key
from dashboard_node.core import restoring
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
    VersionRecord,
)
from dashboard_node.core.state import ACTIVE
from dashboard_node.core.step import Step
from schemas.addresses import Address, AgentInstanceAt, AssignmentAt, TakenAt
from schemas.documents import (
    Assignment,
    BlockerKind,
    CalendarDays,
    Document,
    InstanceStatus,
    JobState,
    LockState,
    PlanStatus,
    PlanVersion,
    Taken,
)
from schemas.names import NodeName, RunId, UserName
from schemas.schedule import MOMENT
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
_LOST: Final = "the dashboard's own records were gone: made again from what the broker retained"

Place = tuple[str, str, str]
"""Instance, context, job."""


def rebuild(step: Step, shown: Mapping[Address, Document]) -> None:
    """Fill an empty state from our own documents; a state with anything in it knows better."""
    if step.state.plans or step.state.instances or step.state.calendars:
        return
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
    for instance in _of(shown, InstanceStatus):
        published = {at.agent for at in shown if isinstance(at, AgentInstanceAt) and at.instance == instance.instance}
        _instance(step, instance, jobs, published)
    for address in sorted(shown, key=repr):
        assignment = shown[address]
        if isinstance(address, AssignmentAt) and isinstance(assignment, Assignment):
            _run(step, address.agent, assignment, jobs.get((assignment.instance, assignment.context, assignment.job)))
    _locks(step, shown)
    for address, document in shown.items():
        if isinstance(address, TakenAt) and isinstance(document, Taken) and document.instance in step.state.instances:
            step.put_taken(
                TakenRecord(
                    instance=document.instance, job=document.job, agent=address.agent, sequence=document.sequence
                )
            )
    restoring.derive(step.state)
    _settle(step, {job.run: job.agent for job in jobs.values() if job.run is not None})


def _of(shown: Mapping[Address, Document], kind: type[D]) -> Iterator[D]:
    """The documents of a kind, in the order of their addresses."""
    for address in sorted(shown, key=repr):
        document = shown[address]
        if isinstance(document, kind):
            yield document


def _plan(step: Step, status: PlanStatus) -> None:
    if (status.plan, status.version) not in step.state.versions:
        step.note("plan", detail=f"{status.plan}: {_LOST}, and its definition was not among it: import it again")
        return
    decided = step.now if status.next_start is None else min(step.now, status.next_start - MOMENT)
    step.put_plan(
        PlanRecord(
            name=status.plan,
            version=status.version,
            enabled=status.enabled,
            decided=decided,
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
    over = record.status is ContextStatus.ENDED
    found = [jobs.get((record.id, graph.context_of(copy.index).name, copy.id)) for copy in graph.copies]
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


def _run(step: Step, agent: NodeName, assignment: Assignment, job: JobState | None) -> None:
    """A run that stood assigned has not ended; the copies it stands for stand where they were shown."""
    machine = step.state.machines.get(assignment.instance)
    if machine is None or job is None:
        return
    home = _find(machine, assignment.context, assignment.job)
    if home is None:
        return
    running = job.status is JobStatus.RUNNING
    step.put_run(
        RunRecord(
            id=assignment.run,
            instance=assignment.instance,
            copy=home.index,
            attempt=assignment.attempt,
            agent=agent,
            created=job.started or step.now,
            order=step.next_order(),
            parameters=assignment.parameters,
            journal=assignment.journal,
            granted=not assignment.hold,
            phase=RunPhase.RUNNING if running else None,
            started=job.started if running else None,
            stop=assignment.stop,
            stop_reason=assignment.stop_reason,
        )
    )
    for index in home.stands_for:
        record = machine.copies[index]
        if record.run == assignment.run:
            stage = Stage.RUNNING if running and not record.skipped else record.stage
            _put(step, machine, index, live=True, stage=stage, queued=0)


def _locks(step: Step, shown: Mapping[Address, Document]) -> None:
    """Jobs that were queued take their places again, in the order in which they stood."""
    claims = [claim for lock in _of(shown, LockState) for claim in lock.queue]
    places = dict.fromkeys(
        (claim.instance, claim.context, claim.job, claim.since)
        for claim in sorted(claims, key=lambda claim: claim.since or step.now)
    )
    for instance, context, job, since in places:
        machine = step.state.machines.get(instance)
        copy = None if machine is None else _find(machine, context, job)
        if machine is not None and copy is not None and not machine.copies[copy.index].queued:
            for index in copy.stands_for:
                order = step.next_order() if index == copy.index else 0
                _put(step, machine, index, stage=Stage.QUEUED, queued=order, queued_at=since)


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
