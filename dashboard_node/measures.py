"""What of a dashboard is measured: its tables as they stand, and what a turn did to starts and runs. Decides nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from broker.metrics.registry import Registry
from broker.metrics.table import Fact
from broker.runtime.core import AuditRow
from broker.runtime.measuring import Measured
from dashboard_node.core.state import State
from schemas.status import ContextStatus, Outcome, Tick

_OUTCOMES = frozenset(str(outcome) for outcome in Outcome)


def facts(state: State) -> Iterator[Fact]:
    """What stands now. Costs as much as there are instances and live runs; jobs are counted already."""
    plans = Counter("enabled" if plan.enabled else "disabled" for plan in state.plans.values())
    yield from (Fact("jobplan_plans", plans[kind], (kind,)) for kind in ("enabled", "disabled"))
    instances = Counter(instance.status for instance in state.instances.values())
    yield from (Fact("jobplan_instances", instances[status], (status.value,)) for status in ContextStatus)
    jobs: Counter[str] = Counter()
    for name, machine in state.machines.items():
        if state.instances[name].status is not ContextStatus.ENDED:
            jobs.update({status.value: number for status, number in machine.counts.items() if number})
    yield from (Fact("jobplan_jobs", number, (status,)) for status, number in sorted(jobs.items()))
    phases = Counter(state.runs[run].phase for live in state.live.values() for run in live)
    yield from (Fact("jobplan_runs", number, (phase or "handed",)) for phase, number in phases.items())
    agents = Counter(presence.state for presence in state.presences.values())
    yield from (Fact("jobplan_agents", number, (found.value,)) for found, number in agents.items())


def of_turn(measured: Measured, registry: Registry) -> None:
    """What a turn tells of starts and runs."""
    turn = measured.turn
    ended = False
    for row in turn.audit:
        if row.kind == "tick" and row.after:
            registry.count("jobplan_ticks", 1, row.after)
            _lateness(row, registry)
        ended |= row.kind == "run" and row.after in _OUTCOMES
    if ended and measured.show and any("/assignment/" in one.topic and one.payload for one in turn.publications):
        registry.observe("jobplan_report_to_assignment_seconds", measured.since_news)


def _lateness(row: AuditRow, registry: Registry) -> None:
    """Of a due start that ran: the ledger says when it was due."""
    if row.after == Tick.RAN and row.before:
        late = row.at - datetime.fromisoformat(row.before)
        registry.observe("jobplan_start_late_seconds", late.total_seconds(), "fire" if row.job else "window")
