"""What the dashboard's disk and its audit say, read back independently of its core: shared by several checkers.

Rows are decoded by the few keys that matter here; statuses are followed row by row, as the audit tells them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec import Struct

from broker.runtime.core import AuditRow
from schemas.addresses import PlanVersionAt
from schemas.documents import InstanceStatus, JobState, PlanStatus
from schemas.names import InstanceId, RunId
from schemas.plan import PlanSource
from tests.simulation.trace import Found, PutBack, Row, Saved

T = TypeVar("T")

DASHBOARD = "dashboard"
ENDED = "ENDED"


class InstanceRow(Struct, rename="camel"):
    """A saved instance."""

    id: InstanceId
    plan: str
    version: int
    status: str
    opens: datetime
    closes: datetime | None = None
    started_by: str = ""
    hosts: tuple[str, ...] = ()


class RunRow(Struct, rename="camel"):
    """A saved run, of the dashboard."""

    id: RunId
    instance: InstanceId
    copy: int
    attempt: int
    agent: str
    phase: str | None = None
    outcome: str | None = None
    return_code: int | None = None
    stop: bool = False
    journal: int = 0
    """Of its agent, to which it is handed; 0: it may not begin yet."""


class JobRow(Struct, rename="camel"):
    """A saved job copy."""

    run: RunId | None = None
    attempt: int = 0
    held: bool = False
    live: bool = False


class TakenRow(Struct, rename="camel"):
    """Up to where fires were taken."""

    instance: InstanceId
    job: str
    sequence: int


class VersionRow(Struct, rename="camel"):
    """A saved version of a plan."""

    plan: str
    version: int
    source: PlanSource


class PlanRow(Struct, rename="camel"):
    """A saved plan."""

    name: str
    version: int
    decided: datetime
    backlog: tuple[datetime, ...] = ()


Place = tuple[InstanceId, str, str]
"""A job in a context of an instance; without a job, the context itself."""
Hook = Callable[[AuditRow], None]


class Ledger:
    """The dashboard's durable story up to now."""

    def __init__(self) -> None:
        self.sources: dict[tuple[str, int], PlanSource] = {}
        self.plans: dict[str, PlanRow] = {}
        self.instances: dict[InstanceId, InstanceRow] = {}
        self.runs: dict[RunId, RunRow] = {}
        self.jobs: dict[str, JobRow] = {}
        self.taken: dict[str, TakenRow] = {}
        self.handed: dict[RunId, RunRow] = {}
        """All runs there ever were, whatever was lost since."""
        self.status: dict[Place, str] = {}
        """By the audit: of jobs, and of contexts (the job left empty)."""
        self.before_row: list[Hook] = []
        """Told of each audit row, in order, before it counts."""
        self.after_rows: list[Callable[[Saved], None]] = []
        """Told of each save once all of it counts."""

    def hear(self, saved: Saved) -> None:
        """A turn became durable. Its audit is followed row by row; its records count from the beginning."""
        if saved.node != DASHBOARD:
            return
        gone = [row for row in saved.rows if row.table == "instance" and row.body is None]
        for row in saved.rows:
            self._take(row)
        for entry in saved.audit:
            for hook in self.before_row:
                hook(entry)
            self._follow(entry)
        for listener in self.after_rows:
            listener(saved)
        for row in gone:
            self._forget(InstanceId(row.key))

    def found(self, record: Found) -> None:
        """Its disk was lost: its story goes on from what is shown, and the rest is gone."""
        if record.node != DASHBOARD:
            return
        for table in (self.plans, self.instances, self.runs, self.jobs, self.taken, self.status):
            table.clear()
        shown = dict(record.documents)
        believed = believed_of(record)
        for document in shown.values():
            match document:
                case InstanceStatus() if document.instance in believed:
                    self.status[document.instance, document.plan, ""] = document.status
                    for context in document.contexts:
                        self.status[document.instance, context.context, ""] = context.status
                case JobState() if document.instance in believed:
                    self.status[document.instance, document.context, document.job] = document.status
                case _:
                    pass

    def went_back(self, record: PutBack) -> None:
        """Its records are those of a copy, and so is this: what was taken back since then was not, by them."""
        if record.node == DASHBOARD:
            self.handed.update(self.runs)

    def source_of(self, instance: InstanceId) -> PlanSource:
        """The plan version an instance runs."""
        row = self.instances[instance]
        return self.sources[row.plan, row.version]

    def hosts(self, instance: InstanceId) -> set[str]:
        """The agents an instance is for: those its plan names, and those chosen for it."""
        return {job.agent_name for job in self.source_of(instance).jobs} | set(self.instances[instance].hosts)

    def is_active(self, instance: InstanceId) -> bool:
        """Whether events reach it, as far as the audit has come."""
        row = self.instances.get(instance)
        return row is not None and self.status.get((instance, row.plan, "")) not in {None, ENDED, "PREPARED"}

    def _take(self, row: Row) -> None:
        match row.table:
            case "version":
                if row.body is not None:
                    version = msgspec.json.decode(row.body, type=VersionRow)
                    self.sources[version.plan, version.version] = version.source
            case "plan":
                _keep(self.plans, row, PlanRow)
            case "instance":
                if row.body is not None:
                    instance = msgspec.json.decode(row.body, type=InstanceRow)
                    self.instances[instance.id] = instance
            case "run":
                if row.body is not None:
                    run = msgspec.json.decode(row.body, type=RunRow)
                    self.runs[run.id] = run
                    self.handed[run.id] = run
            case "job":
                _keep(self.jobs, row, JobRow)
            case "taken":
                _keep(self.taken, row, TakenRow)
            case _:
                pass  # what no checker asks for

    def _follow(self, row: AuditRow) -> None:
        place = place_of(row)
        if place is not None:
            self.status[place] = row.after

    def _forget(self, name: InstanceId) -> None:
        self.instances.pop(name, None)
        for place in [place for place in self.status if place[0] == name]:
            del self.status[place]
        for run in [run for run, row in self.runs.items() if row.instance == name]:
            del self.runs[run]


def place_of(row: AuditRow) -> Place | None:
    """Whose status an audit row changes; None: nobody's."""
    if row.after in {"", "removed"} or (row.kind == "instance" and row.detail.startswith(("parameter ", "closes"))):
        return None
    instance = InstanceId(row.instance)
    match row.kind:
        case "job":
            return (instance, row.context, row.job)
        case "context":
            return (instance, row.context, "")
        case "instance":
            return (instance, row.context or _plan_of(row.instance), "")
        case _:
            return None


def _plan_of(instance: str) -> str:
    """All plans here have names that need no escaping and hold no hyphen."""
    return instance.partition("-")[0]


def _keep(table: dict[str, T], row: Row, kind: type[T]) -> None:
    if row.body is None:
        table.pop(row.key, None)
    else:
        table[row.key] = msgspec.json.decode(row.body, type=kind)


def believed_of(record: Found) -> set[InstanceId]:
    """The instances that a dashboard whose disk was lost goes on with: their status stands, their plan, and the version they run.

    Of another one jobs may stand, where the broker had been set back and not all was shown again: its runs are known to nobody.
    """
    shown = dict(record.documents)
    plans = {
        one.plan
        for one in shown.values()
        if isinstance(one, PlanStatus) and PlanVersionAt(one.plan, one.version) in shown
    }
    return {
        one.instance
        for one in shown.values()
        if isinstance(one, InstanceStatus) and one.plan in plans and PlanVersionAt(one.plan, one.version) in shown
    }
