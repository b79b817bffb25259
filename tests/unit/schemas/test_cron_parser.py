"""Reading Quartz text: what each field may hold, and what is refused with which word."""

from __future__ import annotations

import pytest

from schemas.cron import Cron, CronError, parse
from schemas.cron.days import (
    FromLastDay,
    LastOfWeekday,
    MonthDays,
    NearestWeekday,
    NthMondayToFriday,
    NthOfWeekday,
    Weekdays,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", (5,)),
        ("007", (7,)),
        ("3,2,1", (1, 2, 3)),
        ("10-13", (10, 11, 12, 13)),
        ("58-1", (0, 1, 58, 59)),
        ("50-10/5", (0, 5, 10, 50, 55)),
        ("50-10/7", (4, 50, 57)),
        ("7-7", (7,)),
        ("45/5", (45, 50, 55)),
        ("*/20", (0, 20, 40)),
        ("/20", (0, 20, 40)),
        ("*/59", (0, 59)),
        ("0-59/70", (0,)),
        ("1,3,5-9,20/10", (1, 3, 5, 6, 7, 8, 9, 20, 30, 40, 50)),
        ("*", tuple(range(60))),
    ],
)
def test_list_range_and_step_mean_these_numbers(text: str, seconds: tuple[int, ...]) -> None:
    """Lists mix values, ranges that may wrap, and steps whose phase runs on through the wrap."""
    assert parse(f"{text} 0 12 * * ?").seconds == seconds


def test_hours_wrap_at_midnight() -> None:
    """20-4/3 is 20, 23 and 2."""
    assert parse("0 0 20-4/3 * * ?").hours == (2, 20, 23)


@pytest.mark.parametrize(
    ("text", "months"),
    [("JAN,mar", (1, 3)), ("NOV-FEB", (1, 2, 11, 12)), ("10-3/2", (2, 10, 12)), ("3/4", (3, 7, 11))],
)
def test_months_by_name_and_number(text: str, months: tuple[int, ...]) -> None:
    """Names are three letters in any case; ranges wrap at the year's end."""
    assert parse(f"0 0 12 1 {text} ?").months == months


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("MON-FRI", Weekdays((2, 3, 4, 5, 6))),
        ("FRI-MON", Weekdays((1, 2, 6, 7))),
        ("SUN", Weekdays((1,))),
        ("5-3/2", Weekdays((2, 5, 7))),
        ("1/7", Weekdays((1,))),
        ("L", Weekdays((7,))),
        ("6L", LastOfWeekday(6)),
        ("fril", LastOfWeekday(6)),
        ("6#3", NthOfWeekday(6, 3)),
        ("thu#5", NthOfWeekday(5, 5)),
    ],
)
def test_day_of_week_rules(text: str, rule: object) -> None:
    """1 is Sunday; L alone is every Saturday; nL the last, n#k the k-th in the month."""
    assert parse(f"0 0 12 ? * {text}").days == rule


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("1,15,31", MonthDays((1, 15, 31))),
        ("28-3", MonthDays((1, 2, 3, 28, 29, 30, 31))),
        ("L", FromLastDay()),
        ("L-0", FromLastDay()),
        ("l-30", FromLastDay(back=30)),
        ("LW", FromLastDay(nearest=True)),
        ("L-3W", FromLastDay(back=3, nearest=True)),
        ("15w", NearestWeekday(15)),
    ],
)
def test_day_of_month_rules(text: str, rule: object) -> None:
    """L counts from the month's end, W moves to the nearest weekday."""
    assert parse(f"0 0 12 {text} * ?").days == rule


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("", None),
        ("*", None),
        ("2026,2028", (2026, 2028)),
        ("2025/50", (2025, 2075, 2125)),
        ("2025-2030/3", (2025, 2028)),
        ("*/100", (1970, 2070)),
        ("2300", ()),
        ("1950-1971", (1970, 1971)),
    ],
)
def test_years(text: str, years: tuple[int, ...] | None) -> None:
    """Steps count from 1970; years in which nothing can fire are dropped."""
    assert parse(f"0 0 12 1 1 ? {text}").years == years


def test_text_is_normalised() -> None:
    """Case and blanks do not matter, and `str` gives one form back."""
    cron = parse("  0 0\t12   ? * mon  ")

    assert str(cron) == "0 0 12 ? * MON"
    assert cron == parse(str(cron))
    assert hash(cron) == hash(parse(str(cron)))
    assert isinstance(cron, Cron)


def test_custom_weekday_of_month_counts_weekdays() -> None:
    """Where the plan says so, nW is the n-th Monday-Friday day; 1W stays what it is."""
    assert parse("0 0 1 3W * ?", custom_weekday_of_month=True).days == NthMondayToFriday(3)
    assert parse("0 0 1 1W * ?", custom_weekday_of_month=True).days == NearestWeekday(1)
    assert parse("0 0 1 3 * ?", custom_weekday_of_month=True).days == MonthDays((3,))
    with pytest.raises(CronError, match="no month has 24 weekdays; write 1W to 23W"):
        parse("0 0 1 24W * ?", custom_weekday_of_month=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 0 12 * *", "5 fields instead of 6 or 7; write: seconds minutes"),
        ("0 0 12 * * ? * *", "8 fields instead of 6 or 7"),
        ("", "cron '': 0 fields"),
        ("0 0 12 * * *", "exactly one of day of month and day of week must be ?"),
        ("0 0 12 ? * ?", "exactly one of day of month and day of week must be ?"),
        ("0 ? 12 * * ?", r"minutes: '\?' is neither a value"),
        ("60 0 12 * * ?", "seconds: 60 is out of range; write 0 to 59"),
        ("0 0 12 ? * 0", "day of week: 0 is out of range; write 1 to 7"),
        ("0 0 12 ? * 8#1", "day of week: 8 is out of range"),
        ("0 0 12 ? * MON-5", "day of week: 'MON-5' is neither a value"),
        ("0 0 12 1 JANUARY ?", "month: 'JANUARY' is not a value; write for instance 3"),
        ("*/60 0 12 * * ?", "seconds: the step 60 is too wide; write 1 to 59"),
        ("0 0 0/24 * * ?", "hours: the step 24 is too wide"),
        ("*/0 0 12 * * ?", "seconds: a step of 0 repeats nothing"),
        ("0 0 12 ? * MON-FRI/2", "Quartz ignores the step after a name in 'MON-FRI/2'"),
        ("0 0 12 1,,2 * ?", "day of month: there is an empty member in the list"),
        ("0 0 12 1,L * ?", "day of month: 'L' is not a value; .* LW, L-nW and nW must stand alone"),
        ("0 0 12 1W,15W * ?", "day of month: '1W' is neither .* must stand alone"),
        ("0 0 12 ? * MON,FRI#2", "day of week: 'FRI#2' is neither .* n#k must stand alone"),
        ("0 0 12 ? * 6#6", "day of week: after # stands '6'; write 1 to 5"),
        ("0 0 12 L-31 * ?", "day of month: L-31 is before every month; write L-0 to L-30"),
        ("0 0 12 32W * ?", "day of month: 32 is out of range"),
        ("0 0 12 0W * ?", "day of month: 0 is out of range"),
        ("0 0 12 1 1 ? 2030-2025", "year: 2030-2025 goes backwards; write 2025-2030"),
        ("0 0 12 1 1 ? 25", "year: 25 is not a year of four digits"),
        ("99 0 12 1 * ?", "seconds: 99 is out of range"),
        ("L 0 12 1 * ?", "seconds: 'L' is not a value"),
        ("٣ 0 12 1 * ?", "seconds: '.u0663' is neither a value"),
    ],
)
def test_wrong_text_is_refused_with_a_remedy(text: str, message: str) -> None:
    """The error names the expression, the field, what is wrong and what to write."""
    with pytest.raises(CronError, match=message):
        parse(text)


def test_message_is_one_short_line_whatever_the_text() -> None:
    """Line breaks and very long texts do not reach the operator's log."""
    with pytest.raises(CronError) as caught:
        parse("0 0\n" + "x" * 10_000)

    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
