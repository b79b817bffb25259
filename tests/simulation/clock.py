"""A node's clock: apart from true time by an offset and a drift, and set now and then."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.simulation.world import BEGINNING, World


class Clock:
    """What one host believes the time to be."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._offset = 0.0
        self._drift = 0.0

    def at(self, seconds: float) -> datetime:
        """What it shows, as it is set now, at a moment of true time."""
        return BEGINNING + timedelta(seconds=seconds * (1.0 + self._drift) + self._offset)

    def now(self) -> datetime:
        """What it shows."""
        return self.at(self._world.seconds)

    def step(self, seconds: float) -> None:
        """It is set."""
        self._offset += seconds

    def drift(self, rate: float) -> None:
        """From now on it runs fast (or slow) by so much; what it shows does not jump."""
        self._offset += self._world.seconds * (self._drift - rate)
        self._drift = rate

    @property
    def ahead(self) -> float:
        """Seconds by which it is ahead of true time."""
        return self._world.seconds * self._drift + self._offset
