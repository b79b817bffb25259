"""How bad the network is."""

from __future__ import annotations

from msgspec import Struct


class Weather(Struct, kw_only=True):
    """Times in seconds, chances from 0 to 1."""

    latency: float = 0.002
    jitter: float = 0.003
    slow: float = 0.0
    """Chance that a packet takes up to ``slowest``."""
    slowest: float = 5.0
    repeat: float = 0.0
    """Chance that a publication, or what is delivered, comes twice."""
