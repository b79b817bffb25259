"""Builders of what an agent hears, and an agent's core that a test drives by hand on a clock of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from agent_node.core.effects import Effect
from agent_node.core.events import (
    Event,
    FilesSeen,
    FoundFile,
    NeverClaimed,
    ProcessEnded,
    ProcessLost,
    ProcessStarted,
    StartFailed,
)
from agent_node.core.machine import AgentCore
from agent_node.core.rules import Rules
from broker.runtime.core import AuditRow, Heard, Key, Recovered, Tick
from schemas.addresses import (
    Address,
    AgentInstanceAt,
    AgentPlanAt,
    AssignmentAt,
    DashboardPresenceAt,
    FireReportAt,
    RunReportAt,
    TakenAt,
)
from schemas.documents import (
    AgentInstance,
    AgentPlan,
    Assignment,
    Document,
    Fire,
    FireReport,
    Presence,
    RunReport,
    Taken,
)
from schemas.names import ContextName, InstanceId, JobId, NodeName, PlanName, RunId, instance_id, job_id, run_id
from schemas.plan import ClockJob, CommandJob, FileJob, WatchJob
from schemas.status import NodeState

Fields = dict[str, Any]
"""Fields of a job, by their names on the wire."""

AGENT = NodeName("north")
PLAN = PlanName("nightly")
CONTEXT = ContextName("load")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""A Monday."""
INSTANCE = instance_id(PLAN, NOON)
RULES = Rules(agent=AGENT, zone="UTC")
JOURNAL = 1
"""The life with which the records of the agent begin, unless it loses them; runs are handed to it."""
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def a_command(command_line: str = "true", *, job: str = "extract", **fields: object) -> CommandJob:
    """A command job of this agent."""
    plain = {"agentName": AGENT, "jobName": job, "commandLine": command_line, "type": "internalEventDrivenJob"}
    return msgspec.convert(plain | fields, CommandJob)


def a_clock(cron: str = "0 * * * * ?", *, job: str = "hourly", **fields: object) -> ClockJob:
    """A clock job of this agent; without a word, one that fires each minute. Further fields by their names on the wire."""
    plain = {"agentName": AGENT, "jobName": job, "cronExpression": cron, "type": "quartzScheduleDrivenJob"}
    return msgspec.convert(plain | fields, ClockJob)


def a_file_job(*filenames: str, job: str = "arrival", **fields: object) -> FileJob:
    """A file job of this agent that looks each second."""
    plain = {
        "agentName": AGENT,
        "jobName": job,
        "cronExpression": "* * * * * ?",
        "filenames": filenames or ("/d/.*",),
        "type": "fileEventDrivenJob",
    }
    return msgspec.convert(plain | fields, FileJob)


def a_run(attempt: int = 1, *, job: str = "extract", instance: InstanceId = INSTANCE) -> RunId:
    """The id of an attempt."""
    return run_id(instance, CONTEXT, job_id(AGENT, job), attempt)


def an_assignment(
    command: CommandJob | None = None,
    *,
    attempt: int = 1,
    instance: InstanceId = INSTANCE,
    parameters: Mapping[str, str | None] | None = None,
    journal: int = JOURNAL,
    stop: bool = False,
) -> Assignment:
    """A run that this agent should have."""
    job = command or a_command()
    return Assignment(
        run=run_id(instance, CONTEXT, job.id, attempt),
        instance=instance,
        plan=PLAN,
        context=CONTEXT,
        job=job.id,
        attempt=attempt,
        command=job,
        parameters=dict(parameters or {}),
        journal=journal,
        stop=stop,
        stop_reason="killed by anna" if stop else "",
    )


def a_publication(
    instance: InstanceId = INSTANCE,
    *,
    opens: datetime = NOON,
    closes: datetime | None = NOON + 12 * HOUR,
    clocks_disabled: bool = False,
    parameters: Mapping[str, str] | None = None,
) -> AgentInstance:
    """An instance of the plan's version 1."""
    return AgentInstance(
        instance=instance,
        plan=PLAN,
        version=1,
        opens=opens,
        closes=closes,
        clocks_disabled=clocks_disabled,
        parameters=dict(parameters or {}),
    )


def a_presence(state: NodeState = NodeState.ALIVE, *, complete: bool = True) -> Presence:
    """What the dashboard says of itself."""
    return Presence(node=NodeName("dashboard"), state=state, connection=1, since=NOON, complete=complete)


class HandDriven:
    """A core with its state, as the driver would hold it; what was saved survives ``restart``."""

    def __init__(self, *, now: datetime = NOON, rules: Rules = RULES) -> None:
        self.now = now
        self.rules = rules
        self.saved: dict[Key, bytes] = {}
        self.shown: dict[Address, Document] = {}
        self.audit: list[AuditRow] = []
        self.epoch = 0
        self.journal = JOURNAL
        self.core = AgentCore(rules)
        self.start()

    def start(
        self, *, shown: Mapping[Address, Document] | None = None, dashboard: Presence | None = None
    ) -> list[Effect]:
        """Begin a life: what was saved and what stands on the bus is taken in, the ``dashboard`` with it; then comes time."""
        self.core = AgentCore(self.rules)
        self.core.restore(list(self.saved.items()))
        self.epoch += 1
        recovered = self.shown if shown is None else shown
        effects = self.give(Recovered(self.now, self.epoch, dict(recovered), self.journal))
        effects += self.dashboard(dashboard) if dashboard is not None else []
        return effects + self.tick()

    def lose_disk(self) -> list[Effect]:
        """Begin a life with an empty journal."""
        self.saved = {}
        self.journal = self.epoch + 1
        return self.start()

    def give(self, event: Event) -> list[Effect]:
        """Let one event happen: step, save, apply, check, show. What is shown step by step is what is shown as a whole."""
        decision = self.core.step(event)
        for key, record in decision.changes.items():
            if record is None:
                self.saved.pop(key, None)
            else:
                self.saved[key] = msgspec.json.encode(record)
        self.core.apply(decision.changes)
        self.core.check()
        for address, document in self.core.project(decision.changes).items():
            if document is None:
                self.shown.pop(address, None)
            else:
                self.shown[address] = document
        self.audit += decision.audit
        if not isinstance(event, Recovered):
            assert self.shown == dict(self.core.documents())
        else:
            self.shown = dict(self.core.documents())
        return list(decision.effects)

    def tick(self) -> list[Effect]:
        """Time has come."""
        return self.give(Tick(self.now))

    def wait_until(self, when: datetime) -> list[Effect]:
        """Let time pass, with a Tick whenever the core wants one."""
        effects: list[Effect] = []
        while (due := self.core.next_wakeup()) is not None and due <= when:
            self.now = max(self.now, due)
            effects += self.tick()
        self.now = when
        return effects

    def hear(self, address: Address, document: Document | None) -> list[Effect]:
        """Another node shows something."""
        return self.give(Heard(self.now, address, document))

    def dashboard(self, presence: Presence | None = None) -> list[Effect]:
        """The dashboard says that it is there, and complete."""
        return self.hear(DashboardPresenceAt(), presence or a_presence())

    def publish(self, publication: AgentInstance | None = None) -> list[Effect]:
        """An instance is published."""
        wanted = publication or a_publication()
        return self.hear(AgentInstanceAt(AGENT, wanted.instance), wanted)

    def remove(self, instance: InstanceId = INSTANCE) -> list[Effect]:
        """An instance's publication is gone."""
        return self.hear(AgentInstanceAt(AGENT, instance), None)

    def provision(self, *jobs: WatchJob, calendars: dict[str, dict[date, str]] | None = None) -> list[Effect]:
        """The plan's clock and file jobs here are these, with the calendars they name."""
        document = AgentPlan(plan=PLAN, versions={"1": jobs}, calendars=calendars or {})
        return self.hear(AgentPlanAt(AGENT, PLAN), document)

    def assign(self, assignment: Assignment | None = None) -> list[Effect]:
        """A run is assigned."""
        wanted = assignment or an_assignment()
        return self.hear(AssignmentAt(AGENT, wanted.run), wanted)

    def clear(self, run: RunId) -> list[Effect]:
        """An assignment is cleared."""
        return self.hear(AssignmentAt(AGENT, run), None)

    def take(self, job: JobId, sequence: int, instance: InstanceId = INSTANCE) -> list[Effect]:
        """The dashboard has saved fires."""
        return self.hear(TakenAt(AGENT, instance, job), Taken(instance=instance, job=job, sequence=sequence))

    def started(self, run: RunId, pid: int = 42) -> list[Effect]:
        """A process began."""
        event = ProcessStarted(now=self.now, run=run, pid=pid, at=self.now, output="/o", errors="/e")
        return self.give(event)

    def ended(self, run: RunId, code: int | None = 0, reason: str = "") -> list[Effect]:
        """A process ended."""
        return self.give(ProcessEnded(now=self.now, run=run, at=self.now, code=code, reason=reason))

    def never_claimed(self, run: RunId) -> list[Effect]:
        """Its folder is unclaimed."""
        return self.give(NeverClaimed(now=self.now, run=run))

    def failed(self, run: RunId, reason: str) -> list[Effect]:
        """It could not be started."""
        return self.give(StartFailed(now=self.now, run=run, reason=reason))

    def lost(self, run: RunId, reason: str = "the host was restarted") -> list[Effect]:
        """Nobody knows."""
        return self.give(ProcessLost(now=self.now, run=run, reason=reason))

    def see(self, job: JobId, files: Sequence[tuple[str, datetime]], problem: str = "") -> list[Effect]:
        """A look at folders."""
        found = tuple(FoundFile(path=path, modified=modified) for path, modified in files)
        return self.give(FilesSeen(now=self.now, instance=INSTANCE, job=job, files=found, problem=problem))

    def report(self, run: RunId) -> RunReport | None:
        """What is shown of a run."""
        found = self.shown.get(RunReportAt(AGENT, run))
        assert found is None or isinstance(found, RunReport)
        return found

    def ending(self, run: RunId) -> RunReport:
        """The report of a run that has ended."""
        report = self.report(run)
        assert report is not None, f"{run} is not shown"
        return report

    def fire_report(self, job: JobId, instance: InstanceId = INSTANCE) -> FireReport | None:
        """What is shown of a clock or file job."""
        found = self.shown.get(FireReportAt(AGENT, instance, job))
        assert found is None or isinstance(found, FireReport)
        return found

    def fires(self, job: JobId, instance: InstanceId = INSTANCE) -> tuple[Fire, ...]:
        """The fires that are shown."""
        report = self.fire_report(job, instance)
        return () if report is None else report.fires
