"""What others show: newest wins, absence needs proof, an epoch fences the earlier ones."""

from __future__ import annotations

import msgspec

from broker.runtime.core import Key
from broker.runtime.view import SEEN, News, View
from schemas.addresses import AgentInstanceAt, AgentPresenceAt, RunReportAt
from schemas.status import NodeState
from tests.fakes.readings import NORTH, SOUTH, TOPICS, a_presence, a_reading, a_report, a_view, at, replayed
from tests.fakes.toy_node import an_instance


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
