"""Delays between attempts grow, and are spread."""

from __future__ import annotations

from random import Random

from broker.backoff import CEILING_SECONDS, FIRST_SECONDS, delay


def lot(seed: int) -> Random:
    """Chance that can be repeated."""
    return Random(seed)  # noqa: S311  # no secret is made of it


def test_delay_is_doubled_up_to_the_ceiling_and_spread_below() -> None:
    """The n-th delay lies between half and all of first * 2^(n-1), and never above the ceiling."""
    random = lot(4711)
    for attempt in range(1, 2000):
        whole = min(CEILING_SECONDS, FIRST_SECONDS * 2 ** min(attempt - 1, 60))
        assert whole / 2 <= delay(attempt, random) <= whole


def test_delay_differs_between_nodes() -> None:
    """Two nodes that lost the same broker do not come back in step."""
    assert delay(5, lot(1)) != delay(5, lot(2))


def test_delay_of_no_attempt_is_the_first() -> None:
    """Counting from nought is harmless."""
    assert delay(0, lot(1)) == delay(1, lot(1))
