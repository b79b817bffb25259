"""One connection's watch over its own subscriptions, where a broker of several servers may pass nothing on, and say nothing.

How it is noticed is said next door (``hearing``); here it meets the clock and the connection, which ends then: the next one
has everything replayed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from broker.errors import BusError, ReplayError
from broker.mqtt.hearing import Hearing

_PACE = 500
"""For so many topics, a second more passes between two looks: else they would cost too much where much stands."""
_SILENT = "its server does not pass everything on"

Replay = Callable[[Sequence[str]], Awaitable[None]]
"""Has what is retained sent again."""


class Listening:
    """Of one connection, while somebody waits for its loss."""

    def __init__(self, replay: Replay, lose: Callable[[str], None], seconds: float | None) -> None:
        """``lose``: ends the connection. ``seconds``: between two looks, and more where much stands; None: nobody looks."""
        self._replay = replay
        self._lose = lose
        self._seconds = seconds
        self._hearing = Hearing()
        self._busy = 0

    def begin(self) -> None:
        """Somebody subscribes, or ends a subscription: no look now."""
        self._busy += 1
        self._hearing.give_up()

    def done(self, *, follow: Sequence[str] = (), leave: Sequence[str] = ()) -> None:
        """It is over. ``follow``: what is subscribed to now; ``leave``: what is not any more."""
        self._busy -= 1
        self._hearing.leave(leave)
        self._hearing.follow(follow)

    def hears(self, topic: str, payload: bytes, *, retained: bool) -> bool:
        """Take in what came; whether it is to be handed on."""
        return self._seconds is None or self._hearing.hear(topic, payload, retained=retained)

    async def until(self, lost: asyncio.Future[str]) -> str:
        """Why the connection is lost, once it is; until then look again and again."""
        while not lost.done():
            pause = None if self._seconds is None else self._seconds + self._hearing.size / _PACE
            await asyncio.wait([lost], timeout=pause)
            if not lost.done() and not self._busy and self._hearing.filters:
                await self._look()
        return lost.result()

    async def _look(self) -> None:
        """Have all that stands replayed: whatever of it was not told, and is not until the next time, was kept back."""
        self._busy += 1
        try:
            # That a replay does not end may be an election once, and is not twice.
            replayed = await self._is_replayed() or await self._is_replayed()
            if not replayed or self._hearing.end():
                self._lose(_SILENT)
        except BusError as error:
            self._lose(str(error))
        finally:
            self._busy -= 1
            self._hearing.give_up()

    async def _is_replayed(self) -> bool:
        """Whether a replay came to its end: not even what we send ourselves is passed on, else."""
        self._hearing.begin()
        try:
            await self._replay(list(self._hearing.filters))
        except ReplayError:
            return False
        return True
