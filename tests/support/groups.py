"""A dashboard with agents of one label: a plan whose jobs any of them may carry out, and what those agents say."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from broker.runtime.core import Heard
from dashboard_node.core.records import RunRecord
from schemas.addresses import AgentInstanceAt, AgentPresenceAt, AssignmentAt, FireReportAt, RunReportAt
from schemas.documents import AgentInstance, Assignment, Condition, Fire, FireReport, JobState, Presence, RunReport
from schemas.names import NodeName, job_id
from schemas.plan import PlanSource
from schemas.status import NodeState, Outcome, RunPhase
from tests.support.office import Office, at

GROUP = NodeName("any:db")
NORTH, SOUTH = NodeName("north"), NodeName("south")
FIVE_MINUTES = timedelta(minutes=5)


def a_group_plan(*, away: timedelta = FIVE_MINUTES, **fields: object) -> PlanSource:
    """Clock ``q``, then commands ``c`` and ``d``, all on ``any:db``; ``fields`` are the plan's, as on the wire."""
    names = ("q", "c", "d")
    plan = {
        "name": "P",
        "contextTtlMilliseconds": 23 * 3_600_000,
        "agentAwayMilliseconds": int(away.total_seconds() * 1000),
        "scheduledJobs": [{"agentName": GROUP, "jobName": name} for name in names],
        "jobDependencies": [
            {"jobIdentifier": f"{GROUP}-q"},
            {"jobIdentifier": f"{GROUP}-c", "logicalGrouping": {"and": [{"identifier": f"{GROUP}-q"}]}},
            {"jobIdentifier": f"{GROUP}-d", "logicalGrouping": {"and": [{"identifier": f"{GROUP}-c"}]}},
        ],
    }
    jobs = [
        {"type": "quartzScheduleDrivenJob", "agentName": GROUP, "jobName": "q", "cronExpression": "0 0 7 * * ?"},
        *({"type": "internalEventDrivenJob", "agentName": GROUP, "jobName": n, "commandLine": "true"} for n in "cd"),
    ]
    return msgspec.convert({"plan": plan | fields, "jobs": jobs}, PlanSource)


class Floor(Office):
    """An office that hears agents with labels."""

    def hears(
        self, agent: NodeName, *, alive: bool = True, labels: tuple[str, ...] = ("db",), journal: int = 1, **how: object
    ) -> None:
        """An agent says how it is; ``how``: fields of its condition."""
        presence = Presence(
            node=agent,
            state=NodeState.ALIVE if alive else NodeState.GONE,
            connection=1,
            since=self.now,
            complete=alive,
            labels=labels,
            capacity=4,
            journal=journal,
            condition=msgspec.structs.replace(Condition(), **how),
        )
        self.step(Heard(self.now, AgentPresenceAt(agent), presence))

    def run(self, job: str) -> RunRecord:
        """The live run of a job."""
        return self.runs()[job]

    def says(self, run: RunRecord, phase: RunPhase, *, ready: bool = False, outcome: Outcome | None = None) -> None:
        """The agent of a run reports."""
        started = self.now if phase is not RunPhase.ACCEPTED else None
        report = RunReport(run=run.id, phase=phase, ready=ready, outcome=outcome, started=started)
        self.step(Heard(self.now, RunReportAt(run.agent, run.id), report))

    def begins(self, job: str) -> RunRecord:
        """A run is taken all the way to RUNNING, as agents do it."""
        self.says(self.run(job), RunPhase.ACCEPTED, ready=True)
        self.says(self.run(job), RunPhase.RUNNING)
        return self.run(job)

    def clock(self, agent: NodeName, sequence: int = 1) -> None:
        """An agent reports a fire of the clock job."""
        name = self.only.id
        report = FireReport(
            instance=name, job=job_id(GROUP, "q"), fires=(Fire(sequence=sequence, at=self.now, due=self.now),)
        )
        self.step(Heard(self.now, FireReportAt(agent, name, report.job), report))

    def assignment(self, run: RunRecord) -> Assignment | None:
        """What stands for a run."""
        found = self.shown.get(AssignmentAt(run.agent, run.id))
        assert found is None or isinstance(found, Assignment)
        return found

    def publication(self, agent: NodeName) -> AgentInstance | None:
        """What is published to an agent."""
        found = self.shown.get(AgentInstanceAt(agent, self.only.id))
        assert found is None or isinstance(found, AgentInstance)
        return found

    def why(self, job: str) -> str:
        """What is said of a job that does not run."""
        [shown] = self.jobs(job)
        return "; ".join(blocker.text for blocker in shown.blockers)

    def job(self, job: str) -> JobState:
        """What is shown of a job."""
        [shown] = self.jobs(job)
        return shown


def a_floor(*agents: NodeName, plan: PlanSource | None = None) -> Floor:
    """A dashboard at noon with these agents there, and one instance of the plan."""
    floor = Floor(at("03-02 12:00"))
    for agent in agents:
        floor.hears(agent)
    floor.imports(plan or a_group_plan())
    assert floor.start("P").ok
    return floor
