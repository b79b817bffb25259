"""Carries out deliveries beside the driver's turns, a few at a time, and reports how each went; retries are the core's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from dashboard_node.core.effects import Deliver
from dashboard_node.undelivered import UndeliveredError

log = logging.getLogger(__name__)

Send = Callable[[Deliver], Awaitable[None]]
"""Raises UndeliveredError."""

_AT_ONCE = 4
_SECONDS = 30.0
"""Shorter than the first wait between two attempts."""


class Sender:
    """A queue of deliveries, bounded by what the core lets wait."""

    def __init__(self, send: Send, report: Callable[[Deliver, str, bool], None]) -> None:
        self._send = send
        self._report = report
        self._queue: asyncio.Queue[Deliver] = asyncio.Queue()
        self._waiting: set[tuple[str, str]] = set()

    def take(self, delivery: Deliver) -> None:
        """Have it sent; one that still waits here is not queued a second time."""
        key = (delivery.notification.id, delivery.channel)
        if key not in self._waiting:
            self._waiting.add(key)
            self._queue.put_nowait(delivery)

    async def run(self) -> None:
        """Send until cancelled; what is under way then is sent again by the next life."""
        async with asyncio.TaskGroup() as group:
            for number in range(_AT_ONCE):
                group.create_task(self._work(), name=f"sender {number + 1}")

    async def _work(self) -> None:
        while True:
            delivery = await self._queue.get()
            error, hopeless = await self._try(delivery)
            self._waiting.discard((delivery.notification.id, delivery.channel))
            self._report(delivery, error, hopeless)

    async def _try(self, delivery: Deliver) -> tuple[str, bool]:
        try:
            async with asyncio.timeout(_SECONDS):
                await self._send(delivery)
        except UndeliveredError as error:
            return self._failed(delivery, str(error)), error.hopeless
        except TimeoutError:
            return self._failed(delivery, f"took longer than {_SECONDS:g} s"), False
        except Exception as error:  # the edge of a task: one bad notification must not keep the others
            log.exception("delivery broke id=%s channel=%s", delivery.notification.id, delivery.channel)
            return f"{type(error).__name__}: {error}", True
        log.info("delivered id=%s channel=%s", delivery.notification.id, delivery.channel)
        return "", False

    def _failed(self, delivery: Deliver, error: str) -> str:
        log.warning("not delivered id=%s channel=%s reason=%r", delivery.notification.id, delivery.channel, error)
        return error
