"""How a topic is cleared at a broker that forgets clears: a tombstone stands there first, and only later nothing.

Pure. NATS deletes a clear from its store as soon as it was passed on: one of several servers whose list stands still never
hears of it, and what stood before comes back when a server that was killed reads its store again. A tombstone is retained like
any document, so every list comes to it, and what comes back after it is gone is itself. Whoever reads takes a tombstone for an
empty payload.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from math import inf

import msgspec
from msgspec import Struct

from broker.bus import Publication

KEPT = 180.0
"""Seconds that a tombstone stays. NATS replays what it read once for two minutes more: after these it is the tombstone."""
_HEAD = b'{"clearedBy":'


class Tombstone(Struct, frozen=True, rename="camel"):
    """What stands on a topic that was cleared."""

    cleared_by: str
    """The client that takes it away later."""


def is_tombstone(payload: bytes) -> bool:
    """Whether nothing stands where this does. A document begins with its version."""
    return payload.startswith(_HEAD)


class Tombstones:
    """Those of one client, over all its connections."""

    def __init__(self, client: str) -> None:
        self._payload = msgspec.json.encode(Tombstone(client))
        self._due: dict[str, float] = {}
        """By topic, when something is to be done about it; the first one first."""
        self._unsure: set[str] = set()
        """Those that were not left on this connection: something else may stand there."""

    def begin(self) -> None:
        """A connection begins."""
        self._unsure = set(self._due)

    def instead(self, publication: Publication, now: float) -> Publication:
        """What to publish. ``now``: seconds of a clock that never goes back."""
        if not publication.retain:
            return publication
        self._due.pop(publication.topic, None)
        self._unsure.discard(publication.topic)
        if publication.payload:
            return publication
        self._due[publication.topic] = now + KEPT
        return Publication(publication.topic, self._payload)

    def met(self, topic: str, payload: bytes, now: float) -> None:
        """It is shown there: if it is this client's, of an earlier life, it is to be cleared in its time."""
        if payload == self._payload and topic not in self._due:
            self._due[topic] = now + KEPT
            self._unsure.add(topic)

    @property
    def next_due(self) -> float | None:
        """When the first of them is due; None: there is none."""
        return next(iter(self._due.values()), None)

    def due(self, now: float, most: int) -> list[Publication]:
        """What to publish for those that are due by now, so many at most.

        Who wanted something to stand there has shown it by now. Where we are not sure of the tombstone, something older of ours
        may stand, of which a server told us nothing: that has to be a tombstone before it is nothing.
        """
        found = [topic for topic, due in islice(self._due.items(), most) if due <= now]
        return [Publication(topic, self._payload if topic in self._unsure else b"") for topic in found]

    def done(self, publications: Iterable[Publication], now: float) -> None:
        """These were acknowledged; nothing is to be done if something else was published there meanwhile."""
        for publication in publications:
            topic = publication.topic
            if self._due.get(topic, inf) > now:
                continue
            del self._due[topic]
            if publication.payload:
                self._due[topic] = now + KEPT
                self._unsure.discard(topic)
