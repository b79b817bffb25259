"""How long jobs took before: their newest runs, kept with the plan, and what is usual by them.

A run counts once it has ended, whether or not its instance is still there; what was only pretended does not. Of clock and
file jobs it is the first fire in an instance that is kept: how long after the opening it came.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.graph import Copy
from dashboard_node.core.records import HistoryRecord, MeasuredRun, RunRecord
from dashboard_node.core.state import State
from dashboard_node.core.step import Step
from schemas.names import JobId, PlanName
from schemas.status import Outcome

KEPT: Final = 20
"""So many runs of a job are kept, the newest ones: what a job took a year ago says little of tonight."""
MEDIAN: Final = 0.5
LATE: Final = 0.9
"""Nine of ten runs take no longer."""


def ran(step: Step, run: RunRecord) -> None:
    """Keep a run that has ended."""
    machine = step.state.machines.get(run.instance)
    if machine is None or run.started is None or run.ended is None or run.outcome is None or run.dry_run:
        return
    copy = machine.graph.copies[run.copy]
    measured = MeasuredRun(
        instance=run.instance,
        context=machine.graph.context_of(run.copy).name,
        attempt=run.attempt,
        started=run.started,
        seconds=_seconds(run.started, run.ended),
        outcome=run.outcome,
        return_code=run.return_code,
        agent=run.agent,
    )
    _keep(step, step.state.instances[run.instance].plan, copy.id, measured)


def fired(step: Step, machine: ContextMachine, copy: Copy, at: datetime) -> None:
    """Keep the first fire of a clock or file job in an instance."""
    instance = step.state.instances[machine.instance]
    measured = MeasuredRun(
        instance=machine.instance,
        context=machine.graph.context_of(copy.index).name,
        attempt=0,
        started=instance.opens,
        seconds=_seconds(instance.opens, at),
        outcome=Outcome.SUCCEEDED,
        return_code=None,
        agent=copy.agent,
    )
    _keep(step, instance.plan, copy.id, measured)


def _seconds(start: datetime, end: datetime) -> float:
    """Never less than nothing: two hosts' clocks may differ."""
    return max(0.0, round((end - start).total_seconds(), 3))


def _keep(step: Step, plan: PlanName, job: JobId, measured: MeasuredRun) -> None:
    if plan not in step.state.plans:
        return
    known = step.state.history.get(plan, {}).get(job) or HistoryRecord(plan=plan, job=job)
    step.put_history(replace(known, runs=(*known.runs, measured)[-KEPT:]))


def forget_what_is_gone(step: Step, plan: PlanName) -> None:
    """Drop the past of jobs that no version in use has any more, or a plan whose job names change would keep ever more."""
    used = {
        job.id for version in step.state.versions_in_use(plan) for job in step.state.versions[plan, version].source.jobs
    }
    step.forget_history(plan, sorted(step.state.history.get(plan, {}).keys() - used))


def succeeded(state: State, plan: PlanName, job: JobId) -> list[float]:
    """How many seconds the kept runs that succeeded took, rising."""
    record = state.history.get(plan, {}).get(job)
    runs = record.runs if record is not None else ()
    return sorted(run.seconds for run in runs if run.outcome is Outcome.SUCCEEDED)


def quantile(rising: Sequence[float], share: float) -> float:
    """The value that such a share of them does not exceed, between two of them where it falls there. There is at least one."""
    place = (len(rising) - 1) * share
    below = int(place)
    above = min(below + 1, len(rising) - 1)
    return round(rising[below] + (rising[above] - rising[below]) * (place - below), 3)


def remaining(rising: Sequence[float], share: float, elapsed: float) -> float:
    """How many more seconds after so many: by those that took longer than that. What takes longer than all may end now."""
    longer = [one for one in rising if one > elapsed]
    return max(0.0, quantile(longer, share) - elapsed) if longer else 0.0
