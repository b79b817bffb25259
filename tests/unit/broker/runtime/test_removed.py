"""What was removed, and comes back with an old store: it is not believed until its writer shows something newer there."""

from __future__ import annotations

import msgspec
import pytest

from broker.runtime import view as view_module
from broker.runtime.core import Key
from broker.runtime.view import SEEN, News, Seen, View
from tests.fakes.readings import TOPICS, a_presence, a_reading, a_report, a_view, at, replayed


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


def test_a_clear_outranks_what_its_writer_had_shown_there_and_we_missed() -> None:
    """Whatever was newest there, its writer had come further when it cleared it; after a restart of the reader, too."""
    topic = TOPICS.topic_of(at())
    view = a_view(a_reading(revision=5))
    view.take(a_reading(address=at(2), revision=8))
    view.cleared(at())
    saved = msgspec.json.encode(view.seen()[Key(SEEN, topic)])
    restarted = View()
    restarted.restore([(topic, at(), saved)])
    view.begin()
    restarted.begin()

    for reader in (view, restarted):
        assert reader.take(a_reading(revision=8, retained=True)) == []
        assert reader.take(a_reading(a_report("a"), revision=9, retained=True)) == [News(at(), a_report("a"))]


def test_a_clear_outranks_another_life_of_its_writer_that_we_missed() -> None:
    """We heard the first life there, and the third one clear it: an old store brings the second one's in vain."""
    view = a_view(a_reading(epoch=1, revision=32))
    view.take(a_presence(epoch=3, revision=1, complete=False))
    view.cleared(at())
    view.begin()

    assert view.take(a_reading(epoch=2, revision=20, retained=True)) == []


def test_a_second_clear_outranks_what_was_missed_between_the_two() -> None:
    """It is no news, and remembered all the same."""
    view = a_view(a_reading(revision=5))
    view.cleared(at())
    view.take(a_reading(address=at(2), revision=8))

    assert view.cleared(at()) == []
    view.begin()
    assert view.take(a_reading(revision=7, retained=True)) == []


def test_how_far_a_writer_had_come_outlives_a_restart() -> None:
    """What the reader knew before it was started anew counts for the next clear."""
    view = a_view(a_reading(revision=5), a_reading(address=at(2), revision=8))
    rows = [(key.key, TOPICS.address_of(key.key), msgspec.json.encode(record)) for key, record in view.seen().items()]
    restarted = View()
    restarted.restore(rows)
    restarted.begin()
    restarted.cleared(at())
    restarted.begin()

    assert restarted.take(a_reading(revision=7, retained=True)) == []


def test_what_comes_live_after_a_clear_is_judged_by_what_stood_there() -> None:
    """A clear that is heard twice, with what followed it: that counts again, though its writer had come further."""
    view = a_view(a_reading(revision=5))
    view.cleared(at())
    view.take(a_reading(a_report("a"), revision=6))
    view.take(a_reading(address=at(2), revision=7))
    view.cleared(at())

    assert view.take(a_reading(a_report("a"), revision=6)) == [News(at(), a_report("a"))]


def test_a_proved_absence_outranks_what_was_missed() -> None:
    """Its writer's word was of all that stood by then, also where something could not be read."""
    view = a_view(a_reading(revision=5))
    view.begin()
    view.unreadable(at(2))
    view.take(replayed(a_presence(revision=9, documents=1)))
    view.take(replayed(a_reading(address=at(3), revision=6)))
    gone = view.end()
    view.begin()

    assert News(at(), None) in gone
    assert view.take(a_reading(revision=8, retained=True)) == []


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
