"""What a replay alone cannot prove: that it was whole, when the nonce overtook it; and that who stands as alive is alive."""

from __future__ import annotations

from datetime import timedelta

from broker.bus import Delivery, Publication
from broker.runtime.core import Heard
from broker.runtime.doubt import SILENCE, as_gone
from broker.runtime.life import Life
from broker.runtime.reconciler import Reconciler
from broker.runtime.selfwatch import Identity
from broker.runtime.view import News, Reading, View
from broker.topic_table import Role
from broker.topics import Topics
from schemas.addresses import Address, AgentInstanceAt, AgentPresenceAt, DashboardPresenceAt, FireReportAt, PlanAt
from schemas.codec import Header, decode, encode_body, stamp
from schemas.documents import Document, FireReport, Presence
from schemas.names import NodeName, PlanName
from schemas.status import NodeState
from tests.fakes.toy_core import JOB, ME, Effect, Event, ToyCore
from tests.fakes.toy_node import FIRST, SECOND, START, TOPICS, a_publication

ELSEWHERE = NodeName("elsewhere")


def a_presence(
    *, connection: int = 1, state: NodeState = NodeState.ALIVE, shares: dict[NodeName, int] | None = None
) -> Presence:
    """The dashboard's word."""
    return Presence(
        node=NodeName("dashboard"), state=state, connection=connection, since=START, complete=True, shares=shares or {}
    )


def a_reading(address: Address, document: Document, revision: int, *, retained: bool) -> Reading:
    """Something arrives."""
    header = Header(v=1, epoch=1, revision=revision, at=START)
    return Reading(Topics("test").topic_of(address), address, header, document, retained)


def an_instance_reading(which: object, revision: int, *, retained: bool = True) -> Reading:
    """A publication of an instance arrives."""
    instance = FIRST if which is FIRST else SECOND
    return a_reading(AgentInstanceAt(ME, instance), a_publication(instance), revision, retained=retained)


def test_absence_waits_for_as_many_documents_as_the_writer_states() -> None:
    """A nonce that overtook its replay removes nothing: what comes late is there, and only then the rest is gone."""
    view = View(agent=ME)
    view.begin()
    for reading in (an_instance_reading(FIRST, 1), an_instance_reading(SECOND, 2)):
        view.take(reading)
    view.end()
    view.begin()
    presence = a_presence(shares={ME: 1, ELSEWHERE: 50})
    view.take(a_reading(DashboardPresenceAt(), presence, 9, retained=True))

    assert view.end() == []
    assert view.take(an_instance_reading(SECOND, 2)) == [News(AgentInstanceAt(ME, FIRST), None)]


def test_what_comes_after_the_nonce_is_believed() -> None:
    """For a newcomer, too: a document older than the writer's last word is no ghost while not all has come."""
    view = View(agent=ME)
    view.begin()
    view.take(a_reading(DashboardPresenceAt(), a_presence(shares={ME: 2}), 9, retained=True))
    view.end()

    assert [len(view.take(an_instance_reading(which, 1))) for which in (FIRST, SECOND)] == [1, 1]


def test_who_sees_everything_counts_everything() -> None:
    """A reader of all that an agent shows waits for all its documents, not for a share."""
    report = FireReportAt(ELSEWHERE, FIRST, JOB)
    gone = []
    for documents in (1, 0):
        view = View()
        view.begin()
        view.take(a_reading(report, FireReport(instance=FIRST, job=JOB), 1, retained=True))
        view.end()
        view.begin()
        word = Presence(
            node=ELSEWHERE, state=NodeState.ALIVE, connection=1, since=START, complete=True, documents=documents
        )
        view.take(a_reading(AgentPresenceAt(ELSEWHERE), word, 9, retained=True))
        gone.append(view.end())

    assert gone == [[], [News(report, None)]]


def test_shares_follow_what_is_shown() -> None:
    """Shown, shown anew, cleared, and found standing: the count of each agent's documents is right."""
    agents = {TOPICS.topic_of(AgentInstanceAt(agent, FIRST)): agent for agent in (ME, ELSEWHERE)}
    reconciler = Reconciler(TOPICS.topic_of, 1, agents.get)
    counts = []
    reconciler.replayed({})
    for version, agent in ((1, ME), (2, ME), (1, ELSEWHERE)):
        reconciler.show({AgentInstanceAt(agent, FIRST): a_publication(FIRST, version=version)}, START)
        counts.append(dict(reconciler.shares))
    reconciler.show({AgentInstanceAt(ME, FIRST): None}, START)
    counts.append(dict(reconciler.shares))
    reconciler.replayed(dict.fromkeys(agents, b"{}"))

    assert counts == [{ME: 1}, {ME: 1}, {ME: 1, ELSEWHERE: 1}, {ELSEWHERE: 1}]
    assert reconciler.shares == {ME: 1, ELSEWHERE: 1}


# ---------------------------------------------------------------------------------------------- who is silent


def a_life() -> tuple[Life[Event, Effect], ToyCore]:
    """An agent's life."""
    core = ToyCore()
    life: Life[Event, Effect] = Life(core, Identity(role=Role.AGENT, node=ME), TOPICS)
    life.restore([])
    life.look(None)
    life.begin(7)
    return life, core


def hear(life: Life[Event, Effect], presence: Presence, revision: int, *, retained: bool) -> None:
    """The dashboard's presence arrives."""
    payload = stamp(encode_body(presence), epoch=1, revision=revision, at=START)
    life.deliver(Delivery(TOPICS.topic_of(DashboardPresenceAt()), payload, retained))


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


def test_newcomer_hears_of_us() -> None:
    """A new connection of another node makes us say our presence again, once; its later words do not."""
    life, _ = a_life()
    connected(life, stands=a_presence())
    life.turn(START + timedelta(seconds=5))
    words = []
    for revision, connection in ((2, 1), (3, 2), (4, 2)):
        hear(life, a_presence(connection=connection), revision, retained=False)
        turn = life.turn(START + timedelta(seconds=10 * revision))
        words.append(len(own_words(turn.publications)) if turn is not None else 0)

    assert words == [0, 1, 0]


def test_dashboard_states_each_agents_share() -> None:
    """Of what stands, each agent is told how much is for it."""
    life: Life[Event, Effect] = Life(ToyCore(), Identity(role=Role.DASHBOARD, node=NodeName("dashboard")), TOPICS)
    topics = [TOPICS.topic_of(AgentInstanceAt(agent, FIRST)) for agent in (ME, ELSEWHERE)]
    topics.append(TOPICS.topic_of(PlanAt(PlanName("a"))))

    assert [life.wire.share_of(topic) for topic in topics] == [ME, ELSEWHERE, None]
