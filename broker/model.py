"""mosquitto as we rely on it, as a deterministic state machine. Pure: packets in, packets out, nothing in between.

Connections are numbers, so that what is still under way to or from an old one is not taken for the next one's under the same
client id. What comes from a connection that is gone is ignored, as a broker never sees it. Outputs are in the order in which the
broker sends; to one connection they must arrive in that order, between connections nothing is promised.

A broker may be several servers, by number. What is published goes to everybody, and what is retained stands at once; but each
server replays from a list of its own, and such a list may stand still (NATS, while another server is down). What was cleared
meanwhile it may go on showing, and what stood before a clear may rise again on a server that was killed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct, field

from broker.bus import Delivery, Publication
from broker.filters import matches


class Sent(Struct, frozen=True):
    """The broker sends a message to a connection."""

    connection: int
    delivery: Delivery


class Closed(Struct, frozen=True):
    """The broker ends a connection, or finds that it has ended."""

    connection: int
    reason: str


Output = Sent | Closed


_MOST_CLEARED = 1_000
"""So many topics are remembered that were cleared."""


class _Connection(Struct):
    """What a broker knows of a connection."""

    client: str
    will: Publication | None
    server: int = 0
    filters: list[str] = field(default_factory=list)
    waiting: int = 0
    """Messages that the client has not acknowledged."""


class _List(Struct):
    """A server's list that stands still: the topics it knows, and the payloads it remembers; of the others it has the newest."""

    topics: list[str]
    remembered: dict[str, bytes]


class BrokerModel:
    """A broker's life, from start to stop; a restarted broker is another one, made with what was saved of the former."""

    def __init__(self, retained: Mapping[str, bytes] | None = None, *, queue_limit: int | None = None) -> None:
        """``retained``: what it finds on disk. ``queue_limit``: messages a client may be behind; more are dropped, silently."""
        self._retained = dict(retained or {})
        self._queue_limit = queue_limit
        self._connections: dict[int, _Connection] = {}
        self._still: dict[int, _List] = {}
        self._cleared: dict[str, bytes] = {}
        """What stood last where nothing does, the oldest clear first."""
        self._risen: dict[int, dict[str, bytes]] = {}
        """What a server shows though it was cleared, until something is published there."""
        self._next = 1

    @property
    def retained(self) -> dict[str, bytes]:
        """A copy of everything retained: to look at, or to start another broker with."""
        return dict(self._retained)

    @property
    def connections(self) -> dict[int, str]:
        """The client id of each connection, oldest first."""
        return {number: connection.client for number, connection in self._connections.items()}

    def stand_still(self, server: int, remembered: Collection[str] = ()) -> None:
        """From now on a server's list hears of nothing; of these topics it remembers the payload as well."""
        payloads = {topic: payload for topic, payload in self._retained.items() if topic in remembered}
        self._still[server] = _List(list(self._retained), payloads)

    def move_on(self) -> None:
        """All lists hear of everything again; of what was cleared meanwhile nothing is left to hear of."""
        for server, still in self._still.items():
            self.rise(server, still.remembered)
        self._still.clear()

    @property
    def cleared(self) -> list[str]:
        """Topics on which nothing stands any more, the oldest clear first."""
        return list(self._cleared)

    def moves(self, server: int) -> bool:
        """Whether a server's list hears of what is new."""
        return server not in self._still

    def rise(self, server: int, topics: Iterable[str]) -> None:
        """From now on a server shows on these topics what stood there before they were cleared."""
        risen = {topic: self._cleared[topic] for topic in topics if topic in self._cleared}
        self._risen[server] = self._risen.get(server, {}) | risen

    def shown(self, server: int = 0) -> dict[str, bytes]:
        """What a server replays, to whom subscribes to everything."""
        risen, still = self._risen.get(server, {}), self._still.get(server)
        if still is None:
            return risen | self._retained
        found = {topic: still.remembered.get(topic) or self._retained.get(topic) for topic in still.topics}
        return risen | {topic: payload for topic, payload in found.items() if payload is not None}

    def connect(self, client: str, will: Publication | None, server: int = 0) -> tuple[int, list[Output]]:
        """Open a connection. An older one under the same client id ends, and its will is published."""
        outputs: list[Output] = []
        for number in [number for number, other in self._connections.items() if other.client == client]:
            outputs += self.lose(number, "another client took its id")
        number = self._next
        self._next += 1
        self._connections[number] = _Connection(client, will, server)
        return number, outputs

    def subscribe(self, number: int, filters: Sequence[str]) -> list[Output]:
        """Subscribe; for each filter, also one subscribed to before, everything retained is sent again, in order of topics."""
        replay = self.listed(number, filters)
        self.listen(number, filters)
        return replay

    def listen(self, number: int, filters: Sequence[str]) -> None:
        """From now on what is published comes live."""
        connection = self._connections.get(number)
        if connection is not None:
            connection.filters += [pattern for pattern in filters if pattern not in connection.filters]

    def listed(self, number: int, filters: Sequence[str]) -> list[Output]:
        """What a subscription replays. NATS makes this list first, and listens a moment later."""
        connection = self._connections.get(number)
        if connection is None:
            return []
        shown = self.shown(connection.server)
        replay = (
            Delivery(topic, shown[topic], retained=True)
            for pattern in filters
            for topic in sorted(shown)
            if matches(pattern, topic)
        )
        return list(self._queue(number, connection, replay))

    def unsubscribe(self, number: int, filters: Sequence[str]) -> None:
        """No further message because of these filters."""
        connection = self._connections.get(number)
        if connection is not None:
            connection.filters = [pattern for pattern in connection.filters if pattern not in filters]

    def publish(self, number: int, publication: Publication, *, copies: int = 1) -> list[Output]:
        """Publish. ``copies`` greater than 1: QoS 1 duplicates, as when an acknowledgment was lost."""
        if number not in self._connections:
            return []
        return [output for _ in range(copies) for output in self._publish(publication)]

    def retain(self, publication: Publication) -> None:
        """What a server that dies had still stored, and passed on to nobody."""
        topic, before = publication.topic, self._retained.pop(publication.topic, None)
        for risen in self._risen.values():
            risen.pop(topic, None)
        if publication.payload:
            self._retained[topic] = publication.payload
            self._cleared.pop(topic, None)
        elif before is not None:
            self._cleared[topic] = before
            if len(self._cleared) > _MOST_CLEARED:
                del self._cleared[next(iter(self._cleared))]

    def acknowledge(self, number: int, messages: int = 1) -> None:
        """The client has acknowledged so many messages; needed only with a ``queue_limit``."""
        connection = self._connections.get(number)
        if connection is not None:
            connection.waiting = max(0, connection.waiting - messages)

    def leave(self, number: int) -> None:
        """A clean end: no will."""
        self._connections.pop(number, None)

    def lose(self, number: int, reason: str = "the network ended it") -> list[Output]:
        """Any other end: the will is published."""
        connection = self._connections.pop(number, None)
        if connection is None:
            return []
        said = self._publish(connection.will) if connection.will is not None else []
        return [Closed(number, reason), *said]

    def stop(self) -> list[Output]:
        """Shut down in order: all connections end, and their wills are among what is retained."""
        outputs: list[Output] = []
        for number in list(self._connections):
            outputs += self.lose(number, "the broker shut down")
        return outputs

    def kill(self, server: int | None = None) -> list[Output]:
        """Power off, or one server alone: its connections end, nothing more is published."""
        lost = [number for number, one in self._connections.items() if server in {None, one.server}]
        for number in lost:
            del self._connections[number]
        return [Closed(number, "the broker died") for number in lost]

    def _publish(self, publication: Publication) -> list[Output]:
        if publication.retain:
            self.retain(publication)
        delivery = Delivery(publication.topic, publication.payload, retained=False)
        return [
            output
            for number, connection in self._connections.items()
            if any(matches(pattern, publication.topic) for pattern in connection.filters)
            for output in self._queue(number, connection, [delivery])
        ]

    def _queue(self, number: int, connection: _Connection, deliveries: Iterable[Delivery]) -> Iterable[Output]:
        for delivery in deliveries:
            if self._queue_limit is None or connection.waiting < self._queue_limit:
                connection.waiting += 1
                yield Sent(number, delivery)
