"""What is coming, as far as crons, calendars and blackouts can tell; and that it comes so."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from schemas.codec import decode
from schemas.names import PlanName
from schemas.plan import PlanSource
from schemas.queries import Coming, Forecast, Foretold, What
from schemas.requests import EnablePlan, EndInstance, ImportCalendar
from tests.support.office import Office, Shape, a_plan, at

P = PlanName("P")


def foretold(office: Office, days: int = 3, plan: str | None = None, each: int = 20) -> Foretold:
    """The answer of the dashboard."""
    wanted = None if plan is None else PlanName(plan)
    return decode(bytes(office.ask(Forecast(days=days, plan=wanted, each=each)).data), Foretold)


def short(rows: tuple[Coming, ...]) -> list[str]:
    """Month, day and time in the row's zone, and what."""
    return [f"{one.local[5:16]} {one.job or one.plan} {one.what}" for one in rows]


def test_windows_and_the_clock_jobs_in_them() -> None:
    """In their own order and zones."""
    office = Office(at("04-02 12:00"))
    office.imports(a_plan(shape=Shape(hours=8, zone="Europe/London")))

    rows = foretold(office, days=2).rows

    assert short(rows) == [
        "04-03 01:00 P opens",
        "04-03 07:00 a-q fires",
        "04-04 01:00 P opens",
        "04-04 07:00 a-q fires",
    ]
    assert (rows[0].at, rows[0].closes, rows[0].zone) == (at("04-03 00:00"), at("04-03 08:00"), "Europe/London")


def test_a_fire_outside_of_every_window_is_not_coming() -> None:
    """The clock strikes at 07:00, the window is over at 06:00."""
    office = Office(at("04-02 12:00"))
    office.imports(a_plan(shape=Shape(hours=5)))

    assert short(foretold(office, days=1).rows) == ["04-03 01:00 P opens"]


def test_clock_jobs_of_instances_that_run_are_coming_too() -> None:
    """Until their end; a window that would open while one is open is skipped."""
    office = Office(at("04-02 06:00"))
    office.imports(a_plan(shape=Shape(hours=30)))

    rows = foretold(office, days=1).rows

    assert short(rows) == ["04-02 07:00 a-q fires", "04-03 01:00 P skipped"]
    assert "side by side" in rows[1].note


def test_a_fire_says_of_which_instance_it_is() -> None:
    """Each of those that stand open; a fire in a window to come has none yet, nor has a start."""
    office = Office(at("04-02 06:00"))
    office.imports(a_plan(shape=Shape(hours=30), ableToRunConcurrently=True))
    office.start("P")

    rows = foretold(office, days=1).rows

    fires = [one for one in rows if one.at == at("04-02 07:00")]
    assert {one.instance for one in fires} == {one.id for one in office.instances}
    assert len(fires) == 2
    assert [one.instance for one in rows if one.what is What.OPENS] == [None]
    assert [one.instance for one in foretold(office, days=2).rows if one.at > at("04-03 12:00")][:1] == [None]


def test_a_fire_is_told_by_its_jobs_name() -> None:
    """Which is the identifier where another job of the plan has the name, too."""
    office = Office(at("04-02 12:00"))
    office.imports(a_plan(shape=Shape(hours=8)))
    jobs = [{"agentName": agent, "jobName": "q"} for agent in ("a", "b")]
    clocks = [job | {"type": "quartzScheduleDrivenJob", "cronExpression": "0 0 7 * * ?"} for job in jobs]
    plan: dict[str, object] = {
        "name": "Q",
        "timeWindowStart": "0 0 1 * * ?",
        "contextTtlMilliseconds": 28_800_000,
        "scheduledJobs": jobs,
    }
    plan["jobDependencies"] = [{"jobIdentifier": "a-q"}, {"jobIdentifier": "b-q"}]
    office.imports(msgspec.convert({"plan": plan, "jobs": clocks}, PlanSource))

    told = {(one.job, one.name) for one in foretold(office, days=1).rows if one.job}

    assert told == {("a-q", "q"), ("a-q", "a-q"), ("b-q", "b-q")}


def test_holidays_blackouts_and_disabled_plans_say_why() -> None:
    """Each start that will not open."""
    office = Office(at("04-02 12:00"))
    office.ask(ImportCalendar(name="UK", days={date(2026, 4, 3): "Good Friday"}))
    fields: dict[str, Any] = {"calendars": {"exclude": ["UK"]}, "blackoutWindowCronExpressions": ["* * * ? * SAT"]}
    office.imports(a_plan(shape=Shape(hours=1), **fields))

    notes = [one.note for one in foretold(office).rows if one.what is What.SKIPPED]
    office.ask(EnablePlan(plan=P, enabled=False))
    disabled = [one.note for one in foretold(office).rows]

    assert notes == ["Good Friday (UK)", "inside a blackout window of the plan"]
    assert disabled == ["Good Friday (UK)", "the plan is disabled", "the plan is disabled"]


def a_clock(**fields: object) -> PlanSource:
    """The plan with other fields of its clock job, open from 01:00 for eight hours."""
    source = msgspec.to_builtins(a_plan(shape=Shape(hours=8)))
    clock, command = source["jobs"]
    return msgspec.convert({"plan": source["plan"], "jobs": [clock | fields, command]}, PlanSource)


def test_of_many_fires_in_a_window_only_the_first_are_listed() -> None:
    """The last one says that there are more."""
    office = Office(at("04-02 12:00"))
    office.imports(a_clock(cronExpression="0 * * * * ?"))

    rows = foretold(office, days=1, each=2).rows

    assert [one.note for one in rows if one.job] == ["", "and so on"]


@pytest.mark.parametrize(
    ("policy", "what", "note"),
    [("drop", "skipped", "blackout until"), ("pass", "fires", "passed over"), ("delay", "skipped", "delayed by")],
)
def test_a_clock_jobs_own_blackout(policy: str, what: str, note: str) -> None:
    """What becomes of a fire in it."""
    office = Office(at("04-02 12:00"))
    office.imports(a_clock(blackoutWindowCronExpressions=["* * 7 * * ?"], onBlackout=policy))

    [row] = [one for one in foretold(office, days=1).rows if one.job]

    assert row.what == what
    assert row.note.startswith(note)


def test_a_clock_job_keeps_to_its_own_calendars_and_zone() -> None:
    """The plan opens; its clock stays still on the holiday."""
    office = Office(at("04-02 12:00"))
    office.ask(ImportCalendar(name="UK", days={date(2026, 4, 3): "Good Friday"}))
    office.imports(a_clock(calendars={"exclude": ["UK"]}, timeZone="Europe/London"))

    [row] = [one for one in foretold(office, days=1).rows if one.job]

    assert (row.local, row.note) == ("2026-04-03 07:00:00", "Good Friday (UK)")


def test_a_forecast_is_cut_off_at_some_length() -> None:
    """And says so."""
    office = Office(at("04-02 12:00"))
    office.imports(a_plan(shape=Shape(cron="0 * * * * ?", hours=1 / 60)))

    found = foretold(office, days=10)

    assert (len(found.rows), found.more) == (2000, True)


def test_an_unknown_plan_is_refused() -> None:
    """By name."""
    assert office_without_plans().ask(Forecast(plan=PlanName("Q"))).reason == "plan 'Q' is unknown; there are none"


def office_without_plans() -> Office:
    """Nothing imported."""
    return Office(at("04-02 12:00"))


def test_what_was_foretold_happens() -> None:
    """Each start of a fortnight: opened or skipped as the forecast said, when nobody interferes."""
    office = Office(at("03-25 12:00"))
    office.ask(ImportCalendar(name="UK", days={date(2026, 4, 3): "Good Friday", date(2026, 4, 6): "Easter Monday"}))
    fields: dict[str, Any] = {"calendars": {"exclude": ["UK"]}, "onHoliday": "nextWorkingDay"}
    office.imports(a_plan(shape=Shape(cron="0 30 1 ? * MON,FRI", hours=20, zone="Europe/London"), **fields))
    for instance in office.instances:
        office.ask(EndInstance(instance=instance.id))
    foreseen = [(f"{one.at:%m-%d %H:%M}", one.what) for one in foretold(office, days=14, plan="P").rows if not one.job]
    before = len(office.ticks())

    office.until(office.now + timedelta(days=14))

    happened = [(due, What.OPENS if what == "ran" else What.SKIPPED) for due, what in office.ticks()[before:]]
    assert happened == foreseen
    assert {What.OPENS, What.SKIPPED} == {what for _, what in happened}
