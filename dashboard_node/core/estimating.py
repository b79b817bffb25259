"""When an instance is likely to be complete, and its critical path: the rest of it played forward by what its jobs took before.

Two plays: each job takes its median, and each as long as nine of ten of its runs at most do.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from dashboard_node.core import deadlines, history
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.graph import Copy
from dashboard_node.core.naming import no_such
from dashboard_node.core.playing import NOTHING, Past, Play, why_stuck
from dashboard_node.core.records import InstanceRecord, MeasuredRun
from dashboard_node.core.rules import satisfied
from dashboard_node.core.state import State
from schemas.estimates import (
    MOST_STUCK,
    Deadline,
    DeadlineState,
    Duration,
    Durations,
    Estimated,
    EstimateEnd,
    ExpectedJob,
    JobHistory,
    PastRun,
    ReadDurations,
    ReadJobHistory,
    Stuck,
)
from schemas.names import ContextName, PlanName
from schemas.notifications import Monitor
from schemas.requests import Answer
from schemas.status import ContextStatus, JobKind


def look_up(state: State, now: datetime, query: EstimateEnd | ReadDurations | ReadJobHistory) -> Struct | Answer:
    """What somebody asks of the past and the near future, of a plan or instance that is there; an answer: it cannot be told."""
    match query:
        case EstimateEnd():
            return estimate(state, state.instances[query.instance], now, query)
        case ReadDurations():
            return durations(state, query.plan)
        case ReadJobHistory():
            return job_history(state, query)


def job_history(state: State, query: ReadJobHistory) -> JobHistory | Answer:
    """The runs of a job that are kept."""
    versions = [state.versions[query.plan, version].source for version in state.versions_in_use(query.plan)]
    jobs = {job.id: job.job_name for version in versions for job in version.jobs}
    found = sorted(job for job, name in jobs.items() if query.job in {job, name})
    if not found:
        return no_such("job", query.job, sorted(set(jobs.values())), of=f" of plan '{query.plan}'")
    if len(found) > 1:
        return Answer(ok=False, reason=f"'{query.job}' is ambiguous: {', '.join(found)}; use the identifier")
    took = history.succeeded(state, query.plan, found[0])
    record = state.history.get(query.plan, {}).get(found[0])
    return JobHistory(
        plan=query.plan,
        job=found[0],
        median_seconds=history.quantile(took, history.MEDIAN) if took else None,
        p90_seconds=history.quantile(took, history.LATE) if took else None,
        runs=tuple(_past(run) for run in record.runs) if record is not None else (),
    )


def _past(run: MeasuredRun) -> PastRun:
    return PastRun(
        instance=run.instance,
        context=ContextName(run.context),
        attempt=run.attempt,
        started=run.started,
        seconds=run.seconds,
        outcome=run.outcome,
        return_code=run.return_code,
        agent=run.agent,
    )


def durations(state: State, plan: PlanName) -> Durations:
    """How long the jobs of a plan usually take."""
    found: list[Duration] = []
    for job in sorted(state.history.get(plan, {})):
        took = history.succeeded(state, plan, job)
        if took:
            median, late = history.quantile(took, history.MEDIAN), history.quantile(took, history.LATE)
            found.append(Duration(job=job, median_seconds=median, p90_seconds=late, runs=len(took)))
    return Durations(plan=plan, jobs=tuple(found))


def estimate(state: State, instance: InstanceRecord, now: datetime, query: EstimateEnd) -> Estimated:
    """When the instance is complete, if nobody interferes."""
    machine = state.machines[instance.id]
    past = Past(state, instance, now)
    usual, late = (Play(machine, past, share) for share in (history.MEDIAN, history.LATE))
    expected = _Telling(machine, past, usual, late)
    over = instance.status is ContextStatus.ENDED
    return Estimated(
        instance=instance.id,
        at=now,
        ends=instance.ended if over else usual.complete,
        ends_late=instance.ended if over else late.complete,
        closes=instance.closes,
        path=tuple(expected.job(index) for index in _critical_path(machine, usual)),
        stuck=() if over or usual.complete is not None else expected.stuck(),
        unmeasured=0 if over else sum(usual.unmeasured),
        jobs=tuple(expected.job(copy.index) for copy in machine.graph.copies) if query.each else (),
        deadlines=_deadlines(state, instance, machine, usual, instance.ended or now),
    )


def _deadlines(
    state: State, instance: InstanceRecord, machine: ContextMachine, usual: Play, now: datetime
) -> tuple[Deadline, ...]:
    """By when what has to have happened, and how that stands."""
    found: list[Deadline] = []
    for limit in sorted(deadlines.limits(state, instance, machine), key=lambda one: (one.at, one.index, one.monitor)):
        stands = _standing(machine, limit, usual, now)
        if instance.ended is not None and stands in {DeadlineState.AHEAD, DeadlineState.THREATENED}:
            continue
        told = Deadline(monitor=limit.monitor, at=limit.at, state=stands)
        if limit.index != deadlines.PLAN:
            copy = machine.graph.copies[limit.index]
            context = machine.graph.context_of(copy.index).name
            told = replace(told, context=context, job=copy.id, name=copy.name)
        found.append(told)
    return tuple(found)


def _standing(machine: ContextMachine, limit: deadlines.Limit, usual: Play, now: datetime) -> DeadlineState:
    if not deadlines.is_late(machine, limit):
        return DeadlineState.MET
    if now > limit.at:
        return DeadlineState.LATE
    ends = limit.monitor is Monitor.LATE_END
    if limit.index == deadlines.PLAN:
        likely = usual.complete if ends else None
    else:
        likely = (usual.ends if ends else usual.starts)[limit.index]
    return DeadlineState.THREATENED if likely is not None and likely > limit.at else DeadlineState.AHEAD


def _critical_path(machine: ContextMachine, play: Play) -> list[int]:
    """Back from what the instance waits for last: each time the copy that made it due. Of what was: the last to end before it."""
    ends = play.ends
    if play.last == NOTHING:
        done = [index for index, end in enumerate(ends) if end is not None]
        last = max(done, key=lambda index: (ends[index], -index), default=NOTHING)
    else:
        last = play.last
    path: list[int] = []
    while last != NOTHING and last not in path:
        path.append(last)
        last = play.cause[last] if play.cause[last] != NOTHING else _before(machine, play, last)
    return path[::-1]


def _before(machine: ContextMachine, play: Play, index: int) -> int:
    """Of what a copy asks for, the one that ended last before it started; or that of the copy that its run was decided in."""
    start = play.starts[index]
    if start is None:
        return NOTHING
    asked = [other for home in machine.graph.copies[index].residences for other in machine.graph.copies[home].asked]
    ended = [(end, other) for other in asked if (end := play.ends[other]) is not None and end <= start]
    return max(ended, default=(start, NOTHING))[1]


class _Telling(Struct, frozen=True):
    """Both plays, told job by job."""

    machine: ContextMachine
    past: Past
    usual: Play
    late: Play

    def job(self, index: int) -> ExpectedJob:
        """What was and what is to be expected of a copy."""
        copy = self.machine.graph.copies[index]
        return ExpectedJob(
            context=self.machine.graph.context_of(index).name,
            job=copy.id,
            name=copy.name,
            order=index,
            status=self.machine.status(index),
            starts=self.usual.starts[index],
            ends=self.usual.ends[index],
            ends_late=self.late.ends[index],
            measured=len(self.past.took(copy)),
        )

    def stuck(self) -> tuple[Stuck, ...]:
        """What keeps the instance from being complete by itself: not what merely waits for that."""
        found = [(copy, self._why(copy)) for copy in self.machine.graph.copies]
        return tuple(
            Stuck(context=self.machine.graph.context_of(copy.index).name, job=copy.id, name=copy.called, why=why)
            for copy, why in found
            if why
        )[:MOST_STUCK]

    def _why(self, copy: Copy) -> str:
        if self.usual.starts[copy.index] is not None or copy.shadow:
            return ""
        if why := why_stuck(self.machine, copy):
            return why
        if copy.kind is JobKind.CLOCK:
            return "does not fire any more in this window"
        if copy.kind is JobKind.FILE:
            return "waits for a file, and none is remembered from before"
        if copy.rule is None:
            return "waits for an event" if copy.kind is JobKind.GLOBAL else "is started by nothing but a person"
        holds = satisfied(copy.rule, lambda other: self.usual.ends[other] is not None)
        return "is due, and nothing that is to come starts it" if holds else ""
