"""Walking a cron on naive wall time: the nearest matching second at or after, at or before.

No time zones here: a wall time that a clock change skips is a wall time like any other.
The time of day is found by halving sorted numbers. The day is croniter's where the schedule is
plain; with L, W, # or a year it is found here, month by month.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta

from schemas.cron.days import days_in
from schemas.cron.plain import PlainDays, plain_day_from, plain_day_until
from schemas.cron.value import FIRST_YEAR, LAST_YEAR, Cron

EARLIEST = datetime(FIRST_YEAR, 1, 1)  # noqa: DTZ001 - wall time has no zone
LATEST = datetime(LAST_YEAR, 12, 31, 23, 59, 59)  # noqa: DTZ001 - wall time has no zone
_ALL_YEARS = range(FIRST_YEAR, LAST_YEAR + 1)
_DAY = timedelta(days=1)


def at_or_after(cron: Cron, wall: datetime) -> datetime | None:
    """The first matching wall second >= `wall` (whole seconds) up to LATEST, or None."""
    wall = max(wall, EARLIEST)
    today = wall.date()
    if matches_day(cron, today) and (clock := _clock_from(cron, wall.time())) is not None:
        return datetime.combine(today, clock)
    day = _day_from(cron, today + _DAY)
    if day is None or day > LATEST.date():
        return None
    return datetime.combine(day, time(cron.hours[0], cron.minutes[0], cron.seconds[0]))


def at_or_before(cron: Cron, wall: datetime) -> datetime | None:
    """The last matching wall second <= `wall` (whole seconds) down to EARLIEST, or None."""
    wall = min(wall, LATEST)
    today = wall.date()
    if matches_day(cron, today) and (clock := _clock_until(cron, wall.time())) is not None:
        return datetime.combine(today, clock)
    day = _day_until(cron, today - _DAY)
    if day is None or day < EARLIEST.date():
        return None
    return datetime.combine(day, time(cron.hours[-1], cron.minutes[-1], cron.seconds[-1]))


def matches_wall(cron: Cron, wall: datetime) -> bool:
    """Whether this wall second satisfies every field."""
    return (
        wall.second in cron.seconds
        and wall.minute in cron.minutes
        and wall.hour in cron.hours
        and matches_day(cron, wall)
    )


def matches_day(cron: Cron, day: date) -> bool:
    """Whether month, year and the day fields allow this day."""
    return day.month in cron.months and day.year in _years(cron) and day.day in days_in(cron.days, day.year, day.month)


def _day_from(cron: Cron, start: date) -> date | None:
    """The first matching day >= start."""
    if cron.years is None and isinstance(cron.days, PlainDays):
        return plain_day_from(cron.days, cron.months, start)
    return walked_day_from(cron, start)


def _day_until(cron: Cron, start: date) -> date | None:
    """The last matching day <= start."""
    if cron.years is None and isinstance(cron.days, PlainDays):
        return plain_day_until(cron.days, cron.months, start)
    return walked_day_until(cron, start)


def walked_day_from(cron: Cron, start: date) -> date | None:
    """The first matching day >= start of any cron, up to LAST_YEAR, without croniter."""
    for year, month in _months_from(cron, start):
        for day in days_in(cron.days, year, month):
            if (found := date(year, month, day)) >= start:
                return found
    return None


def walked_day_until(cron: Cron, start: date) -> date | None:
    """The last matching day <= start of any cron, down to FIRST_YEAR, without croniter."""
    for year, month in _months_until(cron, start):
        for day in reversed(days_in(cron.days, year, month)):
            if (found := date(year, month, day)) <= start:
                return found
    return None


def _months_from(cron: Cron, start: date) -> Iterator[tuple[int, int]]:
    """The (year, month) pairs the cron allows from start's on, rising, to LAST_YEAR at most."""
    years = _years(cron)
    for year in years[bisect_left(years, start.year) :]:
        for month in cron.months:
            if (year, month) >= (start.year, start.month):
                yield year, month


def _months_until(cron: Cron, start: date) -> Iterator[tuple[int, int]]:
    """The (year, month) pairs the cron allows up to start's, falling, to FIRST_YEAR at least."""
    years = _years(cron)
    for year in reversed(years[: bisect_right(years, start.year)]):
        for month in reversed(cron.months):
            if (year, month) <= (start.year, start.month):
                yield year, month


def _years(cron: Cron) -> Sequence[int]:
    """The years in which the cron may fire, rising."""
    return _ALL_YEARS if cron.years is None else cron.years


def _clock_from(cron: Cron, clock: time) -> time | None:
    """The first matching time of day >= clock, or None when there is none left that day."""
    hour = _from(cron.hours, clock.hour)
    if hour == clock.hour:
        minute = _from(cron.minutes, clock.minute)
        if minute == clock.minute:
            if (second := _from(cron.seconds, clock.second)) is not None:
                return time(hour, minute, second)
            minute = _from(cron.minutes, clock.minute + 1)
        if minute is not None:
            return time(hour, minute, cron.seconds[0])
        hour = _from(cron.hours, clock.hour + 1)
    return None if hour is None else time(hour, cron.minutes[0], cron.seconds[0])


def _clock_until(cron: Cron, clock: time) -> time | None:
    """The last matching time of day <= clock, or None when there is none before it that day."""
    hour = _until(cron.hours, clock.hour)
    if hour == clock.hour:
        minute = _until(cron.minutes, clock.minute)
        if minute == clock.minute:
            if (second := _until(cron.seconds, clock.second)) is not None:
                return time(hour, minute, second)
            minute = _until(cron.minutes, clock.minute - 1)
        if minute is not None:
            return time(hour, minute, cron.seconds[-1])
        hour = _until(cron.hours, clock.hour - 1)
    return None if hour is None else time(hour, cron.minutes[-1], cron.seconds[-1])


def _from(numbers: tuple[int, ...], least: int) -> int | None:
    """The first of the sorted numbers >= least."""
    place = bisect_left(numbers, least)
    return numbers[place] if place < len(numbers) else None


def _until(numbers: tuple[int, ...], most: int) -> int | None:
    """The last of the sorted numbers <= most."""
    place = bisect_right(numbers, most)
    return numbers[place - 1] if place else None
