"""What the other nodes show: the newest snapshot of each address, and what is certainly gone.

Pure. Documents come in as they were read, news goes out; who acts on it, and when, is not known here.

- Newest wins (S5): what is not newer in (epoch, revision) is stale and ignored, across restarts too: ``seen`` is saved.
- What was removed stays removed: a broker that went back in time shows it again, and is not believed until its writer shows
  something newer there (S1, S8). The order of what went last is kept; of all the rest it is enough to know a writer's horizon:
  its newest word that this is all it shows. What a replay brings from before that, and we did not know, was gone by then.
- Absence is not removal: an address that a replay leaves out is gone only when its writer, alive and complete in this session,
  shows something newer than what we knew there. So neither an empty broker nor one that went back in time removes anything.
- An epoch fences the earlier ones: live documents of an older life than the writer's present one are ignored. Replayed ones are
  not: a new life adopts what its predecessor left standing.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from broker.runtime.core import Key
from broker.runtime.doubt import as_gone
from broker.runtime.presence import Order, Writer, order_of, writer_of
from schemas.addresses import Address, AgentPresenceAt, DashboardPresenceAt
from schemas.codec import Header
from schemas.documents import Document, Presence
from schemas.names import NodeName
from schemas.status import NodeState

SEEN = "runtime.seen"
"""Table in which the order of what was heard last is saved, by topic."""


MOST_GONE = 1_000
"""So many removed addresses are remembered one by one, the newest ones."""
_NOWHERE = (0, 0)


class Seen(Struct, frozen=True, array_like=True):
    """What is saved of an address: the order of what was heard last, and whether it was removed since.

    With a presence stands its writer's horizon, and what was read when it was drawn: who reads more does not know it.
    """

    epoch: int
    connection: int
    gone: bool
    revision: int
    removed: bool = False
    horizon: tuple[int, int] = _NOWHERE
    reads: str = ""

    @property
    def order(self) -> Order:
        """What a newer snapshot has to outrank."""
        return Order(self.epoch, self.connection, self.gone, self.revision)


class News(Struct, frozen=True):
    """What an address shows now; None: it is gone, and that is certain."""

    address: Address
    document: Document | None


class Reading(Struct, frozen=True):
    """A document as it arrived. ``retained``: by replay."""

    topic: str
    address: Address
    header: Header
    document: Document
    retained: bool


class _Known(Struct):
    """What is known of an address: the newest order heard, and whether it still has to be told once more after a restart."""

    topic: str
    order: Order
    told: bool
    document: Presence | None = None
    removed: bool = False


class _Session(Struct):
    """What one connection has brought so far: the proof that absence means removal is drawn from it alone."""

    replaying: bool = True
    proved: bool = True
    """Else only what comes live counts."""
    met: set[Address] = msgspec.field(default_factory=set)
    presence: dict[Writer, Presence] = msgspec.field(default_factory=dict)
    newest: dict[Writer, tuple[int, int]] = msgspec.field(default_factory=dict)
    missing: dict[Writer, list[Address]] = msgspec.field(default_factory=dict)
    standing: dict[Writer, set[Address]] = msgspec.field(default_factory=dict)
    """What of each writer's stands, readable or not, its presence aside."""
    unread: set[Writer] = msgspec.field(default_factory=set)
    """Whose documents could not all be read: what they show is not known as a whole."""


class View:
    """The newest that is known of each foreign address."""

    def __init__(self, reads: str = "", agent: NodeName | None = None) -> None:
        """``reads`` stands for all that this reader can know: what it subscribes to, and its version.

        ``agent``: it sees of the dashboard only what is for this agent; None: it sees all that anybody shows.
        """
        self._reads = reads
        self._agent = agent
        self._horizon: dict[Writer, tuple[int, int]] = {}
        self._known: dict[Address, _Known] = {}
        self._gone: dict[Address, None] = {}
        """Those of them that were removed, the oldest removal first."""
        self._session = _Session()
        self._seen: dict[Key, Struct | None] = {}
        self.stale = 0
        """How many documents were ignored for not being newer."""
        self.fenced = 0
        """How many live documents were ignored because their writer's life has ended."""

    def restore(self, rows: Iterable[tuple[str, Address, bytes]]) -> None:
        """Take in what was saved of ``seen``; each of these is told once more when it is heard again, but for what is gone."""
        gone: list[tuple[Order, str, Address]] = []
        for topic, address, body in rows:
            seen = msgspec.json.decode(body, type=Seen)
            self._known[address] = _Known(topic, seen.order, told=seen.removed, removed=seen.removed)
            if seen.horizon != _NOWHERE and seen.reads == self._reads:
                self._horizon[writer_of(address)] = seen.horizon
            if seen.removed:
                gone.append((seen.order, topic, address))
        self._gone = {address: None for *_, address in sorted(gone, key=lambda entry: entry[:2])}

    def seen(self) -> dict[Key, Struct | None]:
        """Which records of what was heard changed since this was last asked; to be saved with what follows from it."""
        changed, self._seen = self._seen, {}
        return changed

    def begin(self) -> None:
        """A connection begins: nothing that an earlier one brought proves anything any more."""
        self._session = _Session()

    def take(self, reading: Reading) -> list[News]:
        """A document arrived."""
        if reading.retained and not self._session.proved:  # of the replay that proves nothing, a second time
            self.stale += 1
            return []
        writer = self._meet(reading.address)
        spoken = isinstance(reading.document, Presence)
        order = order_of(reading.header, reading.document)
        known = self._known.get(reading.address)
        if not reading.retained and self._past(writer, order):
            self.fenced += 1
            return []
        if (known is not None and order < known.order) or self._was_gone(reading, writer, order):
            self.stale += 1
            return self._settled(writer, spoken=spoken)
        self._note(writer, order, reading.document)
        again = known is not None and order == known.order
        back = known is not None and known.removed and not reading.retained  # its removal was heard late, or twice
        if known is not None and again and known.told and not back:
            self.stale += 1
            return self._settled(writer, spoken=spoken)
        self._known[reading.address] = _known_from(reading, order)
        self._gone.pop(reading.address, None)
        if not again or back:
            self._note_seen(reading.address)
        if known is not None and known.told and _alike(known.document, reading.document):
            return self._settled(writer, spoken=spoken)
        return [News(reading.address, reading.document), *self._settled(writer, spoken=spoken)]

    def unreadable(self, address: Address) -> None:
        """Something that cannot be read stands at an address: what was known stays, for it is not absent."""
        self._session.unread.add(self._meet(address))

    def cleared(self, address: Address) -> list[News]:
        """The writer cleared the topic, live."""
        if isinstance(address, DashboardPresenceAt | AgentPresenceAt):
            self._session.presence.pop(address, None)
        self._session.standing.get(writer_of(address), set()).discard(address)
        known = self._known.get(address)
        return [] if known is None or known.removed else self._remove(address, known)

    def end(self, *, proved: bool = True) -> list[News]:
        """The replay is complete: what is gone is said as far as it is proved; the rest waits for its writer.

        Not ``proved``: it may have been an old one, and says nothing of what is gone. Only what comes live from now on counts,
        which is everything, for all who write were asked to show it again.
        """
        session = self._session
        if not proved:
            session = self._session = _Session(proved=False)
        session.replaying = False
        for address, known in self._known.items():
            if address not in session.met and not known.removed:
                session.missing.setdefault(writer_of(address), []).append(address)
        session.met = set()
        return [news for writer in {**session.missing, **session.presence} for news in self._settled(writer)]

    def doubt(self, writer: Writer) -> list[News]:
        """Its presence stands there, and nobody lives who says it: it counts as gone until it is said again."""
        known = self._known.get(writer)
        self._session.presence.pop(writer, None)
        if known is None or known.document is None or known.document.state is NodeState.GONE:
            return []
        known.document = as_gone(known.document)
        return [News(writer, known.document)]

    def _meet(self, address: Address) -> Writer:
        """Something stands there."""
        writer = writer_of(address)
        self._session.met.add(address)
        if address != writer:
            self._session.standing.setdefault(writer, set()).add(address)
        return writer

    def _all_met(self, writer: Writer, presence: Presence) -> bool:
        """The second proof of a complete replay, for brokers whose nonce overtakes it: as much stands as the writer says."""
        stated = presence.documents
        if self._agent is not None and isinstance(writer, DashboardPresenceAt):
            stated = presence.shares.get(self._agent, 0)
        return len(self._session.standing.get(writer, ())) >= stated

    def _past(self, writer: Writer, order: Order) -> bool:
        present = self._known.get(writer)
        return present is not None and order.epoch < present.order.epoch

    def _note(self, writer: Writer, order: Order, document: Document) -> None:
        """What the writer shows in this session, and how new it is."""
        session = self._session
        session.newest[writer] = max(order.stamp, session.newest.get(writer, order.stamp))
        if isinstance(document, Presence):
            session.presence[writer] = document

    def _was_gone(self, reading: Reading, writer: Writer, order: Order) -> bool:
        """Whether a replay brings back what its writer no longer showed when last it said that this was all."""
        known = self._known.get(reading.address)
        unknown = known is None or known.removed
        return (
            reading.retained
            and unknown
            and reading.address != writer
            and order.stamp <= self._horizon.get(writer, _NOWHERE)
        )

    def _settled(self, writer: Writer, *, spoken: bool = False) -> list[News]:
        """If the writer says, in this session, that this is all it shows: what is thereby proved to be gone.

        ``spoken``: it says so now. What came live since it spoke it has not counted, so where only that counts, it has to speak.
        """
        session = self._session
        presence = session.presence.get(writer)
        if not session.proved and not spoken:
            return []
        if session.replaying or presence is None or presence.state is not NodeState.ALIVE or not presence.complete:
            return []
        if not self._all_met(writer, presence):
            return []
        stamp = self._known[writer].order.stamp
        if writer not in session.unread and stamp > self._horizon.get(writer, _NOWHERE):
            self._horizon[writer] = stamp
            self._note_seen(writer)
        return self._removals(writer)

    def _removals(self, writer: Writer) -> list[News]:
        """What the writer no longer shows."""
        session = self._session
        missing = session.missing.get(writer)
        if not missing:
            return []
        newest = session.newest[writer]
        gone: list[News] = []
        waiting: list[Address] = []
        for address in missing:
            known = self._known.get(address)
            if known is None or known.removed or address in session.met:
                continue
            if known.order.stamp < newest and address != writer:
                gone += self._remove(address, known)
            else:
                waiting.append(address)
        session.missing[writer] = waiting
        return gone

    def _remove(self, address: Address, known: _Known) -> list[News]:
        """It is gone; what stood there is remembered, so that it is not believed when it comes back."""
        known.removed, known.told, known.document = True, True, None
        self._gone[address] = None
        self._note_seen(address)
        if len(self._gone) > MOST_GONE:
            oldest = next(iter(self._gone))
            del self._gone[oldest]
            self._seen[Key(SEEN, self._known.pop(oldest).topic)] = None
        return [News(address, None)]

    def _note_seen(self, address: Address) -> None:
        """Have what is known of an address saved."""
        known, horizon = self._known[address], _NOWHERE
        if isinstance(address, DashboardPresenceAt | AgentPresenceAt):
            horizon = self._horizon.get(address, _NOWHERE)
        order, reads = known.order, self._reads if horizon != _NOWHERE else ""
        seen = Seen(order.epoch, order.connection, order.gone, order.revision, known.removed, horizon, reads)
        self._seen[Key(SEEN, known.topic)] = seen


def _known_from(reading: Reading, order: Order) -> _Known:
    presence = reading.document if isinstance(reading.document, Presence) else None
    return _Known(reading.topic, order, told=True, document=presence)


def _alike(before: Presence | None, after: Document) -> bool:
    """Whether a presence only counts its documents anew: nothing that a core would act on."""
    if before is None or not isinstance(after, Presence):
        return False
    return _uncounted(before) == _uncounted(after)


def _uncounted(presence: Presence) -> Presence:
    return msgspec.structs.replace(presence, documents=0, shares={})
