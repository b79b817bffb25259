"""Business calendars as they come: iCalendar and CSV."""

from __future__ import annotations

from datetime import date

import pytest

from jobplan.calendar_files import read_calendar
from jobplan.errors import BadInputError


def ics(*lines: str) -> str:
    """One event."""
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR", ""))


def test_all_day_events_are_days() -> None:
    """DTEND is the day after; a folded line is one line; escapes are undone; an alarm inside says nothing."""
    text = ics(
        "DTSTART;VALUE=DATE:20261225",
        "DTEND;VALUE=DATE:20261227",
        'SUMMARY;X-NOTE="a:b":Christmas\\, and',
        "  Boxing Day",
        "BEGIN:VALARM",
        "DTSTART:20200101",
        "END:VALARM",
    )

    assert read_calendar("uk.ics", text) == dict.fromkeys(
        (date(2026, 12, 25), date(2026, 12, 26)), "Christmas, and Boxing Day"
    )


@pytest.mark.parametrize(
    ("lines", "days"),
    [
        (("DTSTART:20260501T000000Z",), [(2026, 5, 1)]),
        (("DTSTART;VALUE=DATE:20260501", "DURATION:P2D"), [(2026, 5, 1), (2026, 5, 2)]),
        (("DTSTART;VALUE=DATE:20260501", "RRULE:FREQ=YEARLY;COUNT=3"), [(2026, 5, 1), (2027, 5, 1), (2028, 5, 1)]),
        (
            ("DTSTART;VALUE=DATE:20260501", "RRULE:FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=1;UNTIL=20270601"),
            [(2026, 5, 1), (2027, 5, 1)],
        ),
        (("DTSTART;VALUE=DATE:20240229", "RRULE:FREQ=YEARLY;UNTIL=20281231"), [(2024, 2, 29), (2028, 2, 29)]),
        (  # Labor Day, and the last Monday in May
            ("DTSTART;VALUE=DATE:20250901", "RRULE:FREQ=YEARLY;BYMONTH=9;BYDAY=1MO;UNTIL=20261231T235959Z"),
            [(2025, 9, 1), (2026, 9, 7)],
        ),
        (
            ("DTSTART;VALUE=DATE:20250526", "RRULE:FREQ=MONTHLY;INTERVAL=12;BYDAY=-1MO;COUNT=2"),
            [(2025, 5, 26), (2026, 5, 25)],
        ),
        (("DTSTART;VALUE=DATE:20260501", "RDATE;VALUE=DATE:20260503,20260501"), [(2026, 5, 1), (2026, 5, 3)]),
        (("DTSTART;VALUE=DATE:20260501", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), [(2026, 5, 1)]),
        (
            ("DTSTART;VALUE=DATE:20260502", "RRULE:FREQ=WEEKLY;BYDAY=SA;COUNT=3", "EXDATE;VALUE=DATE:20260509"),
            [(2026, 5, 2), (2026, 5, 16)],
        ),
    ],
)
def test_events_that_last_or_come_again(lines: tuple[str, ...], days: list[tuple[int, int, int]]) -> None:
    """By date; 29 February only where it is."""
    assert list(read_calendar("x.ics", ics(*lines))) == [date(*day) for day in days]


def test_an_event_without_an_end_comes_again_for_twenty_years() -> None:
    """So that nobody thinks about it soon."""
    days = read_calendar("x", ics("DTSTART;VALUE=DATE:20260101", "RRULE:FREQ=YEARLY"))

    assert (len(days), max(days)) == (21, date(2046, 1, 1))


def test_a_cancelled_event_is_left_out() -> None:
    """Though it is in the file."""
    both = ics("DTSTART:20260501", "STATUS:CANCELLED", "END:VEVENT", "BEGIN:VEVENT", "DTSTART:20260502")

    assert list(read_calendar("x.ics", both)) == [date(2026, 5, 2)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ics("SUMMARY:never"), "line 3: an event without DTSTART"),
        (ics("DTSTART:soon"), "x: line 4: 'soon' is no date"),
        (ics("DTSTART:2026122"), "line 4: '2026122' is no date"),
        (ics("DTSTART:202612250"), "line 4: '202612250' is no date"),
        (ics("DTSTART:20260502", "DTEND:20260501"), "line 5: the event ends before it begins"),
        (
            ics("DTSTART:20260502", "RRULE:FREQ=HOURLY"),
            "line 5: RRULE 'FREQ=HOURLY' is not understood: only what comes",
        ),
        (ics("DTSTART:20260502", "RRULE:FREQ=YEARLY;BYHOUR=3"), "line 5: RRULE"),
        (ics("DTSTART:20260502", "RRULE:FREQ=YEARLY;BYDAY=9XX"), "line 5: RRULE"),
        (ics("DTSTART:20260502", "RRULE:FREQ=YEARLY;COUNT=many"), "line 5: RRULE"),
        (ics("DTSTART:20260502", "RRULE:FREQ=YEARLY;UNTIL=soon"), "line 5: 'SOON' is no date"),
        (ics("DTSTART:20260502", "RRULE:FREQ=YEARLY;INTERVAL=0"), "line 5: RRULE"),
        ("BEGIN:VCALENDAR\nEND:VEVENT\n", "line 2: END:VEVENT ends nothing"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "the file ends inside of VEVENT"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR\n", "no day is in it"),
        ("date,name\n2026-01-01,x\n1st of May,y\n", "line 3: '1st of May' is no date"),
    ],
)
def test_what_is_not_understood_is_refused_at_its_line(text: str, said: str) -> None:
    """Never half read."""
    with pytest.raises(BadInputError, match=said.replace("(", "\\(")):
        read_calendar("x", text)


def test_csv_has_a_date_and_perhaps_a_name() -> None:
    """A heading, comments and empty lines do not count; the days come out in order."""
    text = "\ufeffday,title\n2026-12-25,Christmas Day\n\n# moved\n2026-01-01\n"

    assert list(read_calendar("days.csv", text).items()) == [
        (date(2026, 1, 1), ""),
        (date(2026, 12, 25), "Christmas Day"),
    ]
