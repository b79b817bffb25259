"""All metrics by name: what each means, of which nodes, in which unit. Pure; docs/metrics.md is made from it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from broker.topic_table import Role


class Kind(StrEnum):
    """How a metric moves."""

    GAUGE = "gauge"
    """Up and down; looked at when it is asked for."""
    COUNTER = "counter"
    """Only up, since the node started."""
    HISTOGRAM = "histogram"
    """How often a span of time was how long."""


class Metric(Struct, frozen=True, kw_only=True):
    """One metric. Names follow Prometheus: seconds, bytes, and ``_total`` for what only counts up."""

    name: str
    kind: Kind
    means: str
    labels: tuple[str, ...] = ()
    of: tuple[Role, ...] = (Role.DASHBOARD, Role.AGENT)

    @property
    def series(self) -> str:
        """The name as queries have it."""
        return f"{self.name}_total" if self.kind is Kind.COUNTER else self.name


class Fact(Struct, frozen=True):
    """What a gauge is now."""

    name: str
    value: float
    labels: tuple[str, ...] = ()
    """Values, in the order of the metric's labels."""


DASHBOARD: Final = (Role.DASHBOARD,)
AGENT: Final = (Role.AGENT,)
_GAUGE, _COUNTER, _HISTOGRAM = Kind.GAUGE, Kind.COUNTER, Kind.HISTOGRAM

TABLE: Final = (
    Metric(name="jobplan_up", kind=_GAUGE, means="1: the node runs", labels=("node", "version")),
    Metric(
        name="jobplan_complete", kind=_GAUGE, means="1: the broker retains all that the node has to show (readiness)"
    ),
    Metric(name="jobplan_connected", kind=_GAUGE, means="1: there is a connection to the broker and its replay is in"),
    Metric(name="jobplan_connections", kind=_COUNTER, means="Connections made to the broker"),
    Metric(name="jobplan_connections_lost", kind=_COUNTER, means="Connections that were lost"),
    Metric(name="jobplan_documents", kind=_GAUGE, means="Retained documents that the node shows, presence aside"),
    Metric(name="jobplan_set_aside", kind=_COUNTER, means="Payloads that could not be read and were set aside"),
    Metric(name="jobplan_stale", kind=_COUNTER, means="Documents ignored because they were not newer"),
    Metric(name="jobplan_fenced", kind=_COUNTER, means="Documents ignored because their writer's life had ended"),
    Metric(name="jobplan_inbox", kind=_GAUGE, means="Events that wait for the next turn"),
    Metric(name="jobplan_turns", kind=_COUNTER, means="Turns: batches of events decided, saved and shown together"),
    Metric(name="jobplan_events", kind=_COUNTER, means="Events decided"),
    Metric(name="jobplan_publications", kind=_COUNTER, means="Documents published or cleared"),
    Metric(
        name="jobplan_audit_rows",
        kind=_COUNTER,
        means="Rows written to the audit trail, by what they are about",
        labels=("kind",),
    ),
    Metric(name="jobplan_save_seconds", kind=_HISTOGRAM, means="Time of a commit to the store, synced to the disk"),
    Metric(
        name="jobplan_show_seconds", kind=_HISTOGRAM, means="Time until the broker had acknowledged what a turn shows"
    ),
    Metric(
        name="jobplan_runs_ended",
        kind=_COUNTER,
        means="Runs that ended, by outcome: each once on its agent and once on the dashboard",
        labels=("outcome",),
    ),
    Metric(
        name="jobplan_plans", kind=_GAUGE, means="Plans, by whether they are enabled", labels=("state",), of=DASHBOARD
    ),
    Metric(
        name="jobplan_instances",
        kind=_GAUGE,
        means="Instances that are kept, by status",
        labels=("status",),
        of=DASHBOARD,
    ),
    Metric(
        name="jobplan_jobs",
        kind=_GAUGE,
        means="Jobs of instances that have not ended, by status",
        labels=("status",),
        of=DASHBOARD,
    ),
    Metric(
        name="jobplan_runs",
        kind=_GAUGE,
        means="Runs with their agents, by phase (handed: not answered yet)",
        labels=("phase",),
        of=DASHBOARD,
    ),
    Metric(
        name="jobplan_agents", kind=_GAUGE, means="Agents, by whether they are there", labels=("state",), of=DASHBOARD
    ),
    Metric(
        name="jobplan_start_late_seconds",
        kind=_HISTOGRAM,
        means="How late due starts ran, from the time due until saved: windows of plans (window), fires of clock jobs (fire)",
        labels=("what",),
        of=DASHBOARD,
    ),
    Metric(
        name="jobplan_report_to_assignment_seconds",
        kind=_HISTOGRAM,
        means="From the arrival of an agent's report until the runs that follow from it stand on the broker",
        of=DASHBOARD,
    ),
    Metric(
        name="jobplan_ticks",
        kind=_COUNTER,
        means="Due starts, by what became of them",
        labels=("outcome",),
        of=DASHBOARD,
    ),
    Metric(name="jobplan_running", kind=_GAUGE, means="Runs that may have a process", of=AGENT),
    Metric(name="jobplan_capacity", kind=_GAUGE, means="Processes that may run at once (`concurrency`)", of=AGENT),
    Metric(name="jobplan_waiting", kind=_GAUGE, means="Runs that are accepted and wait for their turn", of=AGENT),
    Metric(
        name="jobplan_watches",
        kind=_GAUGE,
        means="Clock and file jobs of instances, by whether they fire or have a problem",
        labels=("state",),
        of=AGENT,
    ),
    Metric(name="jobplan_fires_untaken", kind=_GAUGE, means="Fires that the dashboard has not taken yet", of=AGENT),
    Metric(name="jobplan_draining", kind=_GAUGE, means="1: starts no more runs, for an operator said so", of=AGENT),
    Metric(name="jobplan_dry_run", kind=_GAUGE, means="1: pretends to run commands", of=AGENT),
    Metric(name="jobplan_disk_full", kind=_GAUGE, means="1: starts nothing, for its disk is full", of=AGENT),
    Metric(name="jobplan_disk_free_bytes", kind=_GAUGE, means="Space left where runs leave their traces", of=AGENT),
    Metric(name="jobplan_host_load", kind=_GAUGE, means="The host's load over the last minute", of=AGENT),
    Metric(
        name="jobplan_run_wait_seconds",
        kind=_HISTOGRAM,
        means="From the acceptance of a run until it is asked to start",
        of=AGENT,
    ),
    Metric(
        name="jobplan_fire_late_seconds", kind=_HISTOGRAM, means="How late fires of clock jobs were decided", of=AGENT
    ),
)
"""In the order of the page."""

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Of every histogram, in seconds."""


def of_role(role: Role) -> tuple[Metric, ...]:
    """The metrics of one kind of node."""
    return tuple(metric for metric in TABLE if role in metric.of)
