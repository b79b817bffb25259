"""The workbench of the checks: sessions with the broker under test, a topic for each, and everything cleared away after.

Knows no library: buses are lent, and so is a way to hang up without a word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from msgspec import Struct

from broker.bus import Bus, Delivery, Publication, Session

HangUp = Callable[[Session], Awaitable[None]]
"""End a session's connection without a goodbye, as a crash would."""
Restart = Callable[[], Awaitable[None]]
"""Restart the broker in order; returns when that is done."""
_BATCH = 500
_STEP = 0.01


class Limits(Struct, frozen=True, kw_only=True):
    """How much is tried, and how long is waited, in seconds."""

    many: int = 10_000
    """Retained topics of one replay."""
    sizes: tuple[int, ...] = (1_000, 64_000, 1_000_000)
    messages: int = 1_000
    """Of one topic, in order."""
    wait: float = 10.0
    """For what should come at once."""
    restart: float = 60.0


class Box:
    """What a session received."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []

    def __call__(self, delivery: Delivery) -> None:
        """Take one."""
        self.deliveries.append(delivery)

    @property
    def newest(self) -> dict[str, bytes]:
        """The last payload of each topic."""
        return {delivery.topic: delivery.payload for delivery in self.deliveries}


class Bench:
    """A private root below ``{prefix}/_check/``, and the means to work there."""

    def __init__(self, bus: Bus, root: str, hang_up: HangUp, limits: Limits) -> None:
        self.bus = bus
        self.root = root
        self.hang_up = hang_up
        self.limits = limits
        self._standing: set[str] = set()
        """Topics on which something may be retained."""

    def topic(self, name: str) -> str:
        """A topic of ours."""
        return f"{self.root}/{name}"

    def session(
        self, client: str, box: Box | None = None, will: Publication | None = None
    ) -> AbstractAsyncContextManager[Session]:
        """A session under a client id of ours."""
        if will is not None:
            self._standing.add(will.topic)
        return self.bus.connect(client=self.client(client), will=will, on_delivery=box or Box())

    def client(self, name: str) -> str:
        """A client id of ours."""
        return f"check-{self.root.rsplit('/', 1)[-1]}-{name}"

    async def publish(self, session: Session, publications: list[Publication]) -> None:
        """Publish, and remember what to clear."""
        self._standing.update(one.topic for one in publications if one.retain)
        for start in range(0, len(publications), _BATCH):
            await session.publish(publications[start : start + _BATCH])

    async def retained(self, client: str, pattern: str) -> dict[str, bytes]:
        """What a newcomer is shown; late ones are waited for a moment."""
        box = Box()
        async with self.session(client, box) as session:
            await session.subscribe([self.topic(pattern)])
        return box.newest

    async def clear(self) -> None:
        """Take everything away again."""
        async with self.session("clear") as session:
            topics = sorted(self._standing)
            for start in range(0, len(topics), _BATCH):
                await session.publish([Publication(topic, b"") for topic in topics[start : start + _BATCH]])
        self._standing.clear()

    async def until(self, true: Callable[[], bool], seconds: float | None = None) -> bool:
        """Whether something becomes true in time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (self.limits.wait if seconds is None else seconds)
        while not true():
            if loop.time() > deadline:
                return False
            await asyncio.sleep(_STEP)
        return True
