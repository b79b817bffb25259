"""The checker of whom the dashboard takes for gone."""

from __future__ import annotations

import pytest

from schemas.addresses import AgentPresenceAt, DashboardPresenceAt
from schemas.codec import encode_body, stamp
from schemas.documents import Presence
from schemas.names import NodeName
from schemas.status import NodeState
from tests.simulation.checkers.readers import Doubted
from tests.simulation.checkers.reading import DASHBOARD
from tests.simulation.session import TOPICS
from tests.simulation.trace import Accepted, Crashed, PromiseBrokenError, Stepped
from tests.simulation.world import BEGINNING

SOUTH = NodeName("south")


def a_presence(node: str, state: NodeState = NodeState.ALIVE) -> Presence:
    """What it says of itself."""
    return Presence(node=NodeName(node), state=state, connection=1, since=BEGINNING, complete=True)


def turns(*events: tuple[float, NodeState | None]) -> None:
    """The dashboard's turns, and what each hears of an agent that has died at ten seconds."""
    checker = Doubted()
    payload = stamp(encode_body(a_presence(DASHBOARD)), epoch=1, revision=1, at=BEGINNING)
    said = Accepted(at=2.0, node=DASHBOARD, topic=TOPICS.topic_of(DashboardPresenceAt()), payload=payload, retain=True)
    checker.hears[Accepted](said)
    for at, state in ((3.0, NodeState.ALIVE), (None, None), *events):
        if at is None:
            checker.hears[Crashed](Crashed(at=10.0, node=SOUTH, during="waiting"))
            continue
        address, document = (None, None) if state is None else (AgentPresenceAt(SOUTH), a_presence(SOUTH, state))
        record = Stepped(at=at, node=DASHBOARD, event="Heard", now=BEGINNING, address=address, document=document)
        checker.hears[Stepped](record)


def test_an_agent_that_died_unheard_is_taken_for_gone() -> None:
    """By the first turn that begins after two minutes."""
    with pytest.raises(PromiseBrokenError, match="L1"):
        turns((140.0, None), (141.0, None))


@pytest.mark.parametrize("late", [90.0, 300.0])
def test_a_turn_may_have_taken_long(late: float) -> None:
    """The next one takes it for gone, whatever else it hears before."""
    turns((late, None), (late, NodeState.GONE), (late + 1.0, None), (late + 200.0, None))
