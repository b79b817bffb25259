"""A cron read as a window of time: is this second inside, and when does the window end.

`* * 22-23 ? * *` covers every second of 22:00-23:59. It is read on the wall clock, so a window
holds in both passes of an overlap: a blackout that opened at 01:00 does not lapse because the
clock is about to be put back. (Quartz' isSatisfiedBy denies the first pass.)
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.cron.value import Cron
from schemas.cron.walk import matches_wall
from schemas.cron.zones import first_with_offset_of, offset_at, wall_at

_LONGEST_WINDOW = timedelta(days=400)
_MINUTES = _SECONDS = 60
_HOURS = 24


def matches(cron: Cron, at: datetime, zone: ZoneInfo) -> bool:
    """Whether the second that `at` (aware) falls in satisfies the cron on the zone's clock."""
    return matches_wall(cron, wall_at(at.replace(microsecond=0), zone))


def blackout_end(cron: Cron, at: datetime, zone: ZoneInfo) -> datetime | None:
    """The first second >= `at` (aware) that does not satisfy the cron, as UTC.

    That is `at` itself (cut to its second) outside a window; None when the window stays open
    for more than 400 days.
    """
    instant = at.astimezone(UTC).replace(microsecond=0)
    limit = instant + _LONGEST_WINDOW
    while instant <= limit:
        wall = wall_at(instant, zone)
        if not matches_wall(cron, wall):
            return instant
        instant = _advance(instant, _end_of_unit(cron, wall), zone)
    return None


def _end_of_unit(cron: Cron, wall: datetime) -> datetime:
    """The end of the longest day, hour or minute round `wall` that the cron covers whole."""
    if len(cron.seconds) < _SECONDS:
        return wall + timedelta(seconds=1)
    minute = wall.replace(second=0)
    if len(cron.minutes) < _MINUTES:
        return minute + timedelta(minutes=1)
    hour = minute.replace(minute=0)
    if len(cron.hours) < _HOURS:
        return hour + timedelta(hours=1)
    return hour.replace(hour=0) + timedelta(days=1)


def _advance(instant: datetime, wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant of the later wall time, or of a clock change that comes first."""
    offset = offset_at(instant, zone)
    target = (wall - offset).replace(tzinfo=UTC)
    if offset_at(target, zone) == offset:
        return target
    return first_with_offset_of(target, instant, zone)
