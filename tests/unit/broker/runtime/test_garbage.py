"""A flood of garbage on our topics is counted, set aside within bounds, and harmless."""

from __future__ import annotations

from broker.bus import Delivery
from broker.runtime.life import Life
from broker.runtime.selfwatch import Identity
from broker.topic_table import Role
from schemas.addresses import AgentInstanceAt
from schemas.codec import encode_body, stamp
from schemas.names import InstanceId
from tests.fakes.toy_core import ME, Effect, Event, ToyCore
from tests.fakes.toy_node import FIRST, START, TOPICS, a_publication

FLOOD = 5_000
KEPT = 1_000
PAYLOADS = (
    b"\xff\xfe",
    b"{",
    b"[]",
    b'{"v":99,"epoch":1,"revision":1,"at":"2026-01-01T00:00:00Z"}',
    b"null",
    b"x" * 1_000_000,
)


def a_life() -> tuple[Life[Event, Effect], ToyCore]:
    """An agent's life after an empty replay and its first turn."""
    core = ToyCore()
    life: Life[Event, Effect] = Life(core, Identity(role=Role.AGENT, node=ME), TOPICS)
    life.restore([])
    life.look(None)
    life.begin(7)
    life.connecting(START)
    life.replayed()
    life.turn(START)
    return life, core


def test_flood_is_counted_and_bounded() -> None:
    """Every piece is counted, the newest topics are kept with their reason, and the core hears of none."""
    life, core = a_life()
    before = list(core.events)
    for number in range(FLOOD):
        instance = InstanceId(f"nightly-{number:05}-20260301T010000Z")
        for topic in (TOPICS.topic_of(AgentInstanceAt(ME, instance)), f"{TOPICS.prefix}/agent/north/nonsense/{number}"):
            life.deliver(Delivery(topic, PAYLOADS[number % 5], retained=False))

    assert life.aside.total == 2 * FLOOD
    assert len(life.aside.topics) == KEPT
    assert all(len(complaint.reason) <= 200 for complaint in life.aside.topics.values())
    assert life.turn(START) is None
    assert core.events == before


def test_garbage_hides_no_document() -> None:
    """What was known at an address stays, and what is readable there again is heard."""
    life, core = a_life()
    topic = TOPICS.topic_of(AgentInstanceAt(ME, FIRST))
    readable = stamp(encode_body(a_publication(FIRST)), epoch=1, revision=1, at=START)
    newer = stamp(encode_body(a_publication(FIRST, version=2)), epoch=1, revision=2, at=START)
    for payload in (readable, *PAYLOADS, newer):
        life.deliver(Delivery(topic, payload, retained=False))
        life.turn(START)

    assert [document for _, document in core.heard()] == [a_publication(FIRST), a_publication(FIRST, version=2)]
    assert life.aside.total == len(PAYLOADS)
    assert not life.aside.topics
