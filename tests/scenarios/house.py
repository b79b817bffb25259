"""A dashboard with several plans and instances, asked and told as on the bus, and witnessed after every event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from broker.runtime.core import Heard, Requested, Tick
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.graph import Copy
from dashboard_node.core.machine import DashboardCore
from schemas.addresses import FireReportAt, RunReportAt
from schemas.documents import Fire, FireReport, RunReport
from schemas.names import InstanceId, JobId, NodeName, PlanName, RequestId, RunId, UserName
from schemas.plan import JobDependency, PlanSource
from schemas.requests import Act, Action, Answer, DashboardRequest, EndInstance, ImportPlan, RaiseEvent, StartInstance
from schemas.status import Outcome, RunPhase
from tests.scenarios.notation import AGENT, plan
from tests.scenarios.witness import Witness

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def mentioned(source: PlanSource) -> PlanSource:
    """The plan with an entry for each job of its outermost context that no dependency mentions: validation wants one."""
    outermost = source.plan
    entries = {dependency.job_identifier for dependency in outermost.job_dependencies}
    lone = tuple(JobDependency(job_identifier=job.id) for job in outermost.scheduled_jobs if job.id not in entries)
    return replace(source, plan=replace(outermost, job_dependencies=outermost.job_dependencies + lone))


class House:
    """Plans by their texts, instances by the names the test gives them."""

    def __init__(self) -> None:
        self.core = DashboardCore()
        self.witness = Witness()
        self.now = BEGINNING
        self.instances: dict[str, InstanceId] = {}
        self._asked = 0
        self.step(Tick(self.now))

    def step(self, event: Heard | Requested | Tick) -> tuple[Answer, ...]:
        """Let something happen; what the dashboard answers."""
        decision = self.core.step(event)
        self.witness(self.core, decision.changes)
        return decision.answers

    def ask(self, request: DashboardRequest) -> Answer:
        """Ask as a person would."""
        self._asked += 1
        self.now += timedelta(seconds=1)
        body = Raw(msgspec.json.encode(request))
        (answer,) = self.step(Requested(self.now, UserName("somebody"), RequestId(f"{self._asked:08x}"), body))
        return answer

    def open(self, name: str, text: str, **more: Any) -> list[str]:  # noqa: ANN401  # what `plan` takes
        """Import a plan (again, if it is known already) and start an instance of it; the runs that were handed over."""
        source = mentioned(plan(text, able_to_run_concurrently=True, **more))
        imported = self.ask(ImportPlan(source=source))
        assert imported.ok, imported
        before = set(self.core.state.runs)
        started = self.ask(StartInstance(plan=PlanName(source.plan.name)))
        assert started.ok, started
        self.instances[name] = InstanceId(msgspec.json.decode(started.data)["instance"])
        return self._since(before)

    def machine(self, name: str) -> ContextMachine:
        """The machine of an instance."""
        return self.core.state.machines[self.instances[name]]

    def _copy(self, path: str) -> tuple[str, Copy]:
        """``i1.a`` is the job a of the instance i1; its first copy."""
        name, _, job = path.partition(".")
        return name, next(copy for copy in self.machine(name).graph.copies if copy.name == job)

    def status(self, path: str) -> str:
        """How ``i1.a`` stands."""
        name, copy = self._copy(path)
        return str(self.machine(name).status(copy.index))

    def statuses(self, *paths: str) -> list[str]:
        """How several jobs stand."""
        return [self.status(path) for path in paths]

    def _since(self, before: set[RunId]) -> list[str]:
        names = {instance: name for name, instance in self.instances.items()}
        fresh = [run for name, run in self.core.state.runs.items() if name not in before]
        return [f"{names.get(run.instance, run.instance)}.{self._name_of(run.instance, run.copy)}" for run in fresh]

    def _name_of(self, instance: InstanceId, copy: int) -> str:
        return self.core.state.machines[instance].graph.copies[copy].name

    def act(self, action: Action, path: str, **more: Any) -> list[str]:  # noqa: ANN401  # what `Act` takes
        """Do something to a job; the runs that were handed over."""
        name, copy = self._copy(path)
        before = set(self.core.state.runs)
        answer = self.ask(Act(action=action, instance=self.instances[name], job=copy.id, **more))
        assert answer.ok, answer
        return self._since(before)

    def end(self, name: str) -> list[str]:
        """End an instance; the runs that were handed over."""
        before = set(self.core.state.runs)
        assert self.ask(EndInstance(instance=self.instances[name])).ok
        return self._since(before)

    def raise_event(self, event: str) -> list[str]:
        """Somebody raises a global event by name; the runs that were handed over."""
        before = set(self.core.state.runs)
        assert self.ask(RaiseEvent(event=event)).ok
        return self._since(before)

    def fired(self, path: str, **more: Any) -> list[str]:  # noqa: ANN401  # what `Fire` takes
        """An agent reports a fire; the runs that were handed over."""
        name, copy = self._copy(path)
        instance = self.instances[name]
        taken = self.core.state.taken.get((instance, copy.id))
        fire = Fire(sequence=1 + (taken.sequence if taken else 0), at=self.now, **more)
        return self._heard(
            FireReportAt(NodeName(AGENT), instance, JobId(copy.id)),
            FireReport(instance=instance, job=JobId(copy.id), fires=(fire,)),
        )

    def started(self, path: str) -> list[str]:
        """An agent reports that the job's run has started."""
        return self._report(path, phase=RunPhase.RUNNING, started=self.now)

    def ended(self, path: str, code: int = 0) -> list[str]:
        """An agent reports that the job's run has ended; the runs that were handed over."""
        outcome = Outcome.FAILED if code else Outcome.SUCCEEDED
        return self._report(path, phase=RunPhase.ENDED, ended=self.now, outcome=outcome, return_code=code)

    def _report(self, path: str, **more: Any) -> list[str]:  # noqa: ANN401  # what `RunReport` takes
        name, copy = self._copy(path)
        run = self.machine(name).copies[copy.index].run
        assert run is not None, path
        return self._heard(RunReportAt(NodeName(AGENT), run), RunReport(run=run, **more))

    def _heard(self, address: FireReportAt | RunReportAt, document: FireReport | RunReport) -> list[str]:
        before = set(self.core.state.runs)
        self.now += timedelta(seconds=1)
        self.step(Heard(self.now, address, document))
        return self._since(before)

    def restart(self) -> None:
        """Start the dashboard anew from what it has saved."""
        fresh = DashboardCore()
        fresh.restore(list(self.witness.saved.items()))
        self.core, self.witness = fresh, self.witness.after_restart(fresh)
        self.step(Tick(self.now))

    def locks(self) -> Mapping[str, tuple[list[str], list[str]]]:
        """Holders and queue of each lock."""
        names = {instance: name for name, instance in self.instances.items()}
        return {
            name.lock: (
                [f"{names[o.instance]}.{self._name_of(o.instance, o.copy)}" for o in sorted(lock.holders)],
                [f"{names[o.instance]}.{self._name_of(o.instance, o.copy)}" for o in lock.queue],
            )
            for name, lock in sorted(self.core.state.locks.locks.items())
        }
