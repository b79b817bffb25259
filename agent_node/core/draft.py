"""One step in the making: reads through what it has already changed, and collects changes, audit rows and effects."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from msgspec import Struct

from agent_node.core.effects import Effect
from agent_node.core.records import (
    DASHBOARD,
    DISK,
    GRANTS,
    INSTANCES,
    LIFE,
    ONLY,
    RUNS,
    WISHES,
    Instance,
    Life,
    Run,
    Table,
    Wishes,
)
from agent_node.core.rules import DryRun
from agent_node.core.state import State
from broker.runtime.core import AuditRow, Decision, Key
from schemas.grants import Granted
from schemas.names import InstanceId, JobId, RequestId, RunId, UserName, run_leaf
from schemas.status import NodeState

R = TypeVar("R", bound=Struct)


class Draft:
    """What a step has decided so far, on top of a state that it does not touch."""

    def __init__(self, state: State, now: datetime) -> None:
        self.state = state
        self.rules = state.rules
        self.now = now
        self.effects: list[Effect] = []
        self._changes: dict[Key, Struct | None] = {}
        self._audit: list[AuditRow] = []

    def decision(self) -> Decision[Effect]:
        """The step, decided."""
        return Decision(changes=self._changes, audit=tuple(self._audit), effects=tuple(self.effects))

    def get(self, table: Table[R], key: str) -> R | None:
        """A record as this step leaves it so far."""
        place = table.key(key)
        if place not in self._changes:
            return self.state.get(table, key)
        record = self._changes[place]
        if record is None or isinstance(record, table.kind):
            return record
        raise TypeError(f"{table.name} {key} holds a {type(record).__name__}")

    def put(self, table: Table[R], key: str, record: R | None) -> None:
        """Change a record (None: it goes). What stays equal is no change."""
        if self.get(table, key) != record:
            self._changes[table.key(key)] = record

    @property
    def life(self) -> Life:
        """The life that runs now."""
        life = self.get(LIFE, ONLY)
        return life if life is not None else Life(epoch=0, started=self.now, swept=self.now)

    @property
    def dashboard_complete(self) -> bool:
        """Whether the dashboard is there and shows all it has to show."""
        dashboard = self.get(DASHBOARD, ONLY)
        return dashboard is not None and dashboard.presence.state is NodeState.ALIVE and dashboard.presence.complete

    @property
    def wishes(self) -> Wishes:
        """What operators have asked of this agent."""
        return self.get(WISHES, ONLY) or Wishes()

    @property
    def granted(self) -> Granted:
        """Who may ask what here, as the dashboard last said; empty: it has said nothing yet, or nothing was granted."""
        known = self.get(GRANTS, ONLY)
        return known.users if known is not None else {}

    def dry_run_of(self, job: JobId) -> DryRun | None:
        """How a job's runs pretend; None: they are real. The job's own wish comes first."""
        wishes = self.wishes
        if job in wishes.dry_jobs:
            return wishes.dry_jobs[job]
        if wishes.dry is not None or wishes.real:
            return wishes.dry
        return self.rules.dry_run

    @property
    def disk_full(self) -> bool:
        """Whether no run may start now, whatever waits."""
        return self.get(DISK, ONLY) is not None

    def instances(self) -> list[Instance]:
        """The published instances, by id."""
        return [instance for key, _ in self.state.all(INSTANCES) if (instance := self.get(INSTANCES, key)) is not None]

    def instance(self, instance: InstanceId) -> Instance | None:
        """A published instance."""
        return self.get(INSTANCES, instance)

    def changed_runs(self) -> list[RunId]:
        """The runs this step has touched so far."""
        return [RunId(key.key) for key in self._changes if key.table == RUNS.name]

    def active_count(self) -> int:
        """Runs that may have a process."""
        count = self.state.active_count
        for run in self.changed_runs():
            count += _active(self.get(RUNS, run)) - _active(self.state.get(RUNS, run))
        return count

    def busy(self, instance: InstanceId, job: JobId) -> bool:
        """Whether a run of this job of this instance may have a process."""
        known = self.state.active.get((instance, job), set())
        if any(_active(self.get(RUNS, run)) for run in known):
            return True
        return any(
            run is not None and (run.instance, run.job) == (instance, job) and _active(run)
            for run in (self.get(RUNS, changed) for changed in self.changed_runs())
        )

    def labels_full(self, labels: tuple[str, ...]) -> bool:
        """Whether as many runs of one of these labels may have a process as its limit says."""
        return any(
            label in self.rules.label_concurrency and self._using(label) >= self.rules.label_concurrency[label]
            for label in labels
        )

    def _using(self, label: str) -> int:
        """How many runs that may have a process use a label."""
        count = self.state.active_labels[label]
        for run in self.changed_runs():
            count += _uses(self.get(RUNS, run), label) - _uses(self.state.get(RUNS, run), label)
        return count

    def note_run(self, before: Run | None, after: Run | None, cause: str) -> None:
        """Write an audit row for a change of a run's stage or outcome."""
        known = after or before
        if known is None:
            return
        self._audit.append(
            AuditRow(
                at=self.now,
                kind="run",
                instance=known.instance,
                context=run_leaf(known.run).partition("~")[0],
                job=known.job,
                run=known.run,
                before=_word(before),
                after=_word(after),
                cause=cause,
                detail=after.reason if after is not None else "",
            )
        )

    def note_wish(self, user: UserName, what: str, *, job: str = "", instance: str = "") -> None:
        """Write an audit row for what an operator has asked."""
        row = AuditRow(at=self.now, kind="agent", instance=instance, job=job, after=what, cause="request", user=user)
        self._audit.append(row)

    def note_refusal(self, user: UserName, request: RequestId, reason: str) -> None:
        """Write an audit row for what an operator was refused."""
        row = AuditRow(
            at=self.now, kind="request", before=request, after="refused", cause="request", user=user, detail=reason
        )
        self._audit.append(row)

    def note_fire(self, instance: InstanceId, job: JobId, outcome: str, detail: str) -> None:
        """Write an audit row for the decision of a due time."""
        self._audit.append(AuditRow(at=self.now, kind="tick", instance=instance, job=job, after=outcome, detail=detail))


def _active(run: Run | None) -> bool:
    return run is not None and run.stage.active


def _uses(run: Run | None, label: str) -> bool:
    return run is not None and run.stage.active and label in run.labels


def _word(run: Run | None) -> str:
    """Stage, or outcome once ended."""
    if run is None:
        return ""
    return str(run.outcome) if run.outcome is not None else str(run.stage)
