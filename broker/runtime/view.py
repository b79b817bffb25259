"""What the other nodes show: the newest snapshot of each address, and what is certainly gone.

Pure. Documents come in as they were read, news goes out; who acts on it, and when, is not known here.

- Newest wins (S5): what is not newer in (epoch, revision) is stale and ignored, across restarts too: ``seen`` is saved.
- What was removed stays removed: a broker that went back in time shows it again, and is not believed until its writer shows
  something newer there (S1, S8). The order of what went last is kept; of all the rest it is enough to know a writer's horizon:
  its newest word that this is all it shows. What a replay brings from before that, and we did not know, was gone by then.
  Where an address was removed, all that its writer had said by then, there or elsewhere, was gone as well: we may have missed
  what stood there last.
- Absence is not removal: an address that a replay leaves out is gone only when its writer, alive and complete in this session,
  said after what we knew there how much stands, and as much is here (``proof``). So neither an empty broker nor one that went
  back in time removes anything.
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
from broker.runtime.proof import NOWHERE, Proof, Stamp
from schemas.addresses import Address, AgentPresenceAt, DashboardPresenceAt, ShareAt
from schemas.codec import Header
from schemas.documents import Document, Presence, Share
from schemas.status import NodeState

SEEN = "runtime.seen"
"""Table in which the order of what was heard last is saved, by topic."""


MOST_GONE = 1_000
"""So many removed addresses are remembered one by one, the newest ones."""


class Seen(Struct, frozen=True, array_like=True):
    """What is saved of an address: the order of what was heard last, and whether it was removed since.

    ``horizon``: with a presence its writer's, and what was read when it was drawn, for who reads more does not know it; with what
    was removed, how far its writer had come by then.
    """

    epoch: int
    connection: int
    gone: bool
    revision: int
    removed: bool = False
    horizon: tuple[int, int] = NOWHERE
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
    until: Stamp = NOWHERE
    """How far its writer had come when it was removed."""


class View:
    """The newest that is known of each foreign address."""

    def __init__(self, reads: str = "", *, shared: bool = False) -> None:
        """``reads`` stands for all that this reader can know: what it subscribes to, and its version.

        ``shared``: of what the dashboard shows it sees its share alone.
        """
        self._reads = reads
        self._shared = shared
        self._horizon: dict[Writer, Stamp] = {}
        self._reached: dict[Writer, Stamp] = {}
        """The newest of each writer that was ever heard, wherever it stood."""
        self._known: dict[Address, _Known] = {}
        self._gone: dict[Address, None] = {}
        """Those of them that were removed, the oldest removal first."""
        self._proof = Proof(shared=shared)
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
            writer = writer_of(address)
            until = seen.horizon if seen.removed and address != writer else NOWHERE
            self._known[address] = _Known(topic, seen.order, told=seen.removed, removed=seen.removed, until=until)
            self._reach(writer, max(seen.order.stamp, seen.horizon))
            if address == writer and seen.horizon != NOWHERE and seen.reads == self._reads:
                self._horizon[writer] = seen.horizon
            if seen.removed:
                gone.append((seen.order, topic, address))
        self._gone = {address: None for *_, address in sorted(gone, key=lambda entry: entry[:2])}

    def seen(self) -> dict[Key, Struct | None]:
        """Which records of what was heard changed since this was last asked; to be saved with what follows from it."""
        changed, self._seen = self._seen, {}
        return changed

    def begin(self) -> None:
        """A connection begins: nothing that an earlier one brought proves anything any more."""
        self._proof = Proof(shared=self._shared)

    def take(self, reading: Reading) -> list[News]:
        """A document arrived."""
        if reading.retained and not self._proof.believed:  # of the replay that proves nothing, a second time
            self.stale += 1
            return []
        self._reach(writer_of(reading.address), reading.header.order)
        if isinstance(reading.document, Share):
            return self._told(reading, reading.document)
        order = order_of(reading.header, reading.document)
        self._proof.meet(reading.address, order.stamp)
        writer = writer_of(reading.address)
        news = self._news(reading, writer, order)
        return [*news, *self._settled(writer)] if self._proof.may_follow(reading.address, order.stamp) else news

    def unreadable(self, address: Address) -> None:
        """Something that cannot be read stands at an address: what was known stays, for it is not absent."""
        if not isinstance(address, ShareAt):  # it counts, and is not counted
            self._proof.meet(address)

    def cleared(self, address: Address) -> list[News]:
        """The writer cleared the topic, live: after all that we have heard of it."""
        self._proof.clear(address)
        known = self._known.get(address)
        return [] if known is None else self._remove(address, known, self._reached[writer_of(address)])

    def end(self, *, proved: bool = True) -> list[News]:
        """The replay is complete: what is gone is said as far as it is proved; the rest waits for its writer.

        Not ``proved``: it may have been an old one, and says nothing of what is gone. Only what comes live from now on counts,
        which is everything, for all who write were asked to show it again.
        """
        if not proved:
            self._proof = Proof(shared=self._shared, believed=False)
        self._proof.end((address, known.order.stamp) for address, known in self._known.items() if not known.removed)
        return [news for writer in self._proof.writers for news in self._settled(writer)]

    def doubt(self, writer: Writer) -> list[News]:
        """Its presence stands there, and nobody lives who says it: it counts as gone until it is heard of."""
        known = self._known.get(writer)
        self._proof.doubt(writer)
        if known is None or known.document is None or known.document.state is NodeState.GONE:
            return []
        known.document = as_gone(known.document)
        return [News(writer, known.document)]

    def _told(self, reading: Reading, share: Share) -> list[News]:
        """How much of the dashboard's is for us: it may prove something; and who says so now, lives."""
        writer = writer_of(reading.address)
        self._proof.tell(reading.header, share)
        presence = None if reading.retained else self._proof.revive(writer)
        known = self._known.get(writer)
        if presence is None or known is None:
            return self._settled(writer)
        known.document = presence
        return [News(writer, presence), *self._settled(writer)]

    def _news(self, reading: Reading, writer: Writer, order: Order) -> list[News]:
        """The document itself, if it is newer than what was known, or has not been told."""
        known = self._known.get(reading.address)
        if not reading.retained and self._past(writer, order):
            self.fenced += 1
            return []
        if (known is not None and order < known.order) or self._was_gone(reading, writer, order):
            self.stale += 1
            return []
        if isinstance(reading.document, Presence):
            self._proof.speak(writer, order, reading.document)
        again = known is not None and order == known.order
        back = known is not None and known.removed and not reading.retained  # its removal was heard late, or twice
        if known is not None and again and known.told and not back:
            self.stale += 1
            return []
        self._known[reading.address] = _known_from(reading, order)
        self._gone.pop(reading.address, None)
        if not again or back:
            self._note_seen(reading.address)
        if known is not None and known.told and _alike(known.document, reading.document):
            return []
        return [News(reading.address, reading.document)]

    def _past(self, writer: Writer, order: Order) -> bool:
        present = self._known.get(writer)
        return present is not None and order.epoch < present.order.epoch

    def _was_gone(self, reading: Reading, writer: Writer, order: Order) -> bool:
        """Whether a replay brings back what its writer had cleared, or no longer showed when last it said that this was all."""
        known = self._known.get(reading.address)
        if not reading.retained or reading.address == writer or (known is not None and not known.removed):
            return False
        until = known.until if known is not None else NOWHERE
        return order.stamp <= max(until, self._horizon.get(writer, NOWHERE))

    def _settled(self, writer: Writer) -> list[News]:
        """If the writer's word is proved in this session: what is thereby gone."""
        word = self._proof.proved(writer)
        if word is None:
            return []
        if self._proof.knows_all(writer) and word > self._horizon.get(writer, NOWHERE):
            self._horizon[writer] = word
            self._note_seen(writer)
        gone = [(address, self._known.get(address)) for address in self._proof.gone(writer, word)]
        removed = [(address, known) for address, known in gone if known is not None and not known.removed]
        return [news for address, known in removed for news in self._remove(address, known, word)]

    def _reach(self, writer: Writer, stamp: Stamp) -> None:
        """Its writer has come as far as this."""
        self._reached[writer] = max(stamp, self._reached.get(writer, NOWHERE))

    def _remove(self, address: Address, known: _Known, until: Stamp) -> list[News]:
        """It is gone; until when is remembered, so that nothing from before is believed when it comes back."""
        again, known.until = known.removed, max(until, known.until)
        known.removed, known.told, known.document = True, True, None
        self._gone[address] = None
        self._note_seen(address)
        if len(self._gone) > MOST_GONE:
            oldest = next(iter(self._gone))
            del self._gone[oldest]
            self._seen[Key(SEEN, self._known.pop(oldest).topic)] = None
        return [] if again else [News(address, None)]

    def _note_seen(self, address: Address) -> None:
        """Have what is known of an address saved."""
        known = self._known[address]
        order, horizon, reads = known.order, known.until, ""
        if isinstance(address, DashboardPresenceAt | AgentPresenceAt):
            horizon = self._horizon.get(address, NOWHERE)
            reads = self._reads if horizon != NOWHERE else ""
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
    return msgspec.structs.replace(presence, documents=0)
