"""The tables of an agent, with the indexes that keep its rules from walking them whole. Decides nothing."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec import Struct

from agent_node.core.lifecycle import Stage, Window
from agent_node.core.records import (
    DASHBOARD,
    TABLES,
    Instance,
    Life,
    Run,
    SeenFile,
    Table,
    Watch,
)
from agent_node.core.rules import SWEEP_EVERY, Rules
from broker.runtime.core import Changes, Key
from schemas.names import InstanceId, JobId, RunId

R = TypeVar("R", bound=Struct)


class Wakeups:
    """Which record wants a Tick when: the earliest is found without a walk."""

    def __init__(self) -> None:
        self._due: dict[Key, datetime] = {}
        self._heap: list[tuple[datetime, Key]] = []

    def put(self, key: Key, at: datetime | None) -> None:
        """A record wants its tick at ``at`` (None: no more)."""
        if self._due.get(key) == at:
            return
        if at is None:
            self._due.pop(key, None)
            return
        self._due[key] = at
        heapq.heappush(self._heap, (at, key))
        if len(self._heap) > 64 + 4 * len(self._due):
            self._heap = sorted((when, which) for which, when in self._due.items())

    def next(self) -> datetime | None:
        """The earliest."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now: datetime) -> list[Key]:
        """Those wanted by ``now``, earliest first, ties by key."""
        first = self.next()
        if first is None or first > now:
            return []
        return [key for at, key in sorted((at, key) for key, at in self._due.items()) if at <= now]


class State:
    """Tables of records. ``apply`` is the only way to change them."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.wakeups = Wakeups()
        self.waiting: dict[RunId, None] = {}
        """In the order in which they were accepted."""
        self.ready: dict[RunId, None] = {}
        """Those of them whose turn it is, and which the dashboard holds."""
        self.active: dict[tuple[InstanceId, JobId], set[RunId]] = {}
        self.active_count = 0
        self.active_labels: Counter[str] = Counter()
        """How many runs that may have a process use each label."""
        self.runs_of: dict[InstanceId, set[RunId]] = {}
        self.watches_of: dict[InstanceId, set[str]] = {}
        self.files_of: dict[tuple[InstanceId, JobId], set[str]] = {}
        self._tables: dict[str, dict[str, Struct]] = {name: {} for name in TABLES}

    def get(self, table: Table[R], key: str) -> R | None:
        """A record."""
        record = self._tables[table.name].get(key)
        if record is None or isinstance(record, table.kind):
            return record
        raise TypeError(f"{table.name} {key} holds a {type(record).__name__}")

    def all(self, table: Table[R]) -> Iterator[tuple[str, R]]:
        """The records of a table, by key."""
        for key in sorted(self._tables[table.name]):
            record = self.get(table, key)
            if record is not None:
                yield key, record

    def records(self, table: str) -> list[tuple[str, Struct]]:
        """All of a table, by key, whatever its type."""
        return sorted(self._tables[table].items(), key=lambda entry: entry[0])

    def restore(self, rows: Iterable[tuple[Key, bytes]]) -> None:
        """Take in saved records; what the dashboard last said of itself is forgotten."""
        loaded: list[tuple[Key, Struct]] = []
        for key, payload in rows:
            kind = TABLES.get(key.table)
            if kind is not None and key.table != DASHBOARD.name:
                loaded.append((Key(*key), msgspec.json.decode(payload, type=kind)))
        loaded.sort(key=_restore_order)
        self.apply(dict(loaded))

    def apply(self, changes: Changes) -> None:
        """Make changes of records the state."""
        for key, record in changes.items():
            table = self._tables[key.table]
            before = table.pop(key.key, None)
            if record is not None:
                table[key.key] = record
            self._index(key, before, record)
            self.wakeups.put(key, _wakeup(record))

    def _index(self, key: Key, before: Struct | None, after: Struct | None) -> None:
        if isinstance(before, Run):
            self._unindex_run(before)
        if isinstance(after, Run):
            self._index_run(after)
        elif isinstance(before, Run):
            self.waiting.pop(before.run, None)
        for record, change in ((before, set.discard), (after, set.add)):
            if isinstance(record, Watch):
                change(self.watches_of.setdefault(record.instance, set()), key.key)
                if not self.watches_of[record.instance]:
                    del self.watches_of[record.instance]
            elif isinstance(record, SeenFile):
                place = (record.instance, record.job)
                change(self.files_of.setdefault(place, set()), key.key)
                if not self.files_of[place]:
                    del self.files_of[place]

    def _index_run(self, run: Run) -> None:
        self.runs_of.setdefault(run.instance, set()).add(run.run)
        if run.stage is Stage.WAITING:
            self.waiting.setdefault(run.run)
        else:
            self.waiting.pop(run.run, None)
        if run.stage is Stage.WAITING and run.ready:
            self.ready.setdefault(run.run)
        if run.stage.active:
            self.active.setdefault((run.instance, run.job), set()).add(run.run)
            self.active_count += 1
            self.active_labels.update(run.labels)

    def _unindex_run(self, run: Run) -> None:
        self.ready.pop(run.run, None)
        self.runs_of[run.instance].discard(run.run)
        if not self.runs_of[run.instance]:
            del self.runs_of[run.instance]
        if run.stage.active:
            self.active_count -= 1
            self.active_labels.subtract(run.labels)
            place = self.active[(run.instance, run.job)]
            place.discard(run.run)
            if not place:
                del self.active[(run.instance, run.job)]


def _restore_order(loaded: tuple[Key, Struct]) -> tuple[bool, str, Key]:
    """Runs that wait keep the order in which they were accepted."""
    key, record = loaded
    if isinstance(record, Run):
        return (True, record.accepted.isoformat(), key)
    return (False, "", key)


def _wakeup(record: Struct | None) -> datetime | None:  # noqa: PLR0911 - one line a kind of record
    """When a record wants a Tick."""
    match record:
        case Run(stage=Stage.WAITING):
            return record.answer_by
        case Run(stage=Stage.RUNNING):
            return record.act_at
        case Run(stage=Stage.ENDED):
            return record.let_go_at
        case Instance(window=Window.PENDING):
            return record.publication.opens
        case Instance(window=Window.OPEN):
            return record.publication.closes
        case Watch():
            return min(filter(None, (record.next_due, record.delayed_until, record.forget_at)), default=None)
        case Life():
            return record.swept + SWEEP_EVERY
        case _:
            return None
