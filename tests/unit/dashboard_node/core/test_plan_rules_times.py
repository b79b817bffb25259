"""The rules of time: crons, zones, windows that overlap, blackouts that never match."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dashboard_node.core.plan_rules import faults
from schemas.plan import ClockJob, Context, FileJob, JobDependency, OwnWindow, Plan, PlanSource, ScheduledJob
from schemas.requests import Fault

CRON = "0 0 1 ? * *"
HOUR = 3_600_000
CLOCK = ClockJob(agent_name="a", job_name="Q", cron_expression=CRON)
FILE = FileJob(agent_name="a", job_name="F", cron_expression="* * * * * ?", filenames=("x",))


def found(job: ClockJob | None = None, **fields: object) -> list[Fault]:
    """The faults of a plan with these fields, and this job if there is one."""
    plan = Plan(name="P", time_window_start=CRON, context_ttl_milliseconds=HOUR)
    if job is not None:
        entry = ScheduledJob(agent_name=job.agent_name, job_name=job.job_name)
        plan = replace(plan, scheduled_jobs=(entry,), job_dependencies=(JobDependency(job_identifier=job.id),))
    return list(faults(PlanSource(plan=replace(plan, **fields), jobs=(job,) if job is not None else ())))


def only(job: ClockJob | None = None, **fields: object) -> tuple[str, bool]:
    """Path of the only fault, and whether it is a warning."""
    (fault,) = found(job, **fields)
    return fault.path, fault.warning


def test_a_good_plan_has_no_faults() -> None:
    """A window of an hour each day, a clock, a file job that looks every second."""
    assert found() == found(CLOCK) == found(FILE) == []


@pytest.mark.parametrize("cron", ["0 0 1 * * *", "0 0 25 ? * *", "0 0 1", "daily", "0 0 1 ? * * 1800"])
def test_crons_that_are_none_are_refused(cron: str) -> None:
    """In the plan and in its jobs."""
    assert only(time_window_start=cron) == ("$.timeWindowStart", False)
    assert only(replace(CLOCK, cron_expression=cron)) == ("jobs/quartz/Q $.cronExpression", False)


def test_a_cron_that_never_fires_is_refused() -> None:
    """A 30th of February."""
    assert only(time_window_start="0 0 1 30 2 ?") == ("$.timeWindowStart", False)
    assert only(replace(CLOCK, cron_expression="0 0 1 30 2 ?")) == ("jobs/quartz/Q $.cronExpression", False)


def test_a_plan_may_count_weekdays() -> None:
    """Then `23W` is the twenty-third weekday, and `24W` none."""
    assert found(time_window_start="0 0 1 23W * ?", custom_week_day_of_month=True) == []
    assert only(time_window_start="0 0 1 24W * ?", custom_week_day_of_month=True) == ("$.timeWindowStart", False)


@pytest.mark.parametrize("zone", ["Europe/Lunnon", "Europe", "../etc/passwd", "/etc/passwd", "\x00"])
def test_zones_that_are_none_are_refused(zone: str) -> None:
    """Whatever they may do to a file system."""
    assert only(timezone=zone) == ("$.timezone", False)
    assert only(replace(CLOCK, time_zone=zone)) == ("jobs/quartz/Q $.timeZone", False)


def test_a_window_has_a_length() -> None:
    """Negative is refused, none is told."""
    assert only(context_ttl_milliseconds=-1) == ("$.contextTtlMilliseconds", False)
    assert only(context_ttl_milliseconds=0) == ("$.contextTtlMilliseconds", True)


def test_a_window_longer_than_its_period_is_told() -> None:
    """Unless instances may run side by side. The shortest distance counts: Friday to Monday is not it."""
    assert found(context_ttl_milliseconds=24 * HOUR) == []
    assert only(context_ttl_milliseconds=24 * HOUR + 1) == ("$.contextTtlMilliseconds", True)
    assert found(context_ttl_milliseconds=25 * HOUR, able_to_run_concurrently=True) == []
    weekdays = "0 0 1 ? * MON-FRI"
    assert only(time_window_start=weekdays, context_ttl_milliseconds=30 * HOUR) == ("$.contextTtlMilliseconds", True)
    assert found(time_window_start="0 0 1 1 1 ? 2030", context_ttl_milliseconds=10**12) == []


def test_a_clock_that_fires_every_second_is_told() -> None:
    """As in the shipped plan, whose seven o'clock is 3600 fires."""
    (fault,) = found(replace(CLOCK, cron_expression="* * 7 ? * * *"))
    assert fault.warning
    assert "is '0 0 7 ? * * *' meant?" in fault.message


def test_blackouts_are_read() -> None:
    """Crons and ranges, of the plan and of jobs."""
    crons, ranges = ("* * * ? * SUN", "sunday"), {"1": 2, "x": 3, "4": "y"}
    keys = ["Expressions[1]", 'Ranges["x"]', 'Ranges["4"]']
    keys = [f"blackoutWindow{'Cron' if key[0] == 'E' else 'DateTime'}{key}" for key in keys]
    assert [
        (fault.path, fault.warning)
        for fault in found(blackout_window_cron_expressions=crons, blackout_window_date_time_ranges=ranges)
    ] == [(f"$.{key}", False) for key in keys]
    job = replace(CLOCK, blackout_window_cron_expressions=crons, blackout_window_date_time_ranges=ranges)
    assert [(fault.path, fault.warning) for fault in found(job)] == [(f"jobs/quartz/Q $.{key}", False) for key in keys]


def test_a_reversed_range_is_told() -> None:
    """It never matches; one of a single millisecond does."""
    assert only(blackout_window_date_time_ranges={"5": 4}) == ('$.blackoutWindowDateTimeRanges["5"]', True)
    assert found(blackout_window_date_time_ranges={"5": 5, "-9": "1767225600000"}) == []


def test_the_other_times_of_jobs_are_read() -> None:
    """When a file is overdue, and how late a fire may be caught up."""
    assert only(replace(FILE, sla_cron_expression="8am")) == ("jobs/file/F $.slaCronExpression", False)
    assert only(replace(CLOCK, recovery_tolerance=-1)) == ("jobs/quartz/Q $.recoveryTolerance", False)


def own(start: str = CRON, ttl: int = HOUR, length: int = HOUR) -> list[tuple[str, bool]]:
    """Paths of the faults of a plan whose one context has such a window of its own, and which of them are warnings."""
    inside = Context(name="C", own_window=OwnWindow(start=start, ttl_milliseconds=ttl))
    return [
        (fault.path, fault.warning)
        for fault in found(contexts=(inside,), context_ttl_milliseconds=length)
        if "ownWindow" in fault.path
    ]


def test_an_own_window_has_a_cron_and_a_length() -> None:
    """One that can be read and fires, and milliseconds."""
    assert own() == []
    assert own("daily") == own("0 0 1 30 2 ?") == [("$.contexts[0].ownWindow.start", False)]
    assert own(ttl=0) == own(ttl=-1) == [("$.contexts[0].ownWindow.ttlMilliseconds", False)]


def test_an_own_window_belongs_to_a_context_inside_the_plan() -> None:
    """The plan has other fields for its own."""
    assert only(own_window=OwnWindow(start=CRON, ttl_milliseconds=HOUR)) == ("$.ownWindow", False)


@pytest.mark.parametrize(
    ("start", "told"),
    [
        ("0 0 3 ? * *", True),  # the plan's is open from 01:00 to 02:00
        ("0 0 2 ? * *", True),
        ("0 59 1 ? * *", False),
        ("0 1 0 ? * *", False),  # opened before, and still open
        ("0 0 0 ? * *", True),
        ("0 30 1 24 12 ?", False),
    ],
)
def test_an_own_window_that_is_never_open_while_the_plans_is_gets_told(start: str, *, told: bool) -> None:
    """Nothing of that context would ever start."""
    assert own(start) == ([("$.contexts[0].ownWindow.start", True)] if told else [])
    assert own(start, length=0) == []
