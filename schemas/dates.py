"""Date expressions: the few that a property, and the name of a file, may hold: ``today-1``, ``businessDay+2:yyyyMMdd``. Pure."""

from __future__ import annotations

import re
from datetime import date, timedelta

_EXPRESSION = re.compile(
    r"(?P<what>today|businessDay)\s*(?P<offset>[+-]\s*\d{1,4})?\s*(?::\s*(?P<form>.*))?", re.DOTALL
)
_FIELDS = re.compile(r"yyyy|yy|MMM|MM|dd|EEE|D+")
_STRFTIME = {"yyyy": "%Y", "yy": "%y", "MM": "%m", "MMM": "%b", "dd": "%d", "EEE": "%a"}
_SATURDAY = 5


def is_expression(text: str) -> bool:
    """Whether a text is a date expression, and not just any text."""
    return _EXPRESSION.fullmatch(text.strip()) is not None


def evaluate(text: str, day: date) -> str:
    """What a property says on a day: ``today-1``, ``businessDay+2:yyyyMMdd``, or any other text as it is.

    Business days are Monday to Friday; ``businessDay`` alone is the day itself, or the Friday before it. Without a format a date
    is written ``yyyy-MM-dd``; a format knows yyyy, yy, MMM, MM, dd, EEE and D (the day's number in the year).
    """
    match = _EXPRESSION.fullmatch(text.strip())
    if match is None:
        return text
    offset = int((match["offset"] or "0").replace(" ", ""))
    try:
        found = day + timedelta(days=offset) if match["what"] == "today" else business_day(day, offset)
    except OverflowError:
        return text
    return _written(found, (match["form"] or "yyyy-MM-dd").strip())


def business_day(day: date, offset: int) -> date:
    """The n-th business day after (before, when negative) a day; 0: the day itself, or the last business day before it."""
    step = timedelta(days=1 if offset > 0 else -1)
    left = abs(offset)
    while left or day.weekday() >= _SATURDAY:
        day += step
        if left and day.weekday() < _SATURDAY:
            left -= 1
    return day


def _written(day: date, form: str) -> str:
    def field(match: re.Match[str]) -> str:
        name = match.group()
        if name in _STRFTIME:
            return day.strftime(_STRFTIME[name]).zfill(4) if name == "yyyy" else day.strftime(_STRFTIME[name])
        return str(day.timetuple().tm_yday).zfill(len(name))

    return _FIELDS.sub(field, form)
