"""One instance of a plan on virtual time: the dashboard's real core, with somebody else saying what happens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush

import msgspec
from msgspec import Raw

from broker.runtime.core import Changes, Requested, Tick
from dashboard_node.core import agents, instances, runs, schedules, settling
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.graph import Copy
from dashboard_node.core.lifecycle import Stage
from dashboard_node.core.machine import DashboardCore
from dashboard_node.core.records import PlanRecord, RunRecord, VersionRecord
from dashboard_node.core.state import ACTIVE
from dashboard_node.core.step import Step
from schemas.blackout import JobDefinitionError, blackout_until, zone_of
from schemas.cron import next_fire
from schemas.documents import Fire, RunReport
from schemas.names import InstanceId, PlanName, RequestId, RunId, UserName, instance_id
from schemas.plan import ClockJob, CommandJob, OnBlackout, PlanSource
from schemas.requests import Answer, DashboardRequest
from schemas.schedule import policy_of
from schemas.status import FireOutcome, JobKind, Outcome, RunPhase

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
"""The instance opens at the first window start after this moment, or at it when the plan has no window."""
LAST = datetime(2120, 1, 1, tzinfo=UTC)
"""Nothing is simulated from then on."""
FOR_GOOD = timedelta(days=36_525)
"""How long an ended instance can still be asked about."""
_SOMEBODY = UserName("somebody")
_IGNORED = {
    "EXECUTION_INVOKED_IGNORED_DAY_OF_WEEK": Outcome.NOT_TODAY,
}
_BLACKOUT = "EXECUTION_IGNORED_INSIDE_BLACKOUT_WINDOW"


class RefusedError(Exception):
    """What the script says cannot be; the message says why. Nothing has changed."""


Told = Callable[[DashboardCore, Changes], None]
"""Who is told what each event changed, as a store would be."""


def nobody(_core: DashboardCore, _changes: Changes) -> None:
    """Nothing is done with what is told."""


class World:
    """The instance, the time, and the hands that make things happen."""

    def __init__(self, source: PlanSource, told: Told = nobody) -> None:
        self.core = DashboardCore(retention=FOR_GOOD)
        self._told = told
        self.now = BEGINNING
        self._asked = 0
        self._later: list[tuple[datetime, int, Copy, int | None]] = []
        self.instance = self._open(source)

    def _open(self, source: PlanSource) -> InstanceId:
        plan = source.plan
        name = PlanName(plan.name)
        cron = schedules.window_cron(plan)
        start = next_fire(cron, BEGINNING, schedules.zone_of(plan), policy_of(plan)) if cron is not None else None
        self.now = start or BEGINNING
        ttl = schedules.length(plan)

        def opening(step: Step) -> None:
            step.put_version(VersionRecord(plan=name, version=1, source=source, imported=self.now))
            step.put_plan(PlanRecord(name=name, version=1, enabled=False, decided=self.now))
            instances.open_instance(
                step,
                name,
                name=instance_id(name, self.now),
                closes=None if ttl is None else self.now + ttl,
                started_by="simulation",
                parameters={},
            )

        self.core.state.settled_in = True
        self._step(opening)
        return instance_id(name, self.now)

    def _step(self, act: Callable[[Step], None]) -> None:
        step = Step(self.core.state, self.now, cause="script", user=_SOMEBODY)
        act(step)
        settling.settle(step)
        self._told(self.core, step.changes)

    @property
    def machine(self) -> ContextMachine:
        """The instance's machine."""
        return self.core.state.machines[self.instance]

    @property
    def active(self) -> bool:
        """Whether events still reach the instance."""
        return self.core.state.instances[self.instance].status in ACTIVE

    # People

    def ask(self, request: DashboardRequest) -> Answer:
        """Ask as an operator would. Raises RefusedError with the dashboard's reason."""
        self._asked += 1
        body = Raw(msgspec.json.encode(request))
        decision = self.core.step(Requested(self.now, _SOMEBODY, RequestId(f"{self._asked:08x}"), body))
        self._told(self.core, decision.changes)
        answer = decision.answers[0]
        if not answer.ok:
            raise RefusedError(answer.reason)
        return answer

    # Clocks and files

    def fire(self, copies: list[Copy], *, context: int | None, outcome: str = "") -> datetime:
        """A clock or file job fires (in one context, or wherever it resides): now, or when a blackout that puts it off ends."""
        copy = copies[0]
        self._must_be_active()
        if not copy.kind.fires:
            if copy.kind is JobKind.COMMAND:
                raise RefusedError(f"{copy.id} is a command job: it does not fire, it is started and ends")
            self._step(lambda step: self.machine.happen(step, copy.index, "fired"))
            return self.now
        became = FireOutcome.PASSED if outcome == _BLACKOUT else self._in_blackout(copy, context)
        if isinstance(became, datetime):
            return became
        self._fire(copy, context, became)
        return self.now

    def _in_blackout(self, copy: Copy, context: int | None) -> FireOutcome | datetime:
        """What the job's blackout windows make of a fire now, or until when they put it off."""
        artefact = copy.artefact
        if not isinstance(artefact, ClockJob):
            return FireOutcome.FIRED
        try:
            until = blackout_until(artefact, self.now, zone_of(artefact, "UTC"))
        except JobDefinitionError as fault:
            raise RefusedError(f"{copy.id}: {fault}") from fault
        if until is None:
            return FireOutcome.FIRED
        match artefact.blackout_policy:
            case OnBlackout.DROP:
                raise RefusedError(f"{copy.id} is inside a blackout window until {until.isoformat()}: dropped")
            case OnBlackout.PASS:
                return FireOutcome.PASSED
            case OnBlackout.DELAY:
                if not any(waiting.id == copy.id for _, _, waiting, _ in self._later):
                    heappush(self._later, (until, copy.index, copy, context))
                return until

    def _fire(self, copy: Copy, context: int | None, outcome: FireOutcome) -> None:
        fire = Fire(sequence=1, at=self.now, outcome=outcome)

        def firing(step: Step) -> None:
            refused = agents.fired(step, self.machine, copy.id, fire, context)
            if refused:
                raise RefusedError(f"{copy.id}: {refused}")

        self._step(firing)

    # Runs

    def run_of(self, copies: list[Copy]) -> RunRecord | None:
        """The live run that stands for the copies. Raises RefusedError when it is not one and the same for all."""
        records = [self.machine.copies[copy.index] for copy in copies]
        live = {record.run for record in records if record.live and record.run is not None}
        if len(live) > 1:
            raise RefusedError(f"{copies[0].id} has several runs: say in which context")
        return self.core.state.runs[RunId(live.pop())] if live else None

    def start(self, copies: list[Copy]) -> None:
        """The agent says that the run has started."""
        run = self.run_of(copies) or self._open_run(copies)
        if run.phase is RunPhase.RUNNING:
            raise RefusedError(f"run {run.id} has started already")
        self._report(RunReport(run=run.id, phase=RunPhase.RUNNING, started=self.now))

    def end(self, copies: list[Copy], return_code: int, outcome: str = "") -> None:
        """The agent says that the run has ended."""
        run = self.run_of(copies) or self._open_run(copies)
        artefact = copies[0].artefact
        good = return_code in artefact.success_codes if isinstance(artefact, CommandJob) else return_code == 0
        became = _IGNORED.get(outcome) or (Outcome.SUCCEEDED if good else Outcome.FAILED)
        reason = "" if good else f"return code {return_code}"
        self._report(
            RunReport(
                run=run.id,
                phase=RunPhase.ENDED,
                ended=self.now,
                outcome=became,
                return_code=return_code,
                reason=reason,
            )
        )

    def _report(self, report: RunReport) -> None:
        def reporting(step: Step) -> None:
            agents.run_report(step, self.core.state.runs[report.run].agent, report.run, report)

        in_time = self.active
        self._step(reporting)
        if not in_time:
            raise RefusedError(f"{self.instance} has ended: its jobs stay as they are")

    def _open_run(self, copies: list[Copy]) -> RunRecord:
        """A waiting job of which an agent speaks although nobody started it: taken as if somebody had submitted it."""
        self._must_be_active()
        copy = copies[0]
        if copy.kind is not JobKind.COMMAND:
            raise RefusedError(f"{copy.id} is a {copy.kind} job: no agent runs it")
        if any(other.stands_for != copy.stands_for for other in copies):
            raise RefusedError(f"{copy.id} runs by itself in several contexts: say in which")
        home = next((other for other in copies if not other.shadow), copy)
        record = self.machine.copies[home.index]
        if record.stage is not Stage.WAITING or record.held or record.skipped or record.disabled:
            raise RefusedError(
                f"{copy.id} is {self.machine.status(home.index)}: it has no run that this could be about"
            )

        def submitting(step: Step) -> None:
            runs.ask(step, self.machine, home.index)

        self._step(submitting)
        run = self.run_of([home])
        if run is None:
            raise RefusedError(f"{copy.id} waits for a lock: it has not been started")
        return run

    def _must_be_active(self) -> None:
        if not self.active:
            raise RefusedError(f"{self.instance} has ended")

    # Time

    def wait(self, span: timedelta) -> None:
        """Let time pass: retries, ends of blackouts and the end of the window come when they are due."""
        until = self.now + span
        while (at := self.next_wakeup()) is not None and at <= until:
            self.now = max(at, self.now)
            while self._later and self._later[0][0] <= self.now:
                _, _, copy, context = heappop(self._later)
                if self.active:
                    self._fire(copy, context, FireOutcome.FIRED)
            self._told(self.core, self.core.step(Tick(self.now)).changes)
            if self.instance not in self.core.state.instances:
                break
        self.now = until

    def next_wakeup(self) -> datetime | None:
        """When something happens by itself: a timer of the dashboard's, or the end of a blackout that has put a fire off."""
        wakeups = [self.core.next_wakeup()] + [at for at, *_ in self._later[:1]]
        return min((at for at in wakeups if at is not None), default=None)
