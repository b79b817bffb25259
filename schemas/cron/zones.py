"""Wall clocks and instants: what a zone's clock shows, and where its clock is changed.

Knows nothing of crons. An instant is an aware UTC datetime, a wall time a naive one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

_SECOND = timedelta(seconds=1)


class ClockChange(Struct, frozen=True):
    """One change of a zone's offset from UTC, from `before` to `after`, at the instant `at`."""

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def is_gap(self) -> bool:
        """The clock is put forward: wall times are skipped. Otherwise they happen twice."""
        return self.after > self.before

    @property
    def start(self) -> datetime:
        """The first wall time that is skipped or happens twice."""
        return naive(self.at) + min(self.before, self.after)

    @property
    def end(self) -> datetime:
        """The first wall time that is no longer skipped, or happens only once again."""
        return naive(self.at) + max(self.before, self.after)


def naive(instant: datetime) -> datetime:
    """The same digits without a zone."""
    return instant.replace(tzinfo=None)


def wall_at(instant: datetime, zone: ZoneInfo) -> datetime:
    """What the zone's clock shows at the instant, whichever pass of an overlap it is."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def first_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """When the clock shows this wall time, for the first time if it does so twice."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def second_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """When the clock shows this wall time, for the second time if it does so twice."""
    return wall.replace(tzinfo=zone, fold=1).astimezone(UTC)


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """When what is due at a wall time happens: the second time if there are two, just after the gap if it is skipped."""
    change = change_at(wall, zone)
    return change.at if change is not None and change.is_gap else second_instant(wall, zone)


def change_at(wall: datetime, zone: ZoneInfo) -> ClockChange | None:
    """The change that skips or repeats this wall time; None when it happens exactly once."""
    before = _offset(wall.replace(tzinfo=zone, fold=0))
    after = _offset(wall.replace(tzinfo=zone, fold=1))
    if before == after:
        return None
    one, other = (wall - before).replace(tzinfo=UTC), (wall - after).replace(tzinfo=UTC)
    at = first_with_offset_of(max(one, other), min(one, other), zone)
    return ClockChange(at=at, before=before, after=after)


def first_with_offset_of(later: datetime, earlier: datetime, zone: ZoneInfo) -> datetime:
    """The instant of the one change between `earlier` and `later`, by halving.

    Where there is no change, `earlier`'s next second: the caller compares offsets first.
    """
    wanted = offset_at(later, zone)
    while later - earlier > _SECOND:
        middle = earlier + (later - earlier) // _SECOND // 2 * _SECOND
        if offset_at(middle, zone) == wanted:
            later = middle
        else:
            earlier = middle
    return later


def offset_at(instant: datetime, zone: ZoneInfo) -> timedelta:
    """The zone's offset from UTC at the instant."""
    return _offset(instant.astimezone(zone))


def _offset(moment: datetime) -> timedelta:
    """The offset of an aware datetime; a ZoneInfo always has one."""
    return moment.utcoffset() or timedelta(0)
