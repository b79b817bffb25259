"""What a session over MQTT sends through, whatever library carries the packets: a port within the adapter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from broker.bus import Publication


class Wire(Protocol):
    """What a session sends through. Message ids are those that the answers carry."""

    window: int
    """Publishes that may be under way at once: ``WINDOW``, or what the broker allows."""

    def send(self, publication: Publication) -> int:
        """Send at QoS 1, with what is sent in the same moment; the message id. Raises BusError when the connection is gone."""

    def flush(self) -> None:
        """Let what was sent leave now."""

    def send_subscribe(self, filters: Sequence[str]) -> int:
        """Send one SUBSCRIBE, at QoS 1; the message id. Raises BusError when the connection is gone."""

    def send_unsubscribe(self, filters: Sequence[str]) -> int:
        """Send one UNSUBSCRIBE; the message id. Raises BusError when the connection is gone."""

    def hold_acknowledgments(self) -> None:
        """From now on acknowledge no message that comes in, until as many releases were called."""

    def release_acknowledgments(self) -> None:
        """Acknowledge what was held, after everything sent so far."""

    async def close(self) -> None:
        """Say goodbye if there is still somebody, and close the connection."""

    async def drop(self) -> None:
        """Close the connection without a word."""
