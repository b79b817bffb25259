"""What others show: newest wins, absence needs proof, an epoch fences the earlier ones."""

from __future__ import annotations

import msgspec
import pytest

from broker.runtime import view as view_module
from broker.runtime.core import Key
from broker.runtime.view import SEEN, News, Reading, Seen, View
from broker.topics import Topics
from schemas.addresses import Address, AgentInstanceAt, AgentPresenceAt, FireReportAt, RunReportAt
from schemas.codec import Header
from schemas.documents import Document, FireReport, Presence
from schemas.names import JobId, NodeName
from schemas.status import NodeState
from tests.fakes.toy_node import START, an_instance

TOPICS = Topics("test")
NORTH, SOUTH = NodeName("north"), NodeName("south")
JOB = JobId("north-tick")


def at(day: int = 1, agent: NodeName = NORTH) -> FireReportAt:
    """Where an agent reports."""
    return FireReportAt(agent, an_instance(day), JOB)


def a_report(text: str = "") -> FireReport:
    """A report."""
    return FireReport(instance=an_instance(), job=JOB, problem=text)


def a_reading(
    document: Document | None = None,
    *,
    address: Address | None = None,
    epoch: int = 1,
    revision: int = 1,
    retained: bool = False,
) -> Reading:
    """A report that arrives live, unless said otherwise."""
    where = address or at()
    header = Header(v=1, epoch=epoch, revision=revision, at=START)
    return Reading(TOPICS.topic_of(where), where, header, document or a_report(), retained)


def a_presence(
    *,
    state: NodeState = NodeState.ALIVE,
    connection: int = 1,
    complete: bool = True,
    documents: int = 0,
    epoch: int = 1,
    revision: int = 100,
) -> Reading:
    """The agent's presence."""
    word = Presence(node=NORTH, state=state, connection=connection, since=START, complete=complete, documents=documents)
    return a_reading(word, address=AgentPresenceAt(NORTH), epoch=epoch, revision=revision)


def replayed(reading: Reading) -> Reading:
    """The same, as part of a replay."""
    return msgspec.structs.replace(reading, retained=True)


def a_view(*readings: Reading) -> View:
    """A view after a replay of this."""
    view = View()
    view.begin()
    for reading in readings:
        view.take(replayed(reading))
    view.end()
    return view


def test_newer_is_news() -> None:
    """A higher revision, or a higher epoch with any revision, is told."""
    view = a_view(a_reading(revision=5))

    assert view.take(a_reading(a_report("a"), revision=6)) == [News(at(), a_report("a"))]
    assert view.take(a_reading(a_report("b"), epoch=2, revision=1)) == [News(at(), a_report("b"))]


def test_not_newer_is_stale() -> None:
    """The same again, or an older one, is ignored and counted."""
    view = a_view(a_reading(epoch=2, revision=5))
    ignored = [view.take(a_reading(epoch=epoch, revision=revision)) for epoch, revision in ((2, 5), (2, 4), (1, 9))]

    assert ignored == [[], [], []]
    assert view.stale == 3


def test_a_saved_order_outlives_a_restart() -> None:
    """After a restart the same snapshot is told once more; an older one is still stale."""
    topic = TOPICS.topic_of(at())
    saved = a_view(a_reading(revision=5)).seen()[Key(SEEN, topic)]
    view = View()
    view.restore([(topic, at(), msgspec.json.encode(saved))])
    view.begin()
    older = view.take(a_reading(revision=4, retained=True))
    same = [view.take(a_reading(revision=5, retained=True)) for _ in range(2)]

    assert older == []
    assert same == [[News(at(), a_report())], []]


def test_seen_is_given_out_once() -> None:
    """What changed since the last time, a removal among it."""
    view = a_view(a_reading())
    view.seen()
    view.cleared(at())

    assert list(view.seen()) == [Key(SEEN, TOPICS.topic_of(at()))]
    assert view.seen() == {}


def test_what_was_removed_comes_back_with_an_old_store() -> None:
    """A broker that went back in time shows it again: it is stale, after a restart of the reader too; newer is news."""
    topic = TOPICS.topic_of(at())
    view = a_view(a_reading(revision=5))
    view.cleared(at())
    saved = msgspec.json.encode(view.seen()[Key(SEEN, topic)])
    restarted = View()
    restarted.restore([(topic, at(), saved)])
    restarted.begin()

    for reader in (view, restarted):
        assert reader.take(a_reading(revision=5, retained=True)) == []
        assert reader.end() == []
        assert reader.take(a_reading(a_report("a"), revision=6)) == [News(at(), a_report("a"))]


def test_a_replay_brings_what_was_gone_before_we_looked() -> None:
    """Its writer had said that this is all, and it was not there: it is stale, until the writer shows something newer."""
    view = a_view(a_presence(revision=9))
    view.begin()

    assert view.take(a_reading(revision=9, retained=True)) == []
    assert view.take(a_reading(a_report("a"), revision=10, retained=True)) == [News(at(), a_report("a"))]


def test_a_document_that_overtakes_its_writers_word_is_news() -> None:
    """Live documents are judged by their own order alone."""
    view = a_view(a_presence(revision=9))

    assert view.take(a_reading(revision=8)) == [News(at(), a_report())]


@pytest.mark.parametrize(("reads", "believed"), [("these topics", False), ("more topics", True)])
def test_a_horizon_outlives_a_restart_of_the_same_program(*, reads: str, believed: bool) -> None:
    """Who reads more than before has seen nothing of it yet, however old it is."""
    word = a_presence(revision=9)
    view = View("these topics")
    view.begin()
    view.take(replayed(word))
    view.end()
    rows = [(key.key, word.address, msgspec.json.encode(record)) for key, record in view.seen().items()]
    restarted = View(reads)
    restarted.restore(rows)
    restarted.begin()

    assert bool(restarted.take(a_reading(revision=5, retained=True))) is believed


def test_no_horizon_where_something_could_not_be_read() -> None:
    """What stands there may be readable one day, and is no newer then."""
    view = View()
    view.begin()
    view.unreadable(at())
    view.take(replayed(a_presence(revision=9)))
    view.end()
    view.begin()

    assert view.take(a_reading(revision=5, retained=True)) == [News(at(), a_report())]


def test_a_removal_heard_twice_takes_nothing_away() -> None:
    """A broker may send the last few messages again, in order: what stood at the end stands again."""
    view = a_view(a_reading(revision=5))
    view.cleared(at())
    view.take(a_reading(a_report("a"), revision=6))
    view.seen()

    assert view.cleared(at()) == [News(at(), None)]
    assert view.take(a_reading(a_report("a"), revision=6)) == [News(at(), a_report("a"))]
    assert [record.removed for record in view.seen().values() if isinstance(record, Seen)] == [False]


def test_what_was_removed_is_remembered_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest removals are forgotten, on disk as well."""
    monkeypatch.setattr(view_module, "MOST_GONE", 1)
    view = a_view(a_reading(revision=5), a_reading(revision=6, address=at(2)))
    view.cleared(at())
    view.cleared(at(2))

    assert view.seen()[Key(SEEN, TOPICS.topic_of(at()))] is None
    assert view.take(a_reading(revision=5, retained=True)) == [News(at(), a_report())]
    assert view.take(a_reading(revision=6, address=at(2), retained=True)) == []


def test_a_live_clear_is_removal() -> None:
    """The writer cleared the topic: it is gone, once."""
    view = a_view(a_reading())

    assert view.cleared(at()) == [News(at(), None)]
    assert view.cleared(at()) == []


def test_absent_from_a_replay_with_proof() -> None:
    """Its writer is alive and complete and shows something newer: what the replay left out is gone."""
    view = a_view(a_reading(revision=5), a_presence(revision=6))
    view.begin()
    view.take(replayed(a_presence(revision=6)))

    assert view.end() == [News(at(), None)]


def test_absent_from_an_empty_broker() -> None:
    """No presence: nothing is proved. It stays until the writer has shown itself complete again."""
    view = a_view(a_reading(revision=5), a_presence(revision=6))
    view.begin()
    steps = [
        view.end(),
        view.take(a_presence(connection=2, complete=False, revision=7)),
        view.take(a_presence(connection=2, revision=9)),
    ]

    assert [[news.document for news in step if news.address == at()] for step in steps] == [[], [], [None]]


def test_absent_from_a_broker_back_in_the_past() -> None:
    """A presence older than what is missing proves nothing: the broker may have forgotten it."""
    view = a_view(a_presence(revision=4), a_reading(revision=5))
    view.begin()
    view.take(replayed(a_presence(revision=4)))
    before = view.end()
    after = view.take(a_presence(revision=6))

    assert before == []
    assert after == [News(at(), None)]


def test_absent_and_the_writer_is_gone() -> None:
    """Who is gone has nothing to say about what is missing."""
    view = a_view(a_reading(revision=5), a_presence(revision=6))
    view.begin()
    view.take(replayed(a_presence(state=NodeState.GONE, revision=7)))

    assert view.end() == []


def test_what_comes_back_before_the_proof_is_not_gone() -> None:
    """The writer showed it again on the way to complete."""
    view = a_view(a_reading(revision=5), a_presence(revision=6))
    view.begin()
    view.end()
    view.take(a_presence(connection=2, complete=False, revision=7))
    view.take(a_reading(revision=8))

    assert [news.address for news in view.take(a_presence(connection=2, revision=9))] == [AgentPresenceAt(NORTH)]


def test_unreadable_is_not_absent() -> None:
    """Something stands there, if only nobody knows what."""
    view = a_view(a_reading(revision=5), a_presence(revision=6))
    view.begin()
    view.unreadable(at())
    view.take(replayed(a_presence(revision=6)))

    assert view.end() == []


def test_each_writer_proves_its_own() -> None:
    """One agent's presence says nothing about another's reports."""
    view = a_view(a_reading(revision=5), a_reading(address=at(agent=SOUTH), revision=5), a_presence(revision=6))
    view.begin()
    view.take(replayed(a_presence(revision=6)))

    assert view.end() == [News(at(), None)]


def test_a_presence_is_never_removed_by_absence() -> None:
    """A presence is its own proof; only a clear takes it away."""
    view = a_view(a_presence())
    view.begin()

    assert view.end() == []
    assert view.cleared(AgentPresenceAt(NORTH)) == [News(AgentPresenceAt(NORTH), None)]


def test_a_live_document_of_an_ended_life_is_fenced() -> None:
    """Once a newer life has spoken, the older one's documents are ignored."""
    view = a_view(a_presence(epoch=2))

    assert view.take(a_reading(epoch=1)) == []
    assert view.fenced == 1


def test_a_replayed_document_of_an_ended_life_stands() -> None:
    """A new life leaves standing what is still right."""
    view = View()
    view.begin()
    view.take(replayed(a_presence(epoch=2)))

    assert view.take(a_reading(epoch=1, retained=True)) == [News(at(), a_report())]


def test_gone_outranks_alive_within_a_connection() -> None:
    """A will carries the revision of its lodging, and counts all the same."""
    view = a_view(a_presence(revision=100))

    assert [news.address for news in view.take(a_presence(state=NodeState.GONE, revision=1))] == [
        AgentPresenceAt(NORTH)
    ]
    assert view.take(a_presence(revision=101)) == []


def test_a_late_will_never_hides_the_next_connection() -> None:
    """Connection 2 is alive, whatever is heard of connection 1."""
    view = a_view(a_presence(connection=2, revision=50))

    assert view.take(a_presence(state=NodeState.GONE, connection=1, revision=99)) == []


def test_a_presence_that_only_counts_anew_is_no_news() -> None:
    """Nobody acts on the number of documents."""
    view = a_view(a_presence(documents=1, revision=10))

    assert view.take(a_presence(documents=2, revision=11)) == []
    assert len(view.take(a_presence(documents=2, complete=False, revision=12))) == 1


def test_news_comes_in_order_of_arrival() -> None:
    """A replay is told as it came; removals follow in the order in which their addresses were first heard of."""
    view = a_view(*(a_reading(address=at(day), revision=day) for day in (3, 1, 2)), a_presence(revision=9))
    view.begin()
    view.take(replayed(a_presence(revision=9)))

    assert [news.address for news in view.end()] == [at(3), at(1), at(2)]


def test_addresses_of_other_kinds_are_kept_apart() -> None:
    """An instance's address and a report's are two things."""
    view = a_view(a_reading())

    assert view.cleared(AgentInstanceAt(NORTH, an_instance())) == []
    assert RunReportAt not in {type(news.address) for news in view.end()}


def test_replay_that_is_not_proved_removes_nothing() -> None:
    """What it does not bring may stand there; what it brings may not. What comes live tells, once it is as much as is stated."""
    view = a_view(*(a_reading(address=at(day), revision=day) for day in (1, 2, 3)))
    view.begin()
    for reading in (
        a_reading(address=at(1)),
        a_reading(address=at(3), revision=3),
        a_presence(revision=9, documents=2),
    ):
        view.take(replayed(reading))
    assert view.end(proved=False) == []

    assert view.take(a_reading(address=at(1), revision=11)) == [News(at(1), a_report())]
    assert view.take(replayed(a_reading(address=at(3), revision=3))) == []
    assert News(at(3), None) not in view.take(a_presence(revision=12, documents=2))
    assert view.take(a_reading(address=at(4), revision=13)) == [News(at(4), a_report())]  # not counted yet
    assert view.take(a_reading(address=at(2), revision=14)) == [News(at(2), a_report())]
    assert view.take(a_presence(revision=15, documents=3)) == [News(at(3), None)]
