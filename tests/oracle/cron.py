"""Quartz' cron language a second time, as dumb as can be: sets of numbers, days looked at one by one, wall times tried in turn.

Written from the measured rules alone, with none of the code of ``schemas.cron``; it is slow and looks only so many days ahead.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
LOW_HIGH = [(0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2126)]

IsDay = Callable[[date], bool]


class InvalidError(ValueError):
    """The expression is none."""


class Naive:
    """A parsed expression. Raises InvalidError."""

    def __init__(self, text: str) -> None:
        fields = text.upper().split()
        if len(fields) not in {6, 7} or (fields[3] == "?") == (fields[5] == "?"):
            raise InvalidError
        self.clocks = [
            time(hour, minute, second)
            for hour in sorted(_set(fields[2], 2))
            for minute in sorted(_set(fields[1], 1))
            for second in sorted(_set(fields[0], 0))
        ]
        self.months = _set(fields[4], 4, MONTHS)
        self.years = _set(fields[6], 6) if len(fields) == 7 else set(range(1970, 2127))
        self.is_day = _of_month(fields[3]) if fields[5] == "?" else _of_week(fields[5])

    def next(self, after: datetime, zone: ZoneInfo, days: int) -> datetime | None:
        """The first fire after an instant, as Quartz has it, among the next so many days; None: none of them."""
        wall = (after.replace(microsecond=0) + timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None, fold=0)
        for ahead in range(days):
            day = wall.date() + timedelta(days=ahead)
            if day.month not in self.months or day.year not in self.years or not self.is_day(day):
                continue
            for clock in self.clocks:
                tried = datetime.combine(day, clock)
                if tried >= wall and (found := _instant(tried, zone)) is not None:
                    return found
        return None


def _instant(wall: datetime, zone: ZoneInfo) -> datetime | None:
    """When a clock shows that: the later time, if twice; None: never."""
    both = [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    shown = [at for at in both if at.astimezone(zone).replace(tzinfo=None, fold=0) == wall]
    return max(shown, default=None)


def _set(text: str, field: int, names: list[str] | None = None) -> set[int]:
    """The numbers of a field of lists, ranges and steps."""
    low, high = LOW_HIGH[field]
    found: set[int] = set()
    for member in text.split(","):
        found |= _member(member, field, names or [])
    return {number for number in found if low <= number <= high}


def _member(text: str, field: int, names: list[str]) -> set[int]:
    low, high = LOW_HIGH[field]
    span, slash, step_text = text.partition("/")
    if slash and (not step_text.isdigit() or int(step_text) < 1 or span[:1].isalpha()):
        raise InvalidError
    step = int(step_text) if slash else 1
    first_text, dash, last_text = span.partition("-")
    if not dash:
        widest = {0: 59, 1: 59, 2: 23, 3: 31, 4: 12, 5: 7}.get(field, 10_000)
        if slash and step > widest:
            raise InvalidError
        if span in {"*", ""}:
            if not slash and span != "*":
                raise InvalidError
            return set(range(low, high + 1, step))
        first = _value(span, field, names)
        return set(range(first, high + 1, step)) if slash else {first}
    if first_text[:1].isalpha() != last_text[:1].isalpha():
        raise InvalidError
    first, last = _value(first_text, field, names), _value(last_text, field, names)
    if last < first and field == 6:
        raise InvalidError
    if last >= first:
        return set(range(first, last + 1, step))
    size = high - low + 1
    return {low + (number - low) % size for number in range(first, last + size + 1, step)}


def _value(text: str, field: int, names: list[str]) -> int:
    low, high = LOW_HIGH[field]
    if text in names:
        return low + names.index(text)
    if not text.isdigit() or (field == 6 and len(text) != 4) or (field != 6 and not low <= int(text) <= high):
        raise InvalidError
    return int(text)


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest(day: date, number: int) -> bool:
    """Whether this is the Monday to Friday nearest to a day of its month."""
    length = _length(day)
    if not 1 <= number <= length:
        return False
    inside = [day.replace(day=one) for one in range(1, length + 1)]
    working = [one for one in inside if one.weekday() < 5]
    # Of Friday and Monday at the same distance there is never a choice: Saturday is nearer to one, Sunday to the other.
    return min(working, key=lambda one: abs(one.day - number)) == day


def _of_month(text: str) -> IsDay:
    if text == "L":
        return lambda day: day.day == _length(day)
    if text == "LW":
        return lambda day: _nearest(day, _length(day))
    if text.startswith("L-"):
        digits, nearest = text[2:].removesuffix("W"), text.endswith("W")
        if not digits.isdigit() or int(digits) > 30:
            raise InvalidError
        back = int(digits)
        return lambda day: _nearest(day, _length(day) - back) if nearest else day.day == _length(day) - back
    if text.endswith("W"):
        number = _value(text[:-1], 3, [])
        return lambda day: _nearest(day, number)
    numbers = _set(text, 3)
    return lambda day: day.day in numbers


def _quartz(day: date) -> int:
    return (day.weekday() + 1) % 7 + 1


def _of_week(text: str) -> IsDay:
    if text == "L":
        return lambda day: _quartz(day) == 7
    if "#" in text:
        name, _, nth = text.partition("#")
        if nth not in {"1", "2", "3", "4", "5"}:
            raise InvalidError
        wanted = _value(name, 5, DAYS)
        return lambda day: _quartz(day) == wanted and (day.day - 1) // 7 + 1 == int(nth)
    if text.endswith("L"):
        last = _value(text[:-1], 5, DAYS)
        return lambda day: _quartz(day) == last and day.day + 7 > _length(day)
    numbers = _set(text, 5, DAYS)
    return lambda day: _quartz(day) in numbers
