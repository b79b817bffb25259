"""The loop that every node runs: 1 save what was decided, 2 show what follows, 3 perform what was asked.

The shell round ``Life``, which knows all the rules; here are the tasks, the clock and the timeouts. One task turns, another
keeps the connection (``Link``). A save that fails, a broken promise or a newer life of the same node end both; a broker that is
away ends neither: what does not need it goes on, and is shown when it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from typing import Generic, NamedTuple, TypeVar

from broker.bus import Publication
from broker.errors import BusError
from broker.runtime.core import Core, Reply, RuntimeEvent
from broker.runtime.ending import first_error
from broker.runtime.life import Life
from broker.runtime.link import Link
from broker.runtime.measuring import Measured
from broker.runtime.selfwatch import Identity
from broker.runtime.telling import tell
from broker.runtime.turn import Turn
from broker.runtime.world import Signal, World

E = TypeVar("E")
F = TypeVar("F")

log = logging.getLogger(__name__)

_STUCK = 0.05
"""Seconds to wait at least when a core, just after a Tick, wants another one for the past."""


class _Times(NamedTuple):
    """Of one turn, by the loop's clock."""

    news: float
    """When the first of its events arrived."""
    begun: float
    saved: float


class Driver(Generic[E, F]):
    """A node's life on the bus: ``run`` it once; end it with ``stop``, or by cancelling it.

    After ``stop`` the turn under way is finished. Cancelled, it may be cut off between save, show and perform, as by a crash;
    the farewell is said either way.
    """

    def __init__(
        self, core: Core[E | RuntimeEvent, F], identity: Identity, world: World[F], *, check: bool = True
    ) -> None:
        """``check``: let the core check its promises after each turn, before anything is saved."""
        self.life: Life[E, F] = Life(core, identity, world.topics, check=check)
        self._world = world
        self._wake = asyncio.Event()
        self._stopped = False
        self._latest = self._turned = datetime.min.replace(tzinfo=UTC)
        self._news_since = 0.0
        self._link = Link(self.life, world, self.now, self._awake)

    def now(self) -> datetime:
        """The time in UTC; it stands still while the wall clock has been set back."""
        self._latest = max(self._latest, self._world.clock().astimezone(UTC))
        return self._latest

    def offer(self, event: E) -> None:
        """Something happened in the node's own world; call it on the loop. The event gets the ``now`` of its turn."""
        self.life.offer(event)
        self._awake()

    def say(self, identity: Identity) -> None:
        """Let our presence say this from now on; call it on the loop. What changes often is said once a second at most."""
        self.life.say(identity)
        self._wake.set()

    def stop(self) -> None:
        """End after the turn under way; call it on the loop (a signal handler will do)."""
        self._stopped = True
        self._wake.set()

    async def publish(self, publications: Sequence[Publication]) -> None:
        """Publish what is not retained, such as alerts. Raises BusError; nothing is kept for later."""
        if any(publication.retain for publication in publications):
            raise ValueError("what is retained follows from the core's documents and is published by nobody else")
        await self._link.publish(publications)

    async def answer(self, reply: Reply, part: int = 0) -> None:
        """Answer a request, or one part of it, outside a turn. Raises BusError; who asked will ask again."""
        await self._link.publish([self.life.wire.answer(reply, part)])

    async def run(self) -> None:
        """Live. Returns after ``stop``.

        Raises FencedError, StoreError, InvariantError, RefusedError if the broker never let us in, or what ``perform`` raised.
        """
        self.life.restore(await self._world.store.load())
        try:
            async with asyncio.TaskGroup() as group:
                link = group.create_task(self._link.keep(), name="link")
                group.create_task(self._turns(link), name="turns")
        except BaseExceptionGroup as errors:
            raise first_error(errors) from errors

    async def _turns(self, link: asyncio.Task[None]) -> None:
        while True:
            await self._something()
            if self._stopped:
                break
            since = self._news_since if self._wake.is_set() else self._loop_time()
            self._wake.clear()
            turn = self.life.turn(self.now())
            if turn is not None:
                self._turned = turn.now
                await self._carry_out(turn, since)
                if self.life.showing:
                    self._wake.set()
                    await asyncio.sleep(0)  # what arrives meanwhile is decided in between
            elif not self._wake.is_set():
                self._world.signal(Signal.IDLE)
        link.cancel()  # it says farewell

    async def _carry_out(self, turn: Turn[F], since: float) -> None:
        """Save, show, perform; ``since``: by the loop's clock, when the first of its events arrived.

        The next turn need not wait for the broker's word: it is shown after this one, for a connection keeps the order.
        """
        begun = self._loop_time()
        await self._save(turn)
        await self._show(turn, _Times(since, begun, self._loop_time()))
        await self._perform(turn)
        tell(turn.audit)
        _log(turn)

    def _awake(self) -> None:
        """Something has arrived."""
        if not self._wake.is_set():
            self._news_since = self._loop_time()
            self._wake.set()

    @staticmethod
    def _loop_time() -> float:
        return asyncio.get_running_loop().time()

    async def _something(self) -> None:
        """Wait until something arrived, or a Tick is due by the wall clock, which may be set while we sleep."""
        due, now = self.life.next_wakeup(), self.now()
        if self._wake.is_set():
            return
        seconds = self._world.limits.nap if due is None else (due - now).total_seconds()
        least = _STUCK if due is not None and due <= self._turned else 0.0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(max(seconds, least), self._world.limits.nap)):
                await self._wake.wait()

    async def _save(self, turn: Turn[F]) -> None:
        """1 durable. Raises StoreError: the node stops, for nothing may be shown that is not saved."""
        if turn.durable:
            await self._world.store.save(turn.rows, turn.audit)
            self._world.signal(Signal.SAVED)

    async def _show(self, turn: Turn[F], times: _Times) -> None:
        """2 visible. Made for another connection, it says nothing any more; lost on the way, it is all shown again later."""
        if not turn.publications or not self.life.connected or turn.connection != self.life.connection:
            self._measure(turn, times)
        else:
            await self._link.send(turn.publications, partial(self._shown, turn, times))

    def _shown(self, turn: Turn[F], times: _Times, error: BusError | None) -> None:
        """The broker has acknowledged it; or it is gone, and all is shown again when it is back."""
        if error is not None:
            self._measure(turn, times)
            return
        self.life.acknowledged(turn)
        self._measure(turn, times, shown=self._loop_time())
        self._world.signal(Signal.SHOWN)
        if turn.whole:
            log.info("shown documents=%d", self.life.documents)
            self._world.signal(Signal.COMPLETE)

    def _measure(self, turn: Turn[F], times: _Times, shown: float | None = None) -> None:
        self._world.measure(
            Measured(
                turn=turn,
                save=times.saved - times.begun if turn.durable else 0.0,
                show=shown - times.saved if shown is not None else 0.0,
                since_news=(times.saved if shown is None else shown) - times.news,
            )
        )

    async def _perform(self, turn: Turn[F]) -> None:
        """3 done, in order."""
        for replies, effects in groupby(turn.effects, key=lambda effect: isinstance(effect, Reply)):
            if replies:
                await self._answer([effect for effect in effects if isinstance(effect, Reply)])
                continue
            for effect in effects:
                if not isinstance(effect, Reply):
                    await self._do(effect)
        if turn.effects:
            self._world.signal(Signal.PERFORMED)

    async def _do(self, effect: F) -> None:
        """The loop's others have a turn after each: a start may take as long as it takes to get a core."""
        outcome = self._world.perform(effect)
        if outcome is None:
            await asyncio.sleep(0)
            return
        try:
            async with asyncio.timeout(self._world.limits.perform):
                await outcome
        except TimeoutError as error:
            error.add_note(f"while performing {effect!r}")
            raise

    async def _answer(self, replies: Sequence[Reply]) -> None:
        try:
            await self._link.publish([self.life.wire.answer(reply) for reply in replies])
        except BusError as error:
            log.warning("answers lost count=%d reason=%r: who asked will ask again", len(replies), str(error))


def _log(turn: Turn[F]) -> None:
    log.debug(
        "turn events=%d rows=%d audit=%d publications=%d effects=%d",
        turn.events,
        len(turn.rows),
        len(turn.audit),
        len(turn.publications),
        len(turn.effects),
    )
