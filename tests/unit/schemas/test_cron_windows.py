"""A cron as a window: which seconds are inside, and when it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from schemas.cron import blackout_end, matches, parse

LONDON = ZoneInfo("Europe/London")
NIGHT = parse("* * 22-23 ? * *")


def at(text: str) -> datetime:
    """The UTC instant."""
    return datetime.fromisoformat(text + "Z")


@pytest.mark.parametrize(
    ("instant", "inside"),
    [
        ("2025-01-01T21:59:59", False),
        ("2025-01-01T22:00:00", True),
        ("2025-01-01T23:59:59", True),
        ("2025-01-02T00:00:00", False),
    ],
)
def test_window_covers_every_second_of_its_hours(instant: str, inside: bool) -> None:  # noqa: FBT001 - the expected answer
    """From 22:00:00 to 23:59:59, both included."""
    assert matches(NIGHT, at(instant), LONDON) is inside


def test_parts_of_a_second_belong_to_it() -> None:
    """23:59:59.9 is inside, and so a window has no cracks."""
    assert matches(NIGHT, at("2025-01-01T23:59:59") + timedelta(seconds=0.9), LONDON)


def test_window_is_read_on_the_zone_s_clock() -> None:
    """In summer, 22:00 in London is 21:00Z."""
    assert matches(NIGHT, at("2025-07-01T21:00:00"), LONDON)
    assert not matches(NIGHT, at("2025-07-01T23:00:00"), LONDON)


def test_window_end_is_the_first_second_outside() -> None:
    """Midnight; and outside a window the second itself."""
    assert blackout_end(NIGHT, at("2025-01-01T22:10:00"), LONDON) == at("2025-01-02T00:00:00")
    assert blackout_end(NIGHT, at("2025-01-01T12:00:00"), LONDON) == at("2025-01-01T12:00:00")


def test_whole_saturday_ends_on_sunday() -> None:
    """Scenario 155: a plan's blackout of all Saturday."""
    saturday = parse("* * * ? * SAT")

    assert blackout_end(saturday, at("2026-01-03T08:00:00"), LONDON) == at("2026-01-04T00:00:00")


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("0 0 12 * * ?", "2025-01-01T12:00:01"),
        ("* 0-9 12 * * ?", "2025-01-01T12:10:00"),
        ("* * 12 * * ?", "2025-01-01T13:00:00"),
        ("* * * 1-3 * ?", "2025-01-04T00:00:00"),
        ("* * * ? * * 2025", "2026-01-01T00:00:00"),
    ],
)
def test_window_end_of_each_width(text: str, end: str) -> None:
    """A second, minutes, an hour, days, a year."""
    assert blackout_end(parse(text), at("2025-01-01T12:00:00"), LONDON) == at(end)


def test_window_that_does_not_end_has_no_end() -> None:
    """After 400 days the search gives up."""
    assert blackout_end(parse("* * * * * ?"), at("2025-01-01T00:00:00"), LONDON) is None


def test_window_holds_in_both_passes_of_an_overlap() -> None:
    """01:00-01:59 on 26 October 2025 lasts two hours."""
    window = parse("* * 1 * * ?")

    assert matches(window, at("2025-10-26T00:30:00"), LONDON)
    assert matches(window, at("2025-10-26T01:30:00"), LONDON)
    assert blackout_end(window, at("2025-10-26T00:30:00"), LONDON) == at("2025-10-26T02:00:00")


def test_window_can_end_where_the_clock_is_put_back() -> None:
    """The second half of 01 o'clock ends with the first pass, and comes again."""
    window = parse("* 30-59 1 * * ?")

    assert blackout_end(window, at("2025-10-26T00:40:00"), LONDON) == at("2025-10-26T01:00:00")


def test_window_can_end_where_the_clock_is_put_forward() -> None:
    """A window up to 01:00 in March is over at the gap, which shows 02:00."""
    window = parse("* * 0-1 * * ?")

    assert blackout_end(window, at("2025-03-30T00:10:00"), LONDON) == datetime(2025, 3, 30, 1, tzinfo=UTC)
