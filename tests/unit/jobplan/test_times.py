"""Times and durations as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobplan.cli.times import duration, moment
from jobplan.errors import BadInputError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90m", 5400), ("1h30m", 5400), ("1h 30m", 5400), ("2d", 172_800), ("45s", 45), ("1.5h", 5400), ("2D", 172_800)],
)
def test_durations_add_up_their_parts(text: str, seconds: int) -> None:
    """Days, hours, minutes, seconds."""
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "90", "m", "-5m", "1h30", "0m", "ten minutes", "99999999999d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """With how to write one."""
    with pytest.raises(BadInputError, match="duration"):
        duration(text)


def test_a_time_without_an_offset_is_of_the_given_zone() -> None:
    """One with an offset keeps it."""
    assert moment("2026-03-29T02:30", UTC) == datetime(2026, 3, 29, 2, 30, tzinfo=UTC)
    assert moment("2026-03-29T02:30+02:00", UTC) == datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert moment("2026-03-29T02:30").tzinfo is not None


def test_what_is_no_time_is_refused() -> None:
    """With how to write one."""
    with pytest.raises(BadInputError, match="ISO 8601"):
        moment("tomorrow")
