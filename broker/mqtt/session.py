"""One connection's publishes, subscriptions and replays, whatever library carries the packets.

What it must not know: sockets, and that library. It is told of packets by three calls, and says what to send through ``Wire``.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from functools import partial

from broker.bus import Acknowledged, Delivery, OnDelivery, Publication
from broker.errors import BusError, RefusedError, ReplayError
from broker.filters import is_filter, matches
from broker.mqtt.answers import FAILURE, Answer, Batch, grant
from broker.mqtt.clearing import Clearing
from broker.mqtt.listening import Listening
from broker.mqtt.patience import Patience
from broker.mqtt.servers import Servers
from broker.mqtt.tombstones import Tombstones, is_tombstone
from broker.mqtt.wire import Wire

_LOOKS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds to wait for a mark after each look for it: a list that has not come to it by then stands still."""


class Proof(Enum):
    """What shows that a replay, with what comes live, is all that stands."""

    NONE = "none"
    """Nothing has to: the broker lists what it retains and listens in one step."""
    TWICE = "twice"
    """A second replay does: it was listed when what is new came live already."""
    MARK = "mark"
    """A second replay does whose list has come to a mark of ours: it may lag, or stand still.

    A server that was killed may show the mark again, so this is for who comes back and takes it away.
    """


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
        proof: Proof = Proof.NONE,
        tombstones: Tombstones | None = None,
    ) -> None:
        """``broker``: its name for messages; ``sync``: the topic on which the end of a replay is proved.

        ``again``: that on which writers are asked to show everything again. ``proof``: what a replay takes to be believed.
        ``tombstones``: those with which it clears; None: it clears at once.
        """
        self._wire = wire
        self._broker = broker
        self._sync = sync
        self._proof = proof
        self._ours = f"{sync}/+" if proof is Proof.MARK else sync
        """What to subscribe to for nonces and marks."""
        self._again = again
        self._servers = servers
        self._on_delivery = on_delivery
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._lost: asyncio.Future[str] = self._loop.create_future()
        self._publishes: dict[int, tuple[Batch, str]] = {}
        self._calls: dict[int, tuple[Answer, Callable[[Sequence[int]], None]]] = {}
        self._room: Answer | None = None
        """Settled when publishes may go on."""
        self._replays: dict[bytes, Answer] = {}
        """By the nonce that ends each."""
        self._marks: dict[bytes, Answer] = {}
        """What we retain to see whether the server's list comes to it, the first one first."""
        self._muted: list[Sequence[str]] = []
        """Filters of replays that prove nothing yet: what they bring is not handed on."""
        self._subscribing = 0
        self._cleared: set[str] = set()
        """Topics that were cleared while subscribing: a replay may bring what stood there before, though it comes after."""
        self._nonces = 0
        self._token = secrets.token_hex(8)
        """Tells our nonces from those of an earlier connection under the same client id."""
        self._hung_up = False
        self._clearing = Clearing(tombstones, lambda: wire.window - len(self._publishes), self._send_now)
        self._listening = Listening(self._replay, self.lose, patience.listen if servers.several else None)
        self._progress = 0
        """Counts all that comes in."""

    # --- the port ---------------------------------------------------------------------------------------------------

    async def send(self, publications: Sequence[Publication], acknowledged: Acknowledged) -> None:
        """See the port. A refused one does not keep the others from being sent; RefusedError names the first."""
        batch = Batch(acknowledged)
        try:
            for publication in publications:
                while len(self._publishes) >= self._wire.window:
                    await self._until_room()
                self._send(self._clearing.instead(publication), batch)
            self._wire.flush()
        except BusError as error:
            batch.settle(error)
        batch.all_sent()

    async def publish(self, publications: Sequence[Publication]) -> None:
        """See the port."""
        answer = Answer()
        await self.send(publications, answer.settle)
        await self._settled(answer)

    async def subscribe(self, filters: Sequence[str]) -> bool:
        """See the port. Raises BusError when this server's list stands still and another server is worth trying."""
        if not filters:
            return True
        for pattern in filters:
            if not is_filter(pattern):
                raise RefusedError(f"'{pattern}' is not a topic filter")
        self._subscribing += 1
        self._listening.begin()
        followed: Sequence[str] = ()
        try:
            if self._proof is Proof.NONE:
                await self._replay(filters)
                proved = True
            else:
                proved = await self._proved_replay(filters)
            followed = filters
            return proved
        finally:
            self._listening.done(follow=followed)
            self._subscribing -= 1
            if not self._subscribing:
                self._cleared.clear()

    async def _proved_replay(self, filters: Sequence[str]) -> bool:
        """Whether it could be proved that the replay was all that stands, with what came live meanwhile.

        1. Subscribe: from now on, what is new comes live. What was published while the broker did so may be neither replayed
        nor live. 2. For a proof by mark, retain one, and wait until this server's list has come to it, and so to all that was
        retained before. 3. Subscribe again: this replay is the one that counts.
        """
        self._muted.append(filters)
        try:
            for pattern in (*filters, self._ours):  # one after the other: each may have to wait for an election
                await self._asked([pattern])
            moves = await (self._list_moves() if self._proof is Proof.MARK else self._caught_up())
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

    async def _caught_up(self) -> bool:
        """True, when all that the broker has sent so far is here."""
        nonce, before = self._next_nonce(), self._progress
        replay = self._replays[nonce] = Answer()
        try:
            await self.publish([Publication(self._topic_of(nonce), nonce, retain=False)])
            await self._replayed(replay, before)
        finally:
            del self._replays[nonce]
        return True

    async def _list_moves(self) -> bool:
        """Whether what is retained now is soon among what this server replays: its list is in the order of what was retained."""
        # On a topic of its own: what a list knows already, it looks up in the broker's store, even if it stands still.
        mark = self._next_nonce()
        topic = self._topic_of(mark)
        found = self._marks[mark] = Answer()
        try:
            await self.publish([Publication(topic, mark)])
            for seconds in _LOOKS:
                await self._asked([self._ours])
                await asyncio.wait([found.done], timeout=seconds)
                if found.done.done():
                    break
        finally:
            del self._marks[mark]
        self._send_now([Publication(topic, b"")])
        self._check()
        return found.done.done()

    async def _asked(self, filters: Sequence[str]) -> None:
        """Subscribe and wait for no more than the broker's word."""
        asked = Answer()
        self._check()
        self._calls[self._wire.send_subscribe(filters)] = (asked, partial(grant, asked, filters))
        await self._settled(asked)

    async def _replay(self, filters: Sequence[str]) -> None:
        """Subscribe, and wait for the end of the replay."""
        nonce = self._next_nonce()
        asked, proof, replay = Answer(), Answer(), Answer()
        before = self._progress
        sent = (*filters, self._ours)

        def accepted(error: BusError | None) -> None:
            self._wire.release_acknowledgments()
            proof.settle(error)

        def granted(codes: Sequence[int]) -> None:
            if max(codes) < FAILURE:
                batch = Batch(accepted)
                self._send(Publication(self._topic_of(nonce), nonce, retain=False), batch)
                batch.all_sent()
            else:
                self._wire.release_acknowledgments()
            grant(asked, sent, codes)

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
        asked = Answer()

        def answered(codes: Sequence[int]) -> None:
            refused = any(code >= FAILURE for code in codes)
            asked.settle(RefusedError("the broker refuses to end a subscription") if refused else None)

        self._check()
        self._listening.begin()
        try:
            self._calls[self._wire.send_unsubscribe(filters)] = (asked, answered)
            await self._settled(asked)
        finally:
            self._listening.done(leave=filters)

    async def lost(self) -> str:
        """See the port."""
        return await self._listening.until(self._lost)

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
        if topic == self._sync or (self._proof is Proof.MARK and topic.startswith(f"{self._sync}/")):
            self._hear_ourselves(topic, payload, retained=retained)
        elif not self._lost.done() and not (retained and self._is_past(topic)):
            stone = is_tombstone(payload)
            if retained and stone:
                self._clearing.met(topic, payload)
                return
            if self._subscribing and not retained and (stone or not payload):
                self._cleared.add(topic)
            heard = Delivery(topic, b"" if stone else payload, retained)
            if self._listening.hears(topic, heard.payload, retained=retained):
                self._on_delivery(heard)

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
        self._clearing.end()
        under_way: list[Batch | Answer] = [batch for batch, _ in self._publishes.values()]
        under_way += [asked for asked, _ in self._calls.values()]
        under_way += [*self._replays.values(), *self._marks.values()]
        under_way += [self._room] if self._room is not None else []
        self._publishes.clear()
        self._calls.clear()
        self._room = None
        for answer in under_way:
            answer.settle(self._loss())

    # --- inside -----------------------------------------------------------------------------------------------------

    def _hear_ourselves(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """A nonce, or a mark to which the server's list has come: and so to those before."""
        if payload in self._replays:
            self._replays[payload].settle()
        elif retained and payload in self._marks:
            for earlier, found in self._marks.items():
                found.settle()
                if earlier == payload:
                    return
        elif retained and not payload.startswith(self._token.encode()) and not self._lost.done():
            self._send_now([Publication(topic, b"")])  # a mark of an earlier connection, which ended before it could

    def _send_now(self, publications: Iterable[Publication], acknowledged: Acknowledged = lambda _: None) -> None:
        """Publish what there is room for, and wait for nothing."""
        batch = Batch(acknowledged)
        try:
            for publication in publications:
                self._send(publication, batch)
            self._wire.flush()
        except BusError as error:
            batch.settle(error)
        batch.all_sent()

    def _next_nonce(self) -> bytes:
        self._nonces += 1
        return f"{self._token}-{self._nonces}".encode()

    def _topic_of(self, nonce: bytes) -> str:
        return f"{self._sync}/{nonce.decode()}" if self._proof is Proof.MARK else self._sync

    def _is_past(self, topic: str) -> bool:
        """Whether what is replayed there counts for nothing."""
        return topic in self._cleared or any(matches(pattern, topic) for filters in self._muted for pattern in filters)

    def _loss(self) -> BusError:
        return BusError(f"the connection to broker {self._broker} is lost: {self._lost.result()}")

    def _check(self) -> None:
        if self._lost.done():
            raise self._loss()

    def _send(self, publication: Publication, batch: Batch) -> None:
        self._check()
        self._publishes[self._wire.send(publication)] = (batch, publication.topic)
        batch.open += 1

    async def _until_room(self) -> None:
        if self._room is None:
            self._room = Answer()
        await self._settled(self._room)

    async def _settled(self, answer: Answer) -> None:
        """Wait for an answer; a broker that says nothing at all for too long counts as lost."""
        if not await self._in_time(answer, self._patience.acknowledge):
            self.lose(f"no answer for {self._patience.acknowledge:g} s")
            raise self._loss()

    async def _replayed(self, replay: Answer, before: int) -> None:
        """Wait for the nonce; a broker that has delivered what it has, but not the nonce, has dropped messages."""
        if not await self._in_time(replay, self._patience.replay):
            raise ReplayError(
                f"broker {self._broker} drops messages ({self._progress - before} packets came, the end of the replay"
                " did not): set max_queued_messages 1000000 in its mosquitto.conf (NATS: mqtt ack_wait 1s)"
            )

    async def _in_time(self, answer: Answer, seconds: float) -> bool:
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
