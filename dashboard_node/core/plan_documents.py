"""The documents of plans, and of what stands beside them: calendars, and who may do what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dashboard_node.core import schedules
from dashboard_node.core.provisioning import watched_by_agent
from dashboard_node.core.records import PlanRecord
from dashboard_node.core.state import State
from schemas.addresses import (
    Address,
    AgentGrantsAt,
    AgentPlanAt,
    CalendarAt,
    GrantsAt,
    PlanAt,
    PlanVersionAt,
)
from schemas.documents import AgentPlan, CalendarDays, Document, Grants, PlanStatus, PlanVersion
from schemas.names import NodeName, PlanName

Shown = tuple[Address, Document | None]
MOST_NAMED = 10
"""So many instances does a plan's document name, the newest ones: thousands may run, and each that opens or ends changes it."""


class PlanDocuments:
    """See the module."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._provided: dict[PlanName, set[NodeName]] = {}
        """The agents that a plan's documents stand for."""
        self._versions: dict[PlanName, set[int]] = {}
        """The versions of a plan that are shown."""
        self._told: dict[PlanName, dict[Address, Document | None]] = {}
        """What ``news`` last said of definitions: they are long, and seldom change with the instances."""

    def begin(self) -> None:
        """All is shown anew: nothing that was said before counts."""
        self._told.clear()

    def news(self, name: PlanName) -> Iterator[Shown]:
        """Of the definitions, what was not shown before; versions that are of use no more are cleared."""
        told = self._told.setdefault(name, {})
        for address, document in self.definitions(name):
            if address not in told or told[address] != document:
                told[address] = document
                yield address, document
        kept = self._versions[name]
        for version in sorted(kept.difference(self._state.versions_in_use(name))):
            kept.discard(version)
            told.pop(PlanVersionAt(name, version), None)
            yield PlanVersionAt(name, version), None

    def definitions(self, name: PlanName) -> Iterator[Shown]:
        """What agents and other dashboards have to know of it."""
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
        """Those that are the newest or still run."""
        if record.name not in self._state.plans:  # deleted while all was shown, part by part
            return
        used = self._state.versions_in_use(record.name)
        self._versions.setdefault(record.name, set()).update(used)
        for version in used:
            one = self._state.versions.get((record.name, version))
            if one is None:
                return
            yield (
                PlanVersionAt(record.name, version),
                PlanVersion(plan=one.plan, version=version, imported=one.imported, by=one.by, source=one.source),
            )

    def grants(self, agents: Sequence[NodeName], *, known: bool = True) -> Iterator[Shown]:
        """Who may do what, for people (``known``: it may have changed) and for each of these agents."""
        granted = self._state.granted
        document = Grants(users=granted) if granted else None
        if known:
            yield GrantsAt(), document
        for agent in agents:
            yield AgentGrantsAt(agent), document if agent in self._state.presences else None

    def calendar(self, name: str) -> Shown:
        """The days of a business calendar."""
        versions = self._state.calendars.get(name)
        if versions is None:
            return CalendarAt(name), None
        one = versions[-1]
        document = CalendarDays(calendar=name, version=one.version, imported=one.imported, by=one.by, days=one.days)
        return CalendarAt(name), document

    def without(self, name: PlanName) -> Iterator[Shown]:
        """It was deleted."""
        self._told.pop(name, None)
        for agent in sorted(self._provided.pop(name, set())):
            yield AgentPlanAt(agent, name), None
        for version in sorted(self._versions.pop(name, set())):
            yield PlanVersionAt(name, version), None
        yield PlanAt(name), None

    def status(self, record: PlanRecord) -> Shown:
        """How it stands."""
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
            running=tuple(self._state.of_plan(record.name).newest_active(MOST_NAMED)),
            running_count=self._state.of_plan(record.name).active_count,
            last_outcome=record.last_outcome,
            agents=graph.agents,
            job_count=len(graph.copies),
        )
