"""How long a client waits for its broker."""

from __future__ import annotations

from msgspec import Struct


class Patience(Struct, frozen=True, kw_only=True):
    """How long to wait, in seconds, for a broker that does not react at all; what comes in slowly is waited for."""

    connect: float = 10.0
    """For the TCP connection, and again for the broker's answer."""
    acknowledge: float = 10.0
    """For the next packet, when an acknowledgment is due."""
    replay: float = 5.0
    """For the next message of a replay."""
    keep_alive: int = 15
    """MQTT keep-alive: a frozen connection is noticed after about twice as long when nothing else is under way."""
    listen: float = 20.0
    """Between two looks at whether one of several servers still passes on what is published: twice that until it is noticed."""
