"""One turn of a node: many events, one decision, in the order save, show, perform.

Pure: the driver carries a turn out, and so does a simulation, which may let a node die between any two of its three parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Generic, TypeVar

from msgspec import Struct

from broker.bus import Publication
from broker.runtime.core import AuditRow, Changes, Core, Key, Reply

E = TypeVar("E")
F = TypeVar("F")


class Decided(Struct, Generic[F], frozen=True, kw_only=True):
    """What a batch of events led to, already applied to the core."""

    changes: Changes
    audit: tuple[AuditRow, ...]
    effects: tuple[F, ...]


class Turn(Struct, Generic[F], frozen=True, kw_only=True):
    """What is to be done because of one batch of events; its three parts are carried out in this order.

    Save failed: the node stops. Show failed: the broker is gone, the rest goes on and everything is shown again later.
    """

    now: datetime
    events: int
    rows: Changes
    """1 durable: records of the core and of the runtime, in one transaction with ``audit``."""
    audit: tuple[AuditRow, ...] = ()
    connection: int = 0
    """The connection that ``publications`` were made for: on any other they say nothing."""
    publications: tuple[Publication, ...] = ()
    """2 visible: retained documents, in order."""
    whole: bool = False
    """Whether they are all that was missing: the node's projection is complete once they are acknowledged."""
    effects: tuple[F | Reply, ...] = ()
    """3 done."""

    @property
    def durable(self) -> bool:
        """Whether there is anything to save before the rest."""
        return bool(self.rows or self.audit)


def decide(core: Core[E, F], events: Sequence[E], *, check: bool) -> Decided[F]:
    """Let the core step through the events. Raises InvariantError before anything is saved if a promise broke."""
    changes: dict[Key, Struct | None] = {}
    audit: list[AuditRow] = []
    effects: list[F] = []
    for event in events:
        try:
            decision = core.step(event)
            core.apply(decision.changes)
        except Exception as error:
            error.add_note(f"while stepping through {event!r}")
            raise
        changes.update(decision.changes)
        audit += decision.audit
        effects += decision.effects
    if check and changes:
        core.check()
    return Decided(changes=changes, audit=tuple(audit), effects=tuple(effects))
