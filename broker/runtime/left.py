"""What the lives before left of a node's own documents, as a replay brings it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

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


def readable(own: Mapping[str, bytes], wire: Wire, aside: Aside) -> dict[Address, Document]:
    """The documents as they stood; what cannot be read will be cleared."""
    found: dict[Address, Document] = {}
    for topic, payload in own.items():
        address = wire.address_of(topic)
        if address is None:
            continue
        try:
            found[address] = wire.read(address, payload)[1]
        except SchemaError as error:
            aside.add(topic, str(error))
            aside.settle(topic)
    return found
