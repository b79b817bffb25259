"""One structure for everything that is due some day: ten thousand plans cost one heap, not ten thousand tasks."""

from __future__ import annotations

from datetime import datetime
from heapq import heappop, heappush


class Timers:
    """Due times by name. Setting a name again replaces its time; None takes it out."""

    def __init__(self) -> None:
        self._due: dict[tuple[str, ...], datetime] = {}
        self._heap: list[tuple[datetime, tuple[str, ...]]] = []

    def set(self, name: tuple[str, ...], at: datetime | None) -> None:
        """Have ``name`` due at an instant, or not at all."""
        if at is None:
            self._due.pop(name, None)
        elif self._due.get(name) != at:
            self._due[name] = at
            heappush(self._heap, (at, name))

    def next(self) -> datetime | None:
        """The earliest due time."""
        self._drop_stale()
        return self._heap[0][0] if self._heap else None

    def take_due(self, now: datetime) -> list[tuple[str, ...]]:
        """Take out all names that are due by ``now``, earliest first."""
        due: list[tuple[str, ...]] = []
        self._drop_stale()
        while self._heap and self._heap[0][0] <= now:
            _, name = heappop(self._heap)
            del self._due[name]
            due.append(name)
            self._drop_stale()
        return due

    def _drop_stale(self) -> None:
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
