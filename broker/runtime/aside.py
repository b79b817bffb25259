"""What could not be read, by topic: kept aside for people to see; a node goes on without it.

Pure and bounded: when many topics are unreadable the oldest complaint is forgotten, and still counted.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

_MOST = 1_000
_LONGEST = 200


class Complaint(Struct, frozen=True):
    """How often a topic carried something unreadable, and what was wrong the last time."""

    count: int
    reason: str


class Aside:
    """The topics whose newest payload could not be read."""

    def __init__(self) -> None:
        self._complaints: dict[str, Complaint] = {}
        self.total = 0
        """How many payloads were set aside since the start."""

    @property
    def topics(self) -> Mapping[str, Complaint]:
        """Oldest complaint first."""
        return self._complaints

    def add(self, topic: str, reason: str) -> None:
        """Something unreadable arrived."""
        self.total += 1
        before = self._complaints.pop(topic, None)
        if len(self._complaints) >= _MOST:
            del self._complaints[next(iter(self._complaints))]
        self._complaints[topic] = Complaint(before.count + 1 if before else 1, reason[:_LONGEST])

    def settle(self, topic: str) -> None:
        """The topic is readable again, or empty."""
        self._complaints.pop(topic, None)

    def begin(self) -> None:
        """A new connection: what still stands is heard again."""
        self._complaints.clear()
