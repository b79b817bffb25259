"""The smallest core that shows all a driver has to do: it counts what it is told, per instance, and shows the counts.

An agent's: it hears of instances, shows a report of firings for each, rings a bell for every count, answers requests, and
wants to be woken when an alarm was set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import msgspec
from msgspec import Struct

from broker.runtime.core import (
    AuditRow,
    Changes,
    Decision,
    Heard,
    InvariantError,
    Key,
    Recovered,
    Reply,
    Requested,
    Tick,
)
from schemas.addresses import Address, AgentInstanceAt, DashboardPresenceAt, FireReportAt
from schemas.documents import Document, FireReport, Presence
from schemas.names import InstanceId, JobId, NodeName
from schemas.requests import Answer

JOB = JobId("north-tick")
ME = NodeName("north")


class Bump(Struct, frozen=True):
    """Event: count one for an instance."""

    now: datetime
    instance: InstanceId


class SetAlarm(Struct, frozen=True):
    """Event: be woken at a time."""

    now: datetime
    at: datetime


class Bell(Struct, frozen=True):
    """Effect: ring."""

    instance: InstanceId
    count: int


class Count(Struct, frozen=True):
    """Record: how often an instance was counted."""

    value: int


class Alarm(Struct, frozen=True):
    """Record: when to wake, and how often it rang."""

    at: datetime | None
    rang: int = 0


Event = Bump | SetAlarm | Heard | Requested | Tick | Recovered
Effect = Bell | Reply
ALARM = Key("alarm", "alarm")


class ToyCore:
    """Counts by instance."""

    def __init__(self) -> None:
        self.records: dict[Key, Struct] = {}
        self.events: list[Event] = []
        """Everything it stepped through."""

    def restore(self, rows: Iterable[tuple[Key, bytes]]) -> None:
        """Take in what was saved."""
        for key, body in rows:
            self.records[key] = msgspec.json.decode(body, type=Alarm if key == ALARM else Count)

    def step(self, event: Event) -> Decision[Effect]:
        """Count."""
        self.events.append(event)
        match event:
            case Bump(instance=instance):
                return self._count(event.now, instance)
            case Heard(address=AgentInstanceAt(instance=instance), document=document):
                record = None if document is None else Count(self.count(instance) or 0)
                return Decision(changes={_key(instance): record})
            case SetAlarm(at=at):
                return Decision(changes={ALARM: Alarm(at, self._alarm().rang)})
            case Tick(now=now):
                return Decision(changes=self._ring(now))
            case Requested(user=user, request=request):
                return Decision(changes={}, effects=(Reply(user, request, Answer(ok=True)),))
            case _:
                return Decision(changes={})

    def apply(self, changes: Changes) -> None:
        """Make it so."""
        for key, record in changes.items():
            if record is None:
                self.records.pop(key, None)
            else:
                self.records[key] = record

    def project(self, changes: Changes) -> Mapping[Address, Document | None]:
        """Reports of what changed."""
        return {_address(key): self._report(key) for key in changes if key.table == "count"}

    def documents(self) -> Iterator[tuple[Address, Document]]:
        """A report for each instance."""
        for key in sorted(self.records):
            if key.table == "count" and (report := self._report(key)) is not None:
                yield _address(key), report

    def next_wakeup(self) -> datetime | None:
        """The alarm."""
        return self._alarm().at

    def check(self) -> None:
        """Thirteen is never reached."""
        if any(isinstance(record, Count) and record.value == 13 for record in self.records.values()):
            raise InvariantError("S0: thirteen")

    def count(self, instance: InstanceId) -> int | None:
        """How often an instance was counted."""
        record = self.records.get(_key(instance))
        return record.value if isinstance(record, Count) else None

    def heard(self) -> list[tuple[Address, Document | None]]:
        """What it was told of others, the dashboard's presence aside."""
        return [
            (event.address, event.document)
            for event in self.events
            if isinstance(event, Heard) and not isinstance(event.address, DashboardPresenceAt)
        ]

    def presences(self) -> list[Presence | None]:
        """What it was told of the dashboard's presence."""
        return [
            event.document
            for event in self.events
            if isinstance(event, Heard) and isinstance(event.document, Presence | None)
            if isinstance(event.address, DashboardPresenceAt)
        ]

    def _count(self, now: datetime, instance: InstanceId) -> Decision[Effect]:
        value = (self.count(instance) or 0) + 1
        row = AuditRow(at=now, kind="job", instance=instance, after=str(value), cause="bump")
        return Decision(changes={_key(instance): Count(value)}, audit=(row,), effects=(Bell(instance, value),))

    def _ring(self, now: datetime) -> Changes:
        alarm = self._alarm()
        return {ALARM: Alarm(None, alarm.rang + 1)} if alarm.at is not None and alarm.at <= now else {}

    def _alarm(self) -> Alarm:
        record = self.records.get(ALARM)
        return record if isinstance(record, Alarm) else Alarm(None)

    def _report(self, key: Key) -> FireReport | None:
        record = self.records.get(key)
        if not isinstance(record, Count):
            return None
        return FireReport(instance=InstanceId(key.key), job=JOB, problem=str(record.value))


def _key(instance: InstanceId) -> Key:
    return Key("count", instance)


def _address(key: Key) -> Address:
    return FireReportAt(ME, InstanceId(key.key), JOB)
