"""What stands on a topic that was cleared, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime

from broker.bus import Publication
from broker.mqtt.tombstones import KEPT, Tombstones, is_tombstone
from schemas.codec import stamp

CLEAR = Publication("t", b"")
STONE = b'{"clearedBy":"c"}'


def test_clear_becomes_a_tombstone_and_nothing_else_does() -> None:
    """What is retained with a payload, or not retained, is published as it is."""
    stones = Tombstones("c")

    assert stones.instead(CLEAR, 0.0) == Publication("t", STONE)
    for publication in (Publication("t", b"1"), Publication("t", b"", retain=False)):
        assert stones.instead(publication, 0.0) is publication


def test_document_is_no_tombstone() -> None:
    """A document begins with its version."""
    assert not is_tombstone(b"")
    assert not is_tombstone(stamp(b"{}", epoch=1, revision=1, at=datetime(2026, 1, 1, tzinfo=UTC)))


def test_tombstones_are_due_in_turn() -> None:
    """The first one first, so many at most, none before its time; what was cleared again begins anew."""
    stones = Tombstones("c")
    for second, topic in enumerate(("a", "b", "c", "a")):
        stones.instead(Publication(topic, b""), float(second))

    assert stones.next_due == KEPT + 1
    assert stones.due(KEPT, 10) == []
    assert stones.due(KEPT + 3, 10) == [Publication(topic, b"") for topic in ("b", "c", "a")]
    assert stones.due(KEPT + 3, 2) == [Publication(topic, b"") for topic in ("b", "c")]


def test_tombstone_of_a_topic_that_was_published_on_is_forgotten() -> None:
    """Also when it has just been cleared for good: then it is the next one that stays."""
    stones = Tombstones("c")
    stones.instead(CLEAR, 0.0)
    due = stones.due(KEPT, 10)
    stones.instead(Publication("t", b"1"), KEPT)
    assert stones.next_due is None
    stones.done(due, KEPT)
    stones.instead(CLEAR, KEPT)
    stones.done(due, KEPT)

    assert stones.next_due == 2 * KEPT


def test_what_was_only_met_is_a_tombstone_once_more_before_it_is_nothing() -> None:
    """A server may have shown an old one, where something newer stands that nobody wants; the same after a lost connection."""
    stones = Tombstones("c")
    stones.met("t", STONE, 0.0)
    lost = Tombstones("c")
    lost.instead(CLEAR, 0.0)
    lost.begin()
    assert lost.due(KEPT, 10) == stones.due(KEPT, 10)
    again = stones.due(KEPT, 10)
    stones.done(again, KEPT)

    assert again == [Publication("t", STONE)]
    assert stones.due(2 * KEPT - 1, 10) == []
    last = stones.due(2 * KEPT, 10)
    assert last == [CLEAR]
    stones.done(last, 2 * KEPT)
    assert stones.next_due is None


def test_only_ones_own_tombstones_are_taken_away() -> None:
    """Known by the name in it; one that is known already keeps its time."""
    stones = Tombstones("c")
    stones.met("other", b'{"clearedBy":"d"}', 0.0)
    stones.instead(CLEAR, 1.0)
    stones.met("t", STONE, 2.0)

    assert stones.due(KEPT * 2, 10) == [CLEAR]
