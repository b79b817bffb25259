"""Business calendars on the dashboard: kept by version, asked at every start, sent to agents with the jobs that name them."""

from __future__ import annotations

from datetime import date

from msgspec.structs import replace

from dashboard_node.core.plan_rules import faults
from schemas.addresses import AgentPlanAt, PlanAt
from schemas.codec import decode
from schemas.documents import AgentPlan, PlanStatus
from schemas.names import NodeName, PlanName
from schemas.plan import Calendars, ClockJob, PlanSource
from schemas.queries import CalendarList, CalendarVersion, ListCalendars, ReadCalendar
from schemas.requests import DeleteCalendar, ImportCalendar, PrepareInstance
from tests.support.office import Office, Shape, a_plan, at

UK = ImportCalendar(name="UK", days={date(2026, 4, 3): "Good Friday", date(2026, 4, 6): "Easter Monday"})
WISH = {"exclude": ["UK"]}


def an_office(*, on_holiday: str = "skip", cron: str = "0 0 1 ? * MON-FRI") -> Office:
    """On Thursday before Easter, with a plan that keeps to UK holidays."""
    office = Office(at("04-02 12:00"))
    assert office.ask(UK).ok
    office.imports(a_plan(shape=Shape(cron=cron, hours=1), calendars=WISH, onHoliday=on_holiday))
    return office


def a_clock_on(calendar: str) -> PlanSource:
    """A plan whose clock job keeps to a calendar; the plan itself does not."""
    source = a_plan()
    clock, command = source.jobs
    assert isinstance(clock, ClockJob)
    return PlanSource(plan=source.plan, jobs=(replace(clock, calendars=Calendars(exclude=(calendar,))), command))


def test_a_start_on_a_holiday_is_skipped_and_says_which() -> None:
    """The ledger has every start; the plan's document names the next one that will open."""
    office = an_office()
    shown = office.shown[PlanAt(PlanName("P"))]

    office.until(at("04-07 12:00"))

    assert office.ticks() == [("04-03 01:00", "skipped"), ("04-06 01:00", "skipped"), ("04-07 01:00", "ran")]
    assert [row.detail for row in office.audit if row.kind == "tick"][:1] == ["Good Friday (UK)"]
    assert isinstance(shown, PlanStatus)
    assert shown.next_start == at("04-07 01:00")


def test_a_start_on_a_holiday_can_move_to_the_next_working_day() -> None:
    """Friday's weekly start opens on Tuesday."""
    office = an_office(on_holiday="nextWorkingDay", cron="0 0 1 ? * FRI")

    office.until(at("04-10 12:00"))

    assert office.ticks() == [("04-03 01:00", "skipped"), ("04-07 01:00", "ran"), ("04-10 01:00", "ran")]


def test_holidays_passed_while_nobody_was_there_are_skipped_not_missed() -> None:
    """And the window that should be open now opens."""
    office = an_office()

    office.down_until(at("04-07 01:30"))

    assert office.ticks() == [("04-03 01:00", "skipped"), ("04-06 01:00", "skipped"), ("04-07 01:00", "ran")]


def test_an_instance_is_prepared_for_the_next_day_that_runs() -> None:
    """Not for a holiday."""
    office = an_office()

    assert office.ask(PrepareInstance(plan=PlanName("P"))).ok

    assert office.only.opens == at("04-07 01:00")


def test_a_new_version_of_a_calendar_holds_at_once() -> None:
    """Good Friday struck out: the start moves up; the plan's document says so."""
    office = an_office()

    office.ask(ImportCalendar(name="UK", days={date(2026, 4, 6): "Easter Monday"}))
    shown = office.shown[PlanAt(PlanName("P"))]
    office.until(at("04-03 12:00"))

    assert isinstance(shown, PlanStatus)
    assert shown.next_start == at("04-03 01:00")
    assert office.ticks() == [("04-03 01:00", "ran")]


def test_calendars_survive_a_restart() -> None:
    """With all their versions."""
    office = an_office()
    office.ask(ImportCalendar(name="UK", days={date(2026, 12, 25): "Christmas Day"}))

    office.down_until(at("04-02 13:00"))

    first = decode(bytes(office.ask(ReadCalendar(name="UK", version=1)).data), CalendarVersion)
    [listed] = decode(bytes(office.ask(ListCalendars()).data), CalendarList).calendars
    assert first.days == UK.days
    assert (listed.version, listed.days, listed.plans) == (2, 1, ("P",))


def test_a_plan_cannot_name_a_calendar_that_is_not_there() -> None:
    """Refused at its import, with the one that was perhaps meant."""
    office = Office(at("04-02 12:00"))
    office.ask(ImportCalendar(name="UK holidays", days=UK.days))
    source = a_plan(calendars={"exclude": ["UK holiday"]})

    [fault] = [one for one in faults(source, ["UK holidays"]) if not one.warning]

    assert fault.message == "there is no calendar 'UK holiday' (did you mean 'UK holidays'?); import it first"
    assert [one for one in faults(source) if "calendar" in one.path] == []
    assert faults(a_clock_on("X"), [])[-1].path.startswith("jobs/quartz/q $.calendars")


def test_moving_without_calendars_is_a_warning() -> None:
    """So is a calendar that is named twice."""
    lost = [one.path for one in faults(a_plan(onHoliday="nextWorkingDay"))]
    twice = [one.message for one in faults(a_plan(calendars={"exclude": ["A"], "include": ["A"]}))]

    assert "$.onHoliday" in lost
    assert any("named twice" in message for message in twice)


def test_a_calendar_in_use_is_not_deleted() -> None:
    """Once no plan names it, it is."""
    office = an_office()

    refused = office.ask(DeleteCalendar(name="UK"))
    office.imports(a_plan())
    deleted = office.ask(DeleteCalendar(name="UK"))

    assert refused.reason == "plan 'P' names it; import that plan without it first"
    assert deleted.ok
    assert not office.ask(DeleteCalendar(name="UK")).ok
    assert not [key for key in office.rows if key.table == "calendar"]


def test_a_calendar_has_days_and_a_name() -> None:
    """In years that crons know; the same again changes nothing; what is not there cannot be shown."""
    office = Office(at("04-02 12:00"))

    assert not office.ask(ImportCalendar(name=" ", days=UK.days)).ok
    assert not office.ask(ImportCalendar(name="UK", days={})).ok
    assert not office.ask(ImportCalendar(name="UK", days={date(1066, 10, 14): "Hastings"})).ok
    assert b'"version":1,"changed":true' in bytes(office.ask(UK).data)
    assert b'"version":1,"changed":false' in bytes(office.ask(UK).data)
    assert not office.ask(ReadCalendar(name="US")).ok
    assert not office.ask(ReadCalendar(name="UK", version=7)).ok


def test_agents_get_the_calendars_their_jobs_name() -> None:
    """With the jobs, and again when a calendar changes."""
    office = Office(at("04-02 12:00"))
    office.ask(UK)
    office.imports(a_clock_on("UK"))
    before = office.shown[AgentPlanAt(NodeName("a"), PlanName("P"))]

    office.ask(ImportCalendar(name="UK", days={date(2026, 5, 25): ""}))
    after = office.shown[AgentPlanAt(NodeName("a"), PlanName("P"))]

    assert isinstance(before, AgentPlan)
    assert isinstance(after, AgentPlan)
    assert before.calendars == {"UK": UK.days}
    assert after.calendars == {"UK": {date(2026, 5, 25): ""}}
