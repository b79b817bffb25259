"""What a node has saved, taken apart: the core's records, and those of the runtime round it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from broker.runtime.core import Key
from broker.runtime.reconciler import Mark
from broker.runtime.selfwatch import Journal
from broker.runtime.view import SEEN
from broker.runtime.wire import Wire
from schemas.addresses import Address

MARK = Key("runtime", "mark")
"""Where the newest revision that may have been published is saved."""
JOURNAL = Key("runtime", "journal")
"""Where it is saved how far back this node remembers."""


class Saved(Struct):
    """All rows, by whose they are."""

    mark: Mark | None = None
    journal: Journal | None = None
    seen: list[tuple[str, Address, bytes]] = field(default_factory=list)
    core: list[tuple[Key, bytes]] = field(default_factory=list)


def of_a_copy(mark: bytes) -> bytes:
    """The mark of a copy, as it is put back: the next life leaves nothing standing, and publishes everything again.

    A broker that has gone back to the moment of the copy retains just what the mark tells of; only readers know of what was
    published since, and they ignore what is older.
    """
    return msgspec.json.encode(replace(msgspec.json.decode(mark, type=Mark), whole=False))


def take_apart(rows: Iterable[tuple[Key, bytes]], wire: Wire) -> Saved:
    """Read what is the runtime's; the rest is the core's."""
    saved = Saved()
    for key, body in rows:
        if key.table == SEEN:
            address = wire.address_of(key.key)
            if address is not None:
                saved.seen.append((key.key, address, body))
        elif key == MARK:
            saved.mark = msgspec.json.decode(body, type=Mark)
        elif key == JOURNAL:
            saved.journal = msgspec.json.decode(body, type=Journal)
        else:
            saved.core.append((key, body))
    return saved
