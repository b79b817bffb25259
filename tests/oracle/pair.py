"""The real context machine and the naive one, told the same and compared after every event."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
from msgspec import Raw

from broker.runtime.core import Changes, Heard, Reply, Requested, Tick
from dashboard_node.core import instances, settling
from dashboard_node.core.blockers import blockers
from dashboard_node.core.machine import DashboardCore
from dashboard_node.core.records import PlanRecord, VersionRecord
from dashboard_node.core.step import Step
from schemas.addresses import FireReportAt, RunReportAt
from schemas.documents import Fire, FireReport, RunReport
from schemas.names import ContextName, InstanceId, JobId, NodeName, PlanName, RequestId, RunId, UserName, run_id
from schemas.plan import PlanSource
from schemas.requests import Act, Action, DashboardRequest, EndInstance, RaiseEvent
from schemas.status import FireOutcome, JobKind, Outcome, RunPhase
from tests.oracle.evaluator import Evaluator, RefusedError, RunKey
from tests.oracle.grouping import Place
from tests.oracle.people import act
from tests.oracle.plans import AGENT
from tests.scenarios.witness import Witness

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
INSTANCE = InstanceId("C0-20260101T000000Z")
_OUTCOMES = {
    "succeeded": Outcome.SUCCEEDED,
    "failed": Outcome.FAILED,
    "killed": Outcome.KILLED,
    "lost": Outcome.LOST,
    "notToday": Outcome.NOT_TODAY,
    "timedOut": Outcome.TIMED_OUT,
    "notStarted": Outcome.NOT_STARTED,
    "withdrawn": Outcome.WITHDRAWN,
}
_COUNTS_AS = {"timedOut": "failed", "notStarted": "failed", "withdrawn": "killed"}
"""What the naive one is told in place of outcomes that differ in their words alone."""


class Pair:
    """Both machines, one plan."""

    def __init__(self, source: PlanSource) -> None:
        self.source = source
        self.naive = Evaluator(source)
        self.core = DashboardCore()
        self.core.state.settled_in = True
        self.witness = Witness()
        self.now = BEGINNING
        self.said: list[str] = []
        self._unseen: dict[object, object] = {}
        self._asked = 0
        self._fires: dict[str, int] = {}
        step = Step(self.core.state, self.now, cause="opening")
        name = PlanName(source.plan.name)
        step.put_version(VersionRecord(plan=name, version=1, source=source, imported=self.now))
        step.put_plan(PlanRecord(name=name, version=1, decided=self.now))
        instances.open_instance(step, name, name=INSTANCE, closes=None, started_by="test", parameters={})
        settling.settle(step)
        self._take(step.changes)
        self.compare()

    def _take(self, changes: Changes) -> None:
        self._unseen.update(changes)

    def _step(self, event: Heard | Requested | Tick) -> tuple[object, ...]:
        decision = self.core.step(event)
        self._take(decision.changes)
        return decision.effects

    def _later(self, seconds: float = 1) -> None:
        self.now += timedelta(seconds=seconds)
        self.naive.pass_time((self.now - BEGINNING).total_seconds())

    # What happens to both

    def fire(self, job: str, *, passed: bool = False) -> None:
        """A clock or file job fires."""
        self._later()
        self._fires[job] = self._fires.get(job, 0) + 1
        self.naive.fired(job, passed=passed)
        self.report_fires(job, passed=passed)

    def report_fires(self, job: str, *, passed: bool = False) -> None:
        """The agent shows its newest fire, perhaps once more."""
        outcome = FireOutcome.PASSED if passed else FireOutcome.FIRED
        fire = Fire(sequence=self._fires.get(job, 0), at=self.now, outcome=outcome)
        address = FireReportAt(NodeName(AGENT), INSTANCE, JobId(job))
        self._step(Heard(self.now, address, FireReport(instance=INSTANCE, job=JobId(job), fires=(fire,))))

    def start(self, run: RunKey) -> None:
        """An agent says that a run has started."""
        self._later()
        self.naive.started(run)
        self._accept(run)
        self._report(run, RunReport(run=_id(run), phase=RunPhase.RUNNING, started=self.now))

    def end_run(self, run: RunKey, outcome: str) -> None:
        """An agent says that a run has ended."""
        self._later()
        self.naive.finished(run, _COUNTS_AS.get(outcome, outcome))
        self._accept(run)
        code = 0 if outcome == "succeeded" else 1
        became = _OUTCOMES[outcome]
        self._report(
            run, RunReport(run=_id(run), phase=RunPhase.ENDED, ended=self.now, outcome=became, return_code=code)
        )

    def _accept(self, run: RunKey) -> None:
        """Every second time the agent says first that it has it, be that true, late or long over: nothing follows."""
        if len(self.said) % 2:
            self._report(run, RunReport(run=_id(run), phase=RunPhase.ACCEPTED))

    def _report(self, run: RunKey, report: RunReport) -> None:
        self._step(Heard(self.now, RunReportAt(NodeName(AGENT), _id(run)), report))

    def _ask(self, request: DashboardRequest) -> bool:
        self._asked += 1
        body = Raw(msgspec.json.encode(request))
        effects = self._step(Requested(self.now, UserName("u"), RequestId(f"{self._asked:08x}"), body))
        (reply,) = [effect for effect in effects if isinstance(effect, Reply)]
        return reply.answer.ok

    def act(self, action: Action, place: Place, *, onward: bool = False) -> None:
        """A person does something to a job."""
        self._later()
        try:
            act(self.naive, str(action), place, onward=onward)
            expected = True
        except RefusedError:
            expected = False
        done = self._ask(Act(action=action, instance=INSTANCE, context=place[0], job=place[1], onward=onward))
        assert done is expected, f"{action} {place}: {'done' if done else 'refused'}"

    def raise_event(self, job: str) -> None:
        """A person raises a global event."""
        self._later()
        self.naive.global_event(job)
        self._ask(RaiseEvent(event=job.removeprefix("GLOBAL_EVENT-")))

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self._later(seconds)
        self._step(Tick(self.now))

    def end(self) -> None:
        """The instance is ended."""
        self._later()
        self.naive.end()
        self._ask(EndInstance(instance=INSTANCE))

    def restart(self) -> None:
        """The dashboard starts anew from what it has saved."""
        self.see()
        self.core = self.witness.restarted(self.core)
        self.witness = self.witness.after_restart(self.core)

    def see(self) -> None:
        """Have the witness look at what was saved and shown."""
        self.witness(self.core, self._unseen)  # type: ignore[arg-type]  # changes of several steps, as one
        self._unseen = {}

    # Whether both agree

    def compare(self) -> None:
        """Everything that can be seen."""
        machine = self.core.state.machines[INSTANCE]
        graph = machine.graph
        found = {(graph.context_of(copy.index).name, copy.id): str(machine.status(copy.index)) for copy in graph.copies}
        assert found == {place: self.naive.status(place) for place in found}
        if not self.naive.ended:
            self._has_reasons(found)
        contexts = {node.name: str(machine.contexts[node.index].status) for node in graph.contexts}
        assert contexts == self.naive.contexts
        runs = list(self.core.state.runs)
        assert set(runs) == {_id(run) for run in self.naive.handed}
        assert self._names(graph.copies[run.copy].index for run in self.core.state.live_runs(INSTANCE)) == {
            place for place, _ in self.naive.live()
        }
        for name, lock in self.core.state.locks.locks.items():
            assert self._names(owner.copy for owner in lock.holders) == set(self.naive.locks.holders(name.lock))
            queue = [(graph.context_of(o.copy).name, graph.copies[o.copy].id) for o in lock.queue]
            assert queue == self.naive.locks.queue(name.lock)

    def _has_reasons(self, statuses: dict[tuple[ContextName, JobId], str]) -> None:
        """Every job that waits says for what."""
        machine = self.core.state.machines[INSTANCE]
        for copy in machine.graph.copies:
            place = (machine.graph.context_of(copy.index).name, copy.id)
            if statuses[place] in {"WAITING", "ON_HOLD", "SKIPPED", "DISABLED", "LOCK_QUEUED"}:
                assert blockers(self.core.state, machine, copy), f"{place} waits, and does not say why"

    def _names(self, copies: Iterator[int]) -> set[object]:
        graph = self.core.state.machines[INSTANCE].graph
        return {(graph.context_of(copy).name, graph.copies[copy].id) for copy in copies}


def _id(run: RunKey) -> RunId:
    (context, job), number = run
    return run_id(INSTANCE, ContextName(context), JobId(job), number)


# What happens at random

_LIKELY = {
    "WAITING": ("submit", "hold", "skip", "disable", "submit", "reset", "resubmit"),
    "ON_HOLD": ("release", "release", "disable"),
    "SKIPPED": ("unskip", "disable"),
    "SKIPPED_COMPLETE": ("unskip", "reset", "resubmit"),
    "DISABLED": ("enable",),
    "RUNNING": ("kill",),
    "LOCK_QUEUED": ("reset", "kill"),
    "COMPLETE": ("reset", "resubmit"),
    "ERROR": ("acknowledge", "reset", "resubmit", "continue"),
    "KILLED": ("acknowledge", "reset", "resubmit", "continue"),
    "ERROR_ACKNOWLEDGED": ("reset", "continue", "resubmit"),
}


_ENDS = (
    *("succeeded",) * 7,
    *("failed",) * 4,
    *("killed", "notToday") * 2,
    *("lost", "timedOut", "notStarted", "withdrawn"),
)


def something(pair: Pair, rng: Random) -> None:
    """Let something happen to both."""
    naive = pair.naive
    live = naive.live()
    dice = rng.random()
    fires = [place[1] for place in naive.text.places if naive.text.kind(place) in {JobKind.CLOCK, JobKind.FILE}]
    if dice < 0.12 and fires:
        passed = rng.random() < 0.1
        job = rng.choice(fires)
        pair.said.append(f"fire {job} {passed}")
        pair.fire(job, passed=passed)
    elif dice < 0.55 and live:
        run = rng.choice(live)
        if run not in naive.begun and rng.random() < 0.5:
            pair.said.append(f"start {run}")
            pair.start(run)
        else:
            outcome = rng.choice(_ENDS)
            pair.said.append(f"end {run} {outcome}")
            pair.end_run(run, outcome)
    elif dice < 0.6 and naive.handed:
        run = rng.choice(naive.handed)  # perhaps it has ended long since
        pair.said.append(f"again {run}")
        if run in live or rng.random() < 0.5:
            pair.start(run)
        else:
            pair.end_run(run, "failed")
    elif dice < 0.63 and fires and pair._fires:
        job = rng.choice(sorted(pair._fires))
        pair.said.append(f"fires again {job}")
        pair.report_fires(job)
    elif dice < 0.65:
        events = [place[1] for place in naive.text.places if naive.text.kind(place) is JobKind.GLOBAL]
        if events:
            pair.said.append("event")
            pair.raise_event(rng.choice(events))
    elif dice < 0.7:
        pair.said.append("wait")
        pair.wait(rng.choice((1, 31, 100)))
    else:
        place = rng.choice(naive.text.places)
        likely = _LIKELY[naive.status(place)] if rng.random() < 0.85 else tuple(Action)
        action = Action(rng.choice(likely))
        onward = rng.random() < 0.5
        pair.said.append(f"{action} {place} {onward}")
        pair.act(action, place, onward=onward)
