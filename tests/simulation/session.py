"""What a node's link does: look, connect, say hello, take in the replay, live on the connection until it is over.

Told step by step after `broker/runtime/link.py`, on virtual lines: every ``yield`` is a moment at which the node may die or the
connection break.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random
from typing import Any

from broker.backoff import delay
from broker.bus import Delivery, Publication
from broker.errors import BusError
from broker.mqtt.servers import Servers
from broker.mqtt.tombstones import Tombstones, is_tombstone
from broker.runtime.errors import EpochTakenError, FencedError
from broker.runtime.life import Life
from broker.runtime.world import Limits
from broker.topics import Topics
from tests.simulation.disk import Disk
from tests.simulation.line import Line
from tests.simulation.network import CONNECT_SECONDS, Network
from tests.simulation.trace import Lodged, Trace
from tests.simulation.world import Promise, Steps, World, wait, within

LIMITS = Limits()
TOPICS = Topics()


LOOKS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds to wait for a mark after each look for it."""


class Session:
    """One MQTT session on one line, told after `broker/mqtt/session.py`."""

    def __init__(
        self, world: World, network: Network, line: Line, servers: Servers, tombstones: Tombstones | None = None
    ) -> None:
        self.line = line
        self._world = world
        self._network = network
        self._servers = servers
        self._sync = TOPICS.sync(line.client)
        self._ours = f"{self._sync}/+"
        self._nonces: dict[bytes, Promise[None]] = {}
        self._mark: Promise[None] = Promise()
        self._muted = False
        self._cleared: set[str] | None = None
        """Topics that were cleared while subscribing, if we do."""
        self._number = f"{line.client}-{world.seconds}"
        self._stones = tombstones
        self._clearing = False
        if tombstones is not None:
            tombstones.begin()
            self._clear_later()

    def publish(self, publications: Sequence[Publication]) -> Promise[None]:
        """Publish in this order, with tombstones for what is cleared; kept when all are acknowledged."""
        stones, now = self._stones, self._world.seconds
        sent = publications if stones is None else [stones.instead(one, now) for one in publications]
        self._clear_later()
        return self._network.publish(self.line, sent)

    def _clear_later(self) -> None:
        if self._stones is not None and self._stones.next_due is not None and not self._clearing:
            self._clearing = True
            self._world.later(max(self._stones.next_due - self._world.seconds, 0.1), self._clear_due)

    def _clear_due(self) -> None:
        if self._stones is None or self.line.lost.done:
            return
        stones, due = self._stones, self._stones.due(self._world.seconds, 100)
        acknowledged = self._network.publish(self.line, due)

        def heard() -> None:
            self._clearing = False
            if not self.line.lost.done:
                stones.done(due, self._world.seconds)
                self._clear_later()

        acknowledged.then(heard)

    def subscribe(self, filters: Sequence[str], seconds: float) -> Steps[bool]:
        """Subscribe, and come back when all that is retained has been delivered; whether that is proved."""
        self._cleared = set()
        proved = yield from self._subscribe(filters, seconds)
        self._cleared = None
        return proved

    def _subscribe(self, filters: Sequence[str], seconds: float) -> Steps[bool]:
        if not self._servers.several:
            yield from self._replay(filters, seconds)
            return True
        self._muted = True
        yield from within(
            self._world, seconds, self._network.subscribe(self.line, (*filters, self._ours)), "no acknowledgment"
        )
        moves = yield from self._list_moves(seconds)
        self._muted = False
        if moves:
            self._servers.moves()
        elif self._servers.stands_still():
            raise BusError("the server does not show what is new")
        yield from self._replay(filters, seconds)
        if not moves:
            again = [Publication(TOPICS.again(self.line.client), b"", retain=False)]
            yield from within(self._world, seconds, self._network.publish(self.line, again), "no acknowledgment")
        return moves

    def _list_moves(self, seconds: float) -> Steps[bool]:
        """Retain a mark, and see whether the server's list comes to it."""
        topic = f"{self._sync}/{self._number}"
        mark = [Publication(topic, self._number.encode())]
        yield from within(self._world, seconds, self._network.publish(self.line, mark), "no acknowledgment")
        for pause in LOOKS:
            yield from within(
                self._world, seconds, self._network.subscribe(self.line, [self._ours]), "no acknowledgment"
            )
            over: Promise[None] = Promise()
            self._mark.then(lambda over=over: over.keep(None))  # type: ignore[misc]  # mypy infers no lambda with defaults
            self._world.later(pause, lambda over=over: over.keep(None))  # type: ignore[misc]  # likewise
            yield from wait(over)
            if self._mark.done:
                break
        clear = [Publication(topic, b"")]
        yield from within(self._world, seconds, self._network.publish(self.line, clear), "no acknowledgment")
        return self._mark.done

    def _replay(self, filters: Sequence[str], seconds: float) -> Steps[None]:
        yield from within(
            self._world, seconds, self._network.subscribe(self.line, (*filters, self._sync)), "no acknowledgment"
        )
        nonce = str(len(self._nonces) + 1).encode()
        complete = self._nonces[nonce] = Promise()
        self.line.lost.then(lambda: complete.fail(BusError("the connection is lost")))
        self._network.publish(self.line, [Publication(self._sync, nonce, retain=False)])
        yield from within(self._world, seconds, complete, "no end of the replay")

    def hear(self, delivery: Delivery) -> Delivery | None:
        """What the node is to hear of a delivery; None: it was the session's own, or proves nothing yet."""
        if not delivery.topic.startswith(self._sync):
            if delivery.retained and (self._muted or delivery.topic in (self._cleared or ())):
                return None
            stone = is_tombstone(delivery.payload)
            if self._cleared is not None and not delivery.retained and (stone or not delivery.payload):
                self._cleared.add(delivery.topic)
            if not stone:
                return delivery
            if not delivery.retained:
                return Delivery(delivery.topic, b"", retained=False)
            if self._stones is not None:
                self._stones.met(delivery.topic, delivery.payload, self._world.seconds)
                self._clear_later()
            return None
        if delivery.retained and delivery.payload == self._number.encode():
            self._mark.keep(None)
        elif delivery.payload in self._nonces:
            self._nonces[delivery.payload].keep(None)
        elif delivery.retained:  # a mark of an earlier connection
            self._network.publish(self.line, [Publication(delivery.topic, b"")])
        return None


class Link:
    """A node's connection, one life long."""

    def __init__(  # noqa: PLR0913  # all that a node is lent
        self,
        node: str,
        life: Life[Any, Any],
        disk: Disk,
        network: Network,
        trace: Trace,
        *,
        world: World,
        now: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self.session: Session | None = None
        """There from the end of the replay until the connection is over."""
        self.alive = True
        """Whether its node is: what is dead leaves no connection in good order."""
        self._node = node
        self._life = life
        self._disk = disk
        self._network = network
        self._trace = trace
        self._world = world
        self._now = now
        self._wake = wake
        self._over: Promise[str] | None = None
        self._floor = 0
        self._servers = Servers(network.servers)
        self._tombstones = Tombstones(node) if network.servers > 1 else None
        self._chance: Random = world.chance(f"link {node} {world.seconds}")

    def end(self, reason: str) -> None:
        """This connection is over, as far as we are concerned."""
        self._life.lost()
        if self._over is not None:
            self._over.keep(reason)

    def send(self, publications: Sequence[Publication], told: Callable[[], None]) -> None:
        """Send, and be ``told`` of the acknowledgment; what has none in time ends the connection."""
        session = self.session
        if session is None:
            return
        acknowledged = session.publish(publications)
        self._world.later(LIMITS.publish, lambda: acknowledged.fail(BusError("the broker acknowledged nothing")))

        def heard() -> None:
            try:
                acknowledged.outcome()
            except BusError as error:
                if self.alive and session is self.session:
                    self.end(str(error))
            else:
                if self.alive:
                    told()

        acknowledged.then(heard)

    def publish(self, publications: Sequence[Publication]) -> Steps[None]:
        """Publish, and wait for the acknowledgment. Raises BusError, after which the connection is over."""
        session = self.session
        if session is None:
            raise BusError("no connection")
        acknowledged = session.publish(publications)
        try:
            yield from within(self._world, LIMITS.publish, acknowledged, "the broker acknowledged nothing")
        except BusError as error:
            if session is self.session:
                self.end(str(error))
            raise

    def keep(self) -> Steps[None]:
        """Connect, again and again. Raises FencedError."""
        attempt = 0
        while True:
            try:
                yield from self._once()
                attempt = 0
            except EpochTakenError as error:
                self._floor = error.floor
                continue
            except BusError:
                pass
            attempt += 1
            pause: Promise[None] = Promise()
            self._world.later(delay(attempt, self._chance), lambda pause=pause: pause.keep(None))  # type: ignore[misc]  # mypy infers no lambda with defaults
            yield from wait(pause)

    def _once(self) -> Steps[str]:
        life = self._life
        floor = max(life.look((yield from self._look())), self._floor, int(self._now().timestamp()))
        if not life.started:
            life.begin(self._disk.next_epoch(floor))
        will = life.connecting(self._now())
        connection = life.connection
        line: Line | None = None
        try:
            session = yield from self._enter(self._node, will, lambda delivery: self._deliver(connection, delivery))
            line = session.line
            hello = life.hello(self._now())
            self._trace.add(Lodged(at=self._world.seconds, node=self._node, topic=hello.topic, payload=hello.payload))
            yield from within(self._world, LIMITS.publish, self._network.publish(line, [hello]), "no answer")
            proved = yield from session.subscribe(life.everything, LIMITS.replay)
            yield from within(self._world, LIMITS.publish, self._network.unsubscribe(line, life.wire.own), "no answer")
            life.replayed(proved=proved, unheard=self._network.servers > 1)
            self.session = session
            self._wake()
            return (yield from self._until_over(line))
        finally:
            self.session = None
            life.lost()
            self._leave(line)

    def _look(self) -> Steps[bytes | None]:
        """What stands at our presence, seen over a connection that does not bear our name."""
        found: list[Delivery] = []
        topic = self._life.wire.presence
        session = yield from self._enter(f"look-{self._node}", None, found.append)
        try:
            yield from session.subscribe([topic], LIMITS.replay)
        finally:
            self._leave(session.line)
        payloads = [delivery.payload for delivery in found if delivery.topic == topic]
        return payloads[-1] if payloads else None

    def _enter(self, client: str, will: Publication | None, on_delivery: Callable[[Delivery], None]) -> Steps[Session]:
        sessions: list[Session] = []

        def arrive(delivery: Delivery) -> None:
            heard = sessions[0].hear(delivery)
            if heard is not None:
                on_delivery(heard)

        server = self._servers.number % self._servers.count
        line = self._network.connect(self._node, client, will, arrive, server)
        stones = self._tombstones if will is not None else None
        sessions.append(Session(self._world, self._network, line, self._servers, stones))
        try:
            yield from within(self._world, CONNECT_SECONDS, line.opened, "no broker answers")
        except BusError:
            self._servers.refused()
            self._leave(line)
            raise
        return sessions[0]

    def _leave(self, line: Line | None) -> None:
        if line is not None and self.alive:
            self._network.leave(line)

    def _until_over(self, line: Line) -> Steps[str]:
        over: Promise[str] = Promise()
        self._over = over
        self._check_trouble()
        line.lost.then(lambda: self.end("the connection is lost") if self._over is over else None)
        try:
            reason = yield from wait(over)
        finally:
            self._over = None
        if isinstance(self._life.trouble, FencedError):
            raise self._life.trouble
        return reason

    def _deliver(self, connection: int, delivery: Delivery) -> None:
        if connection != self._life.connection:
            return
        self._life.deliver(delivery)
        self._check_trouble()
        self._wake()

    def _check_trouble(self) -> None:
        if self._life.trouble is not None and self._over is not None:
            self.end(str(self._life.trouble))
