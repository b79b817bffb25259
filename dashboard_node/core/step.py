"""One event being decided: the only hand that changes the state, and the list of what changed and why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from broker.runtime.core import AuditRow, Decision, Key
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.effects import Effect
from dashboard_node.core.graph import Copy
from dashboard_node.core.locks import Owner
from dashboard_node.core.records import (
    AnswerRecord,
    CalendarRecord,
    ContextRecord,
    CopyRecord,
    DeletedPlan,
    HistoryRecord,
    InstanceRecord,
    MuteRecord,
    NotificationRecord,
    PlanRecord,
    RunRecord,
    TakenRecord,
    UserRecord,
    VersionRecord,
)
from dashboard_node.core.state import ACTIVE, State
from schemas.names import InstanceId, JobId, NodeName, PlanName, RunId, UserName, escape
from schemas.status import ContextStatus


class Step:
    """Writes to the state, and keeps what was written for the store, the audit and the projection."""

    def __init__(self, state: State, now: datetime, *, cause: str, user: str = "") -> None:
        self.state = state
        self.cause = cause
        self.user = user
        self._now = now
        self.changes: dict[Key, Struct | None] = {}
        self.audit: list[AuditRow] = []
        self.effects: list[Effect] = []
        self.unsettled: dict[InstanceId, None] = {}
        """Instances whose machine has something to settle, in the order they came up."""
        self.known_already: list[RunId] = []
        """Runs handed over of which an agent has spoken before: what we knew of them was lost."""
        self.withdrawn: list[Owner] = []
        """Jobs that were taken out of their lock queues; the next ones may go once all of them are out."""
        self.freed: dict[PlanName, None] = {}
        """Plans of which an instance has ended: another one may be waiting for that."""
        self.agents: set[NodeName] = set()
        """Agents whose presence changed."""
        self.assigned: dict[NodeName, int] = {}
        """What each agent has to do, once somebody was to be chosen in this step; kept up as more is given."""
        self.replaying = False
        """The event comes out of a replay: what it repeats is no news."""
        self.quiet = False
        """While an instance is laid out, its jobs' first statuses are no changes."""

    @property
    def now(self) -> datetime:
        """The time of the event."""
        return self._now

    def decision(self) -> Decision[Effect]:
        """What the driver is to save, show and perform."""
        return Decision(changes=self.changes, audit=tuple(self.audit), effects=tuple(self.effects))

    def note(self, kind: str, **fields: str) -> None:
        """An audit row for this event."""
        self.audit.append(AuditRow(at=self._now, kind=kind, cause=self.cause, user=self.user, **fields))

    # Journal of the context machines

    def job_changed(self, machine: ContextMachine, copy: Copy, before: CopyRecord, why: str) -> None:
        """A job copy's record was replaced: save it, audit a change of its status, mind its retry."""
        record = machine.copies[copy.index]
        self.changes[Key("job", f"{machine.instance}~{copy.index}")] = record
        if record.retry_at != before.retry_at:
            self.state.timers.set(("retry", machine.instance, str(copy.index)), record.retry_at)
        self.touch(machine)
        was, now = machine.status_of(copy, before), machine.status(copy.index)
        if was is not now and not self.quiet:
            self.note(
                "job",
                instance=machine.instance,
                context=machine.graph.context_of(copy.index).name,
                job=copy.id,
                run=record.run or "",
                before=was,
                after=now,
                detail=why or record.reason,
            )

    def context_changed(self, machine: ContextMachine, index: int, before: ContextRecord) -> None:
        """A context's record was replaced: save it, audit it; the outermost one is the instance's own status."""
        record = machine.contexts[index]
        self.changes[Key("context", f"{machine.instance}~{index}")] = record
        if record.status is before.status or self.quiet:
            return
        self.note(
            "instance" if index == 0 else "context",
            instance=machine.instance,
            context=machine.graph.contexts[index].name,
            before=before.status,
            after=record.status,
        )

    def touch_context(self, machine: ContextMachine, index: int) -> None:
        """How a context's own window stands has changed: what its jobs show follows, though its record is the same."""
        self.changes[Key("context", f"{machine.instance}~{index}")] = machine.contexts[index]

    def loop_cut(self, machine: ContextMachine) -> None:
        """Event jobs raised each other without end."""
        self.note(
            "instance", instance=machine.instance, detail="jobs raise each other without end; the rest was dropped"
        )

    # Tables

    def put_plan(self, record: PlanRecord) -> None:
        """Save a plan."""
        self.state.plans[record.name] = record
        self.changes[Key("plan", escape(record.name))] = record

    def put_deleted(self, name: PlanName, record: DeletedPlan | None) -> None:
        """Remember a deleted plan; None: it is there again."""
        if record is not None:
            self.state.deleted[name] = record
        elif self.state.deleted.pop(name, None) is None:
            return
        self.changes[Key("deleted", escape(name))] = record

    def put_version(self, record: VersionRecord) -> None:
        """Save a new version of a plan."""
        self.state.versions[record.plan, record.version] = record
        self.changes[Key("version", f"{escape(record.plan)}~{record.version}")] = record

    def put_calendar(self, record: CalendarRecord) -> None:
        """Save a new version of a calendar."""
        self.state.calendars.setdefault(record.name, []).append(record)
        self.changes[Key("calendar", f"{escape(record.name)}~{record.version:06}")] = record

    def forget_calendar(self, name: str) -> None:
        """Drop a calendar with all its versions."""
        for record in self.state.calendars.pop(name):
            self.changes[Key("calendar", f"{escape(name)}~{record.version:06}")] = None

    def forget_plan(self, name: PlanName) -> None:
        """Drop a plan with all its versions, but for the time up to which its starts were decided."""
        self.put_deleted(name, DeletedPlan(name=name, decided=max(self.state.plans[name].decided, self._now)))
        self.forget_history(name, list(self.state.history.get(name, ())))
        for version in self.state.forget_plan(name):
            self.changes[Key("version", f"{escape(name)}~{version}")] = None
        self.changes[Key("plan", escape(name))] = None
        self.state.timers.set(("open", name), None)

    def put_history(self, record: HistoryRecord) -> None:
        """Save how long a job took."""
        self.state.history.setdefault(record.plan, {})[record.job] = record
        self.changes[Key("history", f"{escape(record.plan)}~{escape(record.job)}")] = record

    def forget_history(self, plan: PlanName, jobs: Iterable[JobId]) -> None:
        """Drop how long jobs of a plan took."""
        known = self.state.history.get(plan, {})
        for job in jobs:
            del known[job]
            self.changes[Key("history", f"{escape(plan)}~{escape(job)}")] = None
        if not known:
            self.state.history.pop(plan, None)

    def put_user(self, name: UserName, record: UserRecord | None) -> None:
        """Save what a user was granted; None: nothing any more."""
        if record is None:
            self.state.users.pop(name, None)
        else:
            self.state.users[name] = record
        self.changes[Key("user", escape(name))] = record

    def put_instance(self, record: InstanceRecord) -> None:
        """Save an instance."""
        self.state.put_instance(record)
        self.changes[Key("instance", record.id)] = record

    def put_run(self, record: RunRecord) -> None:
        """Save a run; it is live until it has ended."""
        self.state.put_run(record)
        self.changes[Key("run", record.id)] = record

    def put_taken(self, record: TakenRecord) -> None:
        """Save up to which firing an agent's report was taken."""
        self.state.put_taken(record)
        self.changes[Key("taken", f"{record.instance}~{escape(record.job)}")] = record

    def put_answer(self, record: AnswerRecord) -> None:
        """Save what a request is answered."""
        self.state.answers[record.user, record.request] = record
        self.changes[Key("answer", f"{escape(record.user)}~{escape(record.request)}")] = record

    def put_notification(self, record: NotificationRecord) -> None:
        """Save a notification and how far it has come."""
        self.state.put_notification(record)
        self.changes[Key("notification", record.notification.id)] = record

    def forget_notification(self, name: str) -> None:
        """Drop a notification."""
        del self.state.notifications[name]
        self.state.undelivered.pop(name, None)
        self.changes[Key("notification", name)] = None

    def put_mute(self, plan: PlanName, record: MuteRecord | None) -> None:
        """Save that nobody is told of a plan (empty: of anything); None: people are told again."""
        if record is not None:
            self.state.mutes[plan] = record
        else:
            self.state.mutes.pop(plan, None)
        self.changes[Key("mute", escape(plan))] = record

    def next_order(self) -> int:
        """A new place in the order of all lock requests."""
        self.state.order += 1
        return self.state.order

    # Reaching instances

    def machine(self, instance: InstanceId, *, prepared: bool = False) -> ContextMachine | None:
        """The machine of an instance that events reach; None: none, ended, or (unless asked for) only prepared."""
        record = self.state.instances.get(instance)
        if record is None or not (record.status in ACTIVE or (prepared and record.status is ContextStatus.PREPARED)):
            return None
        return self.state.machines[instance]

    def touch(self, machine: ContextMachine) -> None:
        """Have the machine settled before the step is over."""
        self.unsettled.setdefault(machine.instance)

    def owner(self, instance: InstanceId, order: int, copy: int) -> Owner:
        """Who a run, or a queued job, is to the locks."""
        return Owner(order, instance, copy)

    def root_status(self, machine: ContextMachine) -> ContextStatus:
        """How the outermost context stands."""
        return machine.contexts[0].status
