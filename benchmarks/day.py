"""A day of a large site on virtual time: plans over all of its agents, instances side by side, agents that come and go.

The clock, the broker and the agents are played. Every event goes through the dashboard's core as in production: decided,
checked, and what it saves and shows encoded. What an event leads to is counted as well as timed, so that growth shows on a
busy machine too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import process_time

import msgspec
from msgspec import Raw, Struct

from benchmarks.plans import chain, plan
from broker.runtime.core import Decision, Heard, Requested, Tick
from dashboard_node.core.effects import Effect
from dashboard_node.core.machine import DashboardCore, Event
from schemas.addresses import AgentPresenceAt, RunReportAt
from schemas.codec import encode_body
from schemas.documents import Presence, RunReport
from schemas.names import InstanceId, JobId, NodeName, PlanName, RequestId, RunId, UserName
from schemas.requests import Act, Action, DashboardRequest, EndInstance, ImportPlan, StartInstance
from schemas.status import NodeState, Outcome, RunPhase

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
KEPT = timedelta(hours=1)
"""How long an ended instance is kept: long enough to be looked at, short enough that a day has all of an instance's life."""
SETTLED = timedelta(hours=25)
"""Before the day begins, so that nothing of how the site came to be, answers least of all, is forgotten during it."""
LENGTH = 10
"""Jobs of a plan, one after the other, each on an agent of its own; so many plans has a site that every agent has one."""
_PRESENCE, _REPORT, _REQUEST, _TIME = "presence", "report", "request", "time"


class Cost(Struct):
    """What events of one kind led to, all together."""

    events: int = 0
    documents: int = 0
    size: int = 0
    """Bytes of the documents, as encoded."""
    records: int = 0
    audit: int = 0
    seconds: float = 0.0
    """Of processor time, which other work on the machine does not count in."""


class Day:
    """A site in the middle of its work: each agent has an instance of its plan under way, every one of them somewhere else."""

    def __init__(self, agents: int) -> None:
        self.now = NOW
        self.core = DashboardCore(KEPT)
        self.spent: dict[str, Cost] = {}
        """By kind of event."""
        self._asked = 0
        self._step(_TIME, Tick(NOW))
        self._agents = [NodeName(f"a{number}") for number in range(agents)]
        self._plans = [PlanName(f"P{number}") for number in range(max(1, agents // LENGTH))]
        for number, name in enumerate(self._plans):
            theirs = self._agents[number * LENGTH : (number + 1) * LENGTH] or self._agents
            self._ask(ImportPlan(source=plan(name, chain(LENGTH), theirs)))
        for agent in self._agents:
            self._says(agent, NodeState.ALIVE)
        self._running = deque(self._open(number) for number in range(agents))
        for number, instance in enumerate(self._running):
            for _ in range(number % LENGTH):
                self._job(instance)
        self.now += SETTLED
        self._step(_TIME, Tick(self.now))
        self.spent.clear()

    def play(self, jobs: int) -> Iterator[int]:
        """So many jobs, evenly over a day; an ended instance is followed by another, each agent goes and comes once."""
        came, opened = 0, len(self._running)
        for number in range(1, jobs + 1):
            self.now += DAY / jobs
            due = self.core.next_wakeup()
            if due is not None and due <= self.now:
                self._step(_TIME, Tick(self.now))
            instance = self._running.popleft()
            self._job(instance)
            if not self.core.state.live_runs(instance):
                self._ask(EndInstance(instance=instance))
                instance = self._open(opened)
                opened += 1
            self._running.append(instance)
            while came < number * len(self._agents) // jobs:
                self._says(self._agents[came], NodeState.GONE)
                self._says(self._agents[came], NodeState.ALIVE)
                came += 1
            yield number

    @property
    def jobs(self) -> Cost:
        """All that was spent but on agents that came and went."""
        found = Cost()
        for kind, cost in self.spent.items():
            if kind != _PRESENCE:
                for field in Cost.__struct_fields__:
                    setattr(found, field, getattr(found, field) + getattr(cost, field))
        return found

    @property
    def presences(self) -> Cost:
        """What was spent on those."""
        return self.spent.get(_PRESENCE, Cost())

    def _open(self, number: int) -> InstanceId:
        name = self._plans[number % len(self._plans)]
        answer = self._ask(StartInstance(plan=name))
        instance = InstanceId(msgspec.json.decode(answer, type=dict[str, str])["instance"])
        first = self.core.state.machines[instance].graph.copies[0].id
        self._ask(Act(action=Action.SUBMIT, instance=instance, job=JobId(first)))
        return instance

    def _job(self, instance: InstanceId) -> None:
        """The agent of the run that is under way starts it, says that it has ended, and lets go of it."""
        [run] = self.core.state.live_runs(instance)
        began = self.now
        self._reports(run.agent, RunReport(run=run.id, phase=RunPhase.RUNNING, started=began))
        ended = RunReport(
            run=run.id, phase=RunPhase.ENDED, started=began, ended=began, outcome=Outcome.SUCCEEDED, return_code=0
        )
        self._reports(run.agent, ended)
        self._step(_REPORT, Heard(self.now, RunReportAt(run.agent, run.id), None))

    def _reports(self, agent: NodeName, report: RunReport) -> None:
        self._step(_REPORT, Heard(self.now, RunReportAt(agent, RunId(report.run)), report))

    def _says(self, agent: NodeName, state: NodeState) -> None:
        presence = Presence(node=agent, state=state, connection=1, since=self.now, complete=state is NodeState.ALIVE)
        self._step(_PRESENCE, Heard(self.now, AgentPresenceAt(agent), presence))

    def _ask(self, request: DashboardRequest) -> bytes:
        self._asked += 1
        body = Raw(msgspec.json.encode(request))
        decision = self._step(_REQUEST, Requested(self.now, UserName("u"), RequestId(f"{self._asked:08x}"), body))
        [answer] = decision.answers
        if not answer.ok:
            raise AssertionError(answer.reason)
        return bytes(answer.data)

    def _step(self, kind: str, event: Event) -> Decision[Effect]:
        """One event as a turn of its own, which is the dearest way."""
        begun = process_time()
        decision = self.core.step(event)
        self.core.check()
        for record in decision.changes.values():
            msgspec.json.encode(record)
        for row in decision.audit:
            msgspec.json.encode(row)
        shown = self.core.project(decision.changes)
        size = sum(len(encode_body(document)) for document in shown.values() if document is not None)
        cost = self.spent.setdefault(kind, Cost())
        cost.seconds += process_time() - begun
        cost.events += 1
        cost.documents += len(shown)
        cost.size += size
        cost.records += len(decision.changes)
        cost.audit += len(decision.audit)
        return decision
