"""The connection of a node: looked at before it is made, made again whenever it is gone, left with a farewell.

A shell round ``Life``: it owns the session and its timeouts, and nothing of what is said on it. One log line a change of state.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from typing import Any

from broker.backoff import delay
from broker.bus import Acknowledged, Delivery, OnDelivery, Publication, Session
from broker.errors import BusError, RefusedError
from broker.runtime.errors import EpochTakenError, FencedError
from broker.runtime.life import Life
from broker.runtime.world import Signal, World

log = logging.getLogger(__name__)


class Link:
    """At most one session at a time, under the node's own client id, so that the broker hands the name to its newest holder."""

    def __init__(
        self, life: Life[Any, Any], world: World[Any], now: Callable[[], datetime], wake: Callable[[], None]
    ) -> None:
        self.session: Session | None = None
        """There from the end of the replay until the connection is over."""
        self._life = life
        self._world = world
        self._now = now
        self._wake = wake
        self._name = life.wire.client
        self._over: asyncio.Future[str] | None = None
        self._floor = 0
        self._said = ""
        self._silence = f"the broker acknowledged nothing for {world.limits.publish:g} s"

    def end(self, reason: str) -> None:
        """This connection is over, as far as we are concerned."""
        self._life.lost()
        if self._over is not None and not self._over.done():
            self._over.set_result(reason)

    async def send(self, publications: Sequence[Publication], acknowledged: Acknowledged) -> None:
        """Return when all of it is on its way; what is refused, or not acknowledged in time, ends the connection."""
        session, size = self.session, self._world.limits.batch
        if session is None:
            acknowledged(BusError("no connection"))
            return
        batches = [publications[start : start + size] for start in range(0, len(publications), size)]
        for batch in batches[:-1]:
            await session.send(batch, self._in_time(session, _unheard))
        await session.send(batches[-1] if batches else (), self._in_time(session, acknowledged))

    async def publish(self, publications: Sequence[Publication]) -> None:
        """Publish what nothing else depends on, such as answers. Raises BusError; unless it was refused, that is the end."""
        session, limits = self.session, self._world.limits
        if session is None:
            raise BusError("no connection")
        try:
            async with asyncio.timeout(limits.publish):
                await session.publish(publications)
        except RefusedError:
            raise
        except (BusError, TimeoutError) as error:
            reason = str(error) or self._silence
            self._give_up(session, reason)
            raise BusError(reason) from error

    def _in_time(self, session: Session, acknowledged: Acknowledged) -> Acknowledged:
        """``acknowledged``, before which the connection is ended if something went wrong or nothing is heard for too long."""
        patience = asyncio.get_running_loop().call_later(
            self._world.limits.publish, self._give_up, session, self._silence
        )

        def answered(error: BusError | None) -> None:
            patience.cancel()
            if error is not None:
                self._give_up(session, str(error))
            acknowledged(error)

        return answered

    def _give_up(self, session: Session, reason: str) -> None:
        if session is self.session:
            self.end(reason)

    async def keep(self) -> None:
        """Connect, again and again, until cancelled. Raises FencedError; RefusedError if we were never let in."""
        attempt = 0
        while True:
            try:
                state, reason = "lost", await self._once()
                attempt = 0
            except EpochTakenError as error:
                self._floor = error.floor
                continue
            except (BusError, TimeoutError) as error:
                if isinstance(error, RefusedError) and not self._life.started:
                    raise
                state, reason = "waiting", str(error) or "the broker did not answer in time"
            attempt += 1
            self._say(state, f"reason={reason!r}", logging.WARNING)
            self._world.signal(Signal.LOST if state == "lost" else Signal.WAITING)
            await asyncio.sleep(delay(attempt, self._world.random))

    async def _once(self) -> str:
        """One connection, from the look before it to its end; returns why it ended after its replay was in."""
        life, limits = self._life, self._world.limits
        floor = max(life.look(await self._look()), self._floor, int(self._now().timestamp()))
        if not life.started:  # nothing is decided yet: each attempt may be another life, above all that was met
            async with asyncio.timeout(limits.save):
                life.begin(await self._world.store.next_epoch(floor))
        will = life.connecting(self._now())
        async with AsyncExitStack() as stack:
            session = await self._enter(stack, self._name, will, partial(self._deliver, life.connection))
            try:
                await self._arrive(session)
                return await self._until_over(session)
            except asyncio.CancelledError:
                await self._farewell(session)
                raise
            finally:
                self.session = None
                life.lost()

    async def _arrive(self, session: Session) -> None:
        """From the first word to the replay proved complete."""
        life, limits = self._life, self._world.limits
        async with asyncio.timeout(limits.publish):
            await session.publish([life.hello(self._now())])
        self._world.signal(Signal.CONNECTED)
        async with asyncio.timeout(limits.replay):
            proved = await session.subscribe(life.everything)
        async with asyncio.timeout(limits.publish):
            await session.unsubscribe(life.wire.own)
        life.replayed(proved=proved, unheard=self._world.bus.unheard)
        self.session = session
        self._say("connected", f"epoch={life.epoch} connection={life.connection}")
        self._world.signal(Signal.REPLAYED)
        self._wake()

    async def _look(self) -> bytes | None:
        """What stands at our presence, seen over a connection that does not bear our name."""
        found: list[Delivery] = []
        limits, topic = self._world.limits, self._life.wire.presence
        async with AsyncExitStack() as stack:
            session = await self._enter(stack, f"look-{self._name}", None, found.append)
            async with asyncio.timeout(limits.replay):
                await session.subscribe([topic])
        payloads = [delivery.payload for delivery in found if delivery.topic == topic]
        return payloads[-1] if payloads else None

    async def _enter(
        self, stack: AsyncExitStack, client: str, will: Publication | None, on_delivery: OnDelivery
    ) -> Session:
        async with asyncio.timeout(self._world.limits.connect):
            connecting = self._world.bus.connect(client=client, will=will, on_delivery=on_delivery)
            return await stack.enter_async_context(connecting)

    async def _until_over(self, session: Session) -> str:
        """Wait for the loss of the connection, or for ``end``. Raises FencedError."""
        self._over = asyncio.get_running_loop().create_future()
        self._check_trouble()
        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._watch(session), name="watch the connection")
                reason = await self._over
                watch.cancel()
        finally:
            self._over = None
        if isinstance(self._life.trouble, FencedError):
            raise self._life.trouble
        return reason

    async def _watch(self, session: Session) -> None:
        self.end(await session.lost())

    async def _farewell(self, session: Session) -> None:
        """A clean goodbye, so that nobody has to wait for our will; a broker that does not take it will read out the will."""
        limits = self._world.limits
        with contextlib.suppress(BusError, TimeoutError):
            async with asyncio.timeout(limits.farewell):
                await session.publish([self._life.farewell(self._now())])

    def _deliver(self, connection: int, delivery: Delivery) -> None:
        if connection != self._life.connection:
            return
        aside = self._life.aside
        before = aside.total
        self._life.deliver(delivery)
        if aside.total != before and (complaint := aside.topics[delivery.topic]).count == 1:
            log.warning("set aside topic=%s reason=%r", delivery.topic, complaint.reason)
        self._check_trouble()
        self._wake()

    def _check_trouble(self) -> None:
        if self._life.trouble is not None and self._over is not None:
            self.end(str(self._life.trouble))

    def _say(self, state: str, rest: str, level: int = logging.INFO) -> None:
        """One line a change of state: a broker that stays away is mentioned once, and again when the reason changes."""
        line = f"broker state={state} {rest}".rstrip()
        if line != self._said:
            self._said = line
            log.log(level, "%s", line)


def _unheard(_error: BusError | None) -> None:
    """Whoever sent it waits for what comes after it."""
