"""What a turn tells of starts, fires and runs: measured from what is saved, not from clocks of its own."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client.parser import text_string_to_metric_families

from agent_node import measures as of_agent
from agent_node.core.lifecycle import Stage
from agent_node.core.records import RUNS, WATCHES, Run, Watch
from broker.bus import Publication
from broker.metrics.registry import Registry
from broker.metrics.table import Fact
from broker.runtime.core import AuditRow
from broker.runtime.measuring import Measured
from broker.runtime.turn import Turn
from broker.topic_table import Role
from dashboard_node import measures as of_dashboard
from schemas.documents import Fire
from schemas.names import JobId
from tests.support.agents import INSTANCE, NOON, SECOND, a_run

JOB = JobId("north-q")


def _told(registry: Registry) -> dict[tuple[str, tuple[str, ...]], float]:
    text, _ = registry.text("")
    families = text_string_to_metric_families(text.decode())
    return {(one.name, tuple(one.labels.values())): one.value for family in families for one in family.samples}


def _measured(turn: Turn[object]) -> Measured:
    return Measured(turn=turn, save=0.1, show=0.2, since_news=0.25)


def test_due_starts_are_late_by_the_ledger() -> None:
    """A window and a fire; what was missed is counted and not late."""
    rows = (
        AuditRow(at=NOON + SECOND, kind="tick", context="P", before=NOON.isoformat(), after="ran"),
        AuditRow(at=NOON + 2 * SECOND, kind="tick", job=JOB, before=NOON.isoformat(), after="ran"),
        AuditRow(at=NOON + timedelta(hours=1), kind="tick", context="P", before=NOON.isoformat(), after="missed"),
        AuditRow(at=NOON, kind="tick", detail="counts for nothing"),
    )
    registry = Registry(Role.DASHBOARD, tuple)
    of_dashboard.of_turn(_measured(Turn(now=NOON, events=1, rows={}, audit=rows)), registry)
    told = _told(registry)

    assert told["jobplan_start_late_seconds_sum", ("window",)] == 1
    assert told["jobplan_start_late_seconds_sum", ("fire",)] == 2
    assert told["jobplan_ticks_total", ("ran",)] == 2
    assert told["jobplan_ticks_total", ("missed",)] == 1


def test_the_way_from_report_to_assignment_is_that_of_turns_with_both() -> None:
    """A run that a person submits follows from no report; a report after which nothing starts has no way."""
    ended = (AuditRow(at=NOON, kind="run", after="succeeded"),)
    shown = (Publication("j/agent/north/assignment/i/r", b"{}"),)
    cleared = (Publication("j/agent/north/assignment/i/r", b""),)
    registry = Registry(Role.DASHBOARD, tuple)
    for audit, publications in (((), shown), (ended, cleared), (ended, shown)):
        turn: Turn[object] = Turn(now=NOON, events=1, rows={}, audit=audit, publications=publications)
        of_dashboard.of_turn(_measured(turn), registry)

    assert _told(registry)["jobplan_report_to_assignment_seconds_count", ()] == 1
    assert _told(registry)["jobplan_report_to_assignment_seconds_sum", ()] == 0.25


def test_an_agent_times_its_runs_waits_and_its_clocks() -> None:
    """Of a turn's own runs and fires; those of earlier turns were counted then."""
    run = Run(run=a_run(), instance=INSTANCE, job=JOB, stage=Stage.STARTING, accepted=NOON - 3 * SECOND)
    fires = (
        Fire(sequence=1, at=NOON - SECOND, due=NOON - 9 * SECOND),
        Fire(sequence=2, at=NOON, due=NOON - 2 * SECOND),
    )
    watch = Watch(instance=INSTANCE, job=JOB, active=True, decided=NOON, sequence=2, fires=fires)
    registry = Registry(Role.AGENT, tuple)
    of_agent.of_turn(
        _measured(Turn(now=NOON, events=1, rows={RUNS.key(run.run): run, WATCHES.key("w"): watch})), registry
    )

    assert _told(registry)["jobplan_run_wait_seconds_sum", ()] == 3
    assert _told(registry)["jobplan_fire_late_seconds_sum", ()] == 2


def test_what_somebody_else_counts_is_told_as_a_counter() -> None:
    """With the suffix that goes with it, in OpenMetrics too."""
    registry = Registry(Role.AGENT, lambda: [Fact("jobplan_stale", 7), Fact("jobplan_running", 2)])
    plain, open_metrics = registry.text(""), registry.text("application/openmetrics-text; version=1.0.0")

    assert b"\njobplan_stale_total 7.0\n" in plain[0]
    assert b"\njobplan_running 2.0\n" in plain[0]
    assert open_metrics[0].endswith(b"# EOF\n")
    assert open_metrics[1].startswith("application/openmetrics-text")
