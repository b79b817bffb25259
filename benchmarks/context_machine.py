"""What an event costs the dashboard's core in plans of ten to ten thousand jobs: deciding, and making the documents to show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from statistics import median
from time import perf_counter

import msgspec
from msgspec import Raw, Struct

from benchmarks.figures import Figure
from benchmarks.plans import Steps, chain, join, plan
from broker.runtime.core import Heard, Key, Requested, Tick
from dashboard_node.core.machine import DashboardCore
from schemas.addresses import RunReportAt
from schemas.codec import encode_body
from schemas.documents import RunReport
from schemas.names import InstanceId, PlanName, RequestId, RunId, UserName
from schemas.plan import PlanSource
from schemas.requests import Act, Action, DashboardRequest, EndInstance, ImportPlan, StartInstance
from schemas.status import Outcome, RunPhase

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SIZES = (2, 100, 1_000, 10_000)
RUNNING = (1, 100, 1_000)
TIMED = 500
"""About so many jobs are timed at each size, in fresh instances if a plan has fewer."""


SHAPES: dict[str, Callable[[int], Steps]] = {"chain": chain, "chain and a join of all": join}


class Office:
    """A core with one plan, whose agent does everything at once."""

    def __init__(self, source: PlanSource, now: datetime = NOW) -> None:
        self.now = now
        self.rows: dict[Key, Struct] = {}
        """What it has saved of what was asked for."""
        self.core = DashboardCore()
        self.core.step(Tick(now))
        self._asked = 0
        self.ask(ImportPlan(source=source))

    def ask(self, request: DashboardRequest) -> bytes:
        """Ask; the answer's data."""
        self._asked += 1
        body = Raw(msgspec.json.encode(request))
        decision = self.core.step(Requested(self.now, UserName("u"), RequestId(f"{self._asked:08x}"), body))
        self.core.project(decision.changes)
        for key, record in decision.changes.items():
            if record is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = record
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
        """Play the instance, a started and an ended for each job; seconds of an event, of each job.

        The two are taken together, for an end costs twice what a start does: the median of single events lies between the dearest
        start and the cheapest end, and says nothing of either.
        """
        live = self.core.state.live[instance]
        while live:
            run = next(iter(live))
            started = RunReport(run=run, phase=RunPhase.RUNNING, started=NOW)
            ended = RunReport(run=run, phase=RunPhase.ENDED, started=NOW, ended=NOW, outcome=Outcome.SUCCEEDED)
            yield (self._timed(run, started) + self._timed(run, ended)) / 2

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


def cost(source: PlanSource, others: int = 0) -> float:
    """Microseconds an event takes, at the median of jobs, while so many other instances run."""
    office = Office(source)
    for _ in range(others):
        office.open()
    seconds: list[float] = []
    while len(seconds) < TIMED:
        instance = office.open()
        seconds += islice(office.events(instance), TIMED)
        office.ask(EndInstance(instance=instance))
    return median(seconds) * 1e6


async def measure(rounds: int) -> list[Figure]:
    """All shapes and sizes, then growing numbers of running instances; each beside the smallest, taken in the same round."""
    figures = []
    for shape, steps in SHAPES.items():
        found = [[cost(plan("P", steps(jobs))) for jobs in SIZES] for _ in range(rounds)]
        figures += _curve(f"{shape}, jobs in the plan", SIZES, found)
    small = plan("P", chain(10))
    found = [[cost(small, others) for others in RUNNING] for _ in range(rounds)]
    return [*figures, *_curve("chain of 10, instances running beside it", RUNNING, found)]


def _curve(name: str, sizes: Sequence[int], found: list[list[float]]) -> list[Figure]:
    least = tuple(one[0] for one in found)
    return [
        Figure(
            part="orchestration",
            name=f"an event, {name}: {size:,}",
            unit="µs",
            values=tuple(one[place] for one in found),
            floor=f"with {sizes[0]:,}",
            floors=least,
            target=1.3,
            x=size,
            picture="cost-of-an-event",
            curve=name,
        )
        for place, size in enumerate(sizes)
    ]
