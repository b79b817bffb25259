"""What a plan wants where the clock of its zone is changed: ``onGap`` and ``onOverlap``, wherever its starts are computed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from dashboard_node.core.plan_rules import faults
from jobplan.simulate.night import NightPlay
from schemas.clock_changes import Gap, Overlap
from schemas.codec import decode
from schemas.names import PlanName
from schemas.plan import ClockJob, PlanSource
from schemas.queries import Forecast, Foretold, What
from tests.support.office import Office, Shape, a_plan, at

LONDON = Shape(cron="0 30 1 * * ?", hours=0.25, zone="Europe/London")


def foretold(office: Office, what: What) -> list[str]:
    """Month, day and UTC time of what is coming within three days."""
    rows = decode(bytes(office.ask(Forecast(days=3, plan=PlanName("P"))).data), Foretold).rows
    return [f"{row.at:%m-%d %H:%M}" for row in rows if row.what is what]


def with_a_clock(gap: Gap, overlap: Overlap) -> PlanSource:
    """A plan of two days whose clock job strikes at 01:30 in London."""
    source = a_plan(shape=Shape(cron="0 0 12 * * ?", hours=47, zone="Europe/London"))
    clock, command = source.jobs
    assert isinstance(clock, ClockJob)
    clock = replace(clock, cron_expression="0 30 1 * * ?", time_zone="Europe/London", on_gap=gap, on_overlap=overlap)
    return PlanSource(plan=source.plan, jobs=(clock, command))


@pytest.mark.parametrize(
    ("gap", "starts"),
    [("skip", ["03-28 01:30", "03-30 00:30"]), ("after", ["03-28 01:30", "03-29 01:00", "03-30 00:30"])],
)
def test_a_window_in_a_gap(gap: str, starts: list[str]) -> None:
    """01:30 is skipped on the 29th of March: no window, or one at the first moment after the gap."""
    office = Office(at("03-27 12:00"))
    office.imports(a_plan(shape=LONDON, onGap=gap))
    coming = foretold(office, What.OPENS)

    office.until(at("03-30 12:00"))

    assert coming == starts
    assert office.ticks() == [(start, "ran") for start in starts]


@pytest.mark.parametrize(
    ("overlap", "starts"),
    [("first", ["10-25 00:30"]), ("second", ["10-25 01:30"]), ("both", ["10-25 00:30", "10-25 01:30"])],
)
def test_a_window_in_an_overlap(overlap: str, starts: list[str]) -> None:
    """01:30 happens twice on the 25th of October: the window opens in the pass that is wanted, or in both."""
    office = Office(at("10-24 12:00"))
    office.imports(a_plan(shape=LONDON, onOverlap=overlap))
    coming = [start for start in foretold(office, What.OPENS) if start < "10-26"]

    office.until(at("10-25 12:00"))

    assert coming == starts
    assert office.ticks() == [(start, "ran") for start in starts]


def test_what_was_missed_in_an_overlap_is_told_once_for_each_pass() -> None:
    """A dashboard that was away finds both starts."""
    office = Office(at("10-24 12:00"))
    office.imports(a_plan(shape=LONDON, onOverlap="both"))

    office.down_until(at("10-25 12:00"))

    assert office.ticks() == [("10-25 00:30", "missed"), ("10-25 01:30", "missed")]


@pytest.mark.parametrize(
    ("gap", "overlap", "day", "fires"),
    [
        (Gap.SKIP, Overlap.SECOND, "03-29", []),
        (Gap.AFTER, Overlap.SECOND, "03-29", ["03-29 01:00"]),
        (Gap.SKIP, Overlap.FIRST, "10-25", ["10-25 00:30"]),
        (Gap.SKIP, Overlap.BOTH, "10-25", ["10-25 00:30", "10-25 01:30"]),
    ],
)
def test_a_clock_job_is_foretold_by_its_own_wish(gap: Gap, overlap: Overlap, day: str, fires: list[str]) -> None:
    """In the instance that is open: the plan's own wish is another matter."""
    office = Office(at(f"{day} 10:00") - timedelta(days=1))
    office.imports(with_a_clock(gap, overlap))

    office.until(at(f"{day} 00:00"))

    assert [fire for fire in foretold(office, What.FIRES) if fire.startswith(day)] == fires


def test_a_simulated_night_follows_both() -> None:
    """The window of a plan that starts in a gap alone, and a clock job in both passes of an overlap."""
    shape = Shape(cron="0 30 1 29 3 ? 2026", hours=5, zone="Europe/London")

    assert NightPlay(a_plan(shape=shape, onGap="after")).play().opens == at("03-29 01:00")


def test_a_start_that_only_a_policy_has_is_no_fault() -> None:
    """A cron that falls into a gap and nowhere else never fires, unless it is to fire after it."""
    shape = Shape(cron="0 30 1 29 3 ? 2026", hours=5, zone="Europe/London")

    refused = [fault.path for fault in faults(a_plan(shape=shape))]
    allowed = [fault.path for fault in faults(a_plan(shape=shape, onGap="after"))]

    assert "$.timeWindowStart" in refused
    assert "$.timeWindowStart" not in allowed
