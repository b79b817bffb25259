"""The network between nodes and broker: connections that delay, repeat, stall and break, and the broker in the middle.

What a broker does is `broker.model`'s business. Here is what happens on the way there and back: in order on one connection, as
TCP has it, and in any order between two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from random import Random

from broker import model
from broker.bus import Delivery, Publication
from broker.errors import BusError
from broker.filters import matches
from broker.model import BrokerModel, Closed, Output, Sent
from broker.mqtt.tombstones import is_tombstone
from broker.topics import Topics
from tests.simulation.line import Line
from tests.simulation.trace import Accepted, Cleared, Fault, Lodged, Replayed, Restored, ServerBack, ServerDied, Trace
from tests.simulation.weather import Weather
from tests.simulation.world import Promise, World

model.matches = lru_cache(maxsize=None)(matches)  # type: ignore[attr-defined]  # it imports it for itself
"""The model asks the same again and again; remembering the answers makes a story a fifth shorter."""

KEEP_ALIVE = (15.0, 30.0)
"""Seconds after which one end finds that the other does not answer any more."""
CONNECT_SECONDS = 15.0
_MARKS = Topics().sync("")
"""Below it clients prove replays to themselves; nobody else hears of that."""
MOST_RISEN = 40
"""So many topics at most that were cleared show again what stood there, on a server that was killed."""
CHUNK = 6
"""Publications that travel together at most: a connection can break between any two bundles."""
HALF = 0.5
"""How likely a server that dies has stored a publication that was on its way to it."""
LONGEST_GAP = 0.5
"""Seconds at most between a server's list of what it retains and its listening for what is new."""


class Network:
    """All connections, and the broker."""

    def __init__(self, world: World, trace: Trace, servers: int) -> None:
        self.world = world
        self.trace = trace
        self.weather = Weather()
        self.model = BrokerModel()
        self.up = True
        self.servers = servers
        self.down: int | None = None
        """Which of several servers is."""
        self.flying = 0
        """Packets under way."""
        self.slow_owners: dict[str, float] = {}
        """Further latency, in seconds, of some owners."""
        self.chance: Random = world.chance("network")
        self._gaps: Random = world.chance("gaps")
        self._lines: dict[int, Line] = {}
        self._open: dict[Line, None] = {}
        """Connections whose client has not given them up."""
        self._cut_off: dict[str, int] = {}
        self._cuts = 0
        self._torn: set[Line] = set()
        """Connections that the last dead server took along."""
        self._stores = HALF
        """How likely that one has stored each publication that was on its way to it."""

    def latency(self, owner: str) -> float:
        """How long the next packet takes."""
        weather, chance = self.weather, self.chance
        extra = chance.random() * self.slow_owners.get(owner, 0.0)
        if weather.slow and chance.random() < weather.slow:
            extra += chance.random() * weather.slowest
            self.trace.add(Fault(at=self.world.seconds, kind="delay", victim=owner))
        return weather.latency + chance.random() * weather.jitter + extra

    # ------------------------------------------------------------------ for clients

    def connect(
        self,
        owner: str,
        client: str,
        will: Publication | None,
        on_delivery: Callable[[Delivery], None],
        server: int | None = None,
    ) -> Line:
        """A client connects, to any server or this one; ``opened`` of the line is kept when the broker has let it in."""
        line = Line(self, owner, client, on_delivery)
        self._open[line] = None
        line.lost.then(lambda: self._open.pop(line))
        line.to_broker(lambda: self._let_in(line, will, server))
        return line

    def publish(self, line: Line, publications: Sequence[Publication]) -> Promise[None]:
        """Publish in this order; kept when all are acknowledged."""
        acknowledged = self._awaited(line)
        start = 0
        while start < len(publications):
            size = self.chance.randint(1, CHUNK)
            self._bundle(line, publications[start : start + size])
            start += size
        line.to_broker(lambda: self._answer(line, acknowledged))
        return acknowledged

    def subscribe(self, line: Line, filters: Sequence[str]) -> Promise[None]:
        """Subscribe; kept when the broker has said so, which is before the first retained message.

        One of several servers makes its list first: what is published in the gap before it listens is neither replayed nor live.
        """
        acknowledged = self._awaited(line)

        def arrive() -> None:
            if self._knows(line):
                replay = self.model.listed(line.number, filters)
                if self.servers > 1:
                    self.world.later(self._gaps.random() * LONGEST_GAP, lambda: listen(replay))
                else:
                    listen(replay)

        def listen(replay: list[Output]) -> None:
            if self._knows(line):
                self.model.listen(line.number, filters)
                self._note_replay(line, filters, replay)
                line.to_client(lambda: acknowledged.keep(None))
                self._route(replay, shuffled=True)

        line.to_broker(arrive)
        return acknowledged

    def _note_replay(self, line: Line, filters: Sequence[str], replay: Sequence[Output]) -> None:
        """Of a node's own connection to one of several servers: what it lacks. An only server has but one list."""
        if self.servers == 1 or line.client != line.owner or all(pattern.startswith(_MARKS) for pattern in filters):
            return
        now = self.world.seconds
        line.since = now if line.since is None else line.since
        sent = {it.delivery.topic: it.delivery.payload for it in replay if isinstance(it, Sent)}
        wanted = (it for it in self.documents.items() if any(matches(pattern, it[0]) for pattern in filters))
        lacks = sorted(topic for topic, payload in wanted if sent.get(topic) != payload)
        self.trace.add(Replayed(at=now, node=line.owner, since=line.since, lacks=tuple(lacks)))

    def unsubscribe(self, line: Line, filters: Sequence[str]) -> Promise[None]:
        """Unsubscribe; kept when the broker has said so."""
        acknowledged = self._awaited(line)

        def arrive() -> None:
            if self._knows(line):
                self.model.unsubscribe(line.number, filters)
            self._answer(line, acknowledged)

        line.to_broker(arrive)
        return acknowledged

    def leave(self, line: Line) -> None:
        """A clean end: nobody hears a will."""
        line.close("we closed it")
        line.to_broker(lambda: self._forget(line))

    @staticmethod
    def _awaited(line: Line) -> Promise[None]:
        """The broker's word on something, unless the connection is lost before."""
        acknowledged: Promise[None] = Promise()
        line.lost.then(lambda: acknowledged.fail(BusError("the connection is lost")))
        return acknowledged

    # ------------------------------------------------------------------ what can go wrong

    def lines_of(self, owner: str | None = None) -> list[Line]:
        """The connections the broker knows, of one owner or of all."""
        return [line for line in self._lines.values() if owner is None or line.owner == owner]

    def _open_to(self, owner: str) -> list[Line]:
        """The connections an owner believes in."""
        return [line for line in self._open if line.owner == owner]

    def drop(self, line: Line, *, here: float, there: float) -> None:
        """A connection breaks; the client notices after ``here`` seconds, the broker after ``there``."""
        self.world.later(here, lambda: line.close("connection reset"))
        self.world.later(there, lambda: self._lose(line))

    def reset_by_death(self, owner: str, *, there: float) -> None:
        """A process died: its connections are over on its side at once."""
        for line in self._open_to(owner):
            line.close("the process died")
        for line in self.lines_of(owner):
            self.drop(line, here=0.0, there=there)

    def cut_off(self, owner: str) -> None:
        """Nothing gets through to an owner, or from it, until ``rejoin``."""
        self._cuts += 1
        cut = self._cut_off[owner] = self._cuts
        for line in self._open_to(owner):
            self._stall(line, cut)

    def is_cut_off(self, owner: str) -> bool:
        """Whether it is."""
        return owner in self._cut_off

    def rejoin(self, owner: str) -> None:
        """What stalled goes on."""
        if self._cut_off.pop(owner, None) is not None:
            for line in self._open_to(owner):
                line.release()

    def stop_broker(self, *, politely: bool) -> None:
        """The broker ends: in order, with all wills read out, or at once."""
        self.up = False
        self._route(self.model.stop() if politely else self.model.kill())
        self._lines.clear()

    def start_broker(self, retained: dict[str, bytes]) -> None:
        """A broker starts, with all its servers, with what it finds on its disk."""
        self.model = BrokerModel(retained)
        self.up, self.down = True, None
        self.trace.add(Restored(at=self.world.seconds, retained=retained))

    def kill_server(self, server: int, *, fed: float, stores: float) -> None:
        """One of several dies; with chance ``fed`` it fed the list of another one, which stands still from now on.

        ``stores``: how likely it has stored, and passed on to nobody, each publication that was on its way.
        """
        self.down, self._stores = server, stores
        before = set(self._lines.values())
        self._route(self.model.kill(server))
        self._torn = before - set(self._lines.values())
        nodes = sorted({line.owner for line in self._torn if line.client == line.owner})
        self.trace.add(ServerDied(at=self.world.seconds, nodes=tuple(nodes)))
        for other in range(self.servers):
            if other != server and self.chance.random() < fed:
                topics = sorted(self.model.retained)
                self.model.stand_still(other, set(self.chance.sample(topics, self.chance.randint(0, len(topics)))))
                self.trace.add(Fault(at=self.world.seconds, kind="list that stands still", victim=f"server {other}"))

    def start_server(self) -> None:
        """The one that is down is back, with some of what was cleared last, and all lists hear of everything."""
        if self.down is not None:
            recent = self.model.cleared[-MOST_RISEN:]
            self.model.rise(self.down, self.chance.sample(recent, self.chance.randint(0, len(recent))))
        self.down = None
        self.model.move_on()
        documents = {
            number: sorted(topic for topic, it in shown.items() if not is_tombstone(it))
            for number, shown in self.shown().items()
        }
        back = {f"server {number}": tuple(topics) for number, topics in documents.items()}
        self.trace.add(ServerBack(at=self.world.seconds, shown=back))

    def clear_by_hand(self, topic: str) -> None:
        """Somebody clears what a node shows, with a tool that knows nothing of nodes."""
        self.trace.add(Cleared(at=self.world.seconds, topic=topic))
        number, _ = self.model.connect("hand", None)
        self._route(self.model.publish(number, Publication(topic, b"")))
        self.model.leave(number)

    @property
    def documents(self) -> dict[str, bytes]:
        """What the broker retains, tombstones and clients' marks aside."""
        retained = self.model.retained.items()
        return {topic: it for topic, it in retained if not is_tombstone(it) and not topic.startswith(_MARKS)}

    @property
    def proving(self) -> list[int]:
        """The servers whose list moves: what they replay is proved."""
        return [number for number in range(self.servers) if number != self.down and self.model.moves(number)]

    def shown(self) -> dict[int, dict[str, bytes]]:
        """What each server replays that proves it; what clients prove it with is left out."""
        return {
            number: {topic: it for topic, it in self.model.shown(number).items() if not topic.startswith(_MARKS)}
            for number in self.proving
        }

    # ------------------------------------------------------------------ the broker's end

    def _let_in(self, line: Line, will: Publication | None, server: int | None) -> None:
        if line.lost.done:
            return
        if server is None:
            server = 0 if self.down != 0 else 1
        if not self.up or server == self.down:
            line.to_client(lambda: line.close("connection refused"))
            return
        number, outputs = self.model.connect(line.client, will, server)
        line.number, line.server = number, server
        self._lines[number] = line
        if will is not None:
            self.trace.add(Lodged(at=self.world.seconds, node=line.owner, topic=will.topic, payload=will.payload))
        self._route(outputs)
        line.to_client(lambda: line.opened.keep(None))

    def _bundle(self, line: Line, publications: Sequence[Publication]) -> None:
        def arrive() -> None:
            for publication in publications:
                self._take(line, publication)

        line.to_broker(arrive)

    def _take(self, line: Line, publication: Publication) -> None:
        if not self._knows(line):
            self._store_alone(line, publication)
            return
        if not publication.topic.startswith(_MARKS):
            self._accept(line, publication)
        twice = bool(self.weather.repeat) and self.chance.random() < self.weather.repeat
        if twice:
            self.trace.add(Fault(at=self.world.seconds, kind="repeated publication", victim=line.owner))
        self._route(self.model.publish(line.number, publication, copies=2 if twice else 1))

    def _store_alone(self, line: Line, publication: Publication) -> None:
        """A server that dies may have stored what it passes on to nobody; what comes on the next connection is newer."""
        if line not in self._torn or not publication.retain or self.lines_of(line.owner):
            return
        if self.chance.random() >= self._stores:
            return
        if not publication.topic.startswith(_MARKS):
            self._accept(line, publication, alone=True)
            self.trace.add(Fault(at=self.world.seconds, kind="stored and not passed on", victim=line.owner))
        self.model.retain(publication)

    def _accept(self, line: Line, publication: Publication, *, alone: bool = False) -> None:
        self.trace.add(
            Accepted(
                at=self.world.seconds,
                node=line.owner,
                topic=publication.topic,
                payload=b"" if is_tombstone(publication.payload) else publication.payload,
                retain=publication.retain,
                alone=alone,
            )
        )

    def _answer(self, line: Line, acknowledged: Promise[None]) -> None:
        if self._knows(line):
            line.to_client(lambda: acknowledged.keep(None))

    def _forget(self, line: Line) -> None:
        if self._knows(line):
            self.model.leave(line.number)
            del self._lines[line.number]

    def _lose(self, line: Line) -> None:
        if self._knows(line):
            del self._lines[line.number]
            self.world.later(KEEP_ALIVE[1], lambda: line.close("no answer to a ping"))  # if it has not noticed by then
            self._route(self.model.lose(line.number))

    def _knows(self, line: Line) -> bool:
        """Whether the broker, in this life of its, has this connection: numbers come again in the next one."""
        return self._lines.get(line.number) is line

    def _stall(self, line: Line, cut: int) -> None:
        """Both ends give a silent connection up, each in its own time."""

        def ended_here() -> None:
            if self._cut_off.get(line.owner) == cut:
                line.close("no answer to a ping")

        def ended_there() -> None:
            if self._cut_off.get(line.owner) == cut:
                self._lose(line)

        self.world.later(self.chance.uniform(*KEEP_ALIVE), ended_here)
        self.world.later(self.chance.uniform(*KEEP_ALIVE), ended_there)

    def _route(self, outputs: Sequence[Output], *, shuffled: bool = False) -> None:
        """Send on what the broker sends: bundled by connection, a replay in any order of topics."""
        deliveries: dict[int, list[Delivery]] = {}
        for output in outputs:
            match output:
                case Sent(connection=number, delivery=delivery):
                    deliveries.setdefault(number, []).append(delivery)
                case Closed(connection=number, reason=reason):
                    self._closed(number, reason)
        for number, bundle in deliveries.items():
            line = self._lines.get(number)
            if line is not None:
                if shuffled:
                    self.chance.shuffle(bundle)
                line.deliver(bundle)

    def _closed(self, number: int, reason: str) -> None:
        line = self._lines.pop(number, None)
        if line is not None:
            line.to_client(lambda: line.close(reason))
