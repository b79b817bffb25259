"""How many documents are for each agent, and who is to be told."""

from __future__ import annotations

import pytest

from broker.runtime.reconciler import Reconciler
from broker.runtime.shares import Shares
from schemas.addresses import AgentInstanceAt
from schemas.names import NodeName
from tests.fakes.toy_core import ME
from tests.fakes.toy_node import FIRST, START, TOPICS, a_publication

ELSEWHERE = NodeName("elsewhere")
AGENTS = {TOPICS.topic_of(AgentInstanceAt(agent, FIRST)): agent for agent in (ME, ELSEWHERE)}


@pytest.fixture
def shares() -> Shares:
    """Nothing stands."""
    shares = Shares(AGENTS.get)
    shares.replayed([], [])
    return shares


def test_shares_follow_what_is_shown(shares: Shares) -> None:
    """Shown and cleared are told; shown anew is not, for as much stands."""
    reconciler = Reconciler(TOPICS.topic_of, 1, shares)
    reconciler.replayed({})
    shares.meet(ME)
    told = []
    for version, agent in ((1, ME), (2, ME), (1, ELSEWHERE)):
        reconciler.show({AgentInstanceAt(agent, FIRST): a_publication(FIRST, version=version)}, START)
        told.append(shares.take(9))
    reconciler.show({AgentInstanceAt(ME, FIRST): None}, START)
    told.append(shares.take(9))

    assert told == [{ME: 1}, {}, {ELSEWHERE: 1}, {ME: 0}]


def test_all_are_told_what_a_replay_found(shares: Shares) -> None:
    """Who has documents, who is here, and who has neither and is told no more; so many at once."""
    shares.replayed([*AGENTS, "for everybody"], [NodeName("former")])
    shares.meet(NodeName("new"))
    shares.tell_all()
    told = [shares.take(3), shares.take(3)]

    assert told == [{ME: 1, ELSEWHERE: 1, NodeName("former"): None}, {NodeName("new"): 0}]
    assert not shares.waiting


def test_who_left_is_told_until_nothing_is_for_it(shares: Shares) -> None:
    """A share stands as long as there is something to count, or somebody to read it."""
    topic = TOPICS.topic_of(AgentInstanceAt(ME, FIRST))
    shares.meet(ME)
    shares.came(topic)
    told = [shares.take(9)]
    shares.part(ME)
    told.append(shares.take(9))
    shares.went(topic)
    told.append(shares.take(9))
    shares.tell(ME)
    told.append(shares.take(9))

    assert told == [{ME: 1}, {ME: 1}, {ME: None}, {}]


def test_who_is_here_is_heard_anew_on_each_connection(shares: Shares) -> None:
    """A presence that stands no more keeps no share."""
    shares.meet(ME)
    shares.tell(ME)
    shares.take(9)
    shares.connecting()
    shares.replayed([], [ME])
    shares.tell_all()

    assert shares.take(9) == {ME: None}
