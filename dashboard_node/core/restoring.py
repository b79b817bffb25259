"""The state made again from saved records, and everything derived from them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from broker.runtime.core import Key
from dashboard_node.core import deadlines, outbox, schedules
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.lifecycle import Stage
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
    Saved,
    TakenRecord,
    UserRecord,
    VersionRecord,
)
from dashboard_node.core.requests import KEPT
from dashboard_node.core.state import ACTIVE, State
from dashboard_node.core.step import Step
from schemas.names import InstanceId, escape
from schemas.status import ContextStatus

_TYPES = {
    "plan": PlanRecord,
    "deleted": DeletedPlan,
    "version": VersionRecord,
    "calendar": CalendarRecord,
    "user": UserRecord,
    "instance": InstanceRecord,
    "context": ContextRecord,
    "job": CopyRecord,
    "run": RunRecord,
    "taken": TakenRecord,
    "answer": AnswerRecord,
    "history": HistoryRecord,
    "notification": NotificationRecord,
    "mute": MuteRecord,
}
_OF_INSTANCE = frozenset({"instance", "context", "job", "run", "taken"})
"""Tables whose keys begin with the instance they belong to."""
_SHARED = 64
"""Bytes. Records as short as that are alike, those of all jobs that wait for instance: one of each is kept for all of them."""
_DECODERS = {table: msgspec.json.Decoder(kind) for table, kind in _TYPES.items()}


def restore(state: State, rows: Iterable[tuple[Key, bytes]]) -> None:  # noqa: C901, PLR0912  # one branch a table
    """Fill an empty state."""
    copies: dict[InstanceId, dict[int, CopyRecord]] = {}
    contexts: dict[InstanceId, dict[int, ContextRecord]] = {}
    instances: list[InstanceRecord] = []
    for key, record in _sound(state, sorted(rows)):
        name, _, index = key.key.rpartition("~")
        match record:
            case PlanRecord():
                state.plans[record.name] = record
            case DeletedPlan():
                state.deleted[record.name] = record
            case VersionRecord():
                state.versions[record.plan, record.version] = record
            case CalendarRecord():
                state.calendars.setdefault(record.name, []).append(record)
            case UserRecord():
                state.users[record.user] = record
            case InstanceRecord():
                instances.append(record)
            case ContextRecord():
                contexts.setdefault(InstanceId(name), {})[int(index)] = record
            case CopyRecord():
                copies.setdefault(InstanceId(name), {})[int(index)] = record
            case RunRecord():
                state.put_run(record)
            case TakenRecord():
                state.put_taken(record)
            case AnswerRecord():
                state.answers[record.user, record.request] = record
            case HistoryRecord():
                state.history.setdefault(record.plan, {})[record.job] = record
            case NotificationRecord():
                state.put_notification(outbox.cut_off(record))
            case MuteRecord():
                state.mutes[record.plan] = record
            case _:
                raise AssertionError(f"no such table: {key.table}")
    for instance in instances:  # by id; what plans they are of is known by now
        state.put_instance(instance)
        _machine(state, instance, copies.get(instance.id, {}), contexts.get(instance.id, {}))
    derive(state)


def derive(state: State) -> None:
    """Everything that follows from the records."""
    _locks(state)
    _timers(state)


def _sound(state: State, rows: list[tuple[Key, bytes]]) -> list[tuple[Key, Saved]]:
    """The records, but for those of instances of which one cannot be read: they are put aside, to be given up."""
    decoded: list[tuple[Key, Saved]] = []
    versions = {key.key for key, _ in rows if key.table == "version"}
    shared: dict[tuple[str, bytes], Saved] = {}
    for key, body in rows:
        try:
            record = shared.get((key.table, body)) or _DECODERS[key.table].decode(body)
            if len(body) <= _SHARED:
                shared[key.table, body] = record
        except msgspec.MsgspecError as error:
            if key.table not in _OF_INSTANCE:
                raise
            state.unreadable.setdefault(_instance_of(key), f"{key.table} {key.key}: {error}")
            continue
        if isinstance(record, InstanceRecord) and f"{escape(record.plan)}~{record.version}" not in versions:
            state.unreadable.setdefault(record.id, f"version {record.version} of {record.plan} is not there")
        decoded.append((key, record))
    if state.unreadable:
        state.given_up = [key for key, _ in rows if key.table in _OF_INSTANCE and _instance_of(key) in state.unreadable]
    gone = set(state.given_up)
    return [(key, record) for key, record in decoded if key not in gone]


def _instance_of(key: Key) -> InstanceId:
    return InstanceId(key.key.partition("~")[0])


def give_up(step: Step) -> None:
    """Forget the instances that could not be read: what stands of them on the bus goes, the audit says why."""
    for key in step.state.given_up:
        step.changes[key] = None
    for instance, reason in sorted(step.state.unreadable.items()):
        step.note("instance", instance=instance, after=ContextStatus.ENDED, detail=f"could not be loaded: {reason}")
    step.state.given_up.clear()
    step.state.unreadable.clear()


def _machine(
    state: State, instance: InstanceRecord, copies: dict[int, CopyRecord], contexts: dict[int, ContextRecord]
) -> None:
    graph = state.graph(instance.plan, instance.version)
    state.machines[instance.id] = ContextMachine(
        instance.id,
        graph,
        [copies.get(copy.index, CopyRecord()) for copy in graph.copies],
        [contexts.get(node.index, ContextRecord()) for node in graph.contexts],
        clocks_disabled=instance.clocks_disabled,
    )


def _locks(state: State) -> None:
    """Holders are live runs, queues are queued jobs, both in the order in which they asked; of all that has not ended."""
    owners: list[tuple[Owner, bool]] = []
    for instance in sorted(state.standing.instances):
        machine = state.machines[instance]
        owners += [(Owner(run.order, instance, run.copy), True) for run in state.live_runs(instance)]
        owners += [
            (Owner(record.queued, instance, index), False)
            for index, record in enumerate(machine.copies)
            if record.stage is Stage.QUEUED and record.queued
        ]
    for owner, holding in sorted(owners):
        claims = state.machines[owner.instance].graph.copies[owner.copy].claims
        if claims:
            state.locks.restore(owner, claims, holding=holding)
    orders = [run.order for run in state.runs.values()] + [owner.order for owner, _ in owners]
    state.order = max(orders, default=0)


def _timers(state: State) -> None:
    for plan in state.plans.values():
        state.timers.set(("open", plan.name), schedules.next_start(state, plan))
    for instance in state.instances.values():
        if instance.status is ContextStatus.ENDED and instance.ended is not None:
            state.timers.set(("remove", instance.id), instance.ended + state.retention)
        elif instance.status in ACTIVE:
            state.timers.set(("close", instance.id), instance.closes)
            deadlines.arm(state, instance)
            for index, record in enumerate(state.machines[instance.id].copies):
                state.timers.set(("retry", instance.id, str(index)), record.retry_at)
    for answer in state.answers.values():
        state.timers.set(("answer", answer.user, answer.request), answer.at + KEPT)
    for name, told in state.notifications.items():
        state.timers.set(("notification", name), outbox.next_of(state, told))
    for muted, mute in state.mutes.items():
        state.timers.set(("unmute", muted), mute.until)
