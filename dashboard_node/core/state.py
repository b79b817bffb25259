"""The dashboard's state: tables of records, and what is derived from them for speed.

Only ``Step`` changes it. Everything derived (machines' counts, locks, timers, which runs are live) can be made again from the
records alone, and is, at every start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from broker.runtime.core import Key
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.graph import PlanGraph, compile_plan
from dashboard_node.core.lifecycle import ACTIVE
from dashboard_node.core.locks import LockTable
from dashboard_node.core.of_plan import OfPlan
from dashboard_node.core.records import (
    AnswerRecord,
    CalendarRecord,
    DeletedPlan,
    HistoryRecord,
    InstanceRecord,
    MuteRecord,
    NotificationRecord,
    PlanRecord,
    RunRecord,
    TakenRecord,
    UserRecord,
    VersionRecord,
)
from dashboard_node.core.routing import Routing, Rules
from dashboard_node.core.standing import Standing
from dashboard_node.core.timers import Timers
from schemas.documents import FireReport, Presence, RunReport
from schemas.grants import Grant
from schemas.names import InstanceId, JobId, NodeName, PlanName, RequestId, RunId, UserName
from schemas.status import NodeState, RunPhase

__all__ = ["ACTIVE", "State"]


class State:
    """Everything the dashboard knows."""

    def __init__(self, retention: timedelta = timedelta(hours=24)) -> None:  # noqa: PLR0915  # one statement a table
        self.retention = retention
        """How long an ended instance stays on the bus and in the store."""
        self.plans: dict[PlanName, PlanRecord] = {}
        self.deleted: dict[PlanName, DeletedPlan] = {}
        self.versions: dict[tuple[PlanName, int], VersionRecord] = {}
        self.calendars: dict[str, list[CalendarRecord]] = {}
        """The versions of each business calendar, the oldest first."""
        self.users: dict[UserName, UserRecord] = {}
        self.instances: dict[InstanceId, InstanceRecord] = {}
        self.machines: dict[InstanceId, ContextMachine] = {}
        self.runs: dict[RunId, RunRecord] = {}
        self.taken: dict[tuple[InstanceId, JobId], TakenRecord] = {}
        self.answers: dict[tuple[UserName, RequestId], AnswerRecord] = {}
        self.history: dict[PlanName, dict[JobId, HistoryRecord]] = {}
        """How long the jobs of each plan took."""
        self.notifications: dict[str, NotificationRecord] = {}
        self.mutes: dict[PlanName, MuteRecord] = {}
        # Derived
        self.undelivered: dict[str, None] = {}
        """Notifications that wait on some channel."""
        self._routings: dict[tuple[PlanName, int], Routing] = {}
        self.telling = Rules()
        """What the settings say of notifications; given at start, never saved."""
        self.locks = LockTable()
        self.timers = Timers()
        self.order = 0
        self.standing = Standing()
        self.live: dict[InstanceId, dict[RunId, None]] = {}
        self._runs: dict[InstanceId, dict[RunId, None]] = {}
        self._taken: dict[InstanceId, dict[JobId, None]] = {}
        self._of_plan: dict[PlanName, OfPlan] = {}
        self._graphs: dict[tuple[PlanName, int], PlanGraph] = {}
        self.properties: Mapping[PlanName, Mapping[str, str]] = {}
        """Parameter values by plan, from files beside the configuration; given at start, never saved."""
        self.audit_kept: timedelta | None = None
        """How long rows of the audit trail are kept, by the settings; None: for good."""
        self.admins: tuple[UserName, ...] = ()
        """Whom the settings name as admins; given at start."""
        # Heard, never saved: the bus shows it again after a restart
        self.presences: dict[NodeName, Presence] = {}
        self.away: dict[NodeName, datetime] = {}
        """Agents that are gone or drain, and since when this life of the dashboard knows it."""
        self.reported: dict[RunId, tuple[NodeName, RunReport]] = {}
        """Which agent says what of a run."""
        self.chosen_before: dict[InstanceId, dict[NodeName, NodeName]] = {}
        """By instance and agent group: whom a life that the records know nothing of had chosen."""
        self.watching: dict[InstanceId, dict[JobId, FireReport]] = {}
        """What agents say of watching clock and file jobs, without the fires: what keeps one from it, or puts it off."""
        self.unreadable: dict[InstanceId, str] = {}
        """Instances of which a record cannot be read, and which; and all their keys:"""
        self.given_up: list[Key] = []
        self.up_since = datetime.min.replace(tzinfo=UTC)
        """When this life of the dashboard began: starts before it were missed, not merely late."""
        self.settled_in = False
        """Whether the first complete picture of the bus has been taken in."""

    def graph(self, plan: PlanName, version: int) -> PlanGraph:
        """The compiled form of a plan version."""
        key = (plan, version)
        if key not in self._graphs:
            self._graphs[key] = compile_plan(self.versions[key].source)
        return self._graphs[key]

    def newest(self, plan: PlanName) -> PlanGraph:
        """The compiled form of a plan's newest version."""
        return self.graph(plan, self.plans[plan].version)

    def routing(self, plan: PlanName, version: int) -> Routing:
        """Whom a plan version wants told."""
        key = (plan, version)
        if key not in self._routings:
            self._routings[key] = Routing(self.versions[key].source)
        return self._routings[key]

    def put_notification(self, record: NotificationRecord) -> None:
        """Index a notification; it is undelivered while it waits on some channel."""
        name = record.notification.id
        self.notifications[name] = record
        if record.waiting:
            self.undelivered.setdefault(name)
        else:
            self.undelivered.pop(name, None)

    def days(self) -> dict[str, dict[date, str]]:
        """The days of every business calendar as they are now."""
        return {name: versions[-1].days for name, versions in self.calendars.items()}

    @property
    def granted(self) -> dict[UserName, tuple[Grant, ...]]:
        """What everybody was granted, by user."""
        return {name: self.users[name].grants for name in sorted(self.users)}

    def plans_naming(self, calendar: str) -> list[PlanName]:
        """Plans whose newest version, or one that still runs, names a calendar for itself or for a clock job."""
        return [
            name
            for name in sorted(self.plans)
            if any(calendar in self.versions[name, version].source.calendars for version in self.versions_in_use(name))
        ]

    def versions_of(self, plan: PlanName) -> list[int]:
        """The versions of a plan that are kept."""
        return [version for version in range(1, self.plans[plan].version + 1) if (plan, version) in self.versions]

    def versions_in_use(self, plan: PlanName) -> list[int]:
        """The newest version, and those that instances which have not ended still have."""
        return sorted(self.of_plan(plan).versions | {self.plans[plan].version})

    def of_plan(self, plan: PlanName) -> OfPlan:
        """Its instances, sorted out."""
        return self._of_plan.setdefault(plan, OfPlan())

    def instances_of(self, plan: PlanName) -> list[InstanceRecord]:
        """The plan's instances that are kept, oldest first."""
        found = [self.instances[name] for name in self.of_plan(plan).kept]
        return sorted(found, key=lambda instance: (instance.opens, instance.id))

    def standing_of(self, plan: PlanName) -> list[InstanceRecord]:
        """The plan's instances that have not ended, oldest first."""
        found = [self.instances[name] for name in self.standing.of_plan(plan)]
        return sorted(found, key=lambda instance: (instance.opens, instance.id))

    def active_of(self, plan: PlanName) -> list[InstanceRecord]:
        """The plan's instances that events reach, oldest first."""
        return [self.instances[name] for name in self.of_plan(plan).active]

    def active(self) -> Iterator[InstanceRecord]:
        """Every instance that events reach, by id."""
        yield from self._active(self.standing.instances)

    def active_at(self, agent: NodeName) -> Iterator[InstanceRecord]:
        """Those of them whose jobs name an agent or a group, or were given to the agent, by id."""
        yield from self._active(self.standing.instances_at.of(agent))

    def _active(self, names: Iterable[InstanceId]) -> Iterator[InstanceRecord]:
        for name in sorted(names):
            instance = self.instances[name]
            if instance.status in ACTIVE:
                yield instance

    def live_runs(self, instance: InstanceId) -> list[RunRecord]:
        """Runs of an instance that have not ended, in the order they were handed over."""
        return [self.runs[run] for run in self.live.get(instance, ())]

    def runs_of(self, instance: InstanceId) -> list[RunId]:
        """All runs of an instance."""
        return list(self._runs.get(instance, ()))

    def taken_of(self, instance: InstanceId) -> list[JobId]:
        """The clock and file jobs of an instance that have fired."""
        return list(self._taken.get(instance, ()))

    def forget(self, instance: InstanceRecord) -> None:
        """Drop everything of an instance."""
        for run in self._runs.pop(instance.id, ()):
            self.standing.forget_run(self.runs.pop(run))
            self.reported.pop(run, None)
        for job in self._taken.pop(instance.id, ()):
            del self.taken[instance.id, job]
        self.watching.pop(instance.id, None)
        self.live.pop(instance.id, None)
        self.standing.forget_instance(instance)
        self.of_plan(instance.plan).put(self.instances.pop(instance.id), None)

    def forget_plan(self, name: PlanName) -> list[int]:
        """Drop a plan; the versions it had."""
        versions = self.versions_of(name)
        del self.plans[name]
        for version in versions:
            del self.versions[name, version]
            self._graphs.pop((name, version), None)
            self._routings.pop((name, version), None)
        self._of_plan.pop(name, None)
        self.standing.forget_plan(name)
        return versions

    def put_instance(self, record: InstanceRecord) -> None:
        """Index an instance; it stands until it has ended."""
        self.of_plan(record.plan).put(self.instances.get(record.id), record)
        self.instances[record.id] = record
        self.standing.put_instance(record, self.graph(record.plan, record.version).agents)

    def put_taken(self, record: TakenRecord) -> None:
        """Index up to which firing a job's report was taken."""
        self.taken[record.instance, record.job] = record
        self._taken.setdefault(record.instance, {}).setdefault(record.job)

    def put_run(self, record: RunRecord) -> None:
        """Index a run; it is live until it has ended."""
        self.standing.put_run(self.runs.get(record.id), record)
        self.runs[record.id] = record
        self._runs.setdefault(record.instance, {}).setdefault(record.id)
        live = self.live.setdefault(record.instance, {})
        if record.phase is RunPhase.ENDED:
            live.pop(record.id, None)
        else:
            live.setdefault(record.id)

    def journal_of(self, agent: NodeName) -> int:
        """The journal that an agent keeps, as far as is known; 0: it is not."""
        presence = self.presences.get(agent)
        return presence.journal if presence is not None else 0

    def agent_there(self, agent: NodeName) -> bool:
        """Whether an agent says that it is there."""
        presence = self.presences.get(agent)
        return presence is not None and presence.state is NodeState.ALIVE
