"""What stands on the retained topics: whole, cumulative snapshots, one Struct a kind of document.

Each payload carries a header (``codec.Header``: v, epoch, revision, at) that the publisher's reconciler puts in front of the
body defined here. Times are aware datetimes in UTC, durations are named with their unit.
"""

from __future__ import annotations

from datetime import date

from msgspec import field

from schemas.blockers import Blocker, LockClaim
from schemas.grants import Grant
from schemas.names import ContextName, InstanceId, JobId, LockName, NodeName, PlanName, RunId, UserName
from schemas.plan import ClockJob, CommandJob, FileJob, PlanSource
from schemas.shown import Instant, Shown
from schemas.status import ContextStatus, FireOutcome, JobKind, JobStatus, NodeState, Outcome, RunPhase


class Condition(Shown, frozen=True, kw_only=True):
    """How an agent is, refreshed at a bounded rate."""

    draining: bool = False
    """It starts no runs any more; those that live go on."""
    running: int = 0
    """Runs that may have a process."""
    load: float = 0.0
    """Of its host, over the last minute."""
    disk_full: bool = False
    """It starts nothing until there is space again."""
    disk_free: int | None = None
    """Bytes, where its runs are; None: not known."""
    dry_jobs: tuple[JobId, ...] = ()
    """Jobs whose dry run an operator has switched on."""


class Presence(Shown, frozen=True, kw_only=True):
    """Whether a node is there, as it says itself, or as its will says after it fell silent.

    A later (epoch, connection) outranks an earlier one, and within one connection gone outranks alive: a will that comes late
    never hides the next connection.
    """

    node: NodeName
    state: NodeState
    connection: int
    """Counted up at each connection of one epoch."""
    since: Instant
    complete: bool = False
    """Whether all the node has to show is on the broker: only then does an absent topic mean "gone"."""
    documents: int = 0
    """How many retained documents stood for the node, its presence aside, when it said so and was complete."""
    host: str = ""
    version: str = ""
    zone: str = ""
    """IANA name of the zone in which the node's clock jobs without a zone of their own are read."""
    labels: tuple[str, ...] = ()
    dry_run: bool = False
    capacity: int = 0
    """How many runs an agent gives a process at once; 0: it does not say."""
    condition: Condition = Condition()
    aside: int = 0
    """On how many topics stands what the node cannot read: it goes on without."""
    journal: int = 0
    """The first epoch that the node's own records tell of; another one than before: they were lost."""


class AgentPlan(Shown, frozen=True, kw_only=True):
    """The file and clock jobs provisioned on an agent, for each version of the plan that is newest or still runs.

    A command's definition travels with its assignment instead, so a run keeps what it started with.
    """

    plan: PlanName
    versions: dict[str, tuple[ClockJob | FileJob, ...]] = field(default_factory=dict)
    calendars: dict[str, dict[date, str]] = field(default_factory=dict)
    """The business calendars these jobs name: their days, each with its name."""


class AgentInstance(Shown, frozen=True, kw_only=True):
    """Publication of a job plan instance; cleared when the instance is removed.

    The agent's file and clock jobs of this plan version fire for it from ``opens`` to ``closes``.
    """

    instance: InstanceId
    plan: PlanName
    version: int
    opens: Instant
    closes: Instant | None = None
    """None: until it is ended by hand."""
    parameters: dict[str, str] = field(default_factory=dict)
    clocks_disabled: bool = False
    groups: dict[NodeName, Instant | None] = field(default_factory=dict)
    """Agent groups (``any:LABEL``) for which this agent is chosen. With a time: another one was, and fell silent then."""


class Assignment(Shown, frozen=True, kw_only=True):
    """A run the agent should have. ``stop`` asks it to end the run; cleared once its end is saved by the dashboard."""

    run: RunId
    instance: InstanceId
    plan: PlanName
    context: ContextName
    job: JobId
    attempt: int
    command: CommandJob
    parameters: dict[str, str | None] = field(default_factory=dict)
    """Environment of the process; None: declared but without a value, so not exported."""
    journal: int = 0
    """The agent's, to which it is handed over: with another one it may have begun. 0: it waits until the agent is heard of."""
    stop: bool = False
    stop_reason: str = ""
    hold: bool = False
    """Not to be started yet: the agent says when it could (``ready``), and starts it once this is gone."""


class RunReport(Shown, frozen=True, kw_only=True, tag_field="kind", tag="run"):
    """What an agent knows of a run. ``outcome`` and ``ended`` are there once the phase is ENDED."""

    run: RunId
    phase: RunPhase
    pid: int = 0
    started: Instant | None = None
    ended: Instant | None = None
    outcome: Outcome | None = None
    return_code: int | None = None
    reason: str = ""
    """Why it ended as it did, in words for a person."""
    output: str = ""
    """Path of the file with its standard output, on the agent's host."""
    errors: str = ""
    """Path of the file with its standard error, on the agent's host."""
    dry_run: bool = False
    ready: bool = False
    """Accepted, and it is its turn: it starts as soon as its assignment is held no more."""


class Fire(Shown, frozen=True, kw_only=True):
    """One firing of a clock or file job; ``sequence`` counts 1, 2, ... per instance and job."""

    sequence: int
    at: Instant
    outcome: FireOutcome = FireOutcome.FIRED
    due: Instant | None = None
    """When a clock job's cron expression wanted it."""
    files: tuple[str, ...] = ()
    reason: str = ""
    manual: bool = False
    dry_run: bool = False


class FireReport(Shown, frozen=True, kw_only=True, tag_field="kind", tag="fires"):
    """All firings of a job of an instance that the dashboard has not taken yet, in order."""

    instance: InstanceId
    job: JobId
    fires: tuple[Fire, ...] = ()
    problem: str = ""
    """What keeps the job from watching (a folder that is missing or unreadable, ...); empty: nothing."""
    delayed: Instant | None = None
    """When the clock's time, or files, came that a blackout puts off ..."""
    delayed_until: Instant | None = None
    """... until then."""
    left_out: str = ""
    """Why the calendars of a file job leave out this day; empty: it runs."""


class Taken(Shown, frozen=True, kw_only=True):
    """Up to which firing of a job the dashboard has saved; the agent then drops those from its report."""

    instance: InstanceId
    job: JobId
    sequence: int


class Share(Shown, frozen=True, kw_only=True):
    """How many of the dashboard's documents are for one agent, which cannot count the others; said after all that it counts."""

    connection: int
    """The dashboard's, on which it said so."""
    documents: int = 0


class LastOutcome(Shown, frozen=True, kw_only=True):
    """How the newest ended instance of a plan stood when it ended."""

    instance: InstanceId
    status: ContextStatus
    ended: Instant


class PlanStatus(Shown, frozen=True, kw_only=True):
    """A plan as operators see it in a list."""

    plan: PlanName
    version: int
    enabled: bool
    description: str = ""
    schedule: str = ""
    """Quartz cron expression of its window."""
    zone: str = ""
    window_seconds: float = 0.0
    next_start: Instant | None = None
    decided: Instant | None = None
    """Up to here each start is decided: it has opened, was skipped or missed, or waits in the backlog."""
    backlog: tuple[Instant, ...] = ()
    """Missed starts that are still to open, one after the other."""
    running: tuple[InstanceId, ...] = ()
    """The newest of those that run, ten at most, the oldest of them first."""
    running_count: int = 0
    """How many run."""
    last_outcome: LastOutcome | None = None
    agents: tuple[NodeName, ...] = ()
    job_count: int = 0


class PlanVersion(Shown, frozen=True, kw_only=True):
    """A version of a plan that is the newest or still runs: what a dashboard whose disk is lost needs to go on."""

    plan: PlanName
    version: int
    imported: Instant
    by: str = ""
    source: PlanSource


class CalendarDays(Shown, frozen=True, kw_only=True):
    """The newest version of a business calendar: its days, each with its name."""

    calendar: str
    version: int
    imported: Instant
    by: str = ""
    days: dict[date, str]


class ContextState(Shown, frozen=True, kw_only=True):
    """Status of one context of an instance; ``parent`` is empty for the outermost one. Parents come before children."""

    context: ContextName
    status: ContextStatus
    parent: str = ""
    started: Instant | None = None
    ended: Instant | None = None


class InstanceStatus(Shown, frozen=True, kw_only=True):
    """An instance as a whole: status, counts of jobs by status, window, parameters."""

    instance: InstanceId
    plan: PlanName
    version: int
    status: ContextStatus
    created: Instant
    opens: Instant
    closes: Instant | None = None
    ended: Instant | None = None
    started_by: str = ""
    """``cron``, or the user who asked for it."""
    result: ContextStatus | None = None
    """How the outermost context stood when the instance ended."""
    end_reason: str = ""
    counts: dict[JobStatus, int] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    placed: dict[NodeName, NodeName] = field(default_factory=dict)
    """Agent groups and the agents that were chosen for this instance."""
    contexts: tuple[ContextState, ...] = ()
    jobs: int = 0
    """How many job documents belong to it."""


class JobState(Shown, frozen=True, kw_only=True):
    """One job in one context of an instance."""

    instance: InstanceId
    context: ContextName
    job: JobId
    name: str
    agent: NodeName
    """Of an agent group: the agent chosen, once one is."""
    kind: JobKind
    status: JobStatus
    order: int
    """Place in the plan: outermost context first, then as authored."""
    held: bool = False
    skipped: bool = False
    disabled: bool = False
    acknowledged: bool = False
    attempt: int = 0
    run: RunId | None = None
    """The newest run that stands for this job here."""
    live: bool = False
    """Whether that run is handed over and has not ended."""
    started: Instant | None = None
    ended: Instant | None = None
    return_code: int | None = None
    reason: str = ""
    dry_run: bool = False
    """Nothing real was done: it was pretended."""
    raised: bool = False
    """Its dependency has been used: it is not initiated again by itself."""
    pending: bool = False
    """It was initiated while held, or before its context might start: remembered."""
    passing: bool = False
    """The fire that is remembered came inside a blackout: the job will be passed over."""
    tries: int = 0
    """Runs of the present round, for the retry policy."""
    blockers: tuple[Blocker, ...] = ()


class LockState(Shown, frozen=True, kw_only=True):
    """Who holds a lock and who waits, in the order of its queue."""

    lock: LockName
    group: str = ""
    """Environment group in which the lock is shared by name."""
    capacity: int = 1
    exclusive: bool = False
    holders: tuple[LockClaim, ...] = ()
    queue: tuple[LockClaim, ...] = ()


class Grants(Shown, frozen=True, kw_only=True):
    """Who may do what. None of these shown: nothing was granted to anybody, and everybody may do everything but grant."""

    users: dict[UserName, tuple[Grant, ...]]
    """By user; ``*`` stands for everybody."""


Report = RunReport | FireReport
Document = (
    Presence
    | AgentPlan
    | AgentInstance
    | Assignment
    | RunReport
    | FireReport
    | Taken
    | Share
    | PlanStatus
    | PlanVersion
    | CalendarDays
    | InstanceStatus
    | JobState
    | LockState
    | Grants
)
