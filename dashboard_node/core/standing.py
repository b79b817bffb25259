"""What has not ended, by whom it concerns: instances by plan and by agent, runs by agent.

Kept up with every record that changes, so that no step looks through all there is for the few it means. Derived, never saved.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from dashboard_node.core.records import InstanceRecord, RunRecord
from schemas.names import InstanceId, NodeName, PlanName, RunId, group_label
from schemas.status import ContextStatus, RunPhase

T = TypeVar("T", InstanceId, RunId)


class ByAgent(Generic[T]):
    """Ids by agent, and by agent group; in dicts, for their order."""

    def __init__(self) -> None:
        self._agents: dict[NodeName, dict[T, None]] = {}
        self._groups: dict[NodeName, dict[T, None]] = {}

    def add(self, agent: NodeName, name: T) -> None:
        """From now on it concerns this agent or group."""
        self._table(agent).setdefault(agent, {}).setdefault(name)

    def remove(self, agent: NodeName, name: T) -> None:
        """It does no more."""
        table = self._table(agent)
        table.get(agent, {}).pop(name, None)
        if not table.get(agent, True):
            del table[agent]

    def of(self, agent: NodeName) -> list[T]:
        """What concerns an agent or a group, in the order in which it came."""
        return list(self._table(agent).get(agent, ()))

    def of_groups(self) -> list[T]:
        """What concerns any group."""
        return list(dict.fromkeys(name for names in self._groups.values() for name in names))

    def counts(self) -> dict[NodeName, int]:
        """How many concern each agent that any concerns."""
        return {agent: len(names) for agent, names in self._agents.items()}

    def has(self, agent: NodeName, name: T) -> bool:
        """Whether it concerns this agent or group."""
        return name in self._table(agent).get(agent, ())

    @property
    def size(self) -> int:
        """How many concern agents and groups, all together."""
        return sum(len(names) for table in (self._agents, self._groups) for names in table.values())

    def _table(self, agent: NodeName) -> dict[NodeName, dict[T, None]]:
        return self._groups if group_label(agent) else self._agents


class Standing:
    """Ids alone; the records are the state's."""

    def __init__(self) -> None:
        self.instances: dict[InstanceId, None] = {}
        """Those that have not ended."""
        self.instances_at: ByAgent[InstanceId] = ByAgent()
        """By the agents and groups that their jobs name, and the agents that were ever chosen for them."""
        self.runs: dict[RunId, None] = {}
        """Those that have not ended, in the order in which they were handed over."""
        self.runs_at: ByAgent[RunId] = ByAgent()
        self._of_plan: dict[PlanName, dict[InstanceId, None]] = {}
        self._concerned: dict[InstanceId, frozenset[NodeName]] = {}

    def put_instance(self, record: InstanceRecord, named: Iterable[NodeName]) -> None:
        """An instance has changed; ``named``: the agents and groups that its jobs name."""
        if record.status is ContextStatus.ENDED:
            self.forget_instance(record)
            return
        self.instances.setdefault(record.id)
        self._of_plan.setdefault(record.plan, {}).setdefault(record.id)
        known = self._concerned.get(record.id, frozenset())
        concerned = known.union(record.hosts, (one.agent for one in record.placed.values()), () if known else named)
        self._concerned[record.id] = concerned
        for agent in concerned - known:
            self.instances_at.add(agent, record.id)

    def forget_instance(self, record: InstanceRecord) -> None:
        """An instance has ended, or is gone."""
        self.instances.pop(record.id, None)
        self._of_plan.get(record.plan, {}).pop(record.id, None)
        for agent in self._concerned.pop(record.id, ()):
            self.instances_at.remove(agent, record.id)

    def forget_plan(self, name: PlanName) -> None:
        """A plan is gone, and has no instances any more."""
        self._of_plan.pop(name, None)

    def put_run(self, before: RunRecord | None, record: RunRecord) -> None:
        """A run has changed, or is new: there was none ``before``."""
        if before is not None and before.agent != record.agent:
            self.runs_at.remove(before.agent, record.id)
        if record.phase is RunPhase.ENDED:
            self.forget_run(record)
        else:
            self.runs.setdefault(record.id)
            self.runs_at.add(record.agent, record.id)

    def forget_run(self, record: RunRecord) -> None:
        """A run has ended, or is gone."""
        self.runs.pop(record.id, None)
        self.runs_at.remove(record.agent, record.id)

    def of_plan(self, plan: PlanName) -> list[InstanceId]:
        """The instances of a plan that have not ended, in the order in which they came."""
        return list(self._of_plan.get(plan, ()))

    def lists_instance(self, record: InstanceRecord) -> bool:
        """Whether an instance is found by its plan, and by the agents that were chosen for it."""
        chosen = (*record.hosts, *(one.agent for one in record.placed.values()))
        found = record.id in self.instances and record.id in self._of_plan.get(record.plan, ())
        return found and all(self.instances_at.has(agent, record.id) for agent in chosen)

    def lists_run(self, record: RunRecord) -> bool:
        """Whether a run is found by its agent."""
        return record.id in self.runs and self.runs_at.has(record.agent, record.id)

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Instances, instances by plan, runs, runs by agent: how many are listed."""
        by_plan = sum(len(names) for names in self._of_plan.values())
        return len(self.instances), by_plan, len(self.runs), self.runs_at.size
