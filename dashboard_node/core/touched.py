"""Which documents a set of changed records may have altered: more than those at most, never fewer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from broker.runtime.core import Changes
from dashboard_node.core.locks import LockId, Owner
from dashboard_node.core.placement import is_unplaced
from dashboard_node.core.records import RunRecord
from dashboard_node.core.rules import forbids
from dashboard_node.core.state import State
from schemas.names import InstanceId, JobId, NodeName, PlanName, RunId, unescape
from schemas.status import ContextStatus


class Named(NamedTuple):
    """The predecessors a job's shown blockers name, and where the first of them stands in the rule."""

    copies: tuple[int, ...]
    first: int


class Touched:
    """Which documents a set of changed records may have altered."""

    def __init__(
        self,
        state: State,
        changes: Changes,
        agents: set[NodeName],
        named: Mapping[InstanceId, Mapping[int, Named]],
    ) -> None:
        self._state = state
        self._named = named
        self.plans: dict[PlanName, None] = {}
        self.instances: dict[InstanceId, None] = {}
        self.published: dict[InstanceId, None] = {}
        """Those whose own record has changed, which is what their agents are told."""
        self.gone: dict[InstanceId, None] = {}
        self.calendars: dict[str, None] = {}
        self.grants = False
        """Whether what people may do has changed."""
        self.agents = sorted(agents)
        """Those whose presence has."""
        self.jobs: dict[tuple[InstanceId, int], None] = {}
        self.runs: dict[RunId, None] = {}
        self.taken: dict[tuple[InstanceId, JobId], None] = {}
        self.locks: set[LockId] = set(state.locks.touched)
        for key, record in changes.items():
            self._touch(key.table, key.key, removed=record is None)
        for agent in sorted(agents):
            self._agent(agent)
        for owner in state.locks.moved_up(self.locks):
            self._copies_of(owner.instance, owner.copy)

    def _touch(self, table: str, key: str, *, removed: bool) -> None:
        match table:
            case "plan" | "version":
                self.plans.setdefault(PlanName(unescape(key.partition("~")[0])))
            case "instance":
                self._instance(InstanceId(key), removed=removed)
            case "context":
                name, _, index = key.partition("~")
                self._context(InstanceId(name), int(index))
            case "job":
                name, _, index = key.partition("~")
                self._job(InstanceId(name), int(index))
            case "run":
                self._run(RunId(key))
            case "taken":
                name, _, job = key.partition("~")
                self.taken.setdefault((InstanceId(name), JobId(unescape(job))))
            case "user":
                self.grants = True
            case "calendar":
                self.calendars.setdefault(unescape(key.partition("~")[0]))
                self.plans.update(dict.fromkeys(self._state.plans_naming(unescape(key.partition("~")[0]))))
            case _:
                pass  # answers are nobody's document

    def _instance(self, name: InstanceId, *, removed: bool) -> None:
        if removed:
            self.gone.setdefault(name)
            return
        instance = self._state.instances.get(name)
        if instance is None:
            return
        self.instances.setdefault(name)
        self.published.setdefault(name)
        self.plans.setdefault(instance.plan)
        if instance.status is ContextStatus.ENDED:
            for copy in self._state.machines[name].graph.copies:
                self.jobs.setdefault((name, copy.index))
            for job in self._state.taken_of(name):
                self.taken.setdefault((name, job))

    def _job(self, name: InstanceId, index: int) -> None:
        machine = self._state.machines.get(name)
        if machine is None:
            return
        self.jobs.setdefault((name, index))
        self.instances.setdefault(name)
        copy = machine.graph.copies[index]
        counted = {other: machine.graph.copies[other].rule for other in copy.feeds}
        spared = {other for other, rule in counted.items() if rule is not None and not forbids(rule, index)}
        named = self._named.get(name, {})
        for dependent in copy.dependents:
            known = named.get(dependent)
            if known is None or index in known.copies or index in machine.ceased or dependent not in spared:
                self.jobs.setdefault((name, dependent))

    def _context(self, name: InstanceId, index: int) -> None:
        """Jobs of contexts that wait for this one say how it stands; its own jobs, how its own window does."""
        self.instances.setdefault(name)
        machine = self._state.machines.get(name)
        if machine is None:
            return
        node = machine.graph.contexts[index]
        for waiting in node.gates if node.own_window is None else (*node.gates, index):
            for inside in machine.within(waiting):
                self.jobs.update(((name, copy), None) for copy in machine.graph.contexts[inside].copies)

    def _run(self, run: RunId) -> None:
        self.runs.setdefault(run)
        record = self._state.runs.get(run)
        if record is None:
            return
        self._jobs_of(record)
        if record.phase is None:  # just made, perhaps in place of another one: who waits for its locks says which it is
            owner = Owner(record.order, record.instance, record.copy)
            self.locks |= {LockId(claim.group, claim.lock) for claim in self._state.locks.claims(owner)}

    def _jobs_of(self, run: RunRecord) -> None:
        """All copies a run stands for say where it is."""
        self._copies_of(run.instance, run.copy)

    def _copies_of(self, name: InstanceId, index: int) -> None:
        machine = self._state.machines.get(name)
        if machine is not None:
            self.jobs.update(((name, copy), None) for copy in machine.graph.copies[index].stands_for)

    def _agent(self, agent: NodeName) -> None:
        """Jobs handed to an agent, or that wait for a group: whether it is there; clock and file jobs: whether it looks."""
        standing = self._state.standing
        for run in dict.fromkeys((*standing.runs_at.of(agent), *standing.runs_at.of_groups())):
            self._jobs_of(self._state.runs[run])
        # those laid out ahead of their start as well
        for name in dict.fromkeys((*standing.instances_at.of(agent), *standing.instances_at.of_groups())):
            instance, graph = self._state.instances[name], self._state.machines[name].graph
            unplaced = {group for group in graph.agents if is_unplaced(self._state, name, group)}
            watched = {agent, *(group for group, placed in instance.placed.items() if placed.agent == agent)}
            for copy in graph.copies if unplaced or not watched.isdisjoint(graph.agents) else ():
                if copy.agent in unplaced or (copy.agent in watched and copy.kind.fires):
                    self.jobs.setdefault((name, copy.index))
