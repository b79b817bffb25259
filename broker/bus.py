"""The bus as a node needs it: connect with a will, subscribe, know when a replay is complete, publish, hear of the loss.

A port: ``broker.mqtt`` is it over a real broker, ``broker.memory`` over the model of one in this process. Nothing here
reconnects: one session is one connection, and who wants another makes another. Leaving a session's context is a clean end,
without the will, whatever the reason for leaving.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from msgspec import Struct

from broker.errors import BusError

WINDOW = 100
"""Publications of a session under way at once, if the broker allows that many; more are not faster."""


class Publication(Struct, frozen=True):
    """What is published. Always QoS 1; an empty retained payload clears the topic."""

    topic: str
    payload: bytes
    retain: bool = True


class Delivery(Struct, frozen=True):
    """What arrived. ``retained``: it stood there when we subscribed (MQTT's RETAIN flag on delivery)."""

    topic: str
    payload: bytes
    retained: bool


OnDelivery = Callable[[Delivery], None]
"""Called on the event loop for each message, in order of arrival; must return at once."""


Acknowledged = Callable[[BusError | None], None]
"""Called on the event loop, once: when the broker has acknowledged all that was sent, or (with the reason) when it never will."""


class Session(Protocol):
    """One connection. After its loss every call raises BusError at once, and every call in flight fails within moments."""

    async def subscribe(self, filters: Sequence[str]) -> bool:
        """Subscribe at QoS 1 and return when everything retained under ``filters`` has been delivered; whether that is proved.

        What is published meanwhile is delivered too, replayed or live, and what is cleared meanwhile is not replayed after.
        False: no server of the broker could prove that it shows all that stands. Then everybody who writes has been asked to show
        it again, and it comes live.

        Raises BusError when a filter is refused, or when the end of the replay cannot be proved in time (the message names the
        broker's setting to change).
        """

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        """Deliveries under ``filters`` stop."""

    async def send(self, publications: Sequence[Publication], acknowledged: Acknowledged) -> None:
        """Send in this order, after all that was sent before, and return when all are on their way.

        Only so many are under way at once: the rest waits for acknowledgments, as long as the broker takes. Raises nothing:
        whatever goes wrong, ``acknowledged`` hears of it.
        """

    async def publish(self, publications: Sequence[Publication]) -> None:
        """Send in this order and return when the broker has acknowledged all. Raises BusError if it refused one or is gone."""

    async def lost(self) -> str:
        """Return the reason, once the connection is lost."""


class Bus(Protocol):
    """Where sessions come from."""

    @property
    def unheard(self) -> bool:
        """Whether what a client published may stand, and some who read it have not heard it, after it ended.

        One of several servers may have died with it, after it had stored that; and who was shown an old state waits to be shown
        everything again. All who read from a single one connect again.
        """

    def connect(
        self, *, client: str, will: Publication | None, on_delivery: OnDelivery
    ) -> AbstractAsyncContextManager[Session]:
        """A session under the given client id; entering raises BusError when there is no broker or it refuses us."""
