"""The store's port in memory, with the faults a test asks for. The contract suite runs on it and on SQLite alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from broker.runtime.core import AuditRow, Changes, Key
from broker.runtime.store import Audited, AuditQuery, StoreError


class MemoryStore:
    """Survives the nodes that use it, as a disk would."""

    def __init__(self) -> None:
        self.records: dict[Key, bytes] = {}
        self.trail: list[AuditRow] = []
        self.epoch = 0
        self.saves = 0
        self.broken = False
        self.on_save: Callable[[Changes], None] = lambda _changes: None

    async def load(self) -> list[tuple[Key, bytes]]:
        """All records in order."""
        return sorted(self.records.items())

    async def next_epoch(self, floor: int) -> int:
        """Count up."""
        self.epoch = max(self.epoch + 1, floor)
        return self.epoch

    async def save(self, changes: Changes, audit: Sequence[AuditRow]) -> None:
        """All or nothing; encoded as the real one does, so that what cannot be saved fails here too."""
        if self.broken:
            raise StoreError("the disk is full")
        encoded = {key: None if record is None else msgspec.json.encode(record) for key, record in changes.items()}
        self.on_save(changes)
        for key, body in encoded.items():
            if body is None:
                self.records.pop(key, None)
            else:
                self.records[key] = body
        self.trail += audit
        self.saves += 1

    async def audit(self, query: AuditQuery) -> list[Audited]:
        """The same answer by the simplest means."""
        found = [Audited(number, row) for number, row in enumerate(self.trail, start=1) if _matches(query, number, row)]
        return (found if query.oldest_first else found[::-1])[: query.limit]

    async def forget_audit(self, before: datetime, *, instances: Sequence[str], kinds: Sequence[str], most: int) -> int:
        """The oldest first. Rows that stay keep no numbers here, which nobody may rely on."""
        old = [row for row in self.trail if row.at < before and row.instance not in instances and row.kind not in kinds]
        going = {id(row) for row in sorted(old, key=lambda row: row.at)[:most]}
        self.trail = [row for row in self.trail if id(row) not in going]
        return len(going)


def _matches(query: AuditQuery, number: int, row: AuditRow) -> bool:
    if (query.before and number >= query.before) or number <= query.after:
        return False
    if query.since is not None and row.at < query.since:
        return False
    if query.until is not None and row.at >= query.until:
        return False
    texts = ("kind", "instance", "context", "job", "run", "user")
    return all(getattr(query, name) in {"", getattr(row, name)} for name in texts)
