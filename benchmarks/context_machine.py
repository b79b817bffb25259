"""What an event costs the dashboard's core in plans of ten to ten thousand jobs: deciding, and making the documents to show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from statistics import median
from time import perf_counter

import msgspec
from msgspec import Raw, Struct

from broker.runtime.core import Heard, Requested, Tick
from dashboard_node.core.machine import DashboardCore
from schemas.addresses import RunReportAt
from schemas.codec import encode_body
from schemas.documents import RunReport
from schemas.names import InstanceId, PlanName, RequestId, RunId, UserName
from schemas.plan import PlanSource
from schemas.requests import Act, Action, DashboardRequest, EndInstance, ImportPlan, StartInstance
from schemas.status import Outcome, RunPhase

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SIZES = (10, 100, 1_000, 10_000)
EVENTS = 1_000
"""About so many events are timed at each size, in fresh instances if one has fewer."""
ROUNDS = 5


class Cost(Struct, frozen=True, kw_only=True):
    """Microseconds an event takes in a plan of ``jobs`` jobs: least, median and most of the rounds' medians."""

    shape: str
    jobs: int
    least: float
    median: float
    most: float


def chain(jobs: int) -> list[tuple[str, list[str]]]:
    """Each job after the one before."""
    return [(f"j{i}", [f"j{i - 1}"] if i else []) for i in range(jobs)]


def join(jobs: int) -> list[tuple[str, list[str]]]:
    """A chain, and one job at the end that waits for every job of it."""
    steps = chain(jobs - 1)
    return [*steps, ("last", [name for name, _ in steps])]


SHAPES: dict[str, Callable[[int], list[tuple[str, list[str]]]]] = {"chain": chain, "chain, and a join of all": join}


def plan(steps: list[tuple[str, list[str]]]) -> PlanSource:
    """Commands on one agent."""
    return msgspec.convert(
        {
            "plan": {
                "name": "P",
                "ableToRunConcurrently": True,
                "scheduledJobs": [{"agentName": "a", "jobName": name} for name, _ in steps],
                "jobDependencies": [
                    {
                        "jobIdentifier": f"a-{name}",
                        "logicalGrouping": {"and": [{"identifier": f"a-{before}"} for before in upstream]},
                    }
                    for name, upstream in steps
                ],
            },
            "jobs": [
                {"type": "internalEventDrivenJob", "agentName": "a", "jobName": name, "commandLine": "true"}
                for name, _ in steps
            ],
        },
        PlanSource,
    )


class Office:
    """A core with one plan, whose agent does everything at once."""

    def __init__(self, source: PlanSource) -> None:
        self.core = DashboardCore()
        self.core.step(Tick(NOW))
        self._asked = 0
        self.ask(ImportPlan(source=source))

    def ask(self, request: DashboardRequest) -> bytes:
        """Ask; the answer's data."""
        self._asked += 1
        body = Raw(msgspec.json.encode(request))
        decision = self.core.step(Requested(NOW, UserName("u"), RequestId(f"{self._asked:08x}"), body))
        self.core.project(decision.changes)
        return bytes(decision.answers[0].data)

    def open(self) -> InstanceId:
        """A fresh instance with its first jobs started."""
        data = msgspec.json.decode(self.ask(StartInstance(plan=PlanName("P"))), type=dict[str, str])
        instance = InstanceId(data["instance"])
        graph = self.core.state.machines[instance].graph
        for copy in graph.copies:
            if not copy.upstream:
                self.ask(Act(action=Action.SUBMIT, instance=instance, job=copy.id))
        return instance

    def events(self, instance: InstanceId) -> Iterator[float]:
        """Play the instance, a started and an ended for each job; seconds of each event."""
        live = self.core.state.live[instance]
        while live:
            run = next(iter(live))
            yield self._timed(run, RunReport(run=run, phase=RunPhase.RUNNING, started=NOW))
            ended = RunReport(run=run, phase=RunPhase.ENDED, started=NOW, ended=NOW, outcome=Outcome.SUCCEEDED)
            yield self._timed(run, ended)

    def _timed(self, run: RunId, report: RunReport) -> float:
        agent = self.core.state.runs[run].agent
        event = Heard(NOW, RunReportAt(agent, run), report)
        begun = perf_counter()
        decision = self.core.step(event)
        for record in decision.changes.values():
            msgspec.json.encode(record)
        for document in self.core.project(decision.changes).values():
            if document is not None:
                encode_body(document)
        return perf_counter() - begun


def cost(shape: str, jobs: int) -> Cost:
    """Measure one shape at one size."""
    source = plan(SHAPES[shape](jobs))
    rounds = []
    for _ in range(ROUNDS):
        office = Office(source)
        seconds: list[float] = []
        while len(seconds) < EVENTS:
            instance = office.open()
            seconds += islice(office.events(instance), EVENTS)
            office.ask(EndInstance(instance=instance))
        rounds.append(median(seconds) * 1e6)
    return Cost(shape=shape, jobs=jobs, least=min(rounds), median=median(rounds), most=max(rounds))


def measure() -> list[Cost]:
    """All shapes and sizes."""
    return [cost(shape, jobs) for shape in SHAPES for jobs in SIZES]
