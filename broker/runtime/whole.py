"""All that a node has to show after it has connected: a part in each turn, beside what changes meanwhile.

Pure. A hundred thousand documents take longer than anybody who reports an end should have to wait for what follows from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from schemas.addresses import Address
from schemas.documents import Document

PART = 1_000
"""Documents looked at in one turn: made, compared, published and acknowledged in a quarter of a second on a busy machine."""


class Whole:
    """One time through all documents."""

    def __init__(self, documents: Iterator[tuple[Address, Document]], size: int = PART) -> None:
        """``size``: how many documents are a part."""
        self._rest = documents
        self._size = size
        self._newer: set[Address] = set()
        self.over = False
        """Whether the last of them has been taken."""

    def part(self) -> dict[Address, Document]:
        """The next ones, but for those that were shown by themselves since this began: they may be older here."""
        taken = list(islice(self._rest, self._size))
        self.over = len(taken) < self._size
        return {address: document for address, document in taken if address not in self._newer}

    def changed(self, addresses: Iterable[Address]) -> None:
        """These are shown, or cleared, as they are now."""
        self._newer.update(addresses)
