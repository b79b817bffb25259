"""What people author: job plans, in the words of Ikasan's exported bundles.

The field names are Ikasan's (camelCase on the wire), so a bundle loads unchanged; the defaults are those its code has. A field
that Ikasan does not know is marked *ours*. Nothing here judges a plan: see the plan rules of the dashboard's core.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct, field

from schemas.clock_changes import Gap, Overlap
from schemas.names import JobId, job_id
from schemas.notifications import Deadlines, NotificationContext, NotificationDetails
from schemas.processes import ProcessWish
from schemas.status import JobKind

DASHBOARD_AGENTS: Final[dict[str, JobKind]] = {
    "GLOBAL_EVENT": JobKind.GLOBAL,
    "LOCAL_EVENT_JOB": JobKind.LOCAL,
    "CONTEXT_START_JOB": JobKind.START,
    "CONTEXT_TERMINAL_JOB": JobKind.TERMINAL,
    "BRIDGING_JOB": JobKind.BRIDGING,
}
"""The agent names that stand for the dashboard itself: jobs that no host carries out."""


class Authored(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Common shape of what people author: camelCase on the wire, defaults left out."""


class Parameter(Authored, frozen=True, kw_only=True):
    """A name with the value it has when nobody says otherwise; ``secret:NAME`` refers to a value kept on the agent."""

    name: str
    default_value: str | None = None
    """None: it has no value by itself, and is not exported to a run unless somebody else has one."""
    value: str | None = None


class StartupControl(StrEnum):
    """Whether a clock or file job watches by itself."""

    AUTOMATIC = "AUTOMATIC"
    MANUAL = "MANUAL"
    """Watches only after an operator starts it."""
    DISABLED = "DISABLED"


class Retry(Authored, frozen=True, kw_only=True):
    """*Ours*: try a failed command again before it counts as ERROR. ``attempts`` counts every run, the first included."""

    attempts: int = 1
    back_off_seconds: float = 60.0
    back_off_factor: float = 1.0
    max_back_off_seconds: float = 3600.0
    return_codes: tuple[int, ...] = ()
    """Only failures with one of these codes are tried again; empty: every failure but a kill."""


class Job(Authored, frozen=True, kw_only=True):
    """What every job artefact has. ``identifier`` is derived (``agentName-jobName``); an exported one is ignored."""

    agent_name: str
    job_name: str
    job_description: str = ""
    context_name: str = ""
    child_context_names: tuple[str, ...] = ()
    startup_control_type: StartupControl = StartupControl.AUTOMATIC
    skipped_contexts: dict[str, bool] = field(default_factory=dict)
    held_contexts: dict[str, bool] = field(default_factory=dict)
    ordinal: int = -1
    display_name: str = ""
    deadlines: Deadlines | None = None

    @property
    def id(self) -> JobId:
        """By which dependencies, locks and events name it."""
        return job_id(self.agent_name, self.job_name)


class OnBlackout(StrEnum):
    """*Ours*: what a fire inside a blackout window becomes; without it ``dropEventOnBlackout`` decides."""

    DROP = "drop"
    PASS = "pass"  # noqa: S105  # what to do, not a password
    DELAY = "delay"


class OnHoliday(StrEnum):
    """*Ours*: what becomes of a start on a day that the calendars leave out."""

    SKIP = "skip"
    NEXT_WORKING_DAY = "nextWorkingDay"
    """It is moved to the same time of day on the next working day."""


class Calendars(Authored, frozen=True, kw_only=True):
    """*Ours*: business calendars by name. Days of excluded ones are left out; with included ones, only their days run."""

    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All that are named."""
        return (*self.exclude, *self.include)


class ClockJob(Job, frozen=True, kw_only=True, tag_field="type", tag="quartzScheduleDrivenJob"):
    """Fires at the times of a Quartz cron expression while an instance is active. Times in milliseconds where Ikasan has them."""

    cron_expression: str
    time_zone: str = ""
    job_group: str = ""
    ignore_misfire: bool = True
    eager: bool = False
    max_eager_callbacks: int = 0
    passthrough_properties: dict[str, str] = field(default_factory=dict)
    persistent_recovery: bool = True
    recovery_tolerance: int = 1_800_000
    blackout_window_cron_expressions: tuple[str, ...] = ()
    blackout_window_date_time_ranges: dict[str, str | int] = field(default_factory=dict)
    drop_event_on_blackout: bool = False
    on_blackout: OnBlackout | None = None
    calendars: Calendars | None = None
    on_holiday: OnHoliday = OnHoliday.SKIP
    on_gap: Gap = Gap.SKIP
    on_overlap: Overlap = Overlap.SECOND

    @property
    def blackout_policy(self) -> OnBlackout:
        """What a fire inside a blackout becomes."""
        if self.on_blackout is not None:
            return self.on_blackout
        return OnBlackout.DROP if self.drop_event_on_blackout else OnBlackout.PASS


class FileJob(ClockJob, frozen=True, kw_only=True, tag_field="type", tag="fileEventDrivenJob"):
    """Fires once for each file that matches, looked for at the times of its cron expression."""

    file_path: str = ""
    filenames: tuple[str, ...] = ()
    """Patterns ``directory/regular expression``: up to the last slash a literal folder, the rest matches the whole name."""
    directory_depth: int = 1
    min_file_age_seconds: int = 0
    move_directory: str = ""
    encoding: str = ""
    include_header: bool = False
    include_trailer: bool = False
    sort_by_modified_date_time: bool = False
    sort_ascending: bool = True
    log_matched_filenames: bool = False
    ignore_file_rename_whilst_scanning: bool = True
    sla_cron_expression: str = ""
    poll_seconds: float = 0.0
    """*Ours*: look so often, instead of at the times of a cron expression; 0: by the cron expression."""
    stable_seconds: float = 0.0
    """*Ours*: a file fires only after its size and time have stayed the same for so long."""
    compress_moved: bool = False
    """*Ours*: what is moved to ``moveDirectory`` is packed with gzip on the way."""


class CommandJob(Job, frozen=True, kw_only=True, tag_field="type", tag="internalEventDrivenJob"):
    """Runs a command on an agent when its dependency is satisfied. Execution times are minutes and only notify (-1: never)."""

    command_line: str = ""
    working_directory: str = ""
    successful_return_codes: tuple[str | int, ...] = ()
    min_execution_time: int = -1
    max_execution_time: int = -1
    context_parameters: tuple[Parameter, ...] = ()
    days_of_week_to_run: tuple[int, ...] = ()
    """1 = Sunday to 7 = Saturday; empty: every day."""
    target_residing_context_only: bool = False
    job_repeatable: bool = False
    participates_in_lock: bool = False
    execution_environment_properties: str = ""
    template_based: bool = False
    template_job: bool = False
    template_name: str = ""
    timeout_seconds: float | None = None
    """*Ours*: the run is ended when it takes longer; without it the agent's own limit holds (4 hours by default)."""
    retry: Retry | None = None
    arguments: tuple[str, ...] = ()
    """*Ours*, instead of a command line: a program and its arguments, started without a shell."""
    labels: tuple[str, ...] = ()
    """*Ours*: what its runs use (a database, a licence); an agent may limit how many of one label run at once."""
    process: ProcessWish = ProcessWish()

    @property
    def success_codes(self) -> frozenset[int]:
        """The return codes that mean success: those listed, else only 0."""
        codes = frozenset(int(code) for code in self.successful_return_codes if str(code).strip())
        return codes or frozenset({0})


class GlobalJob(Job, frozen=True, kw_only=True, tag_field="type", tag="globalEventJob"):
    """An event that every running instance of the environment group hears."""


type_of_artefact: Final = {
    "file": "fileEventDrivenJob",
    "internal": "internalEventDrivenJob",
    "internalTemplate": "internalEventDrivenJob",
    "quartz": "quartzScheduleDrivenJob",
    "global": "globalEventJob",
}
"""The ``type`` tag of a job file by its folder ``jobs/<folder>/`` in a bundle."""

Artefact = ClockJob | FileJob | CommandJob | GlobalJob
WatchJob = ClockJob | FileJob


class Operator(Authored, frozen=True, kw_only=True):
    """One term of a grouping: a job (or, in context dependencies, a context) by identifier, or a nested grouping."""

    identifier: str = ""
    logical_grouping: Grouping | None = None


class Grouping(Authored, frozen=True, kw_only=True):
    """``(all of and) or (any of or)``, and none of ``not``; a nested ``logicalGrouping`` must hold as well. Absent is neutral."""

    and_: tuple[Operator, ...] = field(default=(), name="and")
    or_: tuple[Operator, ...] = field(default=(), name="or")
    not_: tuple[Operator, ...] = field(default=(), name="not")
    logical_grouping: Grouping | None = None


class JobDependency(Authored, frozen=True, kw_only=True):
    """What has to be done before a job starts. Without a grouping nothing starts the job but a person."""

    job_identifier: str
    logical_grouping: Grouping | None = None


class ContextDependency(Authored, frozen=True, kw_only=True):
    """Contexts that have to be COMPLETE before any job of a context is initiated.

    With a grouping, ``contextIdentifier`` names the context that waits (the one the entry stands in, or a child of it);
    without one, the context the entry stands in waits for ``contextIdentifier``.
    """

    context_identifier: str
    logical_grouping: Grouping | None = None


class ScheduledJob(Authored, frozen=True, kw_only=True):
    """That a job resides in a context."""

    agent_name: str
    job_name: str
    job_description: str = ""
    context_name: str = ""
    child_context_names: tuple[str, ...] = ()
    startup_control_type: StartupControl = StartupControl.AUTOMATIC
    skipped_contexts: dict[str, bool] = field(default_factory=dict)
    held_contexts: dict[str, bool] = field(default_factory=dict)
    ordinal: int = -1
    display_name: str = ""

    @property
    def id(self) -> JobId:
        """By which dependencies, locks and events name it."""
        return job_id(self.agent_name, self.job_name)

    @property
    def kind(self) -> JobKind | None:
        """The kind its agent name gives away; None: what its artefact says."""
        return DASHBOARD_AGENTS.get(self.agent_name)


class LockParticipant(Authored, frozen=True, kw_only=True):
    """A job that runs only while it holds ``lockCount`` units of a lock."""

    agent_name: str
    job_name: str
    context_name: str = ""
    startup_control_type: StartupControl = StartupControl.AUTOMATIC
    lock_count: int = 1
    job_description: str = ""

    @property
    def id(self) -> JobId:
        """By which dependencies, locks and events name it."""
        return job_id(self.agent_name, self.job_name)


class JobLock(Authored, frozen=True, kw_only=True):
    """A counted or exclusive lock, shared by name in an environment group; ``jobs`` lists participants by context."""

    name: str
    lock_count: int = 1
    exclusive_job_lock: bool = False
    jobs: dict[str, tuple[LockParticipant, ...]] = field(default_factory=dict)


class OwnWindow(Authored, frozen=True, kw_only=True):
    """*Ours*: a Quartz cron in the plan's zone, and for how long after each of its times jobs are initiated."""

    start: str = ""
    ttl_milliseconds: int = 0


class Context(Authored, frozen=True, kw_only=True):
    """A named group of jobs; contexts nest. A start window on a context that is not the outermost one is ignored (Ikasan)."""

    name: str
    description: str = ""
    contexts: tuple[Context, ...] = ()
    scheduled_jobs: tuple[ScheduledJob, ...] = ()
    job_dependencies: tuple[JobDependency, ...] = ()
    context_dependencies: tuple[ContextDependency, ...] = ()
    context_parameters: tuple[Parameter, ...] = ()
    job_locks: tuple[JobLock, ...] = ()
    time_window_start: str = ""
    context_ttl_milliseconds: int = 0
    own_window: OwnWindow | None = None
    ordinal: int = -1
    tree_view_expand_level: int = 1
    able_to_run_concurrently: bool = False
    disabled: bool = False
    quartz_schedule_driven_jobs_disabled_for_context: bool = False


class OnEnd(StrEnum):
    """*Ours*: what becomes of running commands when an instance ends."""

    KILL = "kill"
    LEAVE = "leave"


class OnAgentAway(StrEnum):
    """*Ours*: what becomes of runs that have started, when their agent has been gone for longer than the plan allows."""

    WAIT = "wait"
    """They are RUNNING until the agent is back, and say that it is gone."""
    LOST = "lost"


class MissedWindows(StrEnum):
    """*Ours*: what becomes of windows that opened while no dashboard ran."""

    RECOVER = "recover"
    CATCH_UP = "catch-up"
    SKIP = "skip"


class Plan(Context, frozen=True, kw_only=True):
    """The outermost context: what is instantiated when its window opens. ``contextTtlMilliseconds`` is the window's length."""

    timezone: str = ""
    environment_group: str = ""
    use_display_name: bool = False
    job_visualisation_vertical_spacing: int | float = 0
    job_visualisation_horizontal_spacing: int | float = 0
    context_visualisation_level_distance: int | float = 0
    context_visualisation_node_distance: int | float = 0
    visualisation_font_size: int | float = 0
    render_logical_boundaries: bool = True
    use_auto_layout: bool = True
    user_generated_layout: str = ""
    end_job_plan_upon_completion: bool = False
    custom_week_day_of_month: bool = False
    delay_agent_synchronisation_until_next_instance: bool = False
    requires_agent_synchronisation: bool = False
    blackout_window_cron_expressions: tuple[str, ...] = ()
    blackout_window_date_time_ranges: dict[str, int | str] = field(default_factory=dict)
    on_end: OnEnd = OnEnd.KILL
    missed_windows: MissedWindows = MissedWindows.RECOVER
    agent_away_milliseconds: int = 0
    """*Ours*: after so long without an agent (gone, draining) what it has not started moves on in its group; 0: never."""
    on_agent_away: OnAgentAway = OnAgentAway.WAIT
    calendars: Calendars | None = None
    on_holiday: OnHoliday = OnHoliday.SKIP
    on_gap: Gap = Gap.SKIP
    on_overlap: Overlap = Overlap.SECOND
    deadlines: Deadlines | None = None


class PlanSource(Struct, frozen=True, kw_only=True):
    """A plan with the job artefacts it refers to: all that an instance is made from."""

    plan: Plan
    jobs: tuple[Artefact, ...] = ()
    notifications: tuple[NotificationContext, ...] = ()
    notification_details: tuple[NotificationDetails, ...] = ()

    @property
    def calendars(self) -> frozenset[str]:
        """The business calendars that the plan, or a clock or file job of it, names."""
        wishes = [self.plan.calendars, *(job.calendars for job in self.jobs if isinstance(job, ClockJob))]
        return frozenset(name for wish in wishes if wish is not None for name in wish.names)
