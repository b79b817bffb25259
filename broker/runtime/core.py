"""What the driver asks of a node's core: pure rules over tables of records.

The state is a set of tables: records by key. A step reads them and returns what changes, and why; the driver saves that,
applies it, shows what follows from it, and only then performs the effects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Generic, NamedTuple, Protocol, TypeVar

from msgspec import Meta, Raw, Struct

from schemas.addresses import Address
from schemas.documents import Document
from schemas.names import RequestId, UserName
from schemas.requests import Answer

Instant = Annotated[datetime, Meta(tz=True)]


class Key(NamedTuple):
    """Where a record stands: its table and its key there."""

    table: str
    key: str


Changes = Mapping[Key, Struct | None]
"""New values of the records that change, in order; None: the record goes."""


class AuditRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change of something people care about: what, from what to what, and what caused it."""

    at: Instant
    kind: str
    """What sort of thing changed: ``job``, ``context``, ``instance``, ``run``, ``plan``, ``lock``, ``request``, ``tick``."""
    instance: str = ""
    context: str = ""
    job: str = ""
    run: str = ""
    before: str = ""
    after: str = ""
    cause: str = ""
    user: str = ""
    detail: str = ""


class Heard(Struct, frozen=True):
    """Event: what another node shows at an address is now this; None: it is gone, and that is certain."""

    now: Instant
    address: Address
    document: Document | None


class Requested(Struct, frozen=True):
    """Event: a person's tool asks something. ``body`` is undecoded: each core knows its own requests."""

    now: Instant
    user: UserName
    request: RequestId
    body: Raw


class Tick(Struct, frozen=True):
    """Event: time has come (``next_wakeup``), or the node has just got its first complete picture of the bus."""

    now: Instant


class Recovered(Struct, frozen=True):
    """Event, once after each start: what the broker still retained of this node's own documents. Precedes every other event."""

    now: Instant
    epoch: int
    """The life that begins."""
    shown: Mapping[Address, Document]
    journal: int = 0
    """The first life that its records tell of: this one, if they were lost."""
    newer: Mapping[Address, Document] = {}
    """What of it was shown after these records were saved: they are those of a copy that was put back."""


class Reply(Struct, frozen=True):
    """Effect every core may ask for: answer a request."""

    user: UserName
    request: RequestId
    answer: Answer


RuntimeEvent = Heard | Requested | Tick | Recovered
"""What the runtime itself tells every core."""

E_contra = TypeVar("E_contra", contravariant=True)
F = TypeVar("F")


class Decision(Struct, Generic[F], frozen=True, kw_only=True):
    """What a step leads to."""

    changes: Changes
    audit: tuple[AuditRow, ...] = ()
    effects: tuple[F, ...] = ()

    @property
    def answers(self) -> tuple[Answer, ...]:
        """What is answered at once."""
        return tuple(effect.answer for effect in self.effects if isinstance(effect, Reply))


class Core(Protocol[E_contra, F]):
    """A node's rules together with the state they last decided. No method does I/O or reads a clock."""

    def restore(self, rows: Iterable[tuple[Key, bytes]]) -> None:
        """Take in all saved records (msgspec JSON) at start."""

    def step(self, event: E_contra) -> Decision[F]:
        """Decide; total: what cannot be accepted is a decision too. Does not change the state."""

    def apply(self, changes: Changes) -> None:
        """Make what a step decided the state."""

    def project(self, changes: Changes) -> Mapping[Address, Document | None]:
        """What ought to be shown differently because of applied changes, in the order to publish; None: clear."""

    def documents(self) -> Iterator[tuple[Address, Document]]:
        """Everything that ought to be shown, in the order to publish.

        Steps may come between two of them: each is as the state is when it is taken; nothing of what is gone by then.
        """

    def next_wakeup(self) -> datetime | None:
        """When a Tick is due next; None: not by time."""

    def check(self) -> None:
        """Raise InvariantError, naming the promise and the culprit, if the state broke one."""


class InvariantError(AssertionError):
    """Our own mistake: a promise is broken. The node stops rather than go on in a wrong state."""
