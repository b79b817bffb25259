"""How a context's own window stands at a time, by the plan's cron, zone and policy alone. Knows no instance."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from schemas.cron import parse
from schemas.plan import OwnWindow, Plan
from schemas.schedule import Schedule, policy_of
from schemas.spans import span


class Spell(Struct, frozen=True):
    """How a context's own window stands, and until when; None: for good."""

    open: bool
    until: datetime | None

    def open_at(self, now: datetime) -> bool:
        """Whether it still stands open: what is past its end is shut, though nobody has looked again yet (S2)."""
        return self.open and (self.until is None or now < self.until)


def spell(plan: Plan, window: OwnWindow, now: datetime) -> Spell:
    """How a window stands now: from each start of its cron, for its length."""
    cron = parse(window.start, custom_weekday_of_month=plan.custom_week_day_of_month)
    schedule = Schedule(cron=cron, zone=ZoneInfo(plan.timezone or "UTC"), policy=policy_of(plan))
    opened, length = schedule.previous(now), span(milliseconds=window.ttl_milliseconds)
    if opened is not None and now < opened + length:
        return Spell(open=True, until=opened + length)
    return Spell(open=False, until=schedule.next(now))
