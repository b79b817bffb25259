"""What a replay alone cannot prove: that who stands as alive is alive."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from broker.bus import Delivery, Publication
from broker.runtime.core import Heard
from broker.runtime.doubt import SILENCE, as_gone
from broker.runtime.life import Life
from broker.runtime.selfwatch import Identity
from broker.topic_table import Role
from schemas.addresses import DashboardPresenceAt, ShareAt
from schemas.codec import decode, encode_body, stamp
from schemas.documents import Presence, Share
from schemas.names import NodeName
from schemas.status import NodeState
from tests.fakes.toy_core import ME, Effect, Event, ToyCore
from tests.fakes.toy_node import START, TOPICS

ELSEWHERE = NodeName("elsewhere")


def a_presence(*, connection: int = 1, state: NodeState = NodeState.ALIVE) -> Presence:
    """The dashboard's word."""
    return Presence(node=NodeName("dashboard"), state=state, connection=connection, since=START, complete=True)


def a_life() -> tuple[Life[Event, Effect], ToyCore]:
    """An agent's life."""
    core = ToyCore()
    life: Life[Event, Effect] = Life(core, Identity(role=Role.AGENT, node=ME), TOPICS)
    life.restore([])
    life.look(None)
    life.begin(7)
    return life, core


def hear(life: Life[Event, Effect], word: Presence | Share, revision: int, *, retained: bool) -> None:
    """The dashboard's presence, or our share, arrives."""
    payload = stamp(encode_body(word), epoch=1, revision=revision, at=START)
    address = DashboardPresenceAt() if isinstance(word, Presence) else ShareAt(ME)
    life.deliver(Delivery(TOPICS.topic_of(address), payload, retained))


def connected(life: Life[Event, Effect], *, stands: Presence) -> None:
    """A connection on which this presence is replayed."""
    life.connecting(START)
    hear(life, stands, 1, retained=True)
    life.replayed()
    life.turn(START)


def states(core: ToyCore) -> list[NodeState]:
    """What the core was told of the dashboard."""
    heard = [event.document for event in core.events if isinstance(event, Heard)]
    return [document.state for document in heard if isinstance(document, Presence)]


def own_words(publications: tuple[Publication, ...]) -> list[Presence]:
    """What is said of ourselves."""
    return [decode(one.payload, Presence) for one in publications if one.topic.endswith("/north/presence")]


def test_who_stays_silent_is_doubted() -> None:
    """Alive by replay alone, for so long: told as gone, as its will would have said, once; and alive again when it speaks."""
    life, core = a_life()
    connected(life, stands=a_presence())
    assert life.next_wakeup() == START + SILENCE
    assert life.turn(START + SILENCE - timedelta(seconds=1)) is None
    life.turn(START + SILENCE)
    assert states(core) == [NodeState.ALIVE, NodeState.GONE]
    assert life.turn(START + 2 * SILENCE) is None

    hear(life, a_presence(), 2, retained=False)
    life.turn(START + 2 * SILENCE)

    assert states(core) == [NodeState.ALIVE, NodeState.GONE, NodeState.ALIVE]


def test_who_speaks_is_not_doubted() -> None:
    """One word on this connection is enough; so is being gone already."""
    for spoken, retained in ((a_presence(), False), (as_gone(a_presence(connection=2)), True)):
        life, core = a_life()
        connected(life, stands=a_presence())
        hear(life, spoken, 2, retained=retained)
        life.turn(START)
        assert life.next_wakeup() is None or life.next_wakeup() != START + SILENCE
        life.turn(START + SILENCE)

        assert states(core).count(NodeState.GONE) == (1 if spoken.state is NodeState.GONE else 0)


def test_who_was_there_is_doubted_where_nothing_stands_of_it_any_more() -> None:
    """It died with a broker that lost its store: nothing is replayed, and no will is read out."""
    life, core = a_life()
    connected(life, stands=a_presence())
    hear(life, a_presence(), 2, retained=False)
    life.turn(START)
    life.lost()
    life.connecting(START)
    life.replayed()
    life.turn(START)
    life.turn(START + SILENCE)

    assert states(core) == [NodeState.ALIVE, NodeState.GONE]


def test_who_was_there_is_doubted_whatever_an_older_word_says() -> None:
    """A broker that went back shows that it was gone before it came: that is ignored by who knows better, and excuses nobody."""
    life, core = a_life()
    connected(life, stands=a_presence())
    hear(life, a_presence(connection=2), 2, retained=False)
    life.turn(START)
    life.lost()
    connected(life, stands=as_gone(a_presence()))
    life.turn(START + SILENCE)

    assert states(core)[-1] is NodeState.GONE


def test_who_was_taken_away_is_not_doubted() -> None:
    """Its presence was cleared: nobody waits for it, on this connection and on the next ones."""
    life, core = a_life()
    connected(life, stands=a_presence())
    life.deliver(Delivery(TOPICS.topic_of(DashboardPresenceAt()), b"", retained=False))
    life.turn(START)
    for _ in range(2):
        assert life.next_wakeup() is None
        life.connecting(START)
        life.replayed()
        life.turn(START)

    assert states(core) == [NodeState.ALIVE]


def test_newcomer_hears_of_us() -> None:
    """That another node has shown all, on a new connection, makes us say our presence again, once; its later words do not."""
    life, _ = a_life()
    connected(life, stands=a_presence())
    life.turn(START + timedelta(seconds=5))
    words = []
    for revision, connection in ((2, 1), (3, 2), (4, 2)):
        hear(life, a_presence(connection=connection), revision, retained=False)
        turn = life.turn(START + timedelta(seconds=10 * revision))
        words.append(len(own_words(turn.publications)) if turn is not None else 0)

    assert words == [0, 1, 0]


def test_newcomer_hears_of_us_when_it_listens() -> None:
    """Not before it has shown all: what answers its first word it might find standing, and would doubt us, though we live."""
    life, _ = a_life()
    connected(life, stands=a_presence())
    life.turn(START + timedelta(seconds=5))
    words = []
    for revision, complete in ((2, False), (3, True), (4, True)):
        hear(life, replace(a_presence(connection=2), complete=complete), revision, retained=False)
        turn = life.turn(START + timedelta(seconds=10 * revision))
        words.append(len(own_words(turn.publications)) if turn is not None else 0)

    assert words == [0, 1, 0]


def test_who_tells_us_our_share_is_not_doubted() -> None:
    """It is what a newcomer is answered; and who was doubted before is believed again, for its presence stands."""
    life, core = a_life()
    connected(life, stands=a_presence())
    hear(life, Share(connection=1), 2, retained=True)
    life.turn(START + SILENCE)
    assert states(core) == [NodeState.ALIVE, NodeState.GONE]

    hear(life, Share(connection=1), 3, retained=False)
    life.turn(START + SILENCE)
    assert states(core) == [NodeState.ALIVE, NodeState.GONE, NodeState.ALIVE]

    connected(life, stands=a_presence(connection=2))
    hear(life, Share(connection=2), 4, retained=False)
    life.turn(START + 2 * SILENCE)
    assert states(core) == [NodeState.ALIVE, NodeState.GONE, NodeState.ALIVE, NodeState.ALIVE]
