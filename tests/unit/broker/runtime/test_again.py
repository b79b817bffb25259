"""Often asked to show everything again, seldom done."""

from __future__ import annotations

from broker.runtime.again import PAUSE, Again
from tests.fakes.toy_node import START


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
