"""Starts of processes, told a moment later: with their end, if that comes sooner.

Of a command that is over in a moment the agent saves and shows once what happened, instead of twice, and so does the dashboard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from agent_node.core.events import ProcessStarted
from schemas.names import RunId

TOLD_AFTER: Final = 0.1
"""Seconds from a process's start until it is told of."""


class Starts:
    """Those that are not told yet. Everything happens on the event loop."""

    def __init__(self, tell: Callable[[ProcessStarted], None]) -> None:
        self._tell = tell
        self._untold: dict[RunId, tuple[float, ProcessStarted]] = {}
        """By run, the oldest first: when it is to be told, by the loop's clock."""
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def began(self, event: ProcessStarted) -> None:
        """A process lives, perhaps in place of one that was told to begin before."""
        self._untold.pop(event.run, None)
        self._untold[event.run] = self._loop.time() + TOLD_AFTER, event
        self._wait()

    def tell(self, run: RunId) -> None:
        """What follows is about to be told: that it began comes first, unless it has been told."""
        untold = self._untold.pop(run, None)
        if untold is not None:
            self._tell(untold[1])

    def close(self) -> None:
        """Tell nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._untold.clear()

    def _wait(self) -> None:
        if self._timer is None and self._untold:
            due, _ = next(iter(self._untold.values()))
            self._timer = self._loop.call_at(due, self._due)

    def _due(self) -> None:
        self._timer = None
        now = self._loop.time()
        for run in [run for run, (due, _) in self._untold.items() if due <= now]:
            self.tell(run)
        self._wait()
