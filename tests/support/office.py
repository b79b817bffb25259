"""A dashboard's core with its hands on the clock: import plans, let time pass, hear agents, ask as a person would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Raw, Struct

from broker.runtime.core import AuditRow, Heard, Key, Recovered, Requested, Tick
from dashboard_node.core import invariants
from dashboard_node.core.effects import Effect
from dashboard_node.core.machine import DashboardCore, Event
from dashboard_node.core.records import InstanceRecord, RunRecord
from schemas.addresses import Address, AgentPresenceAt, FireReportAt, RunReportAt
from schemas.documents import Document, Fire, FireReport, JobState, Presence, RunReport
from schemas.names import InstanceId, NodeName, PlanName, RequestId, UserName, job_id
from schemas.plan import PlanSource
from schemas.requests import Act, Action, Answer, DashboardRequest, ImportPlan, StartInstance
from schemas.status import NodeState, Outcome, RunPhase

ANN = UserName("ann")
RETENTION = timedelta(hours=1)


def at(text: str) -> datetime:
    """A moment of 2026 in UTC, such as ``01-31 07:30`` or ``01-31 07:30:05``."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


class Office:
    """One dashboard: its core, what it has saved, what it shows, and its audit. Every step is checked."""

    def __init__(self, now: datetime, *, admins: tuple[UserName, ...] = ()) -> None:
        self.now = now
        self.rows: dict[Key, bytes] = {}
        self.shown: dict[Address, Document] = {}
        self.audit: list[AuditRow] = []
        self.effects: list[Effect] = []
        self._asked = 0
        self._epoch = 0
        self.admins = admins
        self.audit_kept: timedelta | None = None
        self.begin()

    def begin(self, heard: Iterable[Heard] = (), *, newer: Mapping[Address, Document] | None = None) -> None:
        """A new life on what was saved; ``heard`` is what the bus replays to it, ``newer`` what was shown since."""
        self._epoch += 1
        self.core = DashboardCore(RETENTION)
        self.core.state.admins = self.admins
        self.core.state.audit_kept = self.audit_kept
        self.core.restore(sorted(self.rows.items()))
        before = self.shown
        self.shown = dict(self.core.documents())  # the reconciler shows all of it, and clears the rest
        self.step(Recovered(self.now, self._epoch, before, newer=newer or {}))
        for event in heard:
            self.step(event)
        self.step(Tick(self.now))

    def step(self, event: Event) -> list[Answer]:
        """One event, saved and shown; all promises checked."""
        decision = self.core.step(event)
        invariants.check(self.core.state)
        for key, record in decision.changes.items():
            if record is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = msgspec.json.encode(record)
        self._show(self.core.project(decision.changes))
        self.audit += decision.audit
        assert self.shown == dict(self.core.documents()), "what is shown bit by bit is not what ought to be shown"
        self.effects += decision.effects
        return list(decision.answers)

    def _show(self, documents: Mapping[Address, Document | None]) -> None:
        for address, document in documents.items():
            if document is None:
                self.shown.pop(address, None)
            else:
                self.shown[address] = document

    # Time

    def until(self, moment: datetime) -> None:
        """Let time pass; what is due on the way happens at its time."""
        while (due := self.core.next_wakeup()) is not None and due <= moment:
            self.now = max(self.now, due)
            self.step(Tick(self.now))
        self.now = moment

    def down_until(self, moment: datetime) -> None:
        """The dashboard is away and comes back."""
        self.now = moment
        self.begin()

    def put_back(self, rows: Mapping[Key, bytes], heard: Iterable[Heard] = ()) -> None:
        """The dashboard comes back with the records of a copy; the broker still has what was shown since."""
        self.rows = dict(rows)
        self.audit.clear()
        self.begin(heard, newer=self.shown)

    def lose_disk(self, heard: Iterable[Heard] = ()) -> None:
        """The dashboard comes back without what it had saved; the broker still has what it showed."""
        self.rows.clear()
        self.audit.clear()
        self.begin(heard)

    # People

    def ask(self, request: DashboardRequest, request_id: str = "", *, user: UserName = ANN) -> Answer:
        """Ask something, as ann unless said otherwise."""
        [answer] = self.asks(request, request_id, user=user)
        return answer

    def asks(self, request: DashboardRequest, request_id: str = "", *, user: UserName = ANN) -> list[Answer]:
        """The same; what is answered at once."""
        self._asked += 1
        body = Raw(msgspec.json.encode(request))
        name = RequestId(request_id or f"{self._asked:08x}")
        return self.step(Requested(self.now, user, name, body))

    def imports(self, source: PlanSource) -> Answer:
        """Import a plan that is right."""
        answer = self.ask(ImportPlan(source=source))
        assert answer.ok, answer
        return answer

    def start(self, plan: str) -> Answer:
        """Start an instance by hand."""
        return self.ask(StartInstance(plan=PlanName(plan)))

    def act(self, action: Action, job: str, instance: str = "") -> Answer:
        """Do something to a job of the (only) instance."""
        return self.ask(Act(action=action, instance=InstanceId(instance or self.only.id), job=job))

    # Agents

    def hears_presence(self, agent: str, *, alive: bool = True, complete: bool = True) -> None:
        """An agent says that it is there, or its will that it is not."""
        state = NodeState.ALIVE if alive else NodeState.GONE
        presence = Presence(node=NodeName(agent), state=state, connection=1, since=self.now, complete=complete)
        self.step(Heard(self.now, AgentPresenceAt(NodeName(agent)), presence))

    def fires(self, job: str, sequence: int = 1, agent: str = "a", instance: str = "") -> None:
        """An agent reports a fire of a clock or file job."""
        name = InstanceId(instance or self.only.id)
        identifier = job_id(agent, job)
        report = FireReport(instance=name, job=identifier, fires=(Fire(sequence=sequence, at=self.now),))
        self.step(Heard(self.now, FireReportAt(NodeName(agent), name, identifier), report))

    def runs(self, instance: str = "") -> dict[str, RunRecord]:
        """Runs that have not ended, by job name."""
        name = InstanceId(instance or self.only.id)
        machine = self.core.state.machines[name]
        return {machine.graph.copies[run.copy].name: run for run in self.core.state.live_runs(name)}

    def starts(self, job: str, instance: str = "") -> None:
        """The agent reports that a run has begun."""
        self._report(self.runs(instance)[job], RunPhase.RUNNING)

    def ends(self, job: str, instance: str = "", *, code: int = 0, started: datetime | None = None) -> None:
        """The agent reports that a run has ended; it ``started`` just now unless said otherwise."""
        outcome = Outcome.FAILED if code else Outcome.SUCCEEDED
        self._report(self.runs(instance)[job], RunPhase.ENDED, (outcome, code), started)

    def _report(
        self,
        run: RunRecord,
        phase: RunPhase,
        end: tuple[Outcome, int] | None = None,
        started: datetime | None = None,
    ) -> None:
        ended = self.now if end is not None else None
        outcome, code = end or (None, None)
        began = started or self.now
        report = RunReport(run=run.id, phase=phase, outcome=outcome, return_code=code, started=began, ended=ended)
        self.step(Heard(self.now, RunReportAt(run.agent, run.id), report))

    # Looking

    @property
    def instances(self) -> list[InstanceRecord]:
        """All that are kept, oldest first."""
        return sorted(self.core.state.instances.values(), key=lambda instance: (instance.created, instance.id))

    @property
    def only(self) -> InstanceRecord:
        """The instance, when there is one."""
        [instance] = self.instances
        return instance

    def ticks(self) -> list[tuple[str, str]]:
        """The tick ledger: start (month-day hour:minute) and what became of it."""
        return [
            (row.before[5:16].replace("T", " "), row.after) for row in self.audit if row.kind == "tick" and not row.job
        ]

    def jobs(self, job: str) -> list[JobState]:
        """The documents of a job, in all instances and contexts."""
        return [shown for shown in self.shown.values() if isinstance(shown, JobState) and shown.name == job]

    def status(self, job: str, instance: str = "") -> str:
        """The status of a job of the (only) instance."""
        machine = self.core.state.machines[InstanceId(instance or self.only.id)]
        [copy] = [copy for copy in machine.graph.copies if copy.name == job]
        return machine.status(copy.index)


class Shape(Struct, kw_only=True):
    """What of a plan a test cares about."""

    cron: str = "0 0 1 * * ?"
    hours: float = 23
    zone: str = ""


def a_plan(name: str = "P", shape: Shape | None = None, **fields: object) -> PlanSource:
    """A plan with a clock job ``q`` and a command ``c`` after it on agent ``a``; ``fields`` are the plan's, as on the wire."""
    shape = shape or Shape()
    plan = {
        "name": name,
        "timeWindowStart": shape.cron,
        "contextTtlMilliseconds": int(shape.hours * 3_600_000),
        "timezone": shape.zone,
        "scheduledJobs": [{"agentName": "a", "jobName": "q"}, {"agentName": "a", "jobName": "c"}],
        "jobDependencies": [
            {"jobIdentifier": "a-q"},
            {"jobIdentifier": "a-c", "logicalGrouping": {"and": [{"identifier": "a-q"}]}},
        ],
    }
    jobs = [
        {"type": "quartzScheduleDrivenJob", "agentName": "a", "jobName": "q", "cronExpression": "0 0 7 * * ?"},
        {"type": "internalEventDrivenJob", "agentName": "a", "jobName": "c", "commandLine": "true"},
    ]
    return msgspec.convert({"plan": plan | fields, "jobs": jobs}, PlanSource)
