"""Crons with calendars: which days run, what is moved, and that forwards and backwards agree."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from schemas.cron import Overlap, parse
from schemas.plan import Calendars, OnHoliday, Plan
from schemas.schedule import Schedule, UnknownCalendarError, schedule

LONDON = ZoneInfo("Europe/London")
EASTER = {date(2026, 4, 3): "Good Friday", date(2026, 4, 6): "Easter Monday"}
TRADING = {date(2026, 4, 1): "", date(2026, 4, 2): "", date(2026, 4, 7): ""}
KNOWN = {"UK": EASTER, "Trading": TRADING}
MOVE = OnHoliday.NEXT_WORKING_DAY


def a_schedule(
    cron: str, *, move: bool = False, exclude: tuple[str, ...] = (), include: tuple[str, ...] = ()
) -> Schedule:
    """Of London."""
    wish = Calendars(exclude=exclude, include=include)
    return schedule(
        parse(cron), LONDON, Plan(name="P", calendars=wish, on_holiday=MOVE if move else OnHoliday.SKIP), KNOWN
    )


def local(day: int, hour: int = 1, minute: int = 0, month: int = 4) -> datetime:
    """A time of 2026 in London."""
    return datetime(2026, month, day, hour, minute, tzinfo=LONDON).astimezone(UTC)


def due(found: Schedule, first: int, last: int) -> list[tuple[int, str]]:
    """What is due in April between two midnights: the day, and why it does not run."""
    days = found.between(local(first, 0), local(last, 0), 100)
    return [(one.astimezone(LONDON).day, found.left_out(one)) for one in days]


def test_without_calendars_it_is_the_cron() -> None:
    """Every day runs."""
    plain = schedule(parse("0 0 1 * * ?"), LONDON, Plan(name="P"), {})

    assert due(plain, 3, 5) == [(3, ""), (4, "")]


def test_a_day_of_an_excluded_calendar_is_due_and_does_not_run() -> None:
    """With the name of the day; a weekend is no holiday by itself."""
    found = a_schedule("0 0 1 * * ?", exclude=("UK",))

    assert due(found, 2, 6) == [(2, ""), (3, "Good Friday (UK)"), (4, ""), (5, "")]


def test_with_an_included_calendar_only_its_days_run() -> None:
    """And an excluded one takes days out of it."""
    found = a_schedule("0 0 1 * * ?", include=("Trading",))

    assert [day for day, why in due(found, 1, 10) if not why] == [1, 2, 7]
    assert due(found, 3, 4) == [(3, "not a day of 'Trading'")]


def test_a_start_on_a_holiday_moves_to_the_next_working_day() -> None:
    """Good Friday's to Tuesday after Easter, past the weekend and the Monday; it stays due, and says where it went."""
    found = a_schedule("0 0 1 ? * FRI", move=True, exclude=("UK",))

    assert due(found, 2, 11) == [(3, "Good Friday (UK); moved to 2026-04-07"), (7, ""), (10, "")]


def test_moved_starts_that_meet_are_one() -> None:
    """A daily start has its own on the day the others move to."""
    found = a_schedule("0 0 1 ? * MON-FRI", move=True, exclude=("UK",))

    assert [day for day, _ in due(found, 2, 9)] == [2, 3, 6, 7, 8]


def test_moved_starts_keep_their_time_of_day() -> None:
    """Beside that day's own."""
    found = a_schedule("0 30 6 ? * FRI", move=True, exclude=("UK",))

    assert found.next(local(3, 12)) == local(7, 6, 30)
    assert found.previous(local(8)) == local(7, 6, 30)
    assert found.previous(local(7, 6, 29)) == local(3, 6, 30)


def test_a_moved_start_in_a_gap_of_the_clock_comes_after_it() -> None:
    """01:30 is skipped on the last Sunday of March; nothing is lost."""
    known = {"X": {date(2026, 3, 28): ""}, "Sunday": {date(2026, 3, 29): ""}}
    wish = Calendars(exclude=("X",), include=("Sunday",))
    found = schedule(parse("0 30 1 28 3 ?"), LONDON, Plan(name="P", calendars=wish, on_holiday=MOVE), known)

    assert found.next(local(28, 12, month=3)) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_moved_start_in_an_overlap_of_the_clock_comes_when_the_plan_wants_it() -> None:
    """01:30 happens twice on the last Sunday of October, in either pass or in both."""
    known = {"X": {date(2026, 10, 24): ""}, "Sunday": {date(2026, 10, 25): ""}}
    wish = Calendars(exclude=("X",), include=("Sunday",))

    def dues(overlap: Overlap) -> list[datetime]:
        plan = Plan(name="P", calendars=wish, on_holiday=MOVE, on_overlap=overlap)
        found = schedule(parse("0 30 1 24 10 ?"), LONDON, plan, known)
        return list(found.between(local(24, 12, month=10), local(26, month=10), 9))

    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert dues(Overlap.FIRST) == [first]
    assert dues(Overlap.SECOND) == [second]
    assert dues(Overlap.BOTH) == [first, second]


def test_the_next_that_runs_skips_what_does_not() -> None:
    """For forecasts, and for instances that are prepared."""
    found = a_schedule("0 0 1 ? * MON-FRI", exclude=("UK",))

    assert found.next_running(local(2, 12)) == local(7)
    assert a_schedule("0 0 1 * * ?", include=("Trading",)).next_running(local(8), limit=50) is None


@pytest.mark.parametrize("cron", ["0 0 1 * * ?", "0 0 6,18 ? * MON,FRI", "0 0 1 1 4 ?", "0 0/20 1 3-6 4 ?"])
@pytest.mark.parametrize("wish", [{"exclude": ("UK",)}, {"include": ("Trading",)}], ids=str)
@pytest.mark.parametrize("move", [False, True])
def test_forwards_and_backwards_agree(cron: str, wish: dict[str, tuple[str, ...]], *, move: bool) -> None:
    """The starts of three weeks, strictly rising, whichever end one begins at."""
    found = a_schedule(cron, move=move, **wish)
    begin, end = local(25, 0, month=3), local(15, 0)
    there = list(found.between(begin, end, 10_000))
    back, at = [], found.previous(end)
    while at is not None and at > begin:
        back.append(at)
        at = found.previous(at - timedelta(seconds=1))

    assert there == back[::-1] == sorted(set(there))


def test_a_calendar_that_is_not_there_is_an_error() -> None:
    """Never "no holiday"."""
    with pytest.raises(UnknownCalendarError, match="DE"):
        a_schedule("0 0 1 * * ?", exclude=("UK", "DE"))


@pytest.mark.parametrize(
    ("zone", "moment", "begins"),
    [
        ("UTC", "2026-04-02T12:00", "2026-04-03T00:00"),
        ("UTC", "2026-04-02T00:00", "2026-04-03T00:00"),
        ("Europe/London", "2026-03-29T12:00", "2026-03-29T23:00"),  # clocks have gone forward
        ("Europe/London", "2026-10-24T23:30", "2026-10-26T00:00"),  # a day of 25 hours
        ("Africa/Cairo", "2026-04-23T12:00", "2026-04-23T22:00"),  # there is no midnight: the day begins at one
        ("America/St_Johns", "2010-11-07T02:45", "2010-11-07T03:30"),  # midnight came, and comes a second time
        ("Pacific/Apia", "2011-12-30T09:00", "2011-12-30T10:00"),  # a day is left out altogether
    ],
)
def test_the_next_day_begins_after_the_moment(zone: str, moment: str, begins: str) -> None:
    """At midnight of the zone, or just after the gap in which it would be."""
    found = Schedule(cron=parse("0 0 12 * * ?"), zone=ZoneInfo(zone))

    said = found.next_day(datetime.fromisoformat(moment).replace(tzinfo=UTC))
    assert said.astimezone(UTC) == datetime.fromisoformat(begins).replace(tzinfo=UTC)
