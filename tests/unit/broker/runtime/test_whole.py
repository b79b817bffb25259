"""All that a node has to show after it has connected, a part in each turn, beside what changes meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from broker.bus import Delivery
from broker.runtime.core import Heard, Key
from broker.runtime.life import Life
from broker.runtime.selfwatch import Identity
from broker.runtime.turn import Turn
from broker.topic_table import Role
from schemas.addresses import Address, AgentInstanceAt, FireReportAt
from schemas.codec import decode, encode_body, stamp
from schemas.documents import Document, FireReport, Presence
from tests.fakes.toy_core import JOB, ME, Bump, Count, Effect, Event, ToyCore
from tests.fakes.toy_node import PRESENCE, START, TOPICS, an_instance

DAYS = range(1, 6)


def topic(day: int) -> str:
    """Where the count of an instance stands."""
    return TOPICS.topic_of(FireReportAt(ME, an_instance(day), JOB))


class Foreseeing(ToyCore):
    """It makes the next document with the one before, as a core does that is amid one of its records."""

    def documents(self) -> Iterator[tuple[Address, Document]]:
        """All of them."""
        rest = super().documents()
        ahead = next(rest)
        for document in rest:
            yield ahead
            ahead = document
        yield ahead


class Started:
    """A life with five documents to show, two in each turn."""

    def __init__(self, *left: int, core: ToyCore | None = None) -> None:
        """``left``: days of which the life before has left a document."""
        self.life: Life[Event, Effect] = Life(core or ToyCore(), Identity(role=Role.AGENT, node=ME), TOPICS)
        self.life.part = 2
        self.life.restore([(Key("count", an_instance(day)), msgspec.json.encode(Count(0))) for day in DAYS])
        self.life.look(None)
        self.life.begin(7)
        self.connect(*left)

    def connect(self, *left: int) -> None:
        """A connection whose replay brings what was left."""
        self.life.connecting(START)
        for day in left:
            report = FireReport(instance=an_instance(day), job=JOB, problem="left")
            self.life.deliver(
                Delivery(topic(day), stamp(encode_body(report), epoch=1, revision=1, at=START), retained=True)
            )
        self.life.replayed()

    def turn(self) -> dict[str, str]:
        """What the next turn shows, by topic; empty: cleared."""
        turn = self.life.turn(START)
        return {} if turn is None else counts(turn)


def counts(turn: Turn[Effect]) -> dict[str, str]:
    """What a turn shows; of our presence, whether it says that this is all."""
    shown = {}
    for one in turn.publications:
        if one.topic == PRESENCE:
            shown[PRESENCE] = str(decode(one.payload, Presence).complete)
        else:
            shown[one.topic] = decode(one.payload, FireReport).problem if one.payload else ""
    return shown


def test_a_part_is_shown_in_each_turn_and_the_last_one_says_so() -> None:
    """Until then our presence does not say that this is all, and more turns are due."""
    started = Started()
    turns = []
    while started.life.showing:
        turns.append(started.turn())

    assert turns == [
        {topic(1): "0", topic(2): "0"},
        {topic(3): "0", topic(4): "0"},
        {topic(5): "0", PRESENCE: "True"},
    ]
    assert started.life.turn(START) is None


def test_what_changes_meanwhile_is_shown_at_once_and_stays() -> None:
    """Whether its turn in the whole has come or not; it is not shown again as it was."""
    started = Started()
    started.turn()
    for day in (1, 5):
        started.life.offer(Bump(START, an_instance(day)))
    second, third = started.turn(), started.turn()

    assert second == {topic(3): "0", topic(4): "0", topic(1): "1", topic(5): "1"}
    assert third == {PRESENCE: "True"}


def test_what_changes_in_the_turn_of_its_part_is_shown_once() -> None:
    """As it is now, though the part was begun before: never as it was."""
    started = Started(core=Foreseeing())
    started.turn()
    started.life.offer(Bump(START, an_instance(3)))
    turn = started.life.turn(START)

    assert turn is not None
    assert [one.topic for one in turn.publications].count(topic(3)) == 1
    assert counts(turn)[topic(3)] == "1"


def test_what_changes_is_shown_before_the_part_whose_turn_it_is() -> None:
    """What comes in its turn may speak for it: a status never stands before what changed with it."""
    started = Started()
    started.turn()
    started.life.offer(Bump(START, an_instance(4)))
    turn = started.life.turn(START)

    assert turn is not None
    assert [one.topic for one in turn.publications] == [topic(4), topic(3)]


def test_what_goes_meanwhile_is_not_shown() -> None:
    """It is cleared if it stands from before, and not made again."""
    started = Started(5)
    started.turn()
    started.life.offer(Heard(START, AgentInstanceAt(ME, an_instance(5)), None))
    second, third = started.turn(), started.turn()

    assert second == {topic(3): "0", topic(4): "0", topic(5): ""}
    assert third == {PRESENCE: "True"}


def test_what_nobody_wants_goes_after_all_the_rest() -> None:
    """Only then is it sure that it is not to come."""
    started = Started(5, 9)
    first, second, third = started.turn(), started.turn(), started.turn()

    assert topic(9) not in first | second
    assert third == {topic(5): "0", topic(9): "", PRESENCE: "True"}


def test_a_lost_connection_begins_it_anew() -> None:
    """What stands is known only by the next replay."""
    started = Started()
    started.turn()
    started.life.lost()
    assert not started.life.showing
    started.connect(1)

    assert started.turn() == {topic(1): "0", topic(2): "0"}
