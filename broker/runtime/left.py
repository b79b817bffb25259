"""What the lives before left of a node's own documents, as a replay brings it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property

from broker.runtime.aside import Aside
from broker.runtime.errors import EpochTakenError, FencedError
from broker.runtime.reconciler import stamp_of
from broker.runtime.wire import Wire
from schemas.addresses import Address
from schemas.codec import SchemaError
from schemas.documents import Document


def outrank(epoch: int, own: Mapping[str, bytes], *, started: bool) -> None:
    """See that a life outranks all that stands. Raises EpochTakenError, or FencedError once it has ``started``."""
    newest = max((found[0] for payload in own.values() if (found := stamp_of(payload)) is not None), default=0)
    if not started and newest >= epoch:
        raise EpochTakenError(newest + 1)
    if newest > epoch:
        raise FencedError(f"documents of a newer life of this node (epoch {newest}) stand on the broker")


class Left(Mapping[Address, Document]):
    """The documents as they stood, read when somebody asks for them: a dashboard that has its records does not.

    What cannot be read will be cleared.
    """

    def __init__(self, own: Mapping[str, bytes], wire: Wire, aside: Aside) -> None:
        self._own = own
        self._wire = wire
        self._aside = aside

    def __getitem__(self, address: Address) -> Document:
        return self._documents[address]

    def __iter__(self) -> Iterator[Address]:
        return iter(self._documents)

    def __len__(self) -> int:
        return len(self._documents)

    def of(self, topics: Collection[str]) -> Left:
        """Those of them that stood on these topics."""
        return Left({topic: self._own[topic] for topic in topics}, self._wire, self._aside)

    @cached_property
    def _documents(self) -> dict[Address, Document]:
        found: dict[Address, Document] = {}
        for topic, payload in self._own.items():
            address = self._wire.address_of(topic)
            if address is None:
                continue
            try:
                found[address] = self._wire.read(address, payload)[1]
            except SchemaError as error:
                self._aside.add(topic, str(error))
                self._aside.settle(topic)
        return found
