"""The checkers of who is taken to be there: the dead are not, and the living are."""

from __future__ import annotations

import pytest

from broker.runtime.presence import Writer
from schemas.addresses import AgentPresenceAt, DashboardPresenceAt
from schemas.codec import encode_body, stamp
from schemas.documents import Presence
from schemas.names import NodeName
from schemas.status import NodeState
from tests.simulation.checkers.alive import Doubted, TakenToBeThere
from tests.simulation.checkers.reading import DASHBOARD
from tests.simulation.session import TOPICS
from tests.simulation.trace import Accepted, Crashed, Fault, Lodged, PromiseBrokenError, Standing, Stepped
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


def of_the_dashboard(at: float, state: NodeState) -> Stepped:
    """An agent hears of the dashboard."""
    said = a_presence(DASHBOARD, state)
    return Stepped(at=at, node=SOUTH, event="Heard", now=BEGINNING, address=DashboardPresenceAt(), document=said)


def connected(checker: TakenToBeThere) -> None:
    """Both have shown all they have, at two and three seconds."""
    addresses: tuple[Writer, ...] = (DashboardPresenceAt(), AgentPresenceAt(SOUTH))
    for at, node, address in zip((2.0, 3.0), (DASHBOARD, SOUTH), addresses, strict=True):
        payload = stamp(encode_body(a_presence(node)), epoch=1, revision=1, at=BEGINNING)
        checker.hears[Accepted](
            Accepted(at=at, node=node, topic=TOPICS.topic_of(address), payload=payload, retain=True)
        )


def test_who_stays_connected_is_not_taken_for_gone() -> None:
    """Neither of the two has been disturbed, and both have had the time to hear of each other."""
    checker = TakenToBeThere()
    connected(checker)

    with pytest.raises(PromiseBrokenError, match="L3"):
        checker.hears[Stepped](of_the_dashboard(93.0, NodeState.GONE))


@pytest.mark.parametrize(
    "disturbed",
    [
        Crashed(at=10.0, node=DASHBOARD, during="waiting"),
        Fault(at=10.0, kind="partition", victim=SOUTH),
        Fault(at=10.0, kind="clock step", victim=SOUTH),
        Fault(at=10.0, kind="broker restarted", victim="broker"),
        Lodged(at=10.0, node=DASHBOARD, topic="", payload=b""),
        of_the_dashboard(10.0, NodeState.GONE),  # a will of an earlier connection may be late
    ],
)
def test_who_was_disturbed_may_be_taken_for_gone(disturbed: Crashed | Fault | Lodged | Stepped) -> None:
    """Until faults have stopped."""
    checker = TakenToBeThere()
    connected(checker)
    checker.hears[type(disturbed)](disturbed)
    if not isinstance(disturbed, Stepped):
        checker.hears[Stepped](of_the_dashboard(93.0, NodeState.GONE))

    with pytest.raises(PromiseBrokenError, match="L3"):
        checker.hears[Standing](standing())


def test_all_are_taken_to_be_there_when_faults_have_stopped() -> None:
    """By what they have heard last."""
    checker = TakenToBeThere()
    checker.hears[Stepped](of_the_dashboard(93.0, NodeState.GONE))
    checker.hears[Stepped](of_the_dashboard(94.0, NodeState.ALIVE))
    there = a_presence(SOUTH)
    heard = Stepped(
        at=95.0, node=DASHBOARD, event="Heard", now=BEGINNING, address=AgentPresenceAt(SOUTH), document=there
    )
    checker.hears[Stepped](heard)

    checker.hears[Standing](standing())


def standing() -> Standing:
    """How everything stands: a dashboard and an agent."""
    return Standing(
        at=1320.0,
        retained={},
        wanted={DASHBOARD: {}, SOUTH: {}},
        newcomers={},
        processes={},
        clocks={},
        last=False,
    )
