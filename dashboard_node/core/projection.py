"""What the bus ought to show: each document out of the state, and which documents a change touches.

``Projection.documents`` makes all of them; ``Projection.changed`` only those that applied changes can have altered. Both make a
document with the same function, so what stands on the bus does not depend on the way it came there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from broker.runtime.core import Changes
from dashboard_node.core import blockers, placement, schedules
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.graph import Copy
from dashboard_node.core.lifecycle import Stage
from dashboard_node.core.locks import LockId
from dashboard_node.core.provisioning import watched_by_agent
from dashboard_node.core.records import InstanceRecord, PlanRecord, RunRecord
from dashboard_node.core.state import ACTIVE, State
from dashboard_node.core.touched import Named, Touched
from schemas.addresses import (
    Address,
    AgentGrantsAt,
    AgentInstanceAt,
    AgentPlanAt,
    AssignmentAt,
    CalendarAt,
    GrantsAt,
    InstanceAt,
    JobAt,
    LockAt,
    PlanAt,
    PlanVersionAt,
    TakenAt,
)
from schemas.documents import (
    AgentInstance,
    AgentPlan,
    Assignment,
    CalendarDays,
    ContextState,
    Document,
    Grants,
    InstanceStatus,
    JobState,
    LockState,
    PlanStatus,
    PlanVersion,
    Taken,
)
from schemas.names import InstanceId, JobId, NodeName, PlanName, group_label
from schemas.plan import CommandJob
from schemas.status import ContextStatus, JobStatus, RunPhase

Shown = tuple[Address, Document | None]


class Projection:
    """The dashboard's documents."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._named: dict[InstanceId, dict[int, Named]] = {}
        self._clear: dict[InstanceId, dict[Address, None]] = {}
        """What stands on the bus for an instance, to be cleared with it."""
        self._provided: dict[PlanName, set[NodeName]] = {}
        """The agents that a plan's documents stand for."""
        self._versions: dict[PlanName, set[int]] = {}
        """The versions of a plan that are shown."""

    def documents(self) -> dict[Address, Document]:
        """Everything that ought to be shown, in the order of `changed`."""
        found: dict[Address, Document] = {}
        self._add(found, self._grants(sorted(self._state.presences)))
        self._add(found, [self._calendar(name) for name in sorted(self._state.calendars)])
        for plan in sorted(self._state.plans):
            self._versions.pop(plan, None)
            self._add(found, self._of_plan(plan))
        for name in sorted(self._state.instances):
            self._add(found, self._of_instance(name))
        for lock in sorted(self._state.locks.locks):
            self._add(found, [self._lock(lock)])
        self._add(found, [self._plan(self._state.plans[plan]) for plan in sorted(self._state.plans)])
        return found

    def _add(self, found: dict[Address, Document], items: Iterator[Shown] | list[Shown]) -> None:
        found.update({address: document for address, document in items if document is not None})

    def changed(self, changes: Changes, agents: set[NodeName]) -> Mapping[Address, Document | None]:
        """What is to be shown differently because of applied changes; None: cleared.

        What agents act on comes after what it refers to, and before what follows from it; which starts are decided comes last of
        what is shown, and whatever is cleared after that: if this is cut off, what stands tells all that agents may have heard.
        """
        touched = Touched(self._state, changes, agents, self._named)
        found: dict[Address, Document | None] = {}
        found.update(
            self._grants(sorted(self._state.presences) if touched.grants else touched.agents, known=touched.grants)
        )
        found.update(self._calendar(name) for name in touched.calendars)
        for plan in touched.plans:
            found.update(self._of_plan(plan) if plan in self._state.plans else self._without_plan(plan))
        found.update(self._altered(touched))
        found.update(self._lock(lock) for lock in sorted(touched.locks))
        self._state.locks.clear_touched()
        for name in touched.gone:
            found.update(dict.fromkeys(self._clear.pop(name, {})))
            self._named.pop(name, None)
        for name in touched.instances:
            if name in self._state.machines:
                self._state.machines[name].ceased.clear()
        found.update(self._plan(self._state.plans[plan]) for plan in touched.plans if plan in self._state.plans)
        return dict(sorted(found.items(), key=lambda item: item[1] is None))

    def _altered(self, touched: Touched) -> Iterator[Shown]:
        """The documents of instances, as they are now.

        First what agents act on; an instance's own status last, so that who sees its end has seen all of it.
        """
        instances = [self._state.instances[name] for name in touched.instances if name in self._state.instances]
        for instance in instances:
            if instance.id in touched.published:
                yield from self._publications(instance)
        for run in touched.runs:
            if run in self._state.runs:
                yield from self._assignment(self._state.runs[run])
        for name, index in touched.jobs:
            machine = self._state.machines.get(name)
            if machine is not None:
                yield self._job(machine, machine.graph.copies[index])
        for name, job in touched.taken:
            yield from self._taken(name, job)
        for instance in instances:
            yield self._status(instance)

    # Plans

    def _of_plan(self, name: PlanName) -> Iterator[Shown]:
        record = self._state.plans[name]
        provisioned, known = watched_by_agent(self._state, record), self._provided.setdefault(name, set())
        known.update(provisioned)
        for agent in sorted(known):
            versions = provisioned.get(agent, {})
            days = schedules.days_for(self._state, (job for jobs in versions.values() for job in jobs))
            document = AgentPlan(plan=name, versions=versions, calendars=days)
            yield AgentPlanAt(agent, name), document if versions else None
        yield from self._versions_of(record)

    def _versions_of(self, record: PlanRecord) -> Iterator[Shown]:
        """Those that are the newest or still run, once, for they never change; what is of use no more is cleared."""
        used = self._state.versions_in_use(record.name)
        kept = self._versions.get(record.name, set())
        self._versions[record.name] = set(used)
        for version in sorted(kept.difference(used)):
            yield PlanVersionAt(record.name, version), None
        for version in used:
            if version in kept:
                continue
            one = self._state.versions[record.name, version]
            yield (
                PlanVersionAt(record.name, version),
                PlanVersion(plan=one.plan, version=version, imported=one.imported, by=one.by, source=one.source),
            )

    def _grants(self, agents: Sequence[NodeName], *, known: bool = True) -> Iterator[Shown]:
        """Who may do what, for people (``known``: it may have changed) and for each of these agents."""
        granted = self._state.granted
        document = Grants(users=granted) if granted else None
        if known:
            yield GrantsAt(), document
        for agent in agents:
            yield AgentGrantsAt(agent), document if agent in self._state.presences else None

    def _calendar(self, name: str) -> Shown:
        versions = self._state.calendars.get(name)
        if versions is None:
            return CalendarAt(name), None
        one = versions[-1]
        document = CalendarDays(calendar=name, version=one.version, imported=one.imported, by=one.by, days=one.days)
        return CalendarAt(name), document

    def _without_plan(self, name: PlanName) -> Iterator[Shown]:
        for agent in sorted(self._provided.pop(name, set())):
            yield AgentPlanAt(agent, name), None
        for version in sorted(self._versions.pop(name, set())):
            yield PlanVersionAt(name, version), None
        yield PlanAt(name), None

    def _plan(self, record: PlanRecord) -> Shown:
        graph = self._state.newest(record.name)
        ttl = schedules.length(graph.plan)
        return PlanAt(record.name), PlanStatus(
            plan=record.name,
            version=record.version,
            enabled=record.enabled,
            description=graph.plan.description,
            schedule=graph.plan.time_window_start,
            zone=schedules.zone_of(graph.plan).key,
            window_seconds=ttl.total_seconds() if ttl is not None else 0.0,
            next_start=schedules.next_opening(self._state, record),
            decided=record.decided,
            backlog=record.backlog,
            running=tuple(instance.id for instance in self._state.active_of(record.name)),
            last_outcome=record.last_outcome,
            agents=graph.agents,
            job_count=len(graph.copies),
        )

    # Instances

    def _of_instance(self, name: InstanceId) -> Iterator[Shown]:
        yield from self._publications(self._state.instances[name])
        for run in self._state.live_runs(name):
            yield from self._assignment(run)
        machine = self._state.machines[name]
        for copy in machine.graph.copies:
            yield self._job(machine, copy)
        for job in sorted(self._state.taken_of(name)):
            yield from self._taken(name, job)
        yield self._status(self._state.instances[name])

    def _publications(self, instance: InstanceRecord) -> Iterator[Shown]:
        active = instance.status in ACTIVE
        named = (agent for agent in self._state.machines[instance.id].graph.agents if not group_label(agent))
        for agent in dict.fromkeys((*named, *instance.hosts)):
            address = AgentInstanceAt(agent, instance.id)
            yield self._kept(instance.id, address), self._publication(instance, agent) if active else None

    def _publication(self, instance: InstanceRecord, agent: NodeName) -> AgentInstance:
        chosen = {group: placed.since for group, placed in sorted(instance.placed.items()) if placed.agent == agent}
        return AgentInstance(
            instance=instance.id,
            plan=instance.plan,
            version=instance.version,
            opens=instance.opens,
            closes=instance.closes,
            parameters=instance.parameters,
            clocks_disabled=instance.clocks_disabled,
            groups=chosen,
        )

    def _status(self, instance: InstanceRecord) -> Shown:
        machine = self._state.machines[instance.id]
        return self._kept(instance.id, InstanceAt(instance.id)), InstanceStatus(
            instance=instance.id,
            plan=instance.plan,
            version=instance.version,
            status=instance.status,
            created=instance.created,
            opens=instance.opens,
            closes=instance.closes,
            ended=instance.ended,
            started_by=instance.started_by,
            result=instance.result,
            end_reason=instance.end_reason,
            counts={status: machine.counts[status] for status in JobStatus if machine.counts.get(status)},
            parameters=instance.parameters,
            placed={group: placed.agent for group, placed in sorted(instance.placed.items()) if placed.agent != group},
            contexts=tuple(
                ContextState(
                    context=node.name,
                    status=machine.contexts[node.index].status,
                    parent=machine.graph.contexts[node.parent].name if node.parent is not None else "",
                    started=machine.contexts[node.index].started,
                    ended=machine.contexts[node.index].ended,
                )
                for node in machine.graph.contexts
            ),
            jobs=len(machine.graph.copies),
        )

    def _job(self, machine: ContextMachine, copy: Copy) -> Shown:
        record = machine.copies[copy.index]
        ended = machine.contexts[0].status is ContextStatus.ENDED
        missing = self._missing(machine, copy, waiting=record.stage is Stage.WAITING and not ended)
        why = () if ended else blockers.blockers(self._state, machine, copy, missing)
        document = JobState(
            instance=machine.instance,
            context=machine.graph.context_of(copy.index).name,
            job=copy.id,
            name=copy.name,
            agent=placement.shown_agent(self._state, machine, copy),
            kind=copy.kind,
            status=machine.status(copy.index),
            order=copy.index,
            held=record.held,
            skipped=record.skipped,
            disabled=record.disabled,
            acknowledged=record.acknowledged,
            attempt=record.attempt,
            run=record.run,
            live=record.live,
            started=record.started,
            ended=record.ended,
            return_code=record.return_code,
            reason=record.reason,
            dry_run=record.dry_run,
            raised=record.raised,
            pending=record.pending,
            tries=record.tries,
            blockers=why,
        )
        return self._kept(machine.instance, JobAt(machine.instance, document.context, copy.id)), document

    def _missing(self, machine: ContextMachine, copy: Copy, *, waiting: bool) -> list[int]:
        """The predecessors its blockers name; remembered, so that only what changes them is looked at again."""
        named = self._named.setdefault(machine.instance, {})
        if not waiting:
            named.pop(copy.index, None)
            return []
        known = named.get(copy.index)
        start = known.first if known is not None and not machine.ceased else 0
        missing, first = blockers.first_missing(machine, copy, start)
        named[copy.index] = Named(frozenset(missing), first)
        return missing

    def _assignment(self, run: RunRecord) -> Iterator[Shown]:
        """A run for which nobody of its group is chosen stands at the group's own address, where no agent reads it."""
        machine = self._state.machines[run.instance]
        copy = machine.graph.copies[run.copy]
        if copy.agent != run.agent and group_label(copy.agent):
            yield AssignmentAt(copy.agent, run.id), None
        address = self._kept(run.instance, AssignmentAt(run.agent, run.id))
        if run.phase is RunPhase.ENDED or not isinstance(copy.artefact, CommandJob):
            yield address, None
            return
        yield (
            address,
            Assignment(
                run=run.id,
                instance=run.instance,
                plan=self._state.instances[run.instance].plan,
                context=machine.graph.context_of(copy.index).name,
                job=copy.id,
                attempt=run.attempt,
                command=copy.artefact,
                parameters=run.parameters,
                journal=run.journal,
                stop=run.stop,
                stop_reason=run.stop_reason,
                hold=placement.withheld(self._state, run),
            ),
        )

    def _taken(self, name: InstanceId, job: JobId) -> Iterator[Shown]:
        record = self._state.taken.get((name, job))
        instance = self._state.instances.get(name)
        if record is None or instance is None:
            return
        for agent in instance.hosts:
            if agent != record.agent:  # it was chosen before
                yield TakenAt(agent, name, job), None
        address = self._kept(name, TakenAt(record.agent, name, job))
        if not record.sequence or instance.status not in ACTIVE:
            yield address, None
            return
        yield address, Taken(instance=name, job=job, sequence=record.sequence)

    # Locks

    def _lock(self, name: LockId) -> Shown:
        lock = self._state.locks.locks.get(name)
        address = LockAt(name.lock, name.group)
        if lock is None:
            return address, None
        return address, LockState(
            lock=name.lock,
            group=name.group,
            capacity=lock.capacity,
            exclusive=lock.exclusive,
            holders=tuple(blockers.claim(self._state, owner, name.lock) for owner in sorted(lock.holders)),
            queue=tuple(blockers.claim(self._state, owner, name.lock) for owner in lock.queue),
        )

    def _kept(self, instance: InstanceId, address: Address) -> Address:
        """Remember what stands on the bus for an instance."""
        self._clear.setdefault(instance, {}).setdefault(address)
        return address
