"""Whether a clock or file job is inside a blackout window, read in the job's own zone, and when the window ends. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.cron import CronError, blackout_end, matches, parse
from schemas.plan import ClockJob
from schemas.shown import Instant

_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENDLESS = timedelta(days=400)


class JobDefinitionError(ValueError):
    """A job's definition cannot be used; the message is one line for its author."""


def zone_of(job: ClockJob, default: str) -> ZoneInfo:
    """The zone in which the job's crons are read. Raises JobDefinitionError."""
    name = job.time_zone or default
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise JobDefinitionError(f"timeZone '{name}' is not known on this host") from error


def blackout_until(job: ClockJob, at: Instant, zone: ZoneInfo) -> Instant | None:
    """The first moment after ``at`` outside the windows that cover ``at``; None: it is in none. Raises JobDefinitionError.

    Ranges are epoch milliseconds with both ends inside; a reversed one never holds. A window without end counts as 400 days.
    A definition that cannot be read is a fault, never "no blackout": a job must not run inside one by mistake.
    """
    ends: list[Instant] = []
    for text in job.blackout_window_cron_expressions:
        try:
            cron = parse(text)
        except CronError as error:
            raise JobDefinitionError(f"blackout window: {error}") from error
        if matches(cron, at, zone):
            ends.append(blackout_end(cron, at, zone) or at + _ENDLESS)
    for first, last in job.blackout_window_date_time_ranges.items():
        start, end = _instant(first), _instant(last)
        if start <= at.replace(microsecond=at.microsecond // 1000 * 1000) <= end:
            ends.append(end + _MILLISECOND)
    return max(ends, default=None)


def _instant(milliseconds: str | int) -> Instant:
    """The moment of so many milliseconds since 1970."""
    try:
        return _EPOCH + timedelta(milliseconds=int(milliseconds))
    except (ValueError, OverflowError) as error:
        raise JobDefinitionError(f"blackout range: '{milliseconds}' is no number of milliseconds") from error
