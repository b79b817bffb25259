"""Two lives, a broker that may go back in time, and crashes anywhere: in the end the reader knows what the writer shows.

No event loop: the calls of ``Life`` are made one by one, over the model of a broker, and any of them may be the last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from broker.bus import Publication
from broker.model import BrokerModel, Output, Sent
from broker.runtime.core import Changes, Decision, Heard, Key, Recovered, Requested, Tick
from broker.runtime.errors import EpochTakenError
from broker.runtime.life import Life
from broker.runtime.selfwatch import Identity
from broker.runtime.view import SEEN
from broker.topic_table import Role
from schemas.addresses import Address, AgentInstanceAt, FireReportAt
from schemas.documents import Document, FireReport
from schemas.names import NodeName
from tests.fakes.toy_core import ME, Bump, Effect, Event, ToyCore
from tests.fakes.toy_node import START, TOPICS, an_instance

DAYS = st.integers(1, 2)


class Mirrored(Struct, frozen=True):
    """Record: what a report said."""

    text: str


class MirrorCore:
    """A dashboard that only remembers what agents report."""

    def __init__(self) -> None:
        self.records: dict[Key, Mirrored] = {}

    def restore(self, rows: Iterable[tuple[Key, bytes]]) -> None:
        """Take in what was saved."""
        self.records = {key: msgspec.json.decode(body, type=Mirrored) for key, body in rows}

    def step(self, event: Heard | Requested | Tick | Recovered) -> Decision[None]:
        """Remember."""
        if not isinstance(event, Heard) or not isinstance(event.address, FireReportAt):
            return Decision(changes={})
        report = event.document
        record = Mirrored(report.problem) if isinstance(report, FireReport) else None
        return Decision(changes={Key("mirror", event.address.instance): record})

    def apply(self, changes: Changes) -> None:
        """Make it so."""
        for key, record in changes.items():
            if isinstance(record, Mirrored):
                self.records[key] = record
            else:
                self.records.pop(key, None)

    def project(self, changes: Changes) -> Mapping[Address, Document | None]:
        """Nothing."""
        del changes
        return {}

    def documents(self) -> Iterator[tuple[Address, Document]]:
        """Nothing."""
        return iter(())

    def next_wakeup(self) -> datetime | None:
        """Never."""
        return None

    def check(self) -> None:
        """Nothing can break."""


class Disk:
    """What survives a crash."""

    def __init__(self) -> None:
        self.rows: dict[Key, bytes] = {}
        self.epoch = 0

    def save(self, rows: Changes) -> None:
        """One transaction."""
        for key, record in rows.items():
            if record is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = msgspec.json.encode(record)


class Node:
    """A life on a disk, with or without a connection."""

    def __init__(self, town: Town, core: ToyCore | MirrorCore, identity: Identity, disk: Disk) -> None:
        self.town = town
        self.core = core
        self.identity = identity
        self.disk = disk
        self.life: Life[Event, Effect] = Life(core, identity, TOPICS)  # type: ignore[arg-type]  # either core will do
        self.life.restore(sorted(disk.rows.items()))
        self.number = 0

    def connect(self) -> None:
        """From the look before to the replay proved."""
        if self.number:
            return
        floor = self.life.look(self.town.model.retained.get(self.life.wire.presence))
        if not self.life.started:
            self.disk.epoch = max(self.disk.epoch + 1, floor)
            self.life.begin(self.disk.epoch)
        will = self.life.connecting(self.town.now)
        self.number, outputs = self.town.model.connect(self.identity.role, will)
        self.town.nodes[self.number] = self
        self.town.carry(outputs)
        self.publish(self.life.hello(self.town.now))
        self.town.carry(self.town.model.subscribe(self.number, self.life.everything))
        self.town.model.unsubscribe(self.number, self.life.wire.own)
        try:
            self.life.replayed()
        except EpochTakenError:
            self.cut()
            self.connect()

    def turn(self, *, shown: int = 1_000) -> None:
        """One batch: saved, and so many of its publications shown."""
        turn = self.life.turn(self.town.now)
        if turn is None:
            return
        self.disk.save(turn.rows)
        if turn.connection == self.life.connection and self.number:
            for publication in turn.publications[:shown]:
                self.publish(publication)
            if shown >= len(turn.publications):
                self.life.acknowledged(turn)

    def publish(self, publication: Publication) -> None:
        """Over our connection."""
        self.town.carry(self.town.model.publish(self.number, publication))

    def cut(self) -> None:
        """The connection is lost; its will is read out."""
        number, self.number = self.number, 0
        self.town.nodes.pop(number, None)
        self.town.carry(self.town.model.lose(number))
        self.life.lost()


class Town:
    """A writer, a reader, and a broker."""

    def __init__(self) -> None:
        self.now = START
        self.model = BrokerModel()
        self.past = [self.model.retained]
        self.nodes: dict[int, Node] = {}
        self.writer = self.a_writer(Disk())
        self.reader = self.a_reader(Disk())
        for node in (self.writer, self.reader):
            node.connect()
            self.turns()

    def a_writer(self, disk: Disk) -> Node:
        """An agent that counts."""
        return Node(self, ToyCore(), Identity(role=Role.AGENT, node=ME), disk)

    def a_reader(self, disk: Disk) -> Node:
        """A dashboard that listens."""
        return Node(self, MirrorCore(), Identity(role=Role.DASHBOARD, node=NodeName("dashboard")), disk)

    def carry(self, outputs: Iterable[Output]) -> None:
        """Deliver what the broker sends."""
        for output in outputs:
            if isinstance(output, Sent) and output.connection in self.nodes:
                self.nodes[output.connection].life.deliver(output.delivery)
        self.past.append(self.model.retained)

    def restart_broker(self, back: int) -> None:
        """Power off; it comes back with what it had some time ago."""
        for node in (self.writer, self.reader):
            node.number = 0
            node.life.lost()
        self.nodes.clear()
        self.model = BrokerModel(self.past[max(0, len(self.past) - 1 - back)])

    def heal(self) -> None:
        """Everybody is connected, and time passes."""
        for node in (self.writer, self.reader):
            node.connect()
        for _ in range(4):
            self.now += timedelta(seconds=2)
            self.writer.turn()
            self.reader.turn()

    def step(self, what: str, day: int, number: int) -> None:
        """One thing happens; unless it is a fault, everybody takes what has come in by then."""
        self.now += timedelta(milliseconds=300)
        match what:
            case "bump":
                self.writer.life.offer(Bump(self.now, an_instance(day)))
                self.turns()
            case "remove":
                self.writer.life.offer(Heard(self.now, AgentInstanceAt(ME, an_instance(day)), None))
                self.turns()
            case "write":
                self.writer.connect()
                self.turns()
            case "read":
                self.reader.connect()
                self.turns()
            case "cut":
                (self.writer if number % 2 else self.reader).cut()
            case "broker":
                self.restart_broker(number)
            case _:
                self.crash(what, day, number)

    def crash(self, what: str, day: int, number: int) -> None:
        """A node loses its connection, or its life, in the middle of a turn."""
        self.writer.life.offer(Bump(self.now, an_instance(day)))
        match what:
            case "part":
                self.writer.turn(shown=number % 3)
                self.writer.cut()
            case "crash":
                self.writer.turn(shown=number % 3)
                self.writer.cut()
                self.writer = self.a_writer(self.writer.disk)
            case _:
                self.reader.cut()
                self.reader = self.a_reader(self.reader.disk)

    def turns(self) -> None:
        """Everybody takes what has come in."""
        self.writer.turn()
        self.reader.turn()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["bump", "remove", "read", "write", "broker", "cut", "part", "crash", "reader"]),
        DAYS,
        st.integers(0, 12),
    ),
    max_size=25,
)


@given(STEPS)
def test_reader_and_broker_end_with_what_the_writer_shows(steps: list[tuple[str, int, int]]) -> None:
    """Once faults stop, the broker retains exactly what the writer shows (L2), and the reader knows exactly that (L3)."""
    town = Town()
    for what, day, number in steps:
        town.step(what, day, number)
    town.heal()

    shown = {
        str(address.instance): document.problem
        for address, document in town.writer.core.documents()
        if isinstance(address, FireReportAt) and isinstance(document, FireReport)
    }
    retained = {
        topic: payload for topic, payload in town.model.retained.items() if topic.startswith("test/agent/north/report")
    }
    mirror = town.reader.core.records
    assert sorted(retained) == sorted(TOPICS.topic_of(address) for address, _ in town.writer.core.documents())
    assert {key.key: getattr(record, "text", "") for key, record in mirror.items()} == shown


@given(STEPS)
def test_the_system_is_quiet_once_it_is_healed(steps: list[tuple[str, int, int]]) -> None:
    """After everything is shown, nobody publishes any more (L4)."""
    town = Town()
    for what, day, number in steps:
        town.step(what, day, number)
    town.heal()
    before = town.model.retained
    for _ in range(3):
        town.now += timedelta(seconds=2)
        town.writer.turn()
        town.reader.turn()

    assert town.model.retained == before


@given(STEPS)
def test_no_reader_goes_back(steps: list[tuple[str, int, int]]) -> None:
    """What a reader knows of an address, until it is gone, is newer each time: over restarts and rollbacks alike (S5)."""
    town = Town()
    known: dict[Key, list[int]] = {}
    for what, day, number in steps:
        town.step(what, day, number)
        seen = {key: msgspec.json.decode(body) for key, body in town.reader.disk.rows.items() if key.table == SEEN}

        assert all(order >= known[key] for key, order in seen.items() if key in known)
        known = seen


@given(STEPS)
def test_absence_is_not_removal(steps: list[tuple[str, int, int]]) -> None:
    """A reader never loses what its writer never took away, whatever the broker forgets."""
    town = Town()
    removed: set[str] = set()
    known: set[str] = set()
    for what, day, number in steps:
        if what == "remove":
            removed.add(an_instance(day))
        town.step(what, day, number)
        mirrored = {key.key for key in town.reader.core.records}

        assert known - mirrored <= removed
        known = mirrored
