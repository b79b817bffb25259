"""S1 and S2: each run begins once, on the agent it was handed to, and only when its plan lets it.

Whether a dependency holds is judged here by a second, naive evaluation of the plan's text over the audited statuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from broker.runtime.core import AuditRow
from schemas.addresses import AssignmentAt, RunReportAt
from schemas.documents import JobState, RunReport
from schemas.names import InstanceId, RunId
from schemas.plan import CommandJob, Context, Grouping, JobDependency, JobLock, Operator, Plan, PlanSource
from schemas.requests import Act, Action
from tests.simulation.checkers.reading import DASHBOARD, Ledger, Place, believed_of
from tests.simulation.plans import HOURS_EVERY, HOURS_LAST, LAST_HOURS
from tests.simulation.trace import (
    CommandBegan,
    CommandEnded,
    FolderLost,
    Found,
    Listener,
    PersonAsked,
    PromiseBrokenError,
    PutBack,
    Record,
    Saved,
    Started,
    Stepped,
)
from tests.simulation.world import BEGINNING

Done = Callable[[str], bool]

DONE = frozenset({"COMPLETE", "SKIPPED_COMPLETE", "ERROR_ACKNOWLEDGED"})
READY = frozenset({"WAITING", "LOCK_QUEUED"}) | DONE | {"ERROR", "KILLED"}
"""From where a run may start; repeatable jobs start again from where they ended."""
STANDING_IN = frozenset(
    {Action.SUBMIT, Action.RESUBMIT, Action.CONTINUE, Action.ACKNOWLEDGE, Action.RELEASE, Action.ENABLE, Action.UNSKIP}
)


class OnceOnly:
    """S1: one process a run, ever."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._began: dict[RunId, str] = {}
        self._alive: dict[RunId, int] = {}
        self._gone_there: set[RunId] = set()
        """Runs whose agent's disk was lost after they had begun, and that are not in its new records either."""
        self._gone_here: set[RunId] = set()
        """Runs that a dashboard whose disk was lost, or that has a copy's records, knew nothing of. Some begin only after that:
        their agent had heard of them before."""
        self._undated: set[RunId] = set()
        """Runs that could not begin yet when the dashboard was copied, and may have begun since."""
        self._told: dict[RunId, str] = {}
        """By run, who says something of it, as far as this life of the dashboard has heard."""
        self._blind: set[RunId] = set()
        """Runs that were handed over (again) while nobody said anything of them."""
        ledger.before_row.append(self._handed)
        self._forgotten: set[RunId] = set()
        """Runs of which, at some moment, neither the dashboard nor their agent knew: each may begin once more, though its first
        process may live (docs/recovery.md)."""
        self.hears: Mapping[type[Record], Listener] = {
            CommandBegan: self._begin,
            CommandEnded: self._end,
            FolderLost: self._lost,
            Found: self._found,
            PutBack: self._went_back,
            Saved: self._saved,
            Started: self._started,
            Stepped: self._stepped,
        }

    def _started(self, record: Started) -> None:
        if record.node == DASHBOARD:
            self._told.clear()

    def _stepped(self, record: Stepped) -> None:
        if record.node != DASHBOARD or not isinstance(record.address, RunReportAt):
            return
        if isinstance(record.document, RunReport):
            self._told[record.address.run] = record.address.agent
        elif self._told.get(record.address.run) == record.address.agent:
            del self._told[record.address.run]

    def _handed(self, row: AuditRow) -> None:
        if row.kind == "run" and row.after == "assigned":
            run = RunId(row.run)
            (self._blind.discard if run in self._told else self._blind.add)(run)

    def _lost(self, record: FolderLost) -> None:
        if record.run is None:
            self._gone_there |= {run for run, host in self._began.items() if host == record.host}
            self._forget()

    def _saved(self, record: Saved) -> None:
        """What an agent has written down it knows, though its disk was lost before."""
        if self._gone_there and record.node != DASHBOARD:
            known = {row.key for row in record.rows if row.table == "run" and row.body is not None}
            self._gone_there -= {run for run in self._gone_there if run in known and self._began[run] == record.node}

    def _forget(self) -> None:
        known = {run for run, row in self._ledger.runs.items() if row.journal or run not in self._undated}
        self._forgotten |= ((self._gone_here | self._undated) & self._gone_there) - known

    def _found(self, record: Found) -> None:
        if record.node != DASHBOARD:
            return
        believed = believed_of(record)
        newest = {(job.instance, job.order): job.attempt for _, job in record.documents if isinstance(job, JobState)}
        shown = {address.run for address, _ in record.documents if isinstance(address, AssignmentAt)}
        for run, row in self._ledger.handed.items():
            known = run in shown or newest.get((row.instance, row.copy), 0) >= row.attempt
            if row.instance not in believed or not known:
                self._gone_here.add(run)
        self._forget()

    def _went_back(self, record: PutBack) -> None:
        if record.node == DASHBOARD:
            self._gone_here |= self._ledger.handed.keys() - self._ledger.runs.keys()
            self._undated |= {run for run, row in self._ledger.runs.items() if not row.journal}
            self._forget()

    def _begin(self, record: CommandBegan) -> None:
        run, forgotten = record.run, record.run in self._forgotten
        first = self._began.get(run)
        elsewhere = first != record.host and run in self._gone_here
        if run in self._alive and not (forgotten or (elsewhere and run in self._blind)):
            raise PromiseBrokenError("S1", f"two processes of {run} live, one on {record.host}")
        if first is not None and not (forgotten or elsewhere):
            raise PromiseBrokenError("S1", f"{run} is started a second time, on {record.host}")
        known = self._ledger.handed.get(run)
        if known is None:
            raise PromiseBrokenError("S1", f"{run} is started on {record.host}, and the dashboard knows nothing of it")
        if known.agent != record.host:
            raise PromiseBrokenError("S1", f"{run} is started on {record.host} and was handed to {known.agent}")
        if known.outcome == "withdrawn":
            raise PromiseBrokenError("S1", f"{run} is started on {record.host}, after it was taken back from there")
        if first is None and run in self._ledger.runs:
            self._gone_here.discard(run)  # handed over once more before it began
        self._began[run] = record.host
        self._alive[run] = record.pid
        self._forgotten.discard(run)

    def _end(self, record: CommandEnded) -> None:
        if self._alive.get(record.run) == record.pid:
            del self._alive[record.run]


class Allowed:
    """S2: judged at each row that hands a run over."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        ledger.before_row.append(self._judge)
        self._fed: set[Place] = set()
        """Jobs whose dependency has held since they were last reset, or that a person stood in for."""
        self._ever_fed: set[Place] = set()
        """The same, but for resets alone: it does not go back with the dashboard to a copy."""
        self._asked: dict[str, object] = {}
        self._holders: dict[tuple[InstanceId, str], RunId] = {}
        """Who holds locks: the job, by instance, and its run."""
        self._texts: dict[int, tuple[PlanSource, PlanText]] = {}
        self.hears: Mapping[type[Record], Listener] = {PersonAsked: self._hear_person, Found: self._found}

    def _found(self, record: Found) -> None:
        """What the dashboard has handed over and not shown, it will hand over once more.

        What it had shown before a copy was put back still stands: jobs that were fed then wait for their locks on. A run with
        which its job was shown to have ended is over, though the dashboard died before it had cleared the assignment.
        """
        if record.node == DASHBOARD:
            self._fed |= self._ever_fed
            shown = {address.run for address, _ in record.documents if isinstance(address, AssignmentAt)}
            shown -= {job.run for _, job in record.documents if isinstance(job, JobState) and job.run and not job.live}
            self._holders = {owner: run for owner, run in self._holders.items() if run in shown}

    def _hear_person(self, record: PersonAsked) -> None:
        self._asked[record.request] = record.asked

    def _judge(self, row: AuditRow) -> None:
        if row.kind == "job":
            self._follow(row)
        elif row.kind == "instance" and row.after == "WAITING":
            self._opens(row)
        elif row.kind == "run" and row.after == "assigned":
            self._may_start(row)
            self._take_locks(row)
        elif row.kind == "run" and row.run and row.after in _OUTCOMES:
            self._free({row.run})
        elif row.kind == "instance" and row.after == "ENDED":
            self._free({run for (instance, _), run in self._holders.items() if instance == row.instance})

    # ------------------------------------------------------------------ dependencies

    def _text(self, instance: InstanceId) -> PlanText:
        source = self._ledger.source_of(instance)
        if id(source) not in self._texts:
            self._texts[id(source)] = (source, PlanText(source))  # kept with its text, or another one could get its id
        return self._texts[id(source)][1]

    def _follow(self, row: AuditRow) -> None:
        """A job changes: see what that feeds."""
        instance = InstanceId(row.instance)
        text = self._text(instance)
        status = self._ledger.status
        place = (instance, row.context, row.job)
        before = status.get(place)
        status[place] = row.after or "ERROR_ACKNOWLEDGED"  # of a job that is continued after, nothing changes
        if row.after == "WAITING" and self._action(row) in {Action.RESET, Action.RESUBMIT, Action.UNSKIP}:
            for other in text.residences(row.job):
                self._fed.discard((instance, other, row.job))
                self._ever_fed.discard((instance, other, row.job))
        queues = row.after == "LOCK_QUEUED" and text.holds(row.context, row.job, self._done(instance, row.context))
        if queues or self._action(row) in STANDING_IN:
            self._feed(instance, row.context, row.job)
        for job in text.fed_by(row.context, row.job):
            if text.holds(row.context, job, self._done(instance, row.context)):
                self._feed(instance, row.context, job)
        if before is None:
            del status[place]
        else:
            status[place] = before

    def _done(self, instance: InstanceId, context: str) -> Done:
        return lambda job: self._ledger.status.get((instance, context, job), "") in DONE

    def _feed(self, instance: InstanceId, context: str, job: str) -> None:
        self._fed.add((instance, context, job))
        self._ever_fed.add((instance, context, job))

    def _action(self, row: AuditRow) -> Action | None:
        asked = self._asked.get(row.cause.removeprefix("request "))
        return asked.action if isinstance(asked, Act) else None

    # ------------------------------------------------------------------ starts

    def _opens(self, row: AuditRow) -> None:
        """Never early. Once open it stays so, though its clock be set back while nobody looks."""
        known = self._ledger.instances.get(InstanceId(row.instance))
        if known is not None and row.before in {"", "PREPARED"} and row.at < known.opens:
            raise PromiseBrokenError("S2", f"{row.instance} opens at {row.at}, before {known.opens}")

    def _may_start(self, row: AuditRow) -> None:
        instance = InstanceId(row.instance)
        known = self._ledger.instances.get(instance)
        if known is None or not self._ledger.is_active(instance):
            raise PromiseBrokenError("S2", f"{row.run} is handed over in an instance that is not active")
        if known.closes is not None and row.at > known.closes:
            raise PromiseBrokenError("S2", f"{row.run} is handed over at {row.at}, after {known.closes}")
        text = self._text(instance)
        if text.has_hours(row.context) and not in_hours(row.at):
            raise PromiseBrokenError("S2", f"{row.run} is handed over at {row.at}, outside of its context's own window")
        status = self._ledger.status.get((instance, row.context, row.job), "WAITING")
        if status not in READY and not (status == "SKIPPED" and self._action(row) is Action.RESUBMIT):
            raise PromiseBrokenError("S2", f"{row.run} is handed over while {status}")
        stood_in = self._action(row) in STANDING_IN
        fed = any(
            (instance, context, row.job) in self._fed or text.holds(context, row.job, self._done(instance, context))
            for context in text.residences(row.job)
        )
        if stood_in:
            self._feed(instance, row.context, row.job)
        if not (stood_in or fed):
            raise PromiseBrokenError(
                "S2", f"{row.run} is handed over, and its dependency has not held: {text.rule_of(row.context, row.job)}"
            )

    def _take_locks(self, row: AuditRow) -> None:
        instance = InstanceId(row.instance)
        mine = self._text(instance).claims.get(row.job, ())
        if not mine:
            return
        group = self._text(instance).plan.environment_group
        others = [
            (name, weight, exclusive)
            for (other, job), run in self._holders.items()
            if other in self._ledger.instances and self._text(other).plan.environment_group == group
            for name, weight, _, exclusive in self._text(other).claims.get(job, ())
        ]
        for name, weight, capacity, exclusive in mine:
            held = sum(taken for lock, taken, _ in others if lock == name)
            if others and (exclusive or any(alone for _, _, alone in others)):
                raise PromiseBrokenError(
                    "S2", f"{row.run} is handed over beside {sorted(self._holders.values())}: one is exclusive"
                )
            if held and held + weight > capacity:
                raise PromiseBrokenError(
                    "S2", f"{row.run} takes {weight} of lock {name}: {held} of {capacity} are taken"
                )
        self._holders[instance, row.job] = RunId(row.run)

    def _free(self, runs: set[str]) -> None:
        self._holders = {owner: run for owner, run in self._holders.items() if run not in runs}


def in_hours(at: datetime) -> bool:
    """Whether contexts with windows of their own are inside them, by the clock of the dashboard."""
    since = (at - BEGINNING).total_seconds()
    return since % HOURS_EVERY < HOURS_LAST and 0 <= since < LAST_HOURS * 60 + HOURS_LAST


_OUTCOMES = frozenset({"succeeded", "failed", "killed", "timedOut", "notStarted", "notToday", "withdrawn", "lost"})


class PlanText:
    """A plan as it is written, asked plainly."""

    def __init__(self, source: PlanSource) -> None:
        self.plan: Plan = source.plan
        self._contexts = {context.name: context for context in _walk(source.plan)}
        self._around = {child.name: context.name for context in self._contexts.values() for child in context.contexts}
        self._commands = {job.id for job in source.jobs if isinstance(job, CommandJob)}
        self.claims: dict[str, tuple[tuple[str, int, int, bool], ...]] = {}
        """By job: name, weight, capacity of each lock it needs, and whether it wants to be alone."""
        for context in self._contexts.values():
            for lock in context.job_locks:
                self._claim(lock)

    def has_hours(self, context: str | None) -> bool:
        """Whether the context, or one around it, has a window of its own."""
        known = self._contexts.get(context or "")
        return known is not None and (known.own_window is not None or self.has_hours(self._around.get(known.name)))

    def residences(self, job: str) -> list[str]:
        """The contexts a job is in."""
        return [
            name for name, context in self._contexts.items() if any(found.id == job for found in context.scheduled_jobs)
        ]

    def fed_by(self, context: str, job: str) -> list[str]:
        """The jobs whose dependency, in this context, speaks of another."""
        return [entry.job_identifier for entry in self._entries(context) if job in set(_names(entry.logical_grouping))]

    def holds(self, context: str, job: str, done: Done) -> bool:
        """Whether the job's dependency in this context holds."""
        entries = [entry for entry in self._entries(context) if entry.job_identifier == job]
        groupings = [entry.logical_grouping for entry in entries if entry.logical_grouping is not None]
        return bool(groupings) and all(_holds(grouping, done) for grouping in groupings)

    def rule_of(self, context: str, job: str) -> str:
        """The dependency, for a message."""
        found = [entry.logical_grouping for entry in self._entries(context) if entry.job_identifier == job]
        return str(found)

    def _entries(self, context: str) -> tuple[JobDependency, ...]:
        known = self._contexts.get(context)
        return known.job_dependencies if known is not None else ()

    def _claim(self, lock: JobLock) -> None:
        for participants in lock.jobs.values():
            for one in participants:
                if one.id in self._commands:
                    claim = (lock.name, one.lock_count, lock.lock_count, lock.exclusive_job_lock)
                    self.claims[one.id] = (*self.claims.get(one.id, ()), claim)


def _walk(context: Context) -> list[Context]:
    return [context, *(found for child in context.contexts for found in _walk(child))]


def _names(grouping: Grouping | None) -> list[str]:
    if grouping is None:
        return []
    operators = (*grouping.and_, *grouping.or_, *grouping.not_)
    own = [name for operator in operators for name in (operator.identifier, *_names(operator.logical_grouping)) if name]
    return own + _names(grouping.logical_grouping)


def _holds(grouping: Grouping, done: Done) -> bool:
    if any(_term(operator, done) for operator in grouping.not_):
        return False
    if grouping.logical_grouping is not None and not _holds(grouping.logical_grouping, done):
        return False
    if not grouping.and_ and not grouping.or_:
        return True
    all_of = bool(grouping.and_) and all(_term(operator, done) for operator in grouping.and_)
    return all_of or any(_term(operator, done) for operator in grouping.or_)


def _term(operator: Operator, done: Done) -> bool:
    if operator.logical_grouping is not None:
        return _holds(operator.logical_grouping, done)
    return done(operator.identifier)
