"""What the bus ought to show: each document out of the state, and which documents a change touches.

``Projection.documents`` makes all of them, one after the other; ``Projection.changed`` only those that applied changes can have
altered, also while the others are being made. Both make a document with the same function, so what stands on the bus does not
depend on the way it came there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from broker.runtime.core import Changes
from dashboard_node.core import blockers, placement
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.graph import Copy, PlanGraph
from dashboard_node.core.lifecycle import Stage
from dashboard_node.core.locks import LockId
from dashboard_node.core.plan_documents import PlanDocuments, Shown
from dashboard_node.core.records import InstanceRecord, RunRecord
from dashboard_node.core.state import ACTIVE, State
from dashboard_node.core.touched import Named, Touched
from schemas.addresses import (
    Address,
    AgentInstanceAt,
    AssignmentAt,
    InstanceAt,
    JobAt,
    LockAt,
    PlanAt,
    TakenAt,
)
from schemas.documents import (
    AgentInstance,
    Assignment,
    ContextState,
    Document,
    InstanceStatus,
    JobState,
    LockState,
    Taken,
)
from schemas.names import InstanceId, JobId, NodeName, group_label
from schemas.plan import CommandJob
from schemas.status import ContextStatus, JobStatus, RunPhase


class Projection:
    """The dashboard's documents."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._named: dict[InstanceId, dict[int, Named]] = {}
        self._clear: dict[InstanceId, dict[Address, None]] = {}
        """What stands on the bus for an instance, its jobs aside, to be cleared with it."""
        self._graphs: dict[InstanceId, PlanGraph] = {}
        """Of instances whose jobs stand there: there are many, and this says which."""
        self._plans = PlanDocuments(state)
        self._to_come: set[Address] = set()
        """While all is being shown: statuses that come yet, and may not be shown before what they speak for."""

    def documents(self) -> Iterator[tuple[Address, Document]]:
        """Everything that ought to be shown, in the order of `changed`: what agents act on first, what speaks for others last.

        Each is made when it is taken, by the state as it is then. What changes from now on knows which of them are to come.
        """
        self._plans.begin()
        around = self._to_come
        self._to_come = {*map(PlanAt, self._state.plans), *map(InstanceAt, self._state.instances)}
        return self._in_turn(around)

    def _in_turn(self, around: set[Address]) -> Iterator[tuple[Address, Document]]:
        try:
            for address, document in self._everything():
                self._to_come.discard(address)
                if document is not None:
                    yield address, document
        finally:
            self._to_come = around

    def _everything(self) -> Iterator[Shown]:
        """What is gone when its turn comes is left out."""
        state = self._state
        instances, plans = sorted(state.instances), sorted(state.plans)
        yield from self._plans.grants(sorted(state.presences))
        for calendar in sorted(state.calendars):
            yield self._plans.calendar(calendar)
        for plan in filter(state.plans.__contains__, plans):
            yield from self._plans.definitions(plan)
        for name in filter(state.instances.__contains__, instances):
            yield from self._for_agents(name)
        for name in filter(state.instances.__contains__, instances):
            yield from self._of_instance(name)
        for lock in sorted(state.locks.locks):
            yield self._lock(lock)
        for plan in filter(state.plans.__contains__, plans):
            yield self._plans.status(state.plans[plan])

    def changed(self, changes: Changes, agents: set[NodeName]) -> Mapping[Address, Document | None]:
        """What is to be shown differently because of applied changes; None: cleared.

        What agents act on comes after what it refers to, and before what follows from it; which starts are decided comes last of
        what is shown, and whatever is cleared after that: if this is cut off, what stands tells all that agents may have heard.
        """
        touched = Touched(self._state, changes, agents, self._named)
        found: dict[Address, Document | None] = {}
        found.update(
            self._plans.grants(
                sorted(self._state.presences) if touched.grants else touched.agents, known=touched.grants
            )
        )
        found.update(self._plans.calendar(name) for name in touched.calendars)
        for plan in touched.plans:
            found.update(self._plans.news(plan) if plan in self._state.plans else self._plans.without(plan))
        found.update(self._altered(touched))
        found.update(self._lock(lock) for lock in sorted(touched.locks))
        self._state.locks.clear_touched()
        for name in touched.gone:
            found.update(self._without_instance(name))
        for name in touched.instances:
            if name in self._state.machines:
                self._state.machines[name].ceased.clear()
        found.update(self._plans.status(self._state.plans[plan]) for plan in touched.plans if plan in self._state.plans)
        self._to_come.difference_update(map(InstanceAt, touched.instances))
        told = (item for item in found.items() if item[0] not in self._to_come)
        return dict(sorted(told, key=lambda item: item[1] is None))

    def _altered(self, touched: Touched) -> Iterator[Shown]:
        """The documents of instances, as they are now.

        First what agents act on; an instance's own status last, so that who sees its end has seen all of it: while everything is
        being shown and its turn is still to come, all that it speaks for is shown with it.
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
            if InstanceAt(instance.id) in self._to_come:
                yield from self._of_instance(instance.id)
            else:
                yield self._status(instance)

    # Instances

    def _for_agents(self, name: InstanceId) -> Iterator[Shown]:
        yield from self._publications(self._state.instances[name])
        for run in self._state.live_runs(name):
            if name in self._state.instances:
                yield from self._assignment(run)

    def _of_instance(self, name: InstanceId) -> Iterator[Shown]:
        """What people see of an instance, and up to where its agents may forget; nothing more once it is removed."""
        machine = self._state.machines[name]
        for copy in machine.graph.copies:
            if name in self._state.instances:
                yield self._job(machine, copy)
        for job in sorted(self._state.taken_of(name)):
            yield from self._taken(name, job)
        if name in self._state.instances:
            yield self._status(self._state.instances[name])

    def _without_instance(self, name: InstanceId) -> Iterator[Shown]:
        """It was removed: all that stands of it goes."""
        if (graph := self._graphs.pop(name, None)) is not None:
            for copy in graph.copies:
                yield JobAt(name, graph.context_of(copy.index).name, copy.id), None
        yield from dict.fromkeys(self._clear.pop(name, {})).items()
        self._named.pop(name, None)

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
            passing=record.passing,
            tries=record.tries,
            blockers=why,
        )
        self._graphs.setdefault(machine.instance, machine.graph)
        return JobAt(machine.instance, document.context, copy.id), document

    def _missing(self, machine: ContextMachine, copy: Copy, *, waiting: bool) -> list[int]:
        """The predecessors its blockers name; remembered, so that only what changes them is looked at again."""
        named = self._named.setdefault(machine.instance, {})
        if not waiting:
            named.pop(copy.index, None)
            return []
        known = named.get(copy.index)
        start = known.first if known is not None and not machine.ceased else 0
        missing, first = blockers.first_missing(machine, copy, start)
        named[copy.index] = Named(tuple(missing), first)
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
