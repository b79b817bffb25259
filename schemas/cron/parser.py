"""Quartz text -> Cron. Owns the shape of an expression and the day fields' L, W, # and ?.

Follows what Quartz 2.3.2 accepts, without its accidents (text after a complete value, a step
after a name, empty list members, ...), which are refused with a word on what to write:
docs/cron.md lists them.
"""

from __future__ import annotations

import re
from functools import lru_cache

from schemas.cron.days import (
    DayRule,
    FromLastDay,
    LastOfWeekday,
    MonthDays,
    NearestWeekday,
    NthMondayToFriday,
    NthOfWeekday,
    Weekdays,
)
from schemas.cron.errors import CronError, quoted
from schemas.cron.fields import DAY, HOUR, MINUTE, MONTH, SECOND, WEEKDAY, YEAR
from schemas.cron.fields import number as _number
from schemas.cron.fields import numbers as _numbers
from schemas.cron.fields import wrong as _wrong
from schemas.cron.value import Cron

_FEWEST_FIELDS, _MOST_FIELDS = 6, 7
_MOST_BACK = 30
_MOST_WEEKDAYS = 23
_MOST_NTH = 5
_SATURDAY = 7

_LAST_DAY = re.compile(r"L(?:-(?P<back>[0-9]{1,6}))?(?P<nearest>W)?")
_NEAREST = re.compile(r"(?P<day>[0-9]{1,6})W")
_LAST_WEEKDAY = re.compile(r"(?P<day>[0-9]{1,6}|[A-Z]{3})L")
_NTH_WEEKDAY = re.compile(r"(?P<day>[0-9]{1,6}|[A-Z]{3})\#(?P<nth>.*)")


def parse(text: str, *, custom_weekday_of_month: bool = False) -> Cron:
    """Read `sec min hour day-of-month month day-of-week [year]`, in any case.

    `custom_weekday_of_month`: the plan counts weekdays, so day-of-month `nW` with n > 1 is the
    n-th Monday-Friday day of the month instead of the weekday nearest to day n.
    Raises CronError: one line naming the expression, the field and the remedy.
    """
    return _parse(text, custom_weekday_of_month)


@lru_cache(maxsize=1 << 14)
def _parse(text: str, counting: bool) -> Cron:  # noqa: FBT001 - private, the key of the cache
    """`parse`, remembered: a plan's few texts are asked for again at every step."""
    try:
        return _read(text.upper().split(), counting=counting)
    except CronError as error:
        raise CronError(f"cron {quoted(text)}: {error}") from None


def _read(fields: list[str], *, counting: bool) -> Cron:
    """The Cron of the upper-case fields."""
    if not _FEWEST_FIELDS <= len(fields) <= _MOST_FIELDS:
        raise CronError(
            f"{len(fields)} fields instead of 6 or 7; "
            "write: seconds minutes hours day-of-month month day-of-week [year]"
        )
    seconds, minutes, hours, day, month, weekday, *year = fields
    return Cron(
        text=" ".join(fields),
        seconds=_numbers(SECOND, seconds),
        minutes=_numbers(MINUTE, minutes),
        hours=_numbers(HOUR, hours),
        days=_days(day, weekday, counting=counting),
        months=_numbers(MONTH, month),
        years=_numbers(YEAR, year[0]) if year and year[0] != "*" else None,
    )


def _days(day: str, weekday: str, *, counting: bool) -> DayRule:
    """The rule of the two day fields, of which exactly one must be `?`."""
    if (day == "?") == (weekday == "?"):
        raise CronError("exactly one of day of month and day of week must be ?; put ? in the one that does not matter")
    return _weekday_rule(weekday) if day == "?" else _month_day_rule(day, counting=counting)


def _month_day_rule(text: str, *, counting: bool) -> DayRule:
    """The day-of-month field when it decides: L, L-n, LW, L-nW, nW or plain days."""
    if found := _LAST_DAY.fullmatch(text):
        back = int(found["back"] or 0)
        if back > _MOST_BACK:
            raise _wrong(DAY, f"L-{back} is before every month; write L-0 to L-{_MOST_BACK}")
        return FromLastDay(back=back, nearest=found["nearest"] is not None)
    if found := _NEAREST.fullmatch(text):
        day = _number(DAY, found["day"])
        if not counting or day == 1:
            return NearestWeekday(day)
        if day > _MOST_WEEKDAYS:
            raise _wrong(DAY, f"no month has {day} weekdays; write 1W to {_MOST_WEEKDAYS}W")
        return NthMondayToFriday(day)
    return MonthDays(_numbers(DAY, text))


def _weekday_rule(text: str) -> DayRule:
    """The day-of-week field when it decides: L, nL, n#k or plain days."""
    if text == "L":
        return Weekdays((_SATURDAY,))
    if found := _LAST_WEEKDAY.fullmatch(text):
        return LastOfWeekday(_number(WEEKDAY, found["day"]))
    if (found := _NTH_WEEKDAY.fullmatch(text)) and "," not in text:
        if found["nth"] not in {str(nth) for nth in range(1, _MOST_NTH + 1)}:
            raise _wrong(WEEKDAY, f"after # stands {quoted(found['nth'])}; write 1 to {_MOST_NTH}")
        return NthOfWeekday(_number(WEEKDAY, found["day"]), int(found["nth"]))
    return Weekdays(_numbers(WEEKDAY, text))
