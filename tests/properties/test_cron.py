"""Properties of the cron language: for all schedules, zones and policies.

The second, dumber implementation to compare with is `matches_wall` asked for every second.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from croniter import croniter
from hypothesis import assume, example, given
from hypothesis import strategies as st

from jobplan.cron.words import explain
from schemas.cron import (
    LOSSLESS,
    QUARTZ,
    Cron,
    DstPolicy,
    FirstPass,
    Gap,
    Overlap,
    blackout_end,
    fires,
    matches,
    next_fire,
    parse,
    previous_fire,
)
from schemas.cron.walk import (
    at_or_after,
    at_or_before,
    matches_wall,
    walked_day_from,
    walked_day_until,
)
from schemas.cron.zones import change_at, wall_at

SECOND = timedelta(seconds=1)
ZONES = [
    "UTC",
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Antarctica/Troll",
    "America/Scoresbysund",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Asia/Kolkata",
]
# A few instants just before changes of those clocks: gaps, overlaps, a skipped day.
CHANGES = [
    datetime(2025, 3, 30, 1, tzinfo=UTC),
    datetime(2025, 10, 26, 1, tzinfo=UTC),
    datetime(2025, 3, 9, 7, tzinfo=UTC),
    datetime(2025, 11, 2, 6, tzinfo=UTC),
    datetime(2025, 4, 5, 15, tzinfo=UTC),
    datetime(2025, 10, 4, 15, 30, tzinfo=UTC),
    datetime(2018, 11, 4, 3, tzinfo=UTC),
    datetime(2018, 2, 18, 2, tzinfo=UTC),
    datetime(2025, 4, 24, 22, tzinfo=UTC),
    datetime(2025, 10, 30, 21, tzinfo=UTC),
    datetime(2011, 12, 30, 10, tzinfo=UTC),
    datetime(2025, 9, 27, 14, tzinfo=UTC),
]


def _plain(low: int, high: int) -> st.SearchStrategy[str]:
    """A list, range or step of numbers of one field."""
    forms = ["*", "*/{2}", "{0}", "{0}", "{0}-{1}", "{0}/{2}", "{0}-{1}/{2}", "{0},{1}", "{0}-{1}/{2},{2}"]
    values = st.tuples(st.integers(low, high), st.integers(low, high), st.integers(1, high))
    return st.builds(lambda form, numbers: form.format(*numbers), st.sampled_from(forms), values)


def _days(low: int, high: int) -> st.SearchStrategy[str]:
    """Both day fields when the day of month (low 1, high 31) or of week decides, plainly."""
    return _plain(low, high).map(lambda days: f"{days} {{}} ?" if high > 7 else f"? {{}} {days}")


PLAIN_DAYS = st.one_of(_days(1, 31), _days(1, 7))
SPECIAL_DAYS = st.one_of(
    st.sampled_from(["L {} ?", "LW {} ?", "? {} L"]),
    st.integers(0, 30).map("L-{} {{}} ?".format),
    st.integers(0, 30).map("L-{}W {{}} ?".format),
    st.integers(1, 31).map("{}W {{}} ?".format),
    st.integers(1, 7).map("? {{}} {}L".format),
    st.builds("? {{}} {}#{}".format, st.integers(1, 7), st.integers(1, 5)),
)
YEARS = st.sampled_from(["", "", "", "*", "2024-2026", "2025", "*/2", "2011,2018,2025/5", "2300"])


@st.composite
def crons(
    draw: st.DrawFn,
    *,
    days: st.SearchStrategy[str] = PLAIN_DAYS | SPECIAL_DAYS,
    years: st.SearchStrategy[str] = YEARS,
) -> Cron:
    """Any valid schedule."""
    clock = f"{draw(_plain(0, 59))} {draw(_plain(0, 59))} {draw(_plain(0, 23))}"
    return parse(f"{clock} {draw(days).format(draw(_plain(1, 12)))} {draw(years)}")


PLAIN_CRONS = crons(days=PLAIN_DAYS, years=st.just(""))
NEAR_CHANGES = st.builds(
    lambda change, seconds: change + timedelta(seconds=seconds),
    st.sampled_from(CHANGES),
    st.integers(-5 * 3600, 5 * 3600),
)
INSTANTS = st.one_of(
    NEAR_CHANGES,
    st.integers(0, 2_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC)),
)
WALLS = INSTANTS.map(lambda instant: instant.replace(tzinfo=None))
ZONE = st.sampled_from(ZONES).map(ZoneInfo)
POLICIES = st.builds(
    DstPolicy,
    gap=st.sampled_from(Gap),
    overlap=st.sampled_from(Overlap),
    first_pass=st.just(FirstPass.INSTANT),
)


def _in_first_pass(instant: datetime, zone: ZoneInfo) -> bool:
    """Whether the next second, where a search starts, is in the first pass of an overlap."""
    start = instant.replace(microsecond=0) + SECOND
    change = change_at(wall_at(start, zone), zone)
    return change is not None and start < change.at


def _naive_fires(cron: Cron, after: datetime, until: datetime, zone: ZoneInfo, policy: DstPolicy) -> Iterator[datetime]:
    """The fires in (after, until], second by second, straight from the words of the policy."""
    instant = after + SECOND
    while instant <= until:
        wall = wall_at(instant, zone)
        before = wall_at(instant - SECOND, zone) + SECOND
        change = change_at(wall, zone)
        silent = False
        if change is not None:
            first_pass = instant < change.at
            silent = policy.overlap is (Overlap.SECOND if first_pass else Overlap.FIRST)
        skipped = int((wall - before) / SECOND) if policy.gap is Gap.AFTER else 0
        of_gap = any(matches_wall(cron, before + SECOND * n) for n in range(skipped))
        if of_gap or (matches_wall(cron, wall) and not silent):
            yield instant
        instant += SECOND


@given(cron=crons(), instant=NEAR_CHANGES, zone=ZONE, policy=POLICIES)
@example(parse("* * * * * ?"), CHANGES[1] - SECOND * 1800, ZoneInfo(ZONES[1]), LOSSLESS)
def test_fires_are_those_of_the_second_by_second_version(
    cron: Cron, instant: datetime, zone: ZoneInfo, policy: DstPolicy
) -> None:
    """Every policy fires exactly when its words say, across changes of the clock."""
    until = instant + timedelta(minutes=15)
    found = list(fires(cron, instant, zone, until=until, limit=10_000, policy=policy))

    assert found == list(_naive_fires(cron, instant, until, zone, policy))


@given(cron=crons(), instant=INSTANTS, zone=ZONE, policy=POLICIES, data=st.data())
def test_fires_of_adjacent_intervals_add_up(
    cron: Cron, instant: datetime, zone: ZoneInfo, policy: DstPolicy, data: st.DataObject
) -> None:
    """The fires in (a, b] and (b, c] are those in (a, c], strictly rising."""
    width = data.draw(st.sampled_from([SECOND * 90, timedelta(hours=2), timedelta(days=40)]))
    middle = instant + width / 90 * data.draw(st.integers(0, 90))
    whole = list(fires(cron, instant, zone, until=instant + width, limit=200, policy=policy))
    assume(len(whole) < 200)
    one = list(fires(cron, instant, zone, until=middle, limit=200, policy=policy))
    other = list(fires(cron, middle, zone, until=instant + width, limit=200, policy=policy))

    assert one + other == whole
    assert all(a < b for a, b in pairwise(whole))


@given(cron=crons(), instant=INSTANTS, zone=ZONE)
def test_quartz_and_lossless_differ_only_from_a_first_pass(cron: Cron, instant: datetime, zone: ZoneInfo) -> None:
    """From any other start both policies name the same next fire; the previous one always."""
    quartz, lossless = (next_fire(cron, instant, zone, p) for p in (QUARTZ, LOSSLESS))

    assert quartz == lossless or _in_first_pass(instant, zone)
    assert previous_fire(cron, instant, zone) == previous_fire(cron, instant, zone, LOSSLESS)


@given(cron=crons(), instant=INSTANTS, zone=ZONE, policy=POLICIES)
def test_previous_fire_is_the_last_that_next_fire_names(
    cron: Cron, instant: datetime, zone: ZoneInfo, policy: DstPolicy
) -> None:
    """Nothing fires between the previous fire and the instant, and it is found from before."""
    previous = previous_fire(cron, instant, zone, policy)
    following = next_fire(cron, instant, zone, policy)

    if previous is not None:
        assert previous <= instant
        assert next_fire(cron, previous - SECOND, zone, policy) == previous
        assert next_fire(cron, previous, zone, policy) == following
        assert previous_fire(cron, previous, zone, policy) == previous
    if following is not None:
        assert following > instant
        assert previous_fire(cron, following, zone, policy) == following
        assert previous_fire(cron, following - SECOND, zone, policy) == previous


@given(cron=crons(), wall=WALLS)
def test_walk_names_the_nearest_match(cron: Cron, wall: datetime) -> None:
    """What the walk names matches, and nothing within reach lies between."""
    later, earlier = at_or_after(cron, wall), at_or_before(cron, wall)

    assert later is None or (later >= wall and matches_wall(cron, later))
    assert earlier is None or (earlier <= wall and matches_wall(cron, earlier))
    for n in range(300):
        if later is None or wall + SECOND * n < later:
            assert not matches_wall(cron, wall + SECOND * n)
        if earlier is None or wall - SECOND * n > earlier:
            assert not matches_wall(cron, wall - SECOND * n)


@given(cron=PLAIN_CRONS, wall=WALLS)
def test_croniter_agrees_on_plain_schedules_on_naive_wall_time(cron: Cron, wall: datetime) -> None:
    """Written out as numbers, a plain schedule means the same to croniter and to us."""
    text = _croniter_text(cron)
    later, earlier = at_or_after(cron, wall), at_or_before(cron, wall)

    assert later is None or croniter(text, wall - SECOND).get_next(datetime) == later
    assert earlier is None or croniter(text, wall + SECOND).get_prev(datetime) == earlier


@given(cron=PLAIN_CRONS, day=st.dates(date(1971, 1, 1), date(2125, 1, 1)))
def test_croniter_days_are_those_of_our_own_walk(cron: Cron, day: date) -> None:
    """The days croniter decides for us are those found month by month."""
    later, earlier = walked_day_from(cron, day), walked_day_until(cron, day)
    midnight = datetime.combine(day, datetime.min.time())
    found_later = at_or_after(cron, midnight)
    found_earlier = at_or_before(cron, midnight + timedelta(days=1) - SECOND)

    assert (found_later and found_later.date()) == later
    assert (found_earlier and found_earlier.date()) == earlier


@given(cron=crons(), instant=INSTANTS, zone=ZONE)
def test_window_ends_at_the_first_second_outside(cron: Cron, instant: datetime, zone: ZoneInfo) -> None:
    """All seconds before the window's end are inside, the end is outside."""
    end = blackout_end(cron, instant, zone)
    assume(end is not None)
    assert end is not None

    assert end >= instant
    assert not matches(cron, end, zone)
    seconds = int((end - instant) / SECOND)
    assert all(matches(cron, instant + SECOND * n, zone) for n in range(min(seconds, 1000)))
    assert seconds == 0 or matches(cron, end - SECOND, zone)


@given(cron=crons())
def test_text_of_a_cron_parses_to_the_same(cron: Cron) -> None:
    """`str` gives back the schedule."""
    assert parse(str(cron)) == cron
    assert parse(str(cron).lower()) == cron


@given(cron=crons())
def test_every_schedule_has_words(cron: Cron) -> None:
    """Whatever can be parsed can be explained."""
    assert explain(cron)


def _croniter_text(cron: Cron) -> str:
    """The schedule as croniter's six fields of numbers."""
    _, _, _, day, _, _, *_ = cron.text.split()
    listed = [cron.minutes, cron.hours, cron.months, cron.seconds]
    minutes, hours, months, seconds = (",".join(map(str, field)) for field in listed)
    numbers: tuple[int, ...] = getattr(cron.days, "days", ()) or getattr(cron.days, "weekdays", ())
    if day == "?":
        week = ",".join(str(number - 1) for number in numbers)
        return f"{minutes} {hours} * {months} {week} {seconds}"
    return f"{minutes} {hours} {','.join(map(str, numbers))} {months} * {seconds}"
