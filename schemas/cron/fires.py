"""The instants at which a cron fires in a time zone: wall times made instants by a DST policy.

Quartz' rule, which is the default: walk the wall clock, drop wall times that the clock skips,
and let those it shows twice fire the second time. The cron language itself and the walk on
wall time live next door.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import assert_never
from zoneinfo import ZoneInfo

from msgspec import Struct

from schemas.clock_changes import Gap, Overlap
from schemas.cron.value import FIRST_YEAR, LAST_YEAR, Cron
from schemas.cron.walk import at_or_after, at_or_before
from schemas.cron.zones import change_at, first_instant, second_instant, wall_at

_SECOND = timedelta(seconds=1)
# A day of room on both sides for the widest offsets from UTC.
_BEFORE_ALL = datetime(FIRST_YEAR - 1, 12, 30, tzinfo=UTC)
_AFTER_ALL = datetime(LAST_YEAR + 1, 1, 2, tzinfo=UTC)


class FirstPass(StrEnum):
    """Where a search that starts in the first pass of an overlap goes on.

    Only matters with `Overlap.SECOND`.
    """

    WALL_CLOCK = "wallClock"
    """At the wall time it stands at, as Quartz does: from 01:30 on, the second 01:15 is lost."""
    INSTANT = "instant"
    """At the first fire later than the start: none is lost."""


class DstPolicy(Struct, frozen=True):
    """How wall times become instants where the clock is changed. The default is Quartz'."""

    gap: Gap = Gap.SKIP
    overlap: Overlap = Overlap.SECOND
    first_pass: FirstPass = FirstPass.WALL_CLOCK


QUARTZ = DstPolicy()
"""Exactly Quartz, also for a search that starts in the first pass of an overlap."""

LOSSLESS = DstPolicy(first_pass=FirstPass.INSTANT)
"""The instants at which Quartz fires, found from any start: what restarts want."""


def next_fire(cron: Cron, after: datetime, zone: ZoneInfo, policy: DstPolicy = QUARTZ) -> datetime | None:
    """The first fire strictly later than `after` (aware), as UTC; None when none is left.

    As in Quartz, `after` is cut to whole seconds first. Nothing fires outside the years
    FIRST_YEAR..LAST_YEAR. Raises ValueError for a naive `after`.
    """
    start = _searchable(after) + _SECOND
    wall = at_or_after(cron, _first_wall(cron, start, zone, policy))
    # Each round passes one gap; a cron that only ever hits gaps ends at LAST_YEAR.
    while wall is not None:
        change = change_at(wall, zone)
        if change is None:
            return second_instant(wall, zone)
        if not change.is_gap:
            return min(at for at in _passes(wall, zone, policy) if at >= start)
        if policy.gap is Gap.AFTER:
            return change.at
        wall = at_or_after(cron, change.end)
    return None


def previous_fire(cron: Cron, at: datetime, zone: ZoneInfo, policy: DstPolicy = QUARTZ) -> datetime | None:
    """The last fire at or before `at` (aware), as UTC; None when there was none.

    It is the last one that `next_fire`, chained from long before, would name up to `at`.
    Raises ValueError for a naive `at`.
    """
    end = _searchable(at)
    wall = at_or_before(cron, _last_wall(cron, end, zone, policy))
    while wall is not None:
        change = change_at(wall, zone)
        if change is None:
            return second_instant(wall, zone)
        if not change.is_gap:
            return max(at for at in _passes(wall, zone, policy) if at <= end)
        if policy.gap is Gap.AFTER:
            return change.at
        wall = at_or_before(cron, change.start - _SECOND)
    return None


def fires(
    cron: Cron,
    after: datetime,
    zone: ZoneInfo,
    *,
    until: datetime,
    limit: int,
    policy: DstPolicy = QUARTZ,
) -> Iterator[datetime]:
    """The fires in (after, until], rising, at most `limit` of them."""
    fire = next_fire(cron, after, zone, policy)
    for _ in range(limit):
        if fire is None or fire > until:
            return
        yield fire
        fire = next_fire(cron, fire, zone, policy)


def instants_of(wall: datetime, zone: ZoneInfo, policy: DstPolicy) -> tuple[datetime, ...]:
    """When what must not be lost and is due at a wall time happens.

    As the policy has it where the clock shows it twice; just after the gap where it skips it, whatever the policy.
    """
    change = change_at(wall, zone)
    if change is None:
        return (second_instant(wall, zone),)
    return (change.at,) if change.is_gap else _passes(wall, zone, policy)


def _searchable(moment: datetime) -> datetime:
    """The aware moment as UTC, milliseconds cut, brought near the years in which crons fire."""
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; pass an aware datetime")
    return min(max(moment.astimezone(UTC).replace(microsecond=0), _BEFORE_ALL), _AFTER_ALL)


def _passes(wall: datetime, zone: ZoneInfo, policy: DstPolicy) -> tuple[datetime, ...]:
    """The instants at which a wall time of an overlap fires."""
    match policy.overlap:
        case Overlap.FIRST:
            return (first_instant(wall, zone),)
        case Overlap.SECOND:
            return (second_instant(wall, zone),)
        case Overlap.BOTH:
            return first_instant(wall, zone), second_instant(wall, zone)
        case _:
            assert_never(policy.overlap)


def _first_wall(cron: Cron, start: datetime, zone: ZoneInfo, policy: DstPolicy) -> datetime:
    """The wall time from which a search for fires >= start begins."""
    wall = wall_at(start, zone)
    if policy.gap is Gap.AFTER:
        # At the very end of a gap its skipped wall times are still to come.
        wall = min(wall, wall_at(start - _SECOND, zone) + _SECOND)
    change = change_at(wall, zone)
    if change is None or change.is_gap:
        return wall
    if start >= change.at:
        return change.end if policy.overlap is Overlap.FIRST else wall
    match policy.overlap:
        case Overlap.FIRST:
            return wall
        case Overlap.SECOND:
            return change.start if policy.first_pass is FirstPass.INSTANT else wall
        case Overlap.BOTH:
            in_first_pass = at_or_after(cron, wall)
            over = in_first_pass is None or in_first_pass >= change.end
            return change.start if over else wall
        case _:
            assert_never(policy.overlap)


def _last_wall(cron: Cron, end: datetime, zone: ZoneInfo, policy: DstPolicy) -> datetime:
    """The wall time from which a search for fires <= end goes back."""
    wall = wall_at(end, zone)
    change = change_at(wall, zone)
    if change is None or change.is_gap:
        return wall
    if end < change.at:
        return change.start - _SECOND if policy.overlap is Overlap.SECOND else wall
    match policy.overlap:
        case Overlap.FIRST:
            return change.end - _SECOND
        case Overlap.SECOND:
            return wall
        case Overlap.BOTH:
            in_second_pass = at_or_before(cron, wall)
            over = in_second_pass is None or in_second_pass < change.start
            return change.end - _SECOND if over else wall
        case _:
            assert_never(policy.overlap)
