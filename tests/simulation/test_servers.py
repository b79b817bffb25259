"""The checkers of a broker of several servers: what an old replay kept back is shown again, and nothing rises again."""

from __future__ import annotations

import pytest

from schemas.addresses import AgentPresenceAt, AssignmentAt, DashboardPresenceAt
from schemas.codec import encode_body, stamp
from schemas.documents import Presence
from schemas.names import NodeName, RunId
from schemas.status import NodeState
from tests.simulation.checkers.reading import DASHBOARD
from tests.simulation.checkers.servers import MadeGood, StaysCleared
from tests.simulation.session import TOPICS
from tests.simulation.trace import Accepted, PromiseBrokenError, Record, Replayed, ServerBack, ServerDied
from tests.simulation.world import BEGINNING

TOPIC = TOPICS.topic_of(AssignmentAt(NodeName("north"), RunId("chain-20260101T000000Z~chain~north-load~1")))
OLD = Replayed(at=20.0, node="north", since=10.0, lacks=(TOPIC,))


def show(at: float, payload: bytes = b"{}") -> Accepted:
    """The dashboard shows, or clears, what is for the agent."""
    return Accepted(at=at, node=DASHBOARD, topic=TOPIC, payload=payload, retain=True)


def say(at: float, node: str, *, complete: bool = True) -> Accepted:
    """A node says that it shows all it has, or only greets."""
    address = DashboardPresenceAt() if node == DASHBOARD else AgentPresenceAt(NodeName(node))
    said = Presence(node=NodeName(node), state=NodeState.ALIVE, connection=1, since=BEGINNING, complete=complete)
    payload = stamp(encode_body(said), epoch=1, revision=1, at=BEGINNING)
    return Accepted(at=at, node=node, topic=TOPICS.topic_of(address), payload=payload, retain=True)


def made_good(*records: Record) -> None:
    """Judge what happened since the dashboard showed it, and after two minutes."""
    checker = MadeGood()
    for record in (say(1.0, DASHBOARD), show(2.0), OLD, *records, say(150.0, DASHBOARD)):
        checker.hears[type(record)](record)


def test_who_was_shown_an_old_state_is_shown_what_it_lacked() -> None:
    """Whether it asked or not; the writer was there all the time."""
    with pytest.raises(PromiseBrokenError, match="L2"):
        made_good()


@pytest.mark.parametrize(
    "happened",
    [
        pytest.param([show(30.0)], id="it was shown again"),
        pytest.param([show(30.0, b"")], id="it was cleared"),
        pytest.param([Replayed(at=30.0, node="north", since=10.0, lacks=())], id="a second replay brought it"),
        pytest.param([say(30.0, "north", complete=False)], id="the reader came again"),
        pytest.param([ServerDied(at=30.0, nodes=("north",))], id="the server died"),
        pytest.param([say(30.0, DASHBOARD, complete=False)], id="the writer was not there"),
    ],
)
def test_who_was_shown_it_since_lacks_nothing(happened: list[Record]) -> None:
    """Nor does one whose connection is over."""
    made_good(*happened)


def test_what_was_cleared_is_not_shown_by_a_server_that_is_back() -> None:
    """What stands may be."""
    checker = StaysCleared()
    back = ServerBack(at=40.0, shown={"server 1": (TOPIC,)})
    for record in (show(2.0), back, show(30.0, b"")):
        checker.hears[type(record)](record)

    with pytest.raises(PromiseBrokenError, match="L2"):
        checker.hears[ServerBack](back)
