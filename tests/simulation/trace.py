"""What happened, as data: the only thing the checkers see, and what two runs of one seed are compared by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct

from broker.runtime.core import AuditRow
from schemas.addresses import Address
from schemas.documents import Document
from schemas.names import RunId
from schemas.requests import Answer, Asked


class Record(Struct, frozen=True, kw_only=True, tag=True):
    """Common shape: when it happened, in seconds of true time."""

    at: float


class Started(Record, frozen=True, kw_only=True):
    """A node's life began."""

    node: str


class Crashed(Record, frozen=True, kw_only=True):
    """A node's life ended without a word; ``during`` is what it was about."""

    node: str
    during: str


class Stepped(Record, frozen=True, kw_only=True):
    """An event reached a core. ``now`` is the node's time; address and document are those of what was heard."""

    node: str
    event: str
    now: datetime
    address: Address | None = None
    document: Document | None = None


class Row(Struct, frozen=True):
    """A saved record; ``body`` None: it went."""

    table: str
    key: str
    body: bytes | None


class Saved(Record, frozen=True, kw_only=True):
    """A turn became durable."""

    node: str
    rows: tuple[Row, ...]
    audit: tuple[AuditRow, ...]


class Shown(Record, frozen=True, kw_only=True):
    """A node begins to publish what it shows; payloads are empty where it clears. ``whole``: all addresses it shows now."""

    node: str
    publications: tuple[tuple[str, bytes], ...]
    whole: tuple[Address, ...] | None = None


class Lodged(Record, frozen=True, kw_only=True):
    """A node's will, or its first or last word on a connection: a presence that is no part of a turn."""

    node: str
    topic: str
    payload: bytes


class Accepted(Record, frozen=True, kw_only=True):
    """The broker took a publication from a client of ``node``. ``alone``: it was stored, and passed on to nobody."""

    node: str
    topic: str
    payload: bytes
    retain: bool
    alone: bool = False


class Cleared(Record, frozen=True, kw_only=True):
    """Somebody who is no node has cleared a topic."""

    topic: str


class Restored(Record, frozen=True, kw_only=True):
    """The broker has started, with what it found on its disk."""

    retained: dict[str, bytes]


class Replayed(Record, frozen=True, kw_only=True):
    """One of several servers has sent a node what it retains, or what it takes for that."""

    node: str
    since: float
    """When it began to send the node what is new."""
    lacks: tuple[str, ...]
    """Where something newer stood that it did not replay."""


class ServerDied(Record, frozen=True, kw_only=True):
    """One of several servers has died, and the connections of these nodes with it."""

    nodes: tuple[str, ...]


class ServerBack(Record, frozen=True, kw_only=True):
    """It is back, and all servers' lists hear of what is new."""

    shown: dict[str, tuple[str, ...]]
    """By server, the topics of the documents that it replays."""


class Performed(Record, frozen=True, kw_only=True):
    """A node carries out an effect."""

    node: str
    effect: str


class CommandBegan(Record, frozen=True, kw_only=True):
    """A process on a host claimed a run and became its command."""

    host: str
    run: RunId
    pid: int
    late: bool = False
    """Whether its wrapper took longer to claim the run than an agent counts on."""


class CommandEnded(Record, frozen=True, kw_only=True):
    """It is gone; ``code`` None: it left none behind."""

    host: str
    run: RunId
    pid: int
    code: int | None


class Copied(Record, frozen=True, kw_only=True):
    """A copy was made of what a node had saved; it takes the place of the one before."""

    node: str


class PutBack(Record, frozen=True, kw_only=True):
    """A node's records are those of the copy again."""

    node: str


class FolderLost(Record, frozen=True, kw_only=True):
    """What a host knew of its runs is gone: all of it, or what one run had left (``run``)."""

    host: str
    run: RunId | None = None


class Found(Record, frozen=True, kw_only=True):
    """A life without any records begins with what the broker retains of its node: all that is left of it."""

    node: str
    documents: tuple[tuple[Address, Document], ...]


class Fault(Record, frozen=True, kw_only=True):
    """Something was taken away, or put between."""

    kind: str
    victim: str = ""


class Healed(Record, frozen=True, kw_only=True):
    """From here on nothing fails any more, and nobody asks for anything."""


class PersonAsked(Record, frozen=True, kw_only=True):
    """A person's tool publishes a request, for the first time or again."""

    user: str
    request: str
    asked: Asked
    agent: str = ""
    """Who is asked; empty: the dashboard."""


class PersonAnswered(Record, frozen=True, kw_only=True):
    """An answer reached the tool."""

    user: str
    request: str
    answer: Answer


class Standing(Record, frozen=True, kw_only=True):
    """How everything stands at a moment: what the broker retains, what each node would show, which processes live."""

    retained: dict[str, bytes]
    wanted: dict[str, dict[str, bytes]]
    """By node and topic, without headers; presences are left out."""
    newcomers: dict[str, dict[str, bytes]]
    """What is shown to who comes now, by the server it comes to."""
    processes: dict[str, tuple[RunId, ...]]
    """By host."""
    clocks: dict[str, datetime]
    """What each node takes for the time."""
    last: bool
    """Whether the run is over."""


class PromiseBrokenError(AssertionError):
    """A promise is broken; ``promise`` is its name."""

    def __init__(self, promise: str, text: str) -> None:
        super().__init__(f"{promise}: {text}")
        self.promise = promise


Listener = Callable[[Any], None]
"""Hears records of the type it is registered for."""
_encoder = msgspec.msgpack.Encoder()


class Trace:
    """All records in order; listeners hear each at once."""

    def __init__(self) -> None:
        self._digest = blake2b(digest_size=16)
        self._listeners: dict[type[Record], list[Listener]] = {}
        self._everything: list[Listener] = []
        self.count = 0
        self.accepted = 0
        """Publications the broker has taken."""

    def listen(self, wanted: Mapping[type[Record], Listener]) -> None:
        """Have records of some types heard."""
        for kind, listener in wanted.items():
            self._listeners.setdefault(kind, []).append(listener)

    def listen_to_all(self, listener: Listener) -> None:
        """Have every record heard."""
        self._everything.append(listener)

    def add(self, record: Record) -> None:
        """Something happened."""
        self.count += 1
        self.accepted += isinstance(record, Accepted)
        self._digest.update(_encoder.encode(record))
        for listener in self._everything:
            listener(record)
        for listener in self._listeners.get(type(record), ()):
            listener(record)

    @property
    def digest(self) -> str:
        """The same for two runs exactly when the same happened."""
        return self._digest.hexdigest()
