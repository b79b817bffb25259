"""The next and the previous day of a plain schedule, by croniter. The only importer of croniter.

Plain: no year field, and days by number in the month or in the week. There croniter is right,
once every field is written out as a list of numbers, and it is the library this product
promises. It is not asked about L, W, # (it lacks or misreads them), years, or time zones, nor
about times of day: plans have few different day fields, so that a handful of parsed croniters
serves thousands of plans.
"""

from __future__ import annotations

from copy import copy
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from croniter import CroniterBadDateError, croniter

from schemas.cron.days import MonthDays, Weekdays

PlainDays = MonthDays | Weekdays

_MOMENT = timedelta(seconds=1)
_ANY_TIME = datetime(2000, 1, 1)  # noqa: DTZ001 - wall time has no zone


def plain_day_from(days: PlainDays, months: tuple[int, ...], start: date) -> date | None:
    """The first matching day >= `start`; None for one that never comes (30 February)."""
    walker = copy(_walker(days, months))
    try:
        midnight = datetime.combine(start, time.min)
        return walker.get_next(datetime, start_time=midnight - _MOMENT).date()
    except CroniterBadDateError:
        return None


def plain_day_until(days: PlainDays, months: tuple[int, ...], start: date) -> date | None:
    """The last matching day <= `start`; None when there never was one."""
    walker = copy(_walker(days, months))
    try:
        midnight = datetime.combine(start, time.min)
        return walker.get_prev(datetime, start_time=midnight + _MOMENT).date()
    except CroniterBadDateError:
        return None


@lru_cache(maxsize=4096)
def _walker(days: PlainDays, months: tuple[int, ...]) -> croniter:
    """Parsed for midnight of those days. It is never moved: every question takes a copy."""
    if isinstance(days, Weekdays):
        of_month, of_week = "*", _list([day - 1 for day in days.weekdays], 7)
    else:
        of_month, of_week = _list(days.days, 31), "*"
    return croniter(f"0 0 {of_month} {_list(months, 12)} {of_week}", _ANY_TIME)


def _list(numbers: tuple[int, ...] | list[int], every: int) -> str:
    """`1,2,3`, or `*` when all `every` of them are there."""
    return "*" if len(numbers) == every else ",".join(map(str, numbers))
