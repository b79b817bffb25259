"""Which days of one month a day rule means: L, L-n, W, LW, L-nW, nW, nL and n#k.

Pure arithmetic on two numbers, the weekday of the 1st and the length of the month; it knows
neither years nor time zones. Weekdays in rules are Quartz': 1 = Sunday ... 7 = Saturday.
Rules: the Quartz 2.3 documentation of CronExpression, measured where it is silent.
"""

from __future__ import annotations

from calendar import SATURDAY, SUNDAY, monthrange
from functools import lru_cache
from typing import assert_never

from msgspec import Struct


class MonthDays(Struct, frozen=True, tag=True):
    """Days of the month by number; a day the month does not have is left out."""

    days: tuple[int, ...]


class FromLastDay(Struct, frozen=True, tag=True):
    """`L`, `L-n`: n days before the last; `LW`, `L-nW`: moved to the nearest weekday.

    Months too short for n days back are left out.
    """

    back: int = 0
    nearest: bool = False


class NearestWeekday(Struct, frozen=True, tag=True):
    """`nW`: the Monday-Friday nearest to day n inside the month; no day n, no fire."""

    day: int


class NthMondayToFriday(Struct, frozen=True, tag=True):
    """`nW` where a plan counts weekdays (customWeekDayOfMonth): the n-th Monday-Friday day."""

    nth: int


class Weekdays(Struct, frozen=True, tag=True):
    """Every one of these days of the week."""

    weekdays: tuple[int, ...]


class LastOfWeekday(Struct, frozen=True, tag=True):
    """`nL`: the last such day of the week in the month."""

    weekday: int


class NthOfWeekday(Struct, frozen=True, tag=True):
    """`n#k`: the k-th such day of the week; months without a fifth one are left out."""

    weekday: int
    nth: int


DayRule = MonthDays | FromLastDay | NearestWeekday | NthMondayToFriday | Weekdays | LastOfWeekday | NthOfWeekday

_WEEK = 7


def days_in(rule: DayRule, year: int, month: int) -> tuple[int, ...]:
    """The days of that month the rule means, rising; empty when there are none."""
    first, length = monthrange(year, month)
    return _days(rule, first, length)


@lru_cache(maxsize=4096)  # a month has 28 shapes, so this soon holds everything asked for
def _days(rule: DayRule, first: int, length: int) -> tuple[int, ...]:
    """`days_in` for a month whose 1st is weekday `first` (Monday 0) and which has `length` days."""
    month = range(1, length + 1)
    match rule:
        case MonthDays():
            found = [day for day in rule.days if day in month]
        case FromLastDay():
            found = [day for day in (length - rule.back,) if day in month]
            if rule.nearest:
                found = [_to_weekday(day, first, length) for day in found]
        case NearestWeekday():
            found = [_to_weekday(day, first, length) for day in (rule.day,) if day in month]
        case NthMondayToFriday():
            working = [day for day in month if _weekday(day, first) < SATURDAY]
            found = working[rule.nth - 1 : rule.nth]
        case Weekdays():
            wanted = {_from_quartz(weekday) for weekday in rule.weekdays}
            found = [day for day in month if _weekday(day, first) in wanted]
        case LastOfWeekday():
            found = _all_of(rule.weekday, first, length)[-1:]
        case NthOfWeekday():
            found = _all_of(rule.weekday, first, length)[rule.nth - 1 : rule.nth]
        case _:
            assert_never(rule)
    return tuple(found)


def _all_of(quartz_weekday: int, first: int, length: int) -> list[int]:
    """All days of the month on that day of the week."""
    earliest = 1 + (_from_quartz(quartz_weekday) - first) % _WEEK
    return list(range(earliest, length + 1, _WEEK))


def _to_weekday(day: int, first: int, length: int) -> int:
    """The Monday-Friday nearest to `day` that is still in the month.

    Saturday goes back to Friday, but the 1st on to Monday the 3rd; Sunday goes on to Monday,
    but the last of the month back to Friday.
    """
    weekday = _weekday(day, first)
    if weekday == SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == SUNDAY:
        return day + 1 if day < length else day - 2
    return day


def _weekday(day: int, first: int) -> int:
    """Monday 0 ... Sunday 6."""
    return (first + day - 1) % _WEEK


def _from_quartz(weekday: int) -> int:
    """Quartz' Sunday 1 ... Saturday 7 as Monday 0 ... Sunday 6."""
    return (weekday + 5) % _WEEK
