"""The instances of one plan, sorted out as they change: nobody looks through all of them because one of them has moved on."""

from __future__ import annotations

from bisect import bisect_left, insort
from datetime import datetime

from dashboard_node.core.lifecycle import ACTIVE
from dashboard_node.core.records import InstanceRecord
from schemas.names import InstanceId
from schemas.status import ContextStatus


class OfPlan:
    """See the module."""

    def __init__(self) -> None:
        self.kept: dict[InstanceId, None] = {}
        self._active: list[tuple[datetime, InstanceId]] = []
        self._going: dict[int, int] = {}
        """How many of each version have not ended."""

    def put(self, before: InstanceRecord | None, after: InstanceRecord | None) -> None:
        """An instance is new, or stands otherwise than ``before``, or (``after`` None) is no longer kept."""
        if before is not None:
            self._count(before, -1)
            if before.status in ACTIVE:
                del self._active[bisect_left(self._active, _place(before))]
        if after is not None:
            self.kept.setdefault(after.id)
            self._count(after, 1)
            if after.status in ACTIVE:
                insort(self._active, _place(after))
        elif before is not None:
            del self.kept[before.id]

    @property
    def active(self) -> list[InstanceId]:
        """Those that events reach, oldest first."""
        return [name for _, name in self._active]

    @property
    def active_count(self) -> int:
        """How many those are."""
        return len(self._active)

    def newest_active(self, most: int) -> list[InstanceId]:
        """So many of them, the newest ones; the oldest of those first."""
        return [name for _, name in self._active[-most:]]

    @property
    def versions(self) -> set[int]:
        """Those of which an instance has not ended."""
        return set(self._going)

    def _count(self, record: InstanceRecord, more: int) -> None:
        if record.status is ContextStatus.ENDED:
            return
        self._going[record.version] = self._going.get(record.version, 0) + more
        if not self._going[record.version]:
            del self._going[record.version]


def _place(record: InstanceRecord) -> tuple[datetime, InstanceId]:
    return record.opens, record.id
