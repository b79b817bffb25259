"""The records an agent keeps, one Struct a table. They say what is known and decided; how it is decided stands elsewhere.

Every record is saved as JSON by the driver, so that a restart finds all of it again.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Generic, TypeVar

from msgspec import Meta, Struct, field

from agent_node.core.lifecycle import Stage, Window
from agent_node.core.rules import DryRun
from broker.runtime.core import Key
from schemas.documents import AgentInstance, AgentPlan, Assignment, Fire, Grants, Presence, RunReport, Taken
from schemas.names import InstanceId, JobId, RunId, escape, unescape
from schemas.status import Outcome

Instant = Annotated[datetime, Meta(tz=True)]


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Common shape of records."""


class Life(Record, frozen=True, kw_only=True):
    """The life of this agent that began last."""

    epoch: int
    started: Instant
    swept: Instant
    """When run folders of removed instances were last looked for."""
    journal: int = 0
    """The first life that these records tell of."""


class Dashboard(Record, frozen=True, kw_only=True):
    """What the dashboard last said of itself. Not believed after a restart."""

    presence: Presence


class Instance(Record, frozen=True, kw_only=True):
    """A published instance."""

    publication: AgentInstance
    since: Instant
    """When this agent first knew of it, or was given clocks: what was due earlier cannot be caught up."""
    window: Window
    clocks_since: Instant | None = None
    """From when its due times are owed; None: from its opening."""


class Stopping(StrEnum):
    """Why a run is being ended; decides its outcome whatever its return code says."""

    KILL = "kill"
    TIMEOUT = "timeout"


class Run(Record, frozen=True, kw_only=True):
    """A run this agent has accepted. Kept after its end until its instance and its assignment are gone: no id starts twice."""

    run: RunId
    instance: InstanceId
    job: JobId
    stage: Stage
    accepted: Instant
    success_codes: tuple[int, ...] = (0,)
    timeout_seconds: float = 0.0
    """0: no limit."""
    labels: tuple[str, ...] = ()
    """Of its job: an agent may limit how many of one label run at once."""
    stopping: Stopping | None = None
    stop_reason: str = ""
    answer_by: Instant | None = None
    """Waiting for a publication that is missing: answered as not started at this time."""
    act_at: Instant | None = None
    """Running: when its time limit, the next stronger stop, or the end of a dry run is due."""
    let_go_at: Instant | None = None
    """Ended without an assignment: its report stays visible until then."""
    at_once: bool = False
    """It was asked to start when it was accepted: nothing is told of it before its process is seen, or it has ended."""
    boot: str = ""
    """The boot of the host in which it was asked to start."""
    recovered: bool = False
    """Known only from this agent's own retained report: its journal was lost."""
    pid: int = 0
    started: Instant | None = None
    ended: Instant | None = None
    outcome: Outcome | None = None
    return_code: int | None = None
    reason: str = ""
    output: str = ""
    errors: str = ""
    ready: bool = False
    """It is its turn, and the dashboard has yet to say that it may start."""
    dry_run: bool = False
    pretence: DryRun | None = None
    """How it pretends, as it was wished when it began."""

    def report(self) -> RunReport:
        """What is shown of it."""
        return RunReport(
            run=self.run,
            phase=self.stage.phase,
            pid=self.pid,
            started=self.started,
            ended=self.ended,
            outcome=self.outcome,
            return_code=self.return_code,
            reason=self.reason,
            output=self.output,
            errors=self.errors,
            dry_run=self.dry_run,
            ready=self.ready and self.stage is Stage.WAITING,
        )


class Wishes(Record, frozen=True, kw_only=True):
    """What operators have asked of this agent; it outlives restarts."""

    draining: bool = False
    dry: DryRun | None = None
    """Of every command."""
    real: bool = False
    """Run commands for real, whatever the settings say."""
    dry_jobs: dict[JobId, DryRun] = field(default_factory=dict)


class Disk(Record, frozen=True, kw_only=True):
    """The disk where runs leave their traces is full."""

    since: Instant


class Switch(Record, frozen=True, kw_only=True):
    """An operator has started, or stopped, a clock or file job of an instance."""

    on: bool


class Watch(Record, frozen=True, kw_only=True):
    """A clock or file job of one instance: what was decided, and the fires the dashboard has not taken."""

    instance: InstanceId
    job: JobId
    active: bool
    """Whether it fires: its instance is open, it is automatic, clocks are not disabled."""
    decided: Instant
    """Every due time up to here is decided; the next one is strictly later."""
    next_due: Instant | None = None
    """Of a clock job: its next fire; of a file job with calendars: when the next day begins."""
    delayed: Instant | None = None
    """When a fire was due, or files were first seen, that wait for the end of a blackout."""
    delayed_until: Instant | None = None
    sequence: int = 0
    """Of the newest fire, ever."""
    fires: tuple[Fire, ...] = ()
    problem: str = ""
    left_out: str = ""
    """Why the calendars of a file job leave out this day."""
    forget_at: Instant | None = None
    """Its instance is not published, though the dashboard shows all it has: nobody will take its fires."""


class SeenFile(Record, frozen=True, kw_only=True):
    """A file that an instance has taken: it never fires again there. ``move_to`` is the folder it has yet to be moved to."""

    instance: InstanceId
    job: JobId
    path: str
    at: Instant
    move_to: str = ""


R = TypeVar("R", bound=Struct)


class Table(Struct, Generic[R], frozen=True):
    """A table: its name in keys and the type of its records."""

    name: str
    kind: type[R]

    def key(self, key: str) -> Key:
        """Where the record with this key stands."""
        return Key(self.name, key)


LIFE: Final = Table("life", Life)
DASHBOARD: Final = Table("dashboard", Dashboard)
PLANS: Final = Table("plan", AgentPlan)
INSTANCES: Final = Table("instance", Instance)
ASSIGNMENTS: Final = Table("assignment", Assignment)
RUNS: Final = Table("run", Run)
WATCHES: Final = Table("watch", Watch)
TAKEN: Final = Table("taken", Taken)
FILES: Final = Table("file", SeenFile)
WISHES: Final = Table("wishes", Wishes)
DISK: Final = Table("disk", Disk)
SWITCHES: Final = Table("switch", Switch)
GRANTS: Final = Table("grants", Grants)

ONLY: Final = "-"
"""The key of tables that hold one record."""

TABLES: Final[dict[str, type[Struct]]] = {
    table.name: table.kind
    for table in (
        LIFE,
        DASHBOARD,
        PLANS,
        INSTANCES,
        ASSIGNMENTS,
        RUNS,
        WATCHES,
        TAKEN,
        FILES,
        WISHES,
        SWITCHES,
        DISK,
        GRANTS,
    )
}


def watch_key(instance: InstanceId, job: JobId) -> str:
    """The key of a watch, and of what the dashboard has taken from it."""
    return f"{instance}~{escape(job)}"


def watch_of(key: str) -> tuple[InstanceId, JobId]:
    """The instance and the job whose watch has this key."""
    instance, _, job = key.partition("~")
    return InstanceId(instance), JobId(unescape(job))


def file_key(instance: InstanceId, job: JobId, path: str) -> str:
    """The key of a file taken by a watch."""
    return f"{watch_key(instance, job)}~{path}"
