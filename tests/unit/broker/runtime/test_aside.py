"""What could not be read, by topic: counted, named, bounded, and forgotten when it is put right."""

from __future__ import annotations

from broker.runtime.aside import Aside, Complaint

MOST = 1_000


def test_the_newest_reason_stands_and_each_time_counts() -> None:
    """Twice on one topic is one complaint."""
    aside = Aside()
    aside.add("a", "not JSON")
    aside.add("a", "no such field")

    assert aside.topics == {"a": Complaint(2, "no such field")}
    assert aside.total == 2


def test_what_is_put_right_is_no_complaint_any_more() -> None:
    """Read, or cleared; what was set aside stays counted, and a topic nobody complained of does no harm."""
    aside = Aside()
    aside.add("a", "not JSON")
    aside.settle("a")
    aside.settle("b")

    assert (dict(aside.topics), aside.total) == ({}, 1)


def test_a_new_connection_hears_all_of_it_again() -> None:
    """What still stands is complained of anew; what went meanwhile is not."""
    aside = Aside()
    aside.add("a", "not JSON")
    aside.begin()

    assert (dict(aside.topics), aside.total) == ({}, 1)


def test_a_flood_of_garbage_is_bounded() -> None:
    """The oldest complaints go, one that came again is young; a reason keeps to a line."""
    aside = Aside()
    for number in range(MOST):
        aside.add(str(number), "x" * 5_000)
    aside.add("0", "again")
    aside.add("new", "x")

    assert len(aside.topics) == MOST
    assert "1" not in aside.topics
    assert list(aside.topics)[-2:] == ["0", "new"]
    assert max(len(complaint.reason) for complaint in aside.topics.values()) == 200
    assert aside.total == MOST + 2
