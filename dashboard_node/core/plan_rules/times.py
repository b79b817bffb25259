"""Rules of time: crons, zones, windows, blackouts. Times are judged from one fixed instant, never from now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dashboard_node.core.plan_rules.survey import Survey, error, job_path, kind_of, warning
from schemas.cron import FIRST_YEAR, Cron, CronError, fires, next_fire, parse
from schemas.plan import ClockJob, FileJob, OwnWindow, Plan
from schemas.requests import Fault
from schemas.schedule import policy_of
from schemas.spans import span
from schemas.status import JobKind

_FROM: Final = datetime(2024, 1, 1, tzinfo=UTC)
"""A leap year's first instant: what fires at all soon fires after it."""
_BEFORE_ALL: Final = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
_LOOKED_AT: Final = 8
"""Fires between which the shortest distance is taken."""
_YEARS: Final = timedelta(days=3 * 366)
_MET: Final = 400
"""Windows of the plan during which one of an own window is looked for."""
_OFTEN: Final = timedelta(minutes=1)
_DIGITS: Final = 15


def times(survey: Survey) -> Iterator[Fault]:
    """All rules of this topic."""
    plan = survey.plan
    zone = _zone(plan.timezone)
    if zone is None:
        yield _unknown_zone("$.timezone", plan.timezone)
    yield from _window(survey, zone or ZoneInfo("UTC"))
    yield from _own_windows(survey, zone or ZoneInfo("UTC"))
    custom = plan.custom_week_day_of_month
    yield from _blackouts(
        "$.", plan.blackout_window_cron_expressions, plan.blackout_window_date_time_ranges, custom=custom
    )
    for job in survey.source.jobs:
        if isinstance(job, ClockJob):
            yield from _watch_job(job, zone or ZoneInfo("UTC"))


def _window(survey: Survey, zone: ZoneInfo) -> Iterator[Fault]:
    """The plan's window: its start, its length, and whether one still runs when the next begins."""
    plan = survey.plan
    length = plan.context_ttl_milliseconds
    if length < 0:
        yield error("$.contextTtlMilliseconds", f"{length}: a window cannot have a negative length; write milliseconds")
    if not plan.time_window_start:
        return
    try:
        cron = parse(plan.time_window_start, custom_weekday_of_month=plan.custom_week_day_of_month)
    except CronError as fault:
        yield error("$.timeWindowStart", str(fault))
        return
    if length == 0:
        yield warning(
            "$.contextTtlMilliseconds",
            "0: its instances do not end by themselves; is that meant? Else write the window's length in milliseconds",
        )
    if next_fire(cron, _BEFORE_ALL, zone, policy_of(plan)) is None:
        yield error("$.timeWindowStart", f"'{plan.time_window_start}' never fires; correct it")
        return
    period = _shortest_period(cron, zone)
    if period is not None and length > period / timedelta(milliseconds=1) and not plan.able_to_run_concurrently:
        yield warning(
            "$.contextTtlMilliseconds",
            f"the window lasts {span(milliseconds=length)} and the next begins after {period}: starts are left out while an"
            " instance runs; shorten it, or set ableToRunConcurrently",
        )


def _own_windows(survey: Survey, zone: ZoneInfo) -> Iterator[Fault]:
    """Windows of contexts inside the plan."""
    for place in survey.places:
        window, path = place.context.own_window, f"{place.path}.ownWindow"
        if window is None:
            continue
        if place.parent is None:
            yield error(
                path,
                "a plan's window is timeWindowStart and contextTtlMilliseconds; write those, or move this to a context",
            )
            continue
        if window.ttl_milliseconds <= 0:
            yield error(
                f"{path}.ttlMilliseconds", f"{window.ttl_milliseconds}: write how long it is open in milliseconds"
            )
        yield from _own_cron(survey.plan, window, f"{path}.start", zone)


def _own_cron(plan: Plan, window: OwnWindow, path: str, zone: ZoneInfo) -> Iterator[Fault]:
    try:
        cron = parse(window.start, custom_weekday_of_month=plan.custom_week_day_of_month)
    except CronError as fault:
        yield error(path, str(fault))
        return
    if next_fire(cron, _BEFORE_ALL, zone, policy_of(plan)) is None:
        yield error(path, f"'{window.start}' never fires; correct it")
    elif window.ttl_milliseconds > 0 and not _is_ever_inside(
        plan, cron, span(milliseconds=window.ttl_milliseconds), zone
    ):
        yield warning(path, "this window is never open while the plan's is: its jobs never start; move one of the two")


def _is_ever_inside(plan: Plan, own: Cron, length: timedelta, zone: ZoneInfo) -> bool:
    """Whether an own window is open during one of the plan's next windows; True where that cannot be told."""
    if not plan.time_window_start or plan.context_ttl_milliseconds <= 0:
        return True
    try:
        cron = parse(plan.time_window_start, custom_weekday_of_month=plan.custom_week_day_of_month)
    except CronError:
        return True
    policy, lasts = policy_of(plan), span(milliseconds=plan.context_ttl_milliseconds)
    starts = list(fires(cron, _FROM, zone, until=_FROM + _YEARS, limit=_MET, policy=policy))
    openings = ((start, next_fire(own, start - length, zone, policy)) for start in starts)
    return not starts or any(opening is not None and opening < start + lasts for start, opening in openings)


def _watch_job(job: ClockJob, default: ZoneInfo) -> Iterator[Fault]:
    path = job_path(job)
    zone = _zone(job.time_zone) if job.time_zone else default
    if zone is None:
        yield _unknown_zone(f"{path} $.timeZone", job.time_zone)
    if not (isinstance(job, FileJob) and job.poll_seconds > 0 and not job.cron_expression.strip()):
        yield from _fires(job, f"{path} $.cronExpression", zone or default)
    if isinstance(job, FileJob) and job.sla_cron_expression:
        yield from _syntax(f"{path} $.slaCronExpression", job.sla_cron_expression)
    yield from _blackouts(
        f"{path} $.", job.blackout_window_cron_expressions, job.blackout_window_date_time_ranges, custom=False
    )
    if job.recovery_tolerance < 0:
        yield error(f"{path} $.recoveryTolerance", f"{job.recovery_tolerance}: write milliseconds, 0 or more")


def _fires(job: ClockJob, path: str, zone: ZoneInfo) -> Iterator[Fault]:
    """When the job looks or fires. A star in the seconds makes a clock job fire every second: hardly ever meant."""
    try:
        cron = parse(job.cron_expression)
    except CronError as fault:
        yield error(path, str(fault))
        return
    if next_fire(cron, _BEFORE_ALL, zone, policy_of(job)) is None:
        yield error(path, f"'{job.cron_expression}' never fires; correct it")
        return
    if kind_of(job) is JobKind.CLOCK and len(cron.seconds) > 1:
        period = _shortest_period(cron, zone)
        if period is not None and period < _OFTEN:
            fields = job.cron_expression.split()
            hint = " ".join(["0", "0" if fields[1] == "*" else fields[1], *fields[2:]])
            yield warning(
                path, f"'{job.cron_expression}' fires every {period.seconds} s while it matches; is '{hint}' meant?"
            )


def _syntax(path: str, text: str, *, custom: bool = False) -> Iterator[Fault]:
    try:
        parse(text, custom_weekday_of_month=custom)
    except CronError as fault:
        yield error(path, str(fault))


def _shortest_period(cron: Cron, zone: ZoneInfo) -> timedelta | None:
    """The shortest distance between a few fires; None when it fires only once."""
    found = list(fires(cron, _FROM, zone, until=_FROM + _YEARS, limit=_LOOKED_AT))
    return min((after - before for before, after in pairwise(found)), default=None)


def _blackouts(path: str, crons: Sequence[str], ranges: Mapping[str, str | int], *, custom: bool) -> Iterator[Fault]:
    """Windows in which nothing starts: crons, and ranges of milliseconds since 1970 with both ends inside."""
    for index, text in enumerate(crons):
        yield from _syntax(f"{path}blackoutWindowCronExpressions[{index}]", text, custom=custom)
    for first, last in ranges.items():
        where = f'{path}blackoutWindowDateTimeRanges["{first}"]'
        start, end = _milliseconds(first), _milliseconds(last)
        if start is None or end is None:
            wrong = first if start is None else last
            yield error(where, f"'{wrong}' is no number of milliseconds since 1970; write a whole number")
        elif end < start:
            yield warning(where, "never matches: it ends before it begins; swap the two")


def _milliseconds(text: str | int) -> int | None:
    digits = str(text).strip()
    return int(digits) if digits.removeprefix("-").isdecimal() and len(digits) <= _DIGITS else None


def _zone(name: str) -> ZoneInfo | None:
    """The zone; UTC for an empty name, None for one that is nowhere."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _unknown_zone(path: str, name: str) -> Fault:
    return error(path, f"'{name}' is no time zone; write one such as 'Europe/London' or 'UTC'")
