"""What a dashboard says of itself, and to whom: its presence to everybody, to each agent its share."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import pytest

from broker.bus import Delivery, Publication
from broker.runtime import words
from broker.runtime.life import Life
from broker.runtime.selfwatch import Identity
from broker.runtime.words import REFRESH
from broker.topic_table import Role
from schemas.addresses import AgentPresenceAt, DashboardPresenceAt, FireReportAt, ShareAt
from schemas.codec import decode, decode_header, encode_body, stamp
from schemas.documents import Presence, Share
from schemas.names import NodeName
from schemas.status import NodeState
from tests.fakes.toy_core import JOB, Bump, Effect, Event, ToyCore
from tests.fakes.toy_node import FIRST, START, TOPICS

DASHBOARD = NodeName("dashboard")
AGENTS = [NodeName(f"agent-{number}") for number in range(5)]
HOME = TOPICS.topic_of(DashboardPresenceAt())


class Told(NamedTuple):
    """Who was told how much."""

    agent: NodeName
    documents: int | None


def a_dashboard(standing: dict[str, bytes] | None = None) -> Life[Event, Effect]:
    """The runtime of one; before its first turn."""
    life: Life[Event, Effect] = Life(ToyCore(), Identity(role=Role.DASHBOARD, node=DASHBOARD), TOPICS)
    life.restore([])
    life.look(None)
    life.begin(7)
    connect(life, standing)
    return life


def connect(life: Life[Event, Effect], standing: dict[str, bytes] | None = None) -> None:
    """A connection whose replay brings this."""
    life.connecting(START)
    life.hello(START)
    for topic, payload in (standing or {}).items():
        life.deliver(Delivery(topic, payload, retained=True))
    life.replayed()


def come(life: Life[Event, Effect], agent: NodeName, *, connection: int = 1, retained: bool = False) -> None:
    """An agent's presence is heard: it has shown all it has."""
    word = Presence(node=agent, state=NodeState.ALIVE, connection=connection, since=START, complete=True)
    payload = stamp(encode_body(word), epoch=1, revision=connection, at=START)
    life.deliver(Delivery(TOPICS.topic_of(AgentPresenceAt(agent)), payload, retained))


def turn(life: Life[Event, Effect], late: float = 0.0) -> list[Publication]:
    """What the next turn publishes."""
    made = life.turn(START + timedelta(seconds=late))
    return list(made.publications) if made is not None else []


def told(publications: list[Publication]) -> list[Told]:
    """The shares among them."""
    at = {TOPICS.topic_of(ShareAt(agent)): agent for agent in AGENTS}
    return [
        Told(at[one.topic], decode(one.payload, Share).documents if one.payload else None)
        for one in publications
        if one.topic in at
    ]


def test_shares_are_told_before_the_presence_that_says_all_is_shown() -> None:
    """Both of one connection, each later than what it counts."""
    life = a_dashboard()
    come(life, AGENTS[0])
    said = turn(life)
    share, presence = decode(said[0].payload, Share), decode(said[1].payload, Presence)

    assert [one.topic for one in said] == [TOPICS.topic_of(ShareAt(AGENTS[0])), HOME]
    assert (presence.complete, presence.connection) == (True, share.connection)
    assert decode_header(said[0].payload).order < decode_header(said[1].payload).order


def test_a_newcomer_is_told_its_share_and_nobody_else_anything() -> None:
    """Within a second; the dashboard's presence, which all agents read, is not said again for one of them."""
    life = a_dashboard()
    come(life, AGENTS[0], retained=True)
    turn(life)
    come(life, AGENTS[1])
    early = turn(life, 0.5)
    said = turn(life, 1.0)
    come(life, AGENTS[1])
    again = turn(life, 3.0)

    assert early == []
    assert [one.topic for one in said] == [TOPICS.topic_of(ShareAt(AGENTS[1]))]
    assert again == []


def test_documents_that_come_and_go_are_told_to_nobody_whom_they_do_not_concern() -> None:
    """The toy's documents are for no agent of the dashboard: neither a share nor the presence is said again."""
    life = a_dashboard()
    turn(life)
    life.offer(Bump(START, FIRST))
    shown = turn(life, 5.0)

    assert [one.topic for one in shown] == [TOPICS.topic_of(FireReportAt(NodeName("north"), FIRST, JOB))]
    assert life.next_wakeup() is None


def test_many_shares_are_told_in_several_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens meanwhile need not wait for all of them; the next turn is due at once."""
    monkeypatch.setattr(words, "LOT", 2)
    life = a_dashboard()
    for agent in AGENTS:
        come(life, agent, retained=True)
    lots = [told(turn(life)) for _ in range(4)]

    assert lots == [[Told(agent, 0) for agent in lot] for lot in (AGENTS[:2], AGENTS[2:4], AGENTS[4:], [])]


def test_share_of_an_agent_that_is_no_more() -> None:
    """Its presence was cleared, now or while we were away: its share goes as well."""
    share = stamp(encode_body(Share(connection=1)), epoch=6, revision=1, at=START)
    life = a_dashboard({TOPICS.topic_of(ShareAt(agent)): share for agent in AGENTS[:2]})
    come(life, AGENTS[1], retained=True)
    first = told(turn(life))
    life.deliver(Delivery(TOPICS.topic_of(AgentPresenceAt(AGENTS[1])), b"", retained=False))

    assert first == [Told(AGENTS[0], None), Told(AGENTS[1], 0)]
    assert told(turn(life, REFRESH.total_seconds())) == [Told(AGENTS[1], None)]


def test_every_connection_tells_all_shares_again() -> None:
    """An agent that heard the last one's knows nothing of this one."""
    life = a_dashboard()
    come(life, AGENTS[0])
    turn(life)
    life.lost()
    come(life, AGENTS[0], connection=2)
    connect(life)
    come(life, AGENTS[0], connection=2, retained=True)
    said = turn(life)

    assert [decode(one.payload, Share).connection for one in said[:1]] == [life.connection] == [2]


def test_dashboard_knows_whose_a_topic_is() -> None:
    """What is for an agent counts for it; its share and what is for everybody count for nobody."""
    wire = a_dashboard().wire

    assert wire.told(TOPICS.topic_of(ShareAt(AGENTS[0]))) == AGENTS[0]
    assert wire.told(TOPICS.topic_of(FireReportAt(AGENTS[0], FIRST, JOB.__class__("share")))) is None
    assert wire.share_of(TOPICS.topic_of(ShareAt(AGENTS[0]))) is None
