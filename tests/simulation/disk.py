"""A node's durable records in memory: what was synced survives a crash, what was only written may not."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec
from msgspec import Struct

from broker.runtime.core import AuditRow, Changes, Key
from broker.runtime.saved import MARK, of_a_copy
from tests.simulation.trace import Copied, PutBack, Row, Saved, Trace
from tests.simulation.world import World


class Written(Struct, frozen=True):
    """One transaction on its way to the disk."""

    rows: tuple[Row, ...]
    audit: tuple[AuditRow, ...]


class Disk:
    """Survives the lives of its node, until it is lost."""

    def __init__(self, node: str, world: World, trace: Trace) -> None:
        self.records: dict[Key, bytes] = {}
        self.epoch = 0
        self.pending: Written | None = None
        self.synced: Callable[[], None] = lambda: None
        """Told when all that was written is safe."""
        self._copy: tuple[dict[Key, bytes], int] = ({}, 0)
        self._node = node
        self._world = world
        self._trace = trace
        self._chance: Random = world.chance(f"disk {node}")

    def load(self) -> list[tuple[Key, bytes]]:
        """All records, ordered by table and key."""
        return sorted(self.records.items())

    def next_epoch(self, floor: int) -> int:
        """A number higher than all it gave before, durable at once."""
        self.epoch = max(self.epoch + 1, floor)
        return self.epoch

    def write(self, changes: Changes, audit: tuple[AuditRow, ...]) -> None:
        """Begin a transaction: encoded now, durable only when synced."""
        rows = tuple(
            Row(key.table, key.key, None if record is None else msgspec.json.encode(record))
            for key, record in changes.items()
        )
        self.pending = Written(rows, audit)

    def sync(self) -> None:
        """The transaction is durable."""
        written, self.pending = self.pending, None
        self.synced()
        if written is None:
            return
        for row in written.rows:
            key = Key(row.table, row.key)
            if row.body is None:
                self.records.pop(key, None)
            else:
                self.records[key] = row.body
        self._trace.add(Saved(at=self._world.seconds, node=self._node, rows=written.rows, audit=written.audit))

    def crash(self) -> bool:
        """The node died: what was not synced is there by luck alone; whether a write was lost."""
        if self.pending is None:
            return False
        if self._chance.random() < 0.5:
            self.sync()
            return False
        self.pending = None
        return True

    def copy(self) -> None:
        """Make a copy of the records, as they are at the last commit."""
        self._copy = (dict(self.records), self.epoch)
        self._trace.add(Copied(at=self._world.seconds, node=self._node))

    def put_back(self) -> None:
        """Let the copy be the records, the number of lives too, as `broker/runtime/backup.py` does it."""
        records, self.epoch = self._copy
        self.records = dict(records)
        if MARK in records:
            self.records[MARK] = of_a_copy(records[MARK])
        self.pending = None
        self._trace.add(PutBack(at=self._world.seconds, node=self._node))

    def lose(self) -> None:
        """Everything is gone, the number of lives too."""
        self.records.clear()
        self.epoch = 0
        self.pending = None
