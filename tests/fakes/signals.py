"""How a test waits for a driver: by the names of what it does, never by time."""

from __future__ import annotations

import asyncio
from collections import Counter

from broker.runtime.world import Signal

PATIENCE = 600.0
"""Seconds, virtual ones mostly."""


class Signals:
    """Counts what a driver signals, and lets a test wait for it."""

    def __init__(self) -> None:
        self.counts: Counter[Signal] = Counter()
        self.trail: list[str] = []
        """Signals, and whatever a test's own hooks add, in order."""
        self._changed = asyncio.Event()

    def __call__(self, signal: Signal) -> None:
        """The driver's hook."""
        self.counts[signal] += 1
        self.trail.append(signal)
        self._changed.set()

    async def next(self, signal: Signal) -> None:
        """Wait for the next of these signals."""
        await self.reached(signal, self.counts[signal] + 1)

    async def reached(self, signal: Signal, count: int) -> None:
        """Wait until there were so many of them since the start."""
        async with asyncio.timeout(PATIENCE):
            while self.counts[signal] < count:
                self._changed.clear()
                await self._changed.wait()
