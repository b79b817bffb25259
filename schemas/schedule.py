"""When something is due by a cron and by calendars: days left out, and starts moved to the next working day. Pure.

A day runs if no excluded calendar has it and, where calendars are included, one of them has it. With ``nextWorkingDay``
what is due on a day that does not run is due at the same time of day on the next working day as well: the next day that runs
and, where no calendar is included, is a Monday to Friday. A wall time that a clock change skips there becomes the first moment
after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from schemas.cron import (
    LOSSLESS,
    Cron,
    DstPolicy,
    FirstPass,
    Overlap,
    fires,
    instants_of,
    next_fire,
    previous_fire,
)
from schemas.plan import ClockJob, OnHoliday, Plan

DAY: Final = timedelta(days=1)
MOMENT: Final = timedelta(seconds=1)
"""The grain of cron time."""
_SATURDAY: Final = 5
_FARTHEST: Final = 31
"""Days a start is moved at most; what would go farther is left out like any other."""
_MOST_A_DAY: Final = 1440
"""Starts of one day that are moved at most."""
_BOTH: Final = DstPolicy(overlap=Overlap.BOTH)

Days = Mapping[date, str]
"""The days of a calendar, each with its name."""


class UnknownCalendarError(LookupError):
    """A calendar is named that is not there; the message is its name."""


class Schedule(Struct, frozen=True, kw_only=True):
    """A cron in its zone, what it wants where the clock is changed, and the calendars that apply to it, by name."""

    cron: Cron
    zone: ZoneInfo
    policy: DstPolicy = LOSSLESS
    exclude: tuple[tuple[str, Days], ...] = ()
    include: tuple[tuple[str, Days], ...] = ()
    on_holiday: OnHoliday = OnHoliday.SKIP

    # Days

    def left_out(self, at: datetime) -> str:
        """Why what is due then does not run because of its day; empty: it runs."""
        day = self._day(at)
        reason = self._off(day)
        if not reason or not self._moves:
            return reason
        target = self._working_day_after(day)
        return f"{reason}; moved to {target.isoformat()}" if target is not None else reason

    def next_day(self, at: datetime) -> datetime:
        """When, after a moment, the next day begins."""
        begins = instants_of(datetime.combine(self._day(at) + DAY, time()), self.zone, _BOTH)
        return min(begin for begin in begins if begin > at)

    def _day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def _off(self, day: date) -> str:
        """Why nothing runs on a day; empty: it runs."""
        for name, days in self.exclude:
            if day in days:
                return f"{days[day]} ({name})" if days[day] else f"a day of calendar '{name}'"
        if self.include and not any(day in days for _, days in self.include):
            return "not a day of " + " or ".join(f"'{name}'" for name, _ in self.include)
        return ""

    def _works(self, day: date) -> bool:
        """Whether what is moved may come to stand on this day."""
        return not self._off(day) and (bool(self.include) or day.weekday() < _SATURDAY)

    def _working_day_after(self, day: date) -> date | None:
        later = (day + DAY * ahead for ahead in range(1, _FARTHEST + 1))
        return next((one for one in later if self._works(one)), None)

    # Instants

    def next(self, after: datetime) -> datetime | None:
        """The first due instant strictly after another, those on days that do not run included."""
        plain = next_fire(self.cron, after, self.zone, self.policy)
        if not self._moves:
            return plain
        day, last = self._day(after), self._last_day
        if plain is not None:
            last = min(last, self._day(plain))
        while day <= last:
            for moved in self._moved_to(day):
                if moved > after and (plain is None or moved < plain):
                    return moved
            day += DAY
        return plain

    def previous(self, at: datetime) -> datetime | None:
        """The last due instant at or before another."""
        plain = previous_fire(self.cron, at, self.zone, self.policy)
        if not self._moves:
            return plain
        day, first = min(self._day(at), self._last_day), self._first_day
        if plain is not None:
            first = max(first, self._day(plain))
        while day >= first:
            for moved in reversed(self._moved_to(day)):
                if moved <= at and (plain is None or moved > plain):
                    return moved
            day -= DAY
        return plain

    def between(self, after: datetime, until: datetime, limit: int) -> Iterator[datetime]:
        """Due instants in (after, until], at most so many."""
        if not self._moves:
            yield from fires(self.cron, after, self.zone, until=until, limit=limit, policy=self.policy)
            return
        for _ in range(limit):
            found = self.next(after)
            if found is None or found > until:
                return
            yield found
            after = found

    def next_running(self, after: datetime, limit: int = 1000) -> datetime | None:
        """The first due instant strictly after another on a day that runs; None: none among the next so many."""
        found = self.next(after)
        for _ in range(limit):
            if found is None or not self._off(self._day(found)):
                return found
            found = self.next(found)
        return None

    # What is moved

    @property
    def _moves(self) -> bool:
        return self.on_holiday is OnHoliday.NEXT_WORKING_DAY and bool(self.exclude or self.include)

    @property
    def _last_day(self) -> date:
        """After it nothing is moved: no calendar says anything any more."""
        days = [max(days) for _, days in (*self.exclude, *self.include) if days]
        return max(days, default=date.min) + DAY * _FARTHEST if days else date.min

    @property
    def _first_day(self) -> date:
        """Before it nothing is moved."""
        days = [min(days) for _, days in (*self.exclude, *self.include) if days]
        return min(days, default=date.max)

    def _moved_to(self, day: date) -> list[datetime]:
        """What is due on a day because it was moved there, in order."""
        if not self._works(day) or self._works(day - DAY):
            return []
        found: set[datetime] = set()
        for back in range(1, _FARTHEST + 1):
            before = day - DAY * back
            if self._works(before):
                break
            if self._off(before):
                for clock in self._clocks_of(before):
                    found.update(instants_of(datetime.combine(day, clock), self.zone, self.policy))
        return sorted(found)

    def _clocks_of(self, day: date) -> Iterator[time]:
        """The times of day at which the cron fires on a day."""
        begin, end = self._begin_of(day) - MOMENT, self._begin_of(day + DAY) - MOMENT
        for fire in fires(self.cron, begin, self.zone, until=end, limit=_MOST_A_DAY, policy=self.policy):
            yield fire.astimezone(self.zone).time()

    def _begin_of(self, day: date) -> datetime:
        return min(instants_of(datetime.combine(day, time()), self.zone, _BOTH))


def policy_of(wish: Plan | ClockJob) -> DstPolicy:
    """What a plan, or a clock or file job, wants where the clock is changed; no start is lost by a restart."""
    return DstPolicy(gap=wish.on_gap, overlap=wish.on_overlap, first_pass=FirstPass.INSTANT)


def schedule(cron: Cron, zone: ZoneInfo, wish: Plan | ClockJob, known: Mapping[str, Days]) -> Schedule:
    """The schedule that a plan, or a clock or file job, wishes for. Raises UnknownCalendarError."""
    days = wish.calendars
    return Schedule(
        cron=cron,
        zone=zone,
        policy=policy_of(wish),
        exclude=_named(days.exclude, known) if days is not None else (),
        include=_named(days.include, known) if days is not None else (),
        on_holiday=wish.on_holiday,
    )


def _named(names: Sequence[str], known: Mapping[str, Days]) -> tuple[tuple[str, Days], ...]:
    missing = [name for name in names if name not in known]
    if missing:
        raise UnknownCalendarError(missing[0])
    return tuple((name, known[name]) for name in names)
