"""Ends of processes: one file descriptor in the loop for all of them, however many there are.

A reader in the loop for each costs ten times what this does. What must not be known here: what a process is for.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable

from schemas.names import RunId


class Ends:
    """Tells of each pidfd once, when its process has ended. Everything happens on the event loop."""

    def __init__(self, tell: Callable[[RunId], None]) -> None:
        """``tell``: of the end of a run's process; it may wait for others, and leave this one."""
        self._tell = tell
        self._runs: dict[int, RunId] = {}
        self._poll = select.epoll()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._poll.fileno(), self._ready)

    def wait_for(self, pidfd: int, run: RunId) -> None:
        """Tell when the process has ended."""
        self._runs[pidfd] = run
        self._poll.register(pidfd, select.EPOLLIN | select.EPOLLONESHOT)

    def leave(self, pidfd: int) -> None:
        """Wait for it no more. To be called before it is closed, for its number may be the next one's."""
        self._runs.pop(pidfd)
        self._poll.unregister(pidfd)

    def close(self) -> None:
        """Wait for nobody any more."""
        self._loop.remove_reader(self._poll.fileno())
        self._poll.close()

    def _ready(self) -> None:
        for pidfd, _ in self._poll.poll(0):
            self._tell(self._runs[pidfd])
