"""One structure for everything that is due some day: ten thousand plans cost one heap, not ten thousand tasks.

A name's first word is its kind, and each kind has a heap of its own, so that one kind can be asked for when others wait.
"""

from __future__ import annotations

from datetime import datetime
from heapq import heappop, heappush

Name = tuple[str, ...]


class Timers:
    """Due times by name. Setting a name again replaces its time; None takes it out."""

    def __init__(self) -> None:
        self._due: dict[Name, datetime] = {}
        self._heaps: dict[str, list[tuple[datetime, Name]]] = {}

    def set(self, name: Name, at: datetime | None) -> None:
        """Have ``name`` due at an instant, or not at all."""
        if at is None:
            self._due.pop(name, None)
        elif self._due.get(name) != at:
            self._due[name] = at
            heappush(self._heaps.setdefault(name[0], []), (at, name))

    def next(self) -> datetime | None:
        """The earliest due time."""
        return min((heap[0][0] for heap in self._heaps.values() if self._is_fresh(heap)), default=None)

    def take_due(self, now: datetime) -> list[Name]:
        """Take out all names that are due by ``now``, earliest first."""
        ripe = [kind for kind, heap in self._heaps.items() if heap and heap[0][0] <= now]
        return [name for _, name in sorted(item for kind in ripe for item in self._take(kind, now))]

    def take_due_of(self, kind: str, now: datetime) -> list[Name]:
        """Take out those of one kind alone."""
        return [name for _, name in self._take(kind, now)]

    def _take(self, kind: str, now: datetime) -> list[tuple[datetime, Name]]:
        due: list[tuple[datetime, Name]] = []
        heap = self._heaps.get(kind, [])
        while self._is_fresh(heap) and heap[0][0] <= now:
            item = heappop(heap)
            del self._due[item[1]]
            due.append(item)
        return due

    def _is_fresh(self, heap: list[tuple[datetime, Name]]) -> bool:
        """Whether anything is left of a heap once what was set anew, or taken out, is dropped from its top."""
        while heap and self._due.get(heap[0][1]) != heap[0][0]:
            heappop(heap)
        return bool(heap)
