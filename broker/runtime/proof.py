"""What one connection has brought so far, and what that proves of what is absent.

Pure. A writer's word is of a moment: so many documents stood when it was said. Who has met as many that are not newer than the
word has met all of them, however late they came; so whatever else is not newer than the word is gone. The word is the writer's
presence, if that says alive and complete. Of what the dashboard shows an agent sees its share alone: there the word is that
share, if such a presence was said on the same connection.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from broker.runtime.presence import Order, Writer, writer_of
from schemas.addresses import Address, DashboardPresenceAt
from schemas.codec import Header
from schemas.documents import Presence, Share
from schemas.status import NodeState

Stamp = tuple[int, int]
NOWHERE: Stamp = (0, 0)
"""Before all that was ever published."""


class _Word(Struct, frozen=True):
    """So many documents stood when this was said."""

    stamp: Stamp
    documents: int


class _Spoken(Struct, frozen=True):
    """A presence as it was heard."""

    order: Order
    presence: Presence


class _Told(Struct, frozen=True):
    """A share as it was heard."""

    stamp: Stamp
    share: Share


class Proof:
    """Of one connection alone: nothing that an earlier one brought proves anything any more."""

    def __init__(self, *, shared: bool, believed: bool = True) -> None:
        """``shared``: of what the dashboard shows we see our share alone."""
        self.believed = believed
        """Else what is replayed says nothing, and only what comes live counts."""
        self._shared = shared
        self._replaying = True
        self._presences: dict[Writer, _Spoken] = {}
        self._doubted: dict[Writer, _Spoken] = {}
        self._told: _Told | None = None
        self._standing: dict[Writer, dict[Address, Stamp]] = {}
        """What of each writer's stands, readable or not, its presence aside; and since when."""
        self._unread: set[Writer] = set()
        self._missing: dict[Writer, list[tuple[Stamp, Address]]] = {}

    @property
    def writers(self) -> tuple[Writer, ...]:
        """Of whom something is missing, or who has spoken."""
        return tuple({**self._missing, **self._presences})

    def meet(self, address: Address, stamp: Stamp = NOWHERE) -> None:
        """A document stands there; without a stamp: nobody can read it."""
        writer = writer_of(address)
        if address != writer:
            self._standing.setdefault(writer, {})[address] = stamp
        if stamp == NOWHERE:
            self._unread.add(writer)

    def stands(self, address: Address) -> bool:
        """Whether a document stands there, readable or not."""
        return address in self._standing.get(writer_of(address), ())

    def clear(self, address: Address) -> None:
        """Nothing stands there any more."""
        writer = writer_of(address)
        if address == writer:
            self._presences.pop(writer, None)
            self._doubted.pop(writer, None)
        self._standing.get(writer, {}).pop(address, None)

    def speak(self, writer: Writer, order: Order, presence: Presence) -> None:
        """A writer's presence, the newest that we know."""
        self._presences[writer] = _Spoken(order, presence)
        self._doubted.pop(writer, None)

    def tell(self, header: Header, share: Share) -> None:
        """How much of the dashboard's is for us."""
        if self._told is None or header.order >= self._told.stamp:
            self._told = _Told(header.order, share)

    def doubt(self, writer: Writer) -> None:
        """Its presence counts for nothing, until it is heard of."""
        spoken = self._presences.pop(writer, None)
        if spoken is not None:
            self._doubted[writer] = spoken

    def revive(self, writer: Writer) -> Presence | None:
        """We hear of a writer whose presence was doubted: that presence counts again; None: it was not doubted."""
        spoken = self._doubted.pop(writer, None)
        if spoken is None:
            return None
        self._presences[writer] = spoken
        return spoken.presence

    def end(self, known: Iterable[tuple[Address, Stamp]]) -> None:
        """The replay is complete; of what we knew of others, what it left out is missing."""
        self._replaying = False
        for address, stamp in known:
            writer = writer_of(address)
            if address != writer and not self.stands(address):
                self._missing.setdefault(writer, []).append((stamp, address))

    def proved(self, writer: Writer) -> Stamp | None:
        """The writer's word, if all that it counts is here; None: nothing is proved."""
        word = self._word(writer)
        if self._replaying or word is None:
            return None
        standing = self._standing.get(writer, {})
        if len(standing) < word.documents:  # no need to look at them
            return None
        here = sum(stamp <= word.stamp for stamp in standing.values())
        return word.stamp if here >= word.documents else None

    def may_follow(self, address: Address, stamp: Stamp) -> bool:
        """Whether what was met there may prove more: it is a presence, or can be among those that its writer's word counts."""
        writer = writer_of(address)
        word = self._word(writer)
        return word is not None and (address == writer or stamp <= word.stamp)

    def knows_all(self, writer: Writer) -> bool:
        """Whether everything of a writer's that stands could be read."""
        return writer not in self._unread

    def gone(self, writer: Writer, word: Stamp) -> list[Address]:
        """What is missing and was shown before this proven word: each is given out once, unless it stands by now."""
        missing = self._missing.get(writer, ())
        self._missing[writer] = [(stamp, address) for stamp, address in missing if stamp > word]
        return [address for stamp, address in missing if stamp <= word and not self.stands(address)]

    def _word(self, writer: Writer) -> _Word | None:
        spoken = self._presences.get(writer)
        if spoken is None or spoken.presence.state is not NodeState.ALIVE or not spoken.presence.complete:
            return None
        if not (self._shared and isinstance(writer, DashboardPresenceAt)):
            return _Word(spoken.order.stamp, spoken.presence.documents)
        if self._told is None:
            return None
        stamp, share = self._told.stamp, self._told.share
        if (stamp[0], share.connection) != (spoken.order.epoch, spoken.order.connection):
            return None
        return _Word(stamp, share.documents)
