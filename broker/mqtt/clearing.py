"""One connection's clears: tombstones are left instead, and taken away in their time.

What tombstones are for is said next door (``tombstones``); here they meet the clock and the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from broker.bus import Acknowledged, Publication
from broker.errors import BusError
from broker.mqtt.tombstones import Tombstones

_BREATH = 0.1
"""Seconds at least between two times at which tombstones are taken away."""

Send = Callable[[Iterable[Publication], Acknowledged], None]
"""Publishes at once, and waits for nothing."""


class Clearing:
    """Of one connection, from its beginning to ``end``."""

    def __init__(self, stones: Tombstones | None, room: Callable[[], int], send: Send) -> None:
        """``stones``: None clears at once. ``room``: how many more publishes may be under way now."""
        self._stones = stones
        self._room = room
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        """Set while there are tombstones, unless some are being taken away."""
        if stones is not None:
            stones.begin()
            self._clear_later(stones)

    def instead(self, publication: Publication) -> Publication:
        """What to publish: a tombstone for a clear, if there are any."""
        if self._stones is None:
            return publication
        instead = self._stones.instead(publication, self._loop.time())
        self._clear_later(self._stones)
        return instead

    def met(self, topic: str, payload: bytes) -> None:
        """A tombstone is replayed; if it was us who left it, in an earlier life perhaps, it is to go in its time."""
        if self._stones is not None:
            self._stones.met(topic, payload, self._loop.time())
            self._clear_later(self._stones)

    def end(self) -> None:
        """The connection is gone."""
        if self._timer is not None:
            self._timer.cancel()

    def _clear_later(self, stones: Tombstones) -> None:
        """Wake up when the next one is due."""
        if stones.next_due is not None and self._timer is None:
            due = max(stones.next_due, self._loop.time() + _BREATH)
            self._timer = self._loop.call_at(due, self._clear_due, stones)

    def _clear_due(self, stones: Tombstones) -> None:
        """Take away what has stood long enough, as much of it as there is room for now."""
        due = stones.due(self._loop.time(), max(0, self._room()))

        def cleared(error: BusError | None) -> None:
            self._timer = None
            if error is None:
                stones.done(due, self._loop.time())
                self._clear_later(stones)

        self._send(due, cleared)
