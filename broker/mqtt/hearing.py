"""What one connection was told, against what its server lists: whether anything was kept from it.

Pure. A subscription may go silent without a word while its connection lives on: of several NATS servers, one that let nobody in
for a while carries out later what was asked of it by who has long gone to another server, and takes away his subscriptions
there. So a connection looks at the list again and again. What is listed may lag behind what was told; but what was never told,
and is not by the next look, was kept back. So is a clear after which an older document came: it is passed on once more, or late.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from broker.filters import matches

Digest = int | None
"""Stands for a payload; None: nothing stands there."""


class Hearing:
    """One connection's memory of it."""

    def __init__(self) -> None:
        self.filters: dict[str, None] = {}
        """What it is subscribed to."""
        self._told: dict[str, list[Digest]] = {}
        """By topic, from what the last look brought to what was told last; where it is missing, nothing stands."""
        self._listed: dict[str, Digest] | None = None
        """What a look has brought so far; None: nobody looks."""
        self._live: set[str] = set()
        """Topics on which something came since the last look."""
        self._cleared: set[str] = set()
        """Topics of which a clear was told, as long as more comes there."""
        self._suspects: set[str] = set()
        """Those on which it brought what had not been told."""

    @property
    def size(self) -> int:
        """How many topics it knows."""
        return len(self._told)

    def follow(self, filters: Sequence[str]) -> None:
        """These are subscribed to, and their replay was told."""
        self.filters |= dict.fromkeys(filters)

    def leave(self, filters: Sequence[str]) -> None:
        """These are subscribed to no more."""
        for pattern in filters:
            self.filters.pop(pattern, None)
        left = {topic for topic in self._told if _fits(topic, filters) and not _fits(topic, self.filters)}
        self._told = {topic: told for topic, told in self._told.items() if topic not in left}
        self._cleared -= left

    def hear(self, topic: str, payload: bytes, *, retained: bool) -> bool:
        """Take in what came; whether it is to be handed on: what a look brings is not."""
        digest = hash(payload) if payload else None
        if retained and self._listed is not None:
            self._listed[topic] = digest
            return False
        if not retained:
            self._live.add(topic)
        if digest is None:
            self._cleared.add(topic)
        told = self._told.setdefault(topic, [digest if retained else None])
        if told[-1] != digest:
            told.append(digest)
        return True

    def begin(self) -> None:
        """A look begins."""
        self._listed = {}

    def give_up(self) -> None:
        """It does not count: what comes now was asked for by somebody else as well."""
        self._listed = None

    def end(self) -> set[str]:
        """The look is over; the topics on which something was kept back since the one before."""
        listed, self._listed = self._listed, None
        if listed is None:
            return set()
        suspects = {topic for topic in listed.keys() | self._told.keys() if not self._is_told(topic, listed.get(topic))}
        kept = (suspects & self._suspects) - self._live
        self._suspects, self._live = suspects, set()
        return kept

    def _is_told(self, topic: str, digest: Digest) -> bool:
        """Whether it was; what was told before it is forgotten then."""
        told = self._told.get(topic, [None])
        late = digest is None and told[-1] is not None and topic in self._cleared
        if digest not in told or late:
            return False
        del told[: told.index(digest)]
        if topic not in self._live:
            self._cleared.discard(topic)
            if digest is None:  # it is gone; or, if something was told, it is not retained
                self._told.pop(topic, None)
        return True


def _fits(topic: str, filters: Iterable[str]) -> bool:
    return any(matches(pattern, topic) for pattern in filters)
