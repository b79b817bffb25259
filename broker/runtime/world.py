"""What is outside a node's loops: everything that a driver is lent, how long it waits for it, and what it tells of itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import StrEnum
from random import Random
from typing import Generic, TypeVar

from msgspec import Struct, field

from broker.bus import Bus
from broker.runtime.measuring import Measure, unmeasured
from broker.runtime.store import Store
from broker.topics import Topics

F = TypeVar("F")

Clock = Callable[[], datetime]
Perform = Callable[[F], Awaitable[None] | None]
"""Start what an effect asks for and return soon; how it went comes back through the driver's ``offer``."""


def wall_clock() -> datetime:
    """The time of day, in UTC; it may be set back, which the driver evens out."""
    return datetime.now(UTC)  # noqa: TID251  # the one place of the runtime where time enters


class Signal(StrEnum):
    """What the driver has just done, for whoever waits for it: tests, mostly."""

    WAITING = "waiting"
    """No broker; the next attempt is due in a while."""
    CONNECTED = "connected"
    REPLAYED = "replayed"
    SAVED = "saved"
    SHOWN = "shown"
    """A turn's documents are acknowledged."""
    COMPLETE = "complete"
    """All there is to show stands on the broker, and our presence says so."""
    PERFORMED = "performed"
    IDLE = "idle"
    """Nothing waits."""
    LOST = "lost"


class Limits(Struct, frozen=True, kw_only=True):
    """How long to wait for what leaves the process, and for how much at a time. Seconds."""

    save: float = 60.0
    connect: float = 15.0
    replay: float = 600.0
    publish: float = 15.0
    perform: float = 30.0
    farewell: float = 2.0
    nap: float = 30.0
    """Longest sleep before the wall clock is looked at again: it may have been set, or the machine suspended."""
    batch: int = 500
    """Publications that are acknowledged within ``publish`` together."""


class World(Struct, Generic[F], kw_only=True):
    """What is outside: everything that a driver is lent."""

    store: Store
    bus: Bus
    topics: Topics
    perform: Perform[F]
    clock: Clock = wall_clock
    random: Random = field(default_factory=Random)
    signal: Callable[[Signal], None] = lambda _signal: None
    limits: Limits = Limits()
    measure: Measure = unmeasured
    """Told of each turn once it was carried out."""
