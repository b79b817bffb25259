"""When clock jobs fire: every due time is decided once - fired, passed, dropped, delayed, caught up or missed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from agent_node.core.draft import Draft
from agent_node.core.fires import fire
from agent_node.core.records import Instance, Instant, Watch
from agent_node.core.rules import LATENESS
from schemas.blackout import JobDefinitionError, blackout_until, zone_of
from schemas.cron import CronError, parse
from schemas.names import NodeName
from schemas.plan import ClockJob, OnBlackout
from schemas.schedule import Days, Schedule, UnknownCalendarError, schedule
from schemas.spans import span
from schemas.status import FireOutcome

_INSTANT = timedelta(microseconds=1)
_MOST_AT_ONCE = 1_000
"""Due times decided in one step; what is left is due again at once."""


class Clock(Struct, frozen=True):
    """A clock job that can be read: its cron, zone and calendars, until when it may fire."""

    job: ClockJob
    schedule: Schedule
    closes: Instant | None
    known: Instant
    """When the agent first knew of the instance, or another one fell silent: what was missed before is not caught up."""

    @property
    def zone(self) -> ZoneInfo:
        """In which its cron is read."""
        return self.schedule.zone

    def next(self, after: Instant) -> Instant | None:
        """The first due time after a moment that is still inside the window."""
        found = self.schedule.next(after)
        return None if found is None or self.is_over(found) else found

    def is_over(self, at: Instant) -> bool:
        """Whether the window has closed by then."""
        return self.closes is not None and at >= self.closes


def read_clock(job: ClockJob, instance: Instance, zone: str, calendars: Mapping[str, Days]) -> Clock:
    """The clock of a job in an instance. Raises JobDefinitionError."""
    place = zone_of(job, zone)
    try:
        cron = parse(job.cron_expression)
        found = schedule(cron, place, job, calendars)
    except CronError as error:
        raise JobDefinitionError(f"cronExpression: {error}") from error
    except UnknownCalendarError as error:
        raise JobDefinitionError(f"calendar '{error}' is not among those the dashboard has shown") from error
    taken_over = instance.publication.groups.get(NodeName(job.agent_name))
    clock = Clock(job, found, instance.publication.closes, taken_over or instance.since)
    blackout_until(job, instance.since, place)  # faults show before the first fire is due
    return clock


def decide(draft: Draft, watch: Watch, clock: Clock) -> Watch:
    """Decide every due time up to now, in order of time."""
    watch = _end_delay(draft, watch, clock)
    now = draft.now
    first = clock.next(watch.decided)
    if first is None or first > now:
        return replace(watch, next_due=first)
    punctual = now if clock.is_over(now) else max(draft.life.started, now - LATENESS)
    if first < punctual:
        watch = _missed(draft, watch, clock, first, punctual)
    until = now if clock.closes is None else min(now, clock.closes - _INSTANT)
    after = max(watch.decided, punctual - _INSTANT)
    dues = list(clock.schedule.between(after, until, _MOST_AT_ONCE))
    for due in dues:
        watch = _on_time(draft, watch, clock, due)
    decided = dues[-1] if len(dues) == _MOST_AT_ONCE else now
    watch = replace(watch, decided=max(watch.decided, decided))
    return replace(watch, next_due=clock.next(watch.decided))


def _on_time(draft: Draft, watch: Watch, clock: Clock, due: Instant) -> Watch:
    """A due time is there: fire, unless its day or a blackout has a say."""
    holiday = clock.schedule.left_out(due)
    if holiday:
        return fire(draft, watch, FireOutcome.DROPPED, due=due, reason=holiday)
    until = blackout_until(clock.job, due, clock.zone)
    if until is None:
        return fire(draft, watch, FireOutcome.FIRED, due=due)
    return _in_blackout(draft, watch, clock, due, until)


def _in_blackout(draft: Draft, watch: Watch, clock: Clock, due: Instant, until: Instant) -> Watch:
    """What a fire inside a blackout becomes."""
    reason = f"blackout until {until.isoformat()}"
    match clock.job.blackout_policy:
        case OnBlackout.DROP:
            return fire(draft, watch, FireOutcome.DROPPED, due=due, reason=reason)
        case OnBlackout.PASS:
            return fire(draft, watch, FireOutcome.PASSED, due=due, reason=reason)
        case OnBlackout.DELAY:
            if watch.delayed is not None:  # one fire at the end stands for all
                return watch
            return replace(watch, delayed=due, delayed_until=until)


def _end_delay(draft: Draft, watch: Watch, clock: Clock) -> Watch:
    """The one fire that a blackout delayed, once it is over and the window still open."""
    due, until = watch.delayed, watch.delayed_until
    if due is None or until is None or until > draft.now:
        return watch
    further = blackout_until(clock.job, until, clock.zone)
    if further is not None:  # another window follows at once
        return replace(watch, delayed_until=further)
    done = replace(watch, delayed=None, delayed_until=None)
    if clock.is_over(draft.now):
        reason = "the window closed before the blackout ended"
        return fire(draft, done, FireOutcome.MISSED, due=due, reason=reason)
    return fire(draft, done, FireOutcome.FIRED, due=due, reason="delayed by a blackout")


def _missed(draft: Draft, watch: Watch, clock: Clock, first: Instant, punctual: Instant) -> Watch:
    """Due times from ``first`` on passed while no agent looked: one late fire for the last, if the job allows; else recorded."""
    end = punctual - _INSTANT
    if clock.closes is not None:
        end = min(end, clock.closes - _INSTANT)
    last = clock.schedule.previous(end) or first
    watch = replace(watch, decided=max(watch.decided, last))
    tolerance = span(milliseconds=clock.job.recovery_tolerance)
    late = draft.now - last
    missed = f"due from {first.isoformat()} to {last.isoformat()}"
    holiday = clock.schedule.left_out(last)
    if holiday:
        return fire(
            draft, watch, FireOutcome.DROPPED, due=last, reason=f"{holiday}; {missed}, and nobody looked in time"
        )
    caught_up = clock.job.persistent_recovery and late <= tolerance and last >= clock.known
    if not caught_up or clock.is_over(draft.now):
        reason = f"missed: {missed}, and nobody looked in time"
        return fire(draft, watch, FireOutcome.MISSED, due=last, reason=reason)
    until = blackout_until(clock.job, draft.now, clock.zone)
    if until is not None:
        return _in_blackout(draft, watch, clock, last, until)
    return fire(draft, watch, FireOutcome.FIRED, due=last, reason=f"caught up: {missed}")
