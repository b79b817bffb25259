"""Changes on their way to one reader, in order. Bounded: a reader that falls far behind gets the newest of each address."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from msgspec import Struct

from jobplan.client.picture import Change
from schemas.addresses import Address

LIMIT: Final = 100_000


class Link(Struct, frozen=True, kw_only=True):
    """The connection came or went. ``reason`` is empty when it is there."""

    reason: str = ""

    @property
    def up(self) -> bool:
        """Whether it is there."""
        return not self.reason


News = Change | Link


class Feed:
    """An endless async iterator of news; close it when it is no longer read."""

    def __init__(self, *, limit: int = LIMIT) -> None:
        self._waiting: deque[News] = deque()
        self._limit = limit
        self._arrived = asyncio.Event()
        self.closed = False

    def put(self, news: News) -> None:
        """Add what happened; never waits."""
        if self.closed:
            return
        if len(self._waiting) >= self._limit:
            self._coalesce()
        self._waiting.append(news)
        self._arrived.set()

    def close(self) -> None:
        """Nothing more is wanted."""
        self.closed = True
        self._arrived.set()

    def _coalesce(self) -> None:
        """Keep the newest change of each address, with the ``before`` that its reader saw last."""
        newest: dict[Address, Change] = {}
        link: Link | None = None
        for news in self._waiting:
            if isinstance(news, Link):
                link = news
                continue
            known = newest.pop(news.address, None)
            before = news.before if known is None else known.before
            newest[news.address] = Change(address=news.address, before=before, after=news.after, at=news.at)
        self._waiting = deque(newest.values())
        if link is not None:
            self._waiting.append(link)
        if len(self._waiting) >= self._limit:
            self._limit = 2 * len(self._waiting)

    def take(self) -> list[News]:
        """All that is waiting now."""
        taken = list(self._waiting)
        self._waiting.clear()
        self._arrived.clear()
        return taken

    async def wait(self, seconds: float | None = None) -> list[News]:
        """What happened since the last time, waiting for the first if nothing did; empty after ``seconds``, or when closed."""
        if not self._waiting and not self.closed:
            try:
                async with asyncio.timeout(seconds):
                    await self._arrived.wait()
            except TimeoutError:
                return []
        return self.take()

    def __aiter__(self) -> Feed:
        return self

    async def __anext__(self) -> News:
        while not self._waiting:
            if self.closed:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()
