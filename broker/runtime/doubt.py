"""Whose presence was spoken on this connection, and whose merely stood there: a node that died with the broker stays "alive".

Pure. A node that hears that another has shown all it has, on a new connection, says its own presence again; so whoever lives
speaks within moments after we have come, and who stays silent for long is doubted: as if its will, which no broker was there to
read out, had been. So is who was alive before, where a broker that lost its store shows nothing of it.

A newcomer's first word is not answered: it is said before the newcomer listens, and what answers it might be replayed to it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from broker.runtime.presence import Order, Writer, order_of
from schemas.codec import Header
from schemas.documents import Presence
from schemas.status import NodeState

SILENCE = timedelta(seconds=90)
"""Six keep-alives: longer than a will takes on a frozen connection, and than a node needs to come back to a broker."""


class Doubt:
    """What one connection has shown of who lives."""

    def __init__(self) -> None:
        self._alive: dict[Writer, None] = {}
        """Who was alive when last we heard, on whatever connection."""
        self._silent: dict[Writer, None] = {}
        self._due: datetime | None = None
        self._met: dict[Writer, tuple[int, int]] = {}
        self._newest: dict[Writer, Order] = {}
        """Of each writer's presence: an older one says nothing, for a broker that went back may show it."""

    def begin(self) -> None:
        """A connection begins: who was there has to say so again, also where nothing stands of it any more."""
        self._silent = dict(self._alive)
        self._due = None

    def heard(self, writer: Writer, header: Header, presence: Presence, *, retained: bool) -> bool:
        """A presence arrived; whether it is of who listens on a connection not heard of before, and waits to hear of us."""
        order = order_of(header, presence)
        if order < self._newest.get(writer, order):
            return False
        self._newest[writer] = order
        if presence.state is not NodeState.ALIVE:
            self._alive.pop(writer, None)
            self._silent.pop(writer, None)
        else:
            self._alive[writer] = None
            if retained:
                self._silent[writer] = None
            else:
                self._silent.pop(writer, None)
        if presence.state is not NodeState.ALIVE or not presence.complete:
            return False
        connection = (header.epoch, presence.connection)
        fresh = connection > self._met.get(writer, (0, 0))
        if fresh:
            self._met[writer] = connection
        return fresh and not retained

    def spoke(self, writer: Writer) -> None:
        """It said something else, live: it is there."""
        self._silent.pop(writer, None)

    def cleared(self, writer: Writer) -> None:
        """Its presence was cleared: it is not expected to speak."""
        self._newest.pop(writer, None)
        self._alive.pop(writer, None)
        self._silent.pop(writer, None)

    def shown(self, now: datetime) -> None:
        """All we have to show stands, so everybody has heard of us: from now on silence counts."""
        if self._due is None:
            self._due = now + SILENCE

    def due(self) -> datetime | None:
        """When the silent are doubted; None: there are none."""
        return self._due if self._silent else None

    def doubted(self, now: datetime) -> tuple[Writer, ...]:
        """Who has been silent for too long; each is told once."""
        if self._due is None or now < self._due:
            return ()
        silent, self._silent, self._due = tuple(self._silent), {}, None
        for writer in silent:
            self._alive.pop(writer, None)
        return silent


def as_gone(presence: Presence) -> Presence:
    """What a node's will would have said."""
    return msgspec.structs.replace(presence, state=NodeState.GONE, complete=False, documents=0)
