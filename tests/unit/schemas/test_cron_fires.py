"""When a cron fires: the ends of time, and each rule and policy where clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from schemas.cron import LOSSLESS, QUARTZ, DstPolicy, Gap, Overlap, fires, next_fire, parse, previous_fire

LONDON = ZoneInfo("Europe/London")
UTC_ZONE = ZoneInfo("UTC")
DAY = timedelta(days=1)


def at(text: str) -> datetime:
    """The UTC instant."""
    return datetime.fromisoformat(text + "Z")


def listed(cron: str, after: str, count: int, *, zone: ZoneInfo = LONDON, policy: DstPolicy = QUARTZ) -> list[str]:
    """The first `count` fires after the instant, as `dayThour:minute`."""
    until = at("2126-12-31T00:00:00")
    found = fires(parse(cron), at(after), zone, until=until, limit=count, policy=policy)
    return [fire.strftime("%dT%H:%M") for fire in found]


def test_next_fire_is_strictly_later() -> None:
    """A fire is not its own successor."""
    cron = parse("0 0 12 * * ?")

    assert next_fire(cron, at("2025-01-01T12:00:00"), UTC_ZONE) == at("2025-01-02T12:00:00")
    assert next_fire(cron, at("2025-01-01T11:59:59"), UTC_ZONE) == at("2025-01-01T12:00:00")


def test_parts_of_a_second_are_cut() -> None:
    """Half a second before the fire it is still to come; half a second after it was."""
    cron, half = parse("* * * * * ?"), timedelta(seconds=0.5)
    noon = at("2025-01-01T12:00:00")

    assert next_fire(cron, noon + half, UTC_ZONE) == noon + timedelta(seconds=1)
    assert previous_fire(cron, noon + half, UTC_ZONE) == noon


def test_previous_fire_may_be_now() -> None:
    """The last fire at or before the instant."""
    cron = parse("0 0 12 * * ?")

    assert previous_fire(cron, at("2025-01-01T12:00:00"), UTC_ZONE) == at("2025-01-01T12:00:00")
    assert previous_fire(cron, at("2025-01-01T11:59:59"), UTC_ZONE) == at("2024-12-31T12:00:00")


def test_any_zone_goes_in_and_utc_comes_out() -> None:
    """The start may be in another zone than the schedule."""
    start = datetime(2025, 7, 1, 12, tzinfo=timezone(timedelta(hours=9)))
    found = next_fire(parse("0 0 12 * * ?"), start, LONDON)

    assert found == at("2025-07-01T11:00:00")
    assert found is not None
    assert found.tzinfo is UTC


def test_naive_start_is_refused() -> None:
    """A time without a zone is a mistake of ours, not a schedule."""
    naive = datetime(2025, 1, 1)  # noqa: DTZ001 - the mistake
    with pytest.raises(ValueError, match="no time zone; pass an aware datetime"):
        next_fire(parse("0 0 12 * * ?"), naive, LONDON)
    with pytest.raises(ValueError, match="no time zone; pass an aware datetime"):
        previous_fire(parse("0 0 12 * * ?"), naive, LONDON)


@pytest.mark.parametrize("text", ["0 0 12 30 2 ?", "0 0 0 1 1 ? 2300", "0 0 12 31 4,6 ?", "0 0 0 L-30 2 ?"])
def test_schedule_that_never_fires_has_neither_next_nor_previous(text: str) -> None:
    """The search is bounded."""
    assert next_fire(parse(text), at("2025-01-01T00:00:00"), LONDON) is None
    assert previous_fire(parse(text), at("2025-01-01T00:00:00"), LONDON) is None


def test_schedule_that_only_hits_gaps_never_fires() -> None:
    """01:30 on the last Sunday of March never exists in London."""
    cron = parse("0 30 1 ? 3 1L 1997-2126")

    assert next_fire(cron, at("1998-01-01T00:00:00"), LONDON) is None
    assert previous_fire(cron, at("2025-12-31T00:00:00"), LONDON) is None


def test_rare_schedules_are_found_over_years() -> None:
    """29 February over 2100, a past year, and a leap day that is the fifth Friday."""
    leap = parse("0 0 0 29 2 ?")

    assert next_fire(leap, at("2096-03-01T00:00:00"), UTC_ZONE) == at("2104-02-29T00:00:00")
    assert previous_fire(leap, at("2104-02-28T00:00:00"), UTC_ZONE) == at("2096-02-29T00:00:00")
    past = parse("0 0 0 1 1 ? 1980")
    assert next_fire(past, at("2025-01-01T00:00:00"), UTC_ZONE) is None
    assert previous_fire(past, at("2025-01-01T00:00:00"), UTC_ZONE) == at("1980-01-01T00:00:00")
    fifth = parse("0 0 0 ? 2 6#5")
    assert next_fire(fifth, at("2008-03-01T00:00:00"), UTC_ZONE) == at("2036-02-29T00:00:00")


def test_nothing_fires_before_1970_or_after_2126() -> None:
    """The ends of time are constants, whatever the clock or the argument."""
    cron = parse("* * * * * ?")
    first, last = at("1970-01-01T00:00:00"), at("2126-12-31T23:59:59")
    dawn, dusk = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

    assert next_fire(cron, dawn, UTC_ZONE) == first
    assert next_fire(cron, last, UTC_ZONE) is None
    assert next_fire(cron, dusk, UTC_ZONE) is None
    assert previous_fire(cron, dusk, UTC_ZONE) == last
    assert previous_fire(cron, first, UTC_ZONE) == first
    assert previous_fire(cron, first - timedelta(seconds=1), UTC_ZONE) is None
    assert previous_fire(cron, dawn, UTC_ZONE) is None


def test_fires_stop_at_until_and_at_limit() -> None:
    """`until` belongs to the interval; the limit counts."""
    cron, start = parse("0 0 * * * ?"), at("2025-01-01T00:00:00")

    assert len(list(fires(cron, start, UTC_ZONE, until=start + DAY, limit=100))) == 24
    assert len(list(fires(cron, start, UTC_ZONE, until=start + DAY, limit=5))) == 5


def test_gap_is_skipped() -> None:
    """London, 30 March 2025: 01:30 does not exist and does not fire."""
    assert listed("0 30 1 * * ?", "2025-03-28T12:00:00", 3) == ["29T01:30", "31T00:30", "01T00:30"]


def test_gap_leaves_no_hole_in_regular_jobs() -> None:
    """Every twenty minutes runs on in real time over the gap."""
    assert listed("0 0/20 * * * ?", "2025-03-30T00:30:00", 3) == ["30T00:40", "30T01:00", "30T01:20"]


def test_gap_after_fires_once_at_its_end() -> None:
    """All skipped times together, and not again for a regular fire at that moment."""
    policy = DstPolicy(gap=Gap.AFTER)

    assert listed("0 10,30 1 * * ?", "2025-03-29T12:00:00", 2, policy=policy) == ["30T01:00", "31T00:10"]
    assert listed("0 30 1,2 * * ?", "2025-03-30T00:59:59", 2, policy=policy) == ["30T01:00", "30T01:30"]
    assert listed("0 0/30 * * * ?", "2025-03-30T00:30:00", 2, policy=policy) == ["30T01:00", "30T01:30"]


def test_gap_after_is_a_previous_fire_as_well() -> None:
    """Right after the gap, the last fire was its end."""
    cron, policy = parse("0 30 1 * * ?"), DstPolicy(gap=Gap.AFTER)

    assert previous_fire(cron, at("2025-03-30T05:00:00"), LONDON, policy) == at("2025-03-30T01:00:00")


def test_overlap_fires_the_second_time() -> None:
    """London, 26 October 2025: 01:30 happens at 00:30Z and 01:30Z; an hourly job waits two hours."""
    assert listed("0 30 1 * * ?", "2025-10-25T12:00:00", 2) == ["26T01:30", "27T01:30"]
    assert listed("0 0 * * * ?", "2025-10-25T22:30:00", 3) == ["25T23:00", "26T01:00", "26T02:00"]


def test_overlap_first_and_both() -> None:
    """The other two policies."""
    first, both = DstPolicy(overlap=Overlap.FIRST), DstPolicy(overlap=Overlap.BOTH)

    assert listed("0 30 1 * * ?", "2025-10-25T12:00:00", 2, policy=first) == ["26T00:30", "27T01:30"]
    assert listed("0 30 1 * * ?", "2025-10-25T12:00:00", 3, policy=both) == ["26T00:30", "26T01:30", "27T01:30"]
    assert listed("0 0 * * * ?", "2025-10-25T22:30:00", 3, policy=first) == ["25T23:00", "26T00:00", "26T02:00"]
    assert listed("0 0 * * * ?", "2025-10-25T22:30:00", 3, policy=both) == ["25T23:00", "26T00:00", "26T01:00"]


def test_start_in_the_first_pass_is_taken_by_the_wall_clock() -> None:
    """Quartz from 00:30Z (01:30): the second 01:00 and 01:20 are lost; LOSSLESS has them."""
    quartz = listed("0 0/20 * * * ?", "2025-10-26T00:30:00", 2)
    lossless = listed("0 0/20 * * * ?", "2025-10-26T00:30:00", 3, policy=LOSSLESS)

    assert quartz == ["26T01:40", "26T02:00"]
    assert lossless == ["26T01:00", "26T01:20", "26T01:40"]


def test_start_at_the_last_second_of_the_first_pass_loses_nothing() -> None:
    """The search begins one second later, which is the second pass."""
    assert listed("0 0/20 * * * ?", "2025-10-26T00:59:59", 2) == ["26T01:00", "26T01:20"]


def test_previous_fire_in_the_first_pass_is_before_the_overlap() -> None:
    """The first pass is silent, so the last fire was at 00:40 wall time."""
    cron = parse("0 0/20 * * * ?")

    assert previous_fire(cron, at("2025-10-26T00:30:00"), LONDON) == at("2025-10-25T23:40:00")
    assert previous_fire(cron, at("2025-10-26T01:30:00"), LONDON) == at("2025-10-26T01:20:00")


@pytest.mark.parametrize(
    ("overlap", "instant", "expected"),
    [
        (Overlap.FIRST, "2025-10-26T00:30:00", "2025-10-26T00:20:00"),
        (Overlap.FIRST, "2025-10-26T01:30:00", "2025-10-26T00:40:00"),
        (Overlap.BOTH, "2025-10-26T00:30:00", "2025-10-26T00:20:00"),
        (Overlap.BOTH, "2025-10-26T01:30:00", "2025-10-26T01:20:00"),
    ],
)
def test_previous_fire_with_other_policies(overlap: Overlap, instant: str, expected: str) -> None:
    """Inside either pass, the last of those that fire."""
    cron = parse("0 0/20 * * * ?")

    assert previous_fire(cron, at(instant), LONDON, DstPolicy(overlap=overlap)) == at(expected)


def test_previous_fire_both_goes_back_into_the_first_pass() -> None:
    """Before the second 01:30, the last fire was the first one."""
    both = DstPolicy(overlap=Overlap.BOTH)

    found = previous_fire(parse("0 30 1 * * ?"), at("2025-10-26T01:10:00"), LONDON, both)

    assert found == at("2025-10-26T00:30:00")


def test_both_goes_on_into_the_second_pass() -> None:
    """After the first 01:10 comes the second one, although it is earlier on the wall."""
    both = DstPolicy(overlap=Overlap.BOTH)

    assert listed("0 10 1 * * ?", "2025-10-26T00:20:00", 2, policy=both) == ["26T01:10", "27T01:10"]
    assert listed("0 10 1 ? * SUN 2025", "2025-10-26T00:20:00", 1, policy=both) == ["26T01:10"]


def test_day_whose_midnight_does_not_exist_is_skipped() -> None:
    """Cairo put the clock forward at midnight of 25 April 2025."""
    found = listed("0 0 0 * * ?", "2025-04-23T12:00:00", 3, zone=ZoneInfo("Africa/Cairo"))

    assert found == ["23T22:00", "25T21:00", "26T21:00"]


def test_day_that_does_not_exist_is_skipped() -> None:
    """Apia had no 30 December 2011."""
    found = listed("0 0 12 * * ?", "2011-12-29T00:00:00", 3, zone=ZoneInfo("Pacific/Apia"))

    assert found == ["29T22:00", "30T22:00", "31T22:00"]
