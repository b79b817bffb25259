"""One connection's publishes, subscriptions and replays, whatever library carries the packets.

What it must not know: sockets, and that library. It is told of packets by three calls, and says what to send through ``Wire``.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from functools import partial

from msgspec import Struct

from broker.bus import Acknowledged, Delivery, OnDelivery, Publication
from broker.errors import BusError, RefusedError, ReplayError
from broker.filters import is_filter, matches
from broker.mqtt_wire import Wire
from broker.servers import Servers

WINDOW = 100
"""Publishes under way at once, if the broker allows that many; more are not faster."""
_FAILURE = 0x80
"""The first of MQTT's reason codes that mean a failure (MQTT 5, section 2.4)."""
_LOOKS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds to wait for a mark after each look for it: a list that has not come to it by then stands still."""


class Patience(Struct, frozen=True, kw_only=True):
    """How long to wait, in seconds, for a broker that does not react at all; what comes in slowly is waited for."""

    connect: float = 10.0
    """For the TCP connection, and again for the broker's answer."""
    acknowledge: float = 10.0
    """For the next packet, when an acknowledgment is due."""
    replay: float = 5.0
    """For the next message of a replay."""
    keep_alive: int = 15
    """MQTT keep-alive: a frozen connection is noticed after about twice as long when nothing else is under way."""


class _Answer:
    """Something the broker has still to answer; done with None, or with what went wrong."""

    def __init__(self) -> None:
        self.done: asyncio.Future[BusError | None] = asyncio.get_running_loop().create_future()

    def settle(self, error: BusError | None = None) -> None:
        """The answer is in."""
        if not self.done.done():
            self.done.set_result(error)


class _Batch:
    """Publications that are acknowledged together."""

    def __init__(self, acknowledged: Acknowledged) -> None:
        self._acknowledged = acknowledged
        self._settled = False
        self.open = 1
        """How many are not acknowledged; and one while they are still being sent."""
        self.refused: list[str] = []
        """Topics."""

    def settle(self, error: BusError | None = None) -> None:
        """Nothing is missing any more, or nothing will come."""
        if not self._settled:
            self._settled = True
            self._acknowledged(error)

    def all_sent(self) -> None:
        """No more will be sent."""
        self.count("", 0)

    def count(self, topic: str, code: int) -> None:
        """One publish was answered."""
        if code >= _FAILURE:
            self.refused.append(topic)
        self.open -= 1
        if self.open == 0:
            more = f" and {len(self.refused) - 1} more topics" if len(self.refused) > 1 else ""
            refusal = (
                f"the broker's access rules forbid us to publish on '{self.refused[0]}'{more}" if self.refused else ""
            )
            self.settle(RefusedError(refusal) if refusal else None)


def _refusal(pattern: str, code: int) -> BusError:
    """A subscription that was not granted. A failure without a reason may pass, as in a cluster that lost a server."""
    if code == _FAILURE:
        return BusError(f"the broker could not subscribe us to '{pattern}'")
    return RefusedError(f"the broker refuses the subscription to '{pattern}'")


def _grant(asked: _Answer, filters: Sequence[str], codes: Sequence[int]) -> None:
    """The broker answered a subscription."""
    refused = [pattern for pattern, code in zip(filters, codes, strict=False) if code >= _FAILURE]
    asked.settle(_refusal(refused[0], max(codes)) if refused else None)


class MqttSession:
    """A ``Session`` on a wire. ``received``, ``answered`` and ``lose`` are the wire's to call."""

    def __init__(  # noqa: PLR0913  # all that differs from session to session
        self,
        wire: Wire,
        *,
        broker: str,
        sync: str,
        again: str,
        on_delivery: OnDelivery,
        patience: Patience,
        servers: Servers,
    ) -> None:
        """``broker``: its name for messages; ``sync``: the topic on which the end of a replay is proved.

        ``again``: that on which writers are asked to show everything again.
        """
        self._wire = wire
        self._broker = broker
        self._sync = sync
        self._again = again
        self._servers = servers
        self._on_delivery = on_delivery
        self._patience = patience
        self._lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._publishes: dict[int, tuple[_Batch, str]] = {}
        self._calls: dict[int, tuple[_Answer, Callable[[Sequence[int]], None]]] = {}
        self._room: _Answer | None = None
        """Settled when publishes may go on."""
        self._replays: dict[bytes, _Answer] = {}
        """By the nonce that ends each."""
        self._marks: dict[bytes, _Answer] = {}
        """What we retain to see whether the server's list comes to it, the first one first."""
        self._muted: list[Sequence[str]] = []
        """Filters of replays that prove nothing yet: what they bring is not handed on."""
        self._nonces = 0
        self._token = secrets.token_hex(8)
        """Tells our nonces from those of an earlier connection under the same client id."""
        self._hung_up = False
        self._progress = 0
        """Counts all that comes in."""

    # --- the port ---------------------------------------------------------------------------------------------------

    async def send(self, publications: Sequence[Publication], acknowledged: Acknowledged) -> None:
        """See the port. A refused one does not keep the others from being sent; RefusedError names the first."""
        batch = _Batch(acknowledged)
        try:
            for publication in publications:
                while len(self._publishes) >= self._wire.window:
                    await self._until_room()
                self._send(publication, batch)
            self._wire.flush()
        except BusError as error:
            batch.settle(error)
        batch.all_sent()

    async def publish(self, publications: Sequence[Publication]) -> None:
        """See the port."""
        answer = _Answer()
        await self.send(publications, answer.settle)
        await self._settled(answer)

    async def subscribe(self, filters: Sequence[str]) -> bool:
        """See the port. Raises BusError when this server's list stands still and another server is worth trying.

        With several servers: 1. Subscribe, to one filter after the other, for each may have to wait for an election: from now on,
        what is new comes live. 2. Retain a mark, and wait until this server's list has come to it, and so to all that was
        retained before. 3. Subscribe again: this replay is the one that counts.
        """
        if not filters:
            return True
        for pattern in filters:
            if not is_filter(pattern):
                raise RefusedError(f"'{pattern}' is not a topic filter")
        if not self._servers.several:
            await self._replay(filters)
            return True
        self._muted.append(filters)
        try:
            for pattern in (*filters, self._sync):
                await self._asked([pattern])
            moves = await self._list_moves()
        finally:
            self._muted.remove(filters)
        if moves:
            self._servers.moves()
        elif self._servers.stands_still():
            self.lose(f"{self._broker} does not show what is new: another of the broker's servers may be down")
            raise self._loss()
        await self._replay(filters)
        if not moves:
            await self.publish([Publication(self._again, b"", retain=False)])
        return moves

    async def _list_moves(self) -> bool:
        """Whether what is retained now is soon among what this server replays: its list is in the order of what was retained."""
        self._nonces += 1
        mark = f"{self._token}-{self._nonces}".encode()
        found = self._marks[mark] = _Answer()
        try:
            await self.publish([Publication(self._sync, mark)])
            for seconds in _LOOKS:
                await self._asked([self._sync])
                await asyncio.wait([found.done], timeout=seconds)
                if found.done.done():
                    break
        finally:
            del self._marks[mark]
        if not self._marks:
            await self.publish([Publication(self._sync, b"")])
        return found.done.done()

    async def _asked(self, filters: Sequence[str]) -> None:
        """Subscribe and wait for no more than the broker's word."""
        asked = _Answer()
        self._check()
        self._calls[self._wire.send_subscribe(filters)] = (asked, partial(_grant, asked, filters))
        await self._settled(asked)

    async def _replay(self, filters: Sequence[str]) -> None:
        """Subscribe, and wait for the end of the replay."""
        self._nonces += 1
        nonce = f"{self._token}-{self._nonces}".encode()
        asked, proof, replay = _Answer(), _Answer(), _Answer()
        before = self._progress
        sent = (*filters, self._sync)

        def accepted(error: BusError | None) -> None:
            self._wire.release_acknowledgments()
            proof.settle(error)

        def granted(codes: Sequence[int]) -> None:
            if max(codes) < _FAILURE:
                batch = _Batch(accepted)
                self._send(Publication(self._sync, nonce, retain=False), batch)
                batch.all_sent()
            else:
                self._wire.release_acknowledgments()
            _grant(asked, sent, codes)

        self._check()
        self._wire.hold_acknowledgments()
        self._calls[self._wire.send_subscribe(sent)] = (asked, granted)
        self._replays[nonce] = replay
        try:
            await self._settled(asked)
            await self._settled(proof)
            await self._replayed(replay, before)
        finally:
            del self._replays[nonce]

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        """See the port."""
        if not filters:
            return
        asked = _Answer()

        def answered(codes: Sequence[int]) -> None:
            refused = any(code >= _FAILURE for code in codes)
            asked.settle(RefusedError("the broker refuses to end a subscription") if refused else None)

        self._check()
        self._calls[self._wire.send_unsubscribe(filters)] = (asked, answered)
        await self._settled(asked)

    async def lost(self) -> str:
        """See the port."""
        return await asyncio.shield(self._lost)

    async def hang_up(self) -> None:
        """End the connection without a word, as a crash would: the broker reads out the will."""
        self.lose("we hung up")
        self._hung_up = True
        await self._wire.drop()

    async def close(self) -> None:
        """End the connection cleanly, or what is left of it."""
        self.lose("we closed it")
        if not self._hung_up:
            await self._wire.close()

    # --- what the wire tells ----------------------------------------------------------------------------------------

    def received(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """A message came in."""
        self._progress += 1
        if topic != self._sync:
            if not self._lost.done() and not (retained and self._is_muted(topic)):
                self._on_delivery(Delivery(topic, payload, retained))
        elif payload in self._replays:
            self._replays[payload].settle()
        elif retained and payload in self._marks:
            self._come_to(payload)

    def answered(self, message: int, codes: Sequence[int]) -> None:
        """The broker answered a publish, subscribe or unsubscribe."""
        self._progress += 1
        if message in self._publishes:
            batch, topic = self._publishes.pop(message)
            batch.count(topic, codes[0])
            if self._room is not None and len(self._publishes) <= self._wire.window // 2:
                self._room.settle()
                self._room = None
        elif message in self._calls:
            _, answered = self._calls.pop(message)
            answered(codes)

    def lose(self, reason: str) -> None:
        """The connection is gone: everything under way fails now."""
        if self._lost.done():
            return
        self._lost.set_result(reason)
        under_way: list[_Batch | _Answer] = [batch for batch, _ in self._publishes.values()]
        under_way += [asked for asked, _ in self._calls.values()]
        under_way += [*self._replays.values(), *self._marks.values()]
        under_way += [self._room] if self._room is not None else []
        self._publishes.clear()
        self._calls.clear()
        self._room = None
        for answer in under_way:
            answer.settle(self._loss())

    # --- inside -----------------------------------------------------------------------------------------------------

    def _come_to(self, mark: bytes) -> None:
        """The server's list has come to a mark, and so to those before."""
        for earlier, found in self._marks.items():
            found.settle()
            if earlier == mark:
                return

    def _is_muted(self, topic: str) -> bool:
        return any(matches(pattern, topic) for filters in self._muted for pattern in filters)

    def _loss(self) -> BusError:
        return BusError(f"the connection to broker {self._broker} is lost: {self._lost.result()}")

    def _check(self) -> None:
        if self._lost.done():
            raise self._loss()

    def _send(self, publication: Publication, batch: _Batch) -> None:
        self._check()
        self._publishes[self._wire.send(publication)] = (batch, publication.topic)
        batch.open += 1

    async def _until_room(self) -> None:
        if self._room is None:
            self._room = _Answer()
        await self._settled(self._room)

    async def _settled(self, answer: _Answer) -> None:
        """Wait for an answer; a broker that says nothing at all for too long counts as lost."""
        if not await self._in_time(answer, self._patience.acknowledge):
            self.lose(f"no answer for {self._patience.acknowledge:g} s")
            raise self._loss()

    async def _replayed(self, replay: _Answer, before: int) -> None:
        """Wait for the nonce; a broker that has delivered what it has, but not the nonce, has dropped messages."""
        if not await self._in_time(replay, self._patience.replay):
            raise ReplayError(
                f"broker {self._broker} drops messages ({self._progress - before} packets came, the end of the replay"
                " did not): set max_queued_messages 1000000 in its mosquitto.conf (NATS: mqtt ack_wait 1s)"
            )

    async def _in_time(self, answer: _Answer, seconds: float) -> bool:
        """Whether the answer came before nothing at all had come in for so long. Raises what the answer says went wrong."""
        seen = -1
        while not answer.done.done():
            if seen == self._progress:
                return False
            seen = self._progress
            await asyncio.wait([answer.done], timeout=seconds)
        error = answer.done.result()
        if error is not None:
            raise error
        return True
