"""Often asked to show everything again, seldom done."""

from __future__ import annotations

from broker.runtime.again import PAUSE, Again, Asking
from schemas.addresses import AgentPresenceAt
from schemas.codec import Header
from schemas.documents import Presence
from schemas.names import NodeName
from schemas.status import NodeState
from tests.fakes.toy_node import START

NORTH = AgentPresenceAt(NodeName("north"))


def hear(
    asking: Asking,
    connection: int,
    *,
    epoch: int = 1,
    retained: bool = False,
    complete: bool = True,
    gone: bool = False,
) -> bool:
    """A presence arrives; whether its writer is asked."""
    state = NodeState.GONE if gone else NodeState.ALIVE
    presence = Presence(node=NORTH.agent, state=state, connection=connection, since=START, complete=complete)
    asking.heard(NORTH, Header(v=1, epoch=epoch, revision=1, at=START), presence, retained=retained)
    return asking.take()


def test_nothing_is_due_that_nobody_asked_for() -> None:
    """However late it is."""
    again = Again()

    assert again.due() is None
    assert not again.take(START)


def test_many_who_ask_are_answered_once() -> None:
    """At once; who asks after that waits for the pause to be over."""
    again = Again()
    for _ in range(3):
        again.ask()

    assert again.take(START)
    assert not again.take(START)
    again.ask()
    assert not again.take(START)
    assert again.due() == START + PAUSE
    assert again.take(START + PAUSE)
    assert again.due() is None


def test_who_comes_after_a_replay_that_is_not_proved_is_asked_once_it_can_hear() -> None:
    """Once for each of its connections and lives."""
    asking = Asking()
    hear(asking, 1, retained=True)
    asking.replayed(proved=False)

    assert not asking.due
    assert not hear(asking, 1)  # it was there, and has heard the session's question
    assert not hear(asking, 2, complete=False)  # it does not listen yet
    assert not hear(asking, 2, gone=True)
    assert hear(asking, 2)
    assert not hear(asking, 2)
    assert hear(asking, 1, epoch=2)
    assert not hear(asking, 3)  # what is left of an older life


def test_who_comes_while_the_replay_is_under_way_may_not_have_heard_the_question() -> None:
    """It is asked as soon as it is known that the replay is not proved; all who have come are asked together."""
    asking = Asking()
    assert not hear(asking, 1)
    asking.replayed(proved=False)

    assert asking.due
    assert asking.take()
    assert not asking.take()


def test_nobody_is_asked_where_the_replay_is_proved_or_another_connection_begins() -> None:
    """What the new one shows is judged by itself."""
    asking = Asking()
    hear(asking, 1)
    asking.replayed(proved=True)
    assert not hear(asking, 2)

    asking.begin()
    asking.replayed(proved=False)
    assert not asking.due
    assert hear(asking, 2)
