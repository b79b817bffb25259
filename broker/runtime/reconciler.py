"""What the broker retains of this node, against what it ought to: the one maker of retained publications.

Pure: it hands out what to publish, in order, and is told of losses and replays. Who publishes, and how fast, is not known here.

Skipping a topic whose body already stands there is safe only while the broker has not gone back in time: a reader that knows a
newer snapshot ignores an older one, however right its body is. So a topic is left alone only if the very revision that was
published there last is what the broker retains. Of an earlier life that is known as a whole: publications arrive in order,
so if the broker retains the highest revision that life ever published, it has forgotten nothing before it either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from hashlib import blake2b

from msgspec import Struct

from broker.bus import Publication
from broker.runtime.shares import Shares
from schemas.addresses import Address
from schemas.codec import SchemaError, body_of, decode_header, encode_body, stamp
from schemas.documents import Document

_FOREIGN = b""
"""Stands for a body that is not what this node published last: equal to none."""

Stamp = tuple[int, int]


class Mark(Struct, frozen=True, array_like=True):
    """The newest (epoch, revision) of a document that this node may have published; saved before it is.

    ``whole``: nothing that the broker forgot waits to be published again.
    """

    epoch: int
    revision: int
    whole: bool = True


class Reconciler:
    """One life's publications. ``shown`` is unknown until a replay said what the broker retains, and again after each loss."""

    def __init__(self, topic_of: Callable[[Address], str], epoch: int, shares: Shares | None = None) -> None:
        """``shares``: told of each document that comes to stand or goes."""
        self._topic_of = topic_of
        self._shares = shares or Shares(lambda _topic: None)
        self.moved = 0
        """How often a document came to stand where none did, or went."""
        self._epoch = epoch
        self._revision = 0
        self._last: dict[str, Stamp] = {}
        self._shown: dict[str, bytes] | None = None
        self._unconfirmed: set[str] = set()
        """Topics on which something stood at the last replay, and of which nothing has been said since."""
        self._open: dict[str, bytes] = {}
        """What was published last where nobody has acknowledged it."""
        self._proved = True
        """Whether the last replay brought all that stands."""
        self.mark: Mark | None = None
        self._whole = True
        """See Mark."""

    @property
    def known(self) -> bool:
        """Whether it is known what the broker retains."""
        return self._shown is not None

    @property
    def topics(self) -> Iterable[str]:
        """Where documents stand on the broker."""
        return self._shown or ()

    @property
    def count(self) -> int:
        """How many documents stand on the broker."""
        return len(self._shown or ())

    def adopt(self, own: Mapping[str, bytes], mark: Mark | None, *, unheard: bool = False) -> None:
        """Once, before the first replay is taken in: leave standing what an earlier life published, if nothing of it was lost.

        That is proved by the newest document alone, whose ``mark`` the lives before have saved: it was published last. A presence
        that was seen before may be of a broker that has gone back since; and what is newer than the mark was shown by lives of
        which these records, being a copy's, know nothing. Nor is left what may be ``unheard``: somebody may have asked the
        life before to show all again.
        """
        self.mark = mark
        stamps = {topic: found for topic, payload in own.items() if (found := stamp_of(payload)) is not None}
        newest = max(stamps.values(), default=(0, 0))
        adopts = mark is not None and mark.whole and newest == (mark.epoch, mark.revision)
        self._whole = adopts or not own
        if adopts and not unheard:
            self._last = stamps

    def published_since(self, own: Mapping[str, bytes]) -> frozenset[str]:
        """The topics on which stands what is newer than the mark: this node's records are those of a copy."""
        last = (self.mark.epoch, self.mark.revision) if self.mark is not None else None
        return frozenset(topic for topic, it in own.items() if last is not None and (stamp_of(it) or last) > last)

    def replayed(self, own: Mapping[str, bytes], *, proved: bool = True) -> None:
        """Take in what the broker retains of this node's documents.

        What was not acknowledged is published again, whatever stands: it may be retained, and its readers may not have heard it.
        Not ``proved``: more may stand, so what this life published last counts as standing, and what is not wanted any more is
        cleared whether it was shown to us or not.
        """
        self._proved = proved
        self._whole &= self._last.keys() - self._open.keys() <= own.keys()
        self._shown = {topic: self._standing(topic, payload) for topic, payload in own.items()}
        self._shown |= dict.fromkeys(self._open, _FOREIGN)
        if not proved:
            self._shown |= {topic: _FOREIGN for topic in self._last if topic not in self._shown}
        self._unconfirmed = set(self._shown)

    def show_again(self) -> None:
        """Somebody has not seen what the broker retains: all of it is to be published once more."""
        if self._shown is not None:
            self._shown = dict.fromkeys(self._shown, _FOREIGN)

    def acknowledged(self, publications: Iterable[Publication]) -> None:
        """These have reached the broker, and so their readers."""
        for publication in publications:
            if self._open.get(publication.topic) == publication.payload:
                del self._open[publication.topic]

    def lost(self) -> None:
        """The connection is gone: what the broker retains is unknown until the next replay."""
        self._shown = None
        self._unconfirmed = set()

    def show(self, wanted: Mapping[Address, Document | None], at: datetime) -> list[Publication]:
        """What to publish so that these addresses show what they ought to; nothing while ``shown`` is unknown."""
        shown = self._shown
        if shown is None:
            return []
        made = (self._difference(shown, self._topic_of(address), document, at) for address, document in wanted.items())
        return [publication for publication in made if publication is not None]

    def clear_rest(self) -> list[Publication]:
        """All that ought to be shown has been, since the last replay: what else of this node's stands is to go (L2)."""
        shown = self._shown
        if shown is None:
            return []
        self._whole = True
        if self.mark is not None:
            self.mark = Mark(self.mark.epoch, self.mark.revision)
        orphans = [topic for topic in shown if topic in self._unconfirmed]
        return [self._clear(shown, topic) for topic in orphans]

    def stamped(self, address: Address, document: Document, at: datetime) -> Publication:
        """A presence or a share: published whenever its node says so, and never compared."""
        return Publication(self._topic_of(address), self._stamp(encode_body(document), at))

    def _standing(self, topic: str, payload: bytes) -> bytes:
        found = stamp_of(payload)
        if found is None:
            return _FOREIGN
        if found[0] == self._epoch:  # whoever wrote it: what we write next is newer
            self._revision = max(self._revision, found[1])
        body, last = body_of(payload), self._last.get(topic)
        self._whole &= last in {None, found} or topic in self._open
        return _FOREIGN if body is None or last != found else _digest(body)

    def _difference(
        self, shown: dict[str, bytes], topic: str, document: Document | None, at: datetime
    ) -> Publication | None:
        if document is None:
            return self._clear(shown, topic) if topic in shown or not self._proved else None
        self._unconfirmed.discard(topic)
        body = encode_body(document)
        digest = _digest(body)
        if shown.get(topic) == digest:
            return None
        payload = self._stamp(body, at)
        if topic not in shown:
            self.moved += 1
            self._shares.came(topic)
        shown[topic] = digest
        self.mark = Mark(self._epoch, self._revision, self._whole)
        self._last[topic] = (self._epoch, self._revision)
        self._open[topic] = payload
        return Publication(topic, payload)

    def _clear(self, shown: dict[str, bytes], topic: str) -> Publication:
        if shown.pop(topic, None) is not None:
            self.moved += 1
            self._shares.went(topic)
        self._unconfirmed.discard(topic)
        self._last.pop(topic, None)
        self._open[topic] = b""
        return Publication(topic, b"")

    def _stamp(self, body: bytes, at: datetime) -> bytes:
        self._revision += 1
        return stamp(body, epoch=self._epoch, revision=self._revision, at=at)


def _digest(body: bytes) -> bytes:
    """Stands for a body: a node may show a hundred thousand of them."""
    return blake2b(body, digest_size=16).digest()


def stamp_of(payload: bytes) -> Stamp | None:
    """When it was published, in (epoch, revision); None: it does not say."""
    try:
        return decode_header(payload).order
    except SchemaError:
        return None
