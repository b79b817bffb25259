"""What a person's tool may ask of the past and the near future of jobs: measured runs, usual durations, estimated ends.

Looked up at the dashboard on request and never retained: an estimate moves with the clock, and a document must not.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from schemas.asked import Asked, Instant, Told
from schemas.names import ContextName, InstanceId, JobId, NodeName, PlanName
from schemas.notifications import Monitor
from schemas.status import JobStatus, Outcome

MOST_STUCK: Final = 20


class ReadJobHistory(Asked, frozen=True, kw_only=True, tag="job.history"):
    """The newest runs of a job that are kept, whatever instances they were of."""

    plan: PlanName
    job: str
    """Name or identifier."""


class PastRun(Told, frozen=True, kw_only=True):
    """A run that has ended; of a clock or file job, its first fire in an instance (``attempt`` 0)."""

    instance: InstanceId
    context: ContextName
    attempt: int
    started: Instant
    """Of a fire: when the instance opened."""
    seconds: float
    """How long it took; of a fire: how long after the opening it came."""
    outcome: Outcome
    return_code: int | None = None
    agent: NodeName


class JobHistory(Told, frozen=True, kw_only=True):
    """Data of the answer to ReadJobHistory, the oldest run first."""

    plan: PlanName
    job: JobId
    median_seconds: float | None = None
    """Of the runs that succeeded, as ``p90_seconds``; None: none of those that are kept did."""
    p90_seconds: float | None = None
    runs: tuple[PastRun, ...] = ()


class ReadDurations(Asked, frozen=True, kw_only=True, tag="plan.durations"):
    """How long the jobs of a plan usually take."""

    plan: PlanName


class Duration(Told, frozen=True, kw_only=True):
    """How long one job usually takes, of its runs that are kept and succeeded."""

    job: JobId
    median_seconds: float
    p90_seconds: float
    runs: int


class Durations(Told, frozen=True, kw_only=True):
    """Data of the answer to ReadDurations, by job; those without a successful run are left out."""

    plan: PlanName
    jobs: tuple[Duration, ...] = ()


class EstimateEnd(Asked, frozen=True, kw_only=True, tag="instance.estimate"):
    """When an instance is likely to be complete, and what it then has to wait for longest."""

    instance: InstanceId
    each: bool = False
    """Tell every job, not only the critical path."""


class ExpectedJob(Told, frozen=True, kw_only=True):
    """When a job in one context starts and ends: what was, and what is to be expected."""

    context: ContextName
    job: JobId
    name: str
    order: int
    """As in the job's document."""
    status: JobStatus
    starts: Instant | None = None
    """None: nothing that is to come starts it."""
    ends: Instant | None = None
    """If it, and all before it that is still to come, takes its median."""
    ends_late: Instant | None = None
    """If each of them takes as long as nine of ten runs at most do."""
    measured: int = 0
    """So many past runs say so; 0: it was taken to need no time."""


class Stuck(Told, frozen=True, kw_only=True):
    """A job that does not go on by itself, so that the instance does not complete."""

    context: ContextName
    job: JobId
    name: str
    """What people call it: its name, or the identifier where several jobs of the plan have that name."""
    why: str


class DeadlineState(StrEnum):
    """How it stands with a deadline."""

    LATE = "late"
    """It has passed, and what had to have happened by then had not."""
    THREATENED = "threatened"
    """It is still to come, and later is likely: if all takes its median."""
    AHEAD = "ahead"
    MET = "met"
    """Or nobody asks for it any more: the job is skipped or disabled."""


class Deadline(Told, frozen=True, kw_only=True):
    """By when a job, or the plan itself, has to have begun or to be done in this instance."""

    monitor: Monitor
    """LATE_START, LATE_END, or OVERDUE (a file has to have come)."""
    at: Instant
    state: DeadlineState
    context: str = ""
    """Of the job."""
    job: str = ""
    """Identifier; empty: it is the plan's own."""
    name: str = ""


class Estimated(Told, frozen=True, kw_only=True):
    """Data of the answer to EstimateEnd. Locks, retries and busy agents are left out of account: it is an estimate."""

    instance: InstanceId
    at: Instant
    """When it was estimated."""
    ends: Instant | None = None
    """When all of it is complete, if each job takes its median; None: not by itself (see ``stuck``)."""
    ends_late: Instant | None = None
    """The same if each job takes as long as nine of ten runs at most do."""
    closes: Instant | None = None
    """The end of its window, which comes whether or not it is complete."""
    path: tuple[ExpectedJob, ...] = ()
    """The critical path by the medians, from its first job to its last: what shortens none of these ends nothing sooner."""
    stuck: tuple[Stuck, ...] = ()
    """At most ``MOST_STUCK`` of them."""
    unmeasured: int = 0
    """Jobs still to end of which no past run is known: they were taken to need no time, so the end is the earliest."""
    jobs: tuple[ExpectedJob, ...] = ()
    """Every job in the plan's order, if asked for."""
    deadlines: tuple[Deadline, ...] = ()
    """All that plan and jobs have, the earliest first. Of an instance that has ended, those that were met or missed."""
