"""Which topics a filter covers: the examples of the specification, section 4.7."""

from __future__ import annotations

import pytest

from broker.filters import covering, is_filter, matches


@pytest.mark.parametrize(
    ("pattern", "topic"),
    [
        ("a/b", "a/b"),
        ("sport/tennis/player1/#", "sport/tennis/player1"),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"),
        ("#", "a/b"),
        ("sport/tennis/+", "sport/tennis/player1"),
        ("sport/+", "sport/"),
        ("+/+", "/finance"),
        ("/+", "/finance"),
        ("+/tennis/#", "x/tennis"),
        ("$SYS/#", "$SYS/a"),
        ("$SYS/+", "$SYS/a"),
    ],
)
def test_filter_covers(pattern: str, topic: str) -> None:
    """These are covered."""
    assert matches(pattern, topic)


@pytest.mark.parametrize(
    ("pattern", "topic"),
    [
        ("a/b", "a/B"),
        ("a", "a/b"),
        ("a/b", "a"),
        ("a/+", "a"),
        ("a/+", "a/b/c"),
        ("+", "/finance"),
        ("/a", "a"),
        ("#", "$SYS/a"),
        ("+/a", "$SYS/a"),
        ("+/#", "$SYS"),
    ],
)
def test_filter_does_not_cover(pattern: str, topic: str) -> None:
    """These are not."""
    assert not matches(pattern, topic)


@pytest.mark.parametrize("text", ["a", "/", "+", "#", "+/a/#", "a//b", "$share", "a b"])
def test_filter_may_be(text: str) -> None:
    """These can be subscribed to."""
    assert is_filter(text)


@pytest.mark.parametrize("text", ["", "a#", "a/#/b", "a+/b", "#/a", "##", "a\0"])
def test_filter_may_not_be(text: str) -> None:
    """These cannot."""
    assert not is_filter(text)


def test_no_filter_covers_nothing() -> None:
    """Not even the empty topic."""
    assert not covering([])("")
    assert not covering([])("a")


def test_topic_with_a_newline_is_covered_like_any_other() -> None:
    """It is a character like others to a broker."""
    assert covering(["a/+"])("a/b\nc")
    assert covering(["a/#"])("a\n") is matches("a/#", "a\n") is False
