"""Business calendars of clock and file jobs: what is due on a holiday does not fire, or moves to the next working day."""

from __future__ import annotations

from datetime import date, timedelta

from schemas.plan import ClockJob, FileJob
from schemas.status import FireOutcome
from tests.support.agents import HOUR, NOON, SECOND, HandDriven, a_clock, a_file_job, a_publication

DAY = 24 * HOUR
TODAY = NOON.date()  # a Monday
UK = {"UK": {TODAY: "Bank Holiday"}}
WISH = {"exclude": ["UK"]}
JOB = a_clock().id


def an_agent(job: ClockJob, calendars: dict[str, dict[date, str]] | None = None) -> HandDriven:
    """An agent with one clock job, and an instance that is open for three days from noon."""
    agent = HandDriven()
    agent.provision(job, calendars=UK if calendars is None else calendars)
    agent.publish(a_publication(closes=NOON + 3 * DAY))
    return agent


def fires(agent: HandDriven) -> list[tuple[int, FireOutcome]]:
    """Day and outcome of what is shown."""
    return [(fire.due.day, fire.outcome) for fire in agent.fires(JOB) if fire.due is not None]


def problem(agent: HandDriven) -> str:
    """What keeps the job from firing."""
    report = agent.fire_report(JOB)
    return "" if report is None else report.problem


def test_a_fire_on_a_holiday_is_dropped_with_the_days_name() -> None:
    """Nothing follows from it; the next day's fires."""
    agent = an_agent(a_clock("0 0 15 * * ?", calendars=WISH))

    agent.wait_until(NOON + DAY + 4 * HOUR)

    assert fires(agent) == [(TODAY.day, FireOutcome.DROPPED), (TODAY.day + 1, FireOutcome.FIRED)]
    assert agent.fires(JOB)[0].reason == "Bank Holiday (UK)"


def test_a_fire_on_a_holiday_can_move_to_the_next_working_day() -> None:
    """At its time of day, if the window is still open then."""
    agent = an_agent(a_clock("0 0 15 ? * MON", calendars=WISH, onHoliday="nextWorkingDay"))

    agent.wait_until(NOON + 2 * DAY)

    assert fires(agent) == [(TODAY.day, FireOutcome.DROPPED), (TODAY.day + 1, FireOutcome.FIRED)]


def test_a_calendar_that_has_not_come_is_a_problem_and_nothing_fires() -> None:
    """Never "no holiday"; once it is there, the job goes on."""
    agent = an_agent(a_clock("0 0 15 * * ?", calendars=WISH), calendars={"US": {}})
    before = problem(agent)

    agent.provision(a_clock("0 0 15 * * ?", calendars=WISH), calendars=UK)
    agent.wait_until(NOON + DAY + 4 * HOUR)

    assert before == "calendar 'UK' is not among those the dashboard has shown"
    assert problem(agent) == ""
    assert fires(agent)[-1] == (TODAY.day + 1, FireOutcome.FIRED)


def test_a_new_version_of_a_calendar_holds_for_what_is_still_to_come() -> None:
    """The holiday is struck out before the job is due."""
    agent = an_agent(a_clock("0 0 15 * * ?", calendars=WISH))

    agent.provision(a_clock("0 0 15 * * ?", calendars=WISH), calendars={"UK": {}})
    agent.wait_until(NOON + 4 * HOUR)

    assert fires(agent) == [(TODAY.day, FireOutcome.FIRED)]


def test_a_holiday_that_passed_while_the_agent_was_down_is_no_miss_to_catch_up() -> None:
    """It is recorded as dropped; nothing fires late for it."""
    agent = an_agent(a_clock("0 0/5 12 ? * MON", calendars=WISH))
    agent.wait_until(NOON + 7 * 60 * SECOND)
    agent.now = NOON + 18 * 60 * SECOND

    agent.start()

    assert {outcome for _, outcome in fires(agent)} == {FireOutcome.DROPPED}


def test_files_wait_for_the_next_day_that_runs() -> None:
    """Untouched on a holiday."""
    job = a_file_job(calendars=WISH)
    agent = an_agent(job)

    agent.see(job.id, [("/d/x", NOON - HOUR)])
    today = len(agent.fires(job.id))
    agent.wait_until(NOON + DAY - timedelta(hours=11))
    agent.see(job.id, [("/d/x", NOON - HOUR)])

    assert (today, len(agent.fires(job.id))) == (0, 1)


def left_out(agent: HandDriven, job: FileJob) -> str:
    """Why the agent says that this day is left out; empty: it runs."""
    report = agent.fire_report(job.id)
    return "" if report is None else report.left_out


def test_a_file_job_says_that_its_calendar_leaves_out_the_day_and_nothing_when_the_next_one_has_begun() -> None:
    """Whether files come or not, over a restart too; the day is that of the job's zone."""
    job = a_file_job(calendars=WISH, timeZone="America/New_York", onHoliday="nextWorkingDay")
    agent = an_agent(job)
    assert left_out(agent, job) == "Bank Holiday (UK)"
    agent.start()
    assert left_out(agent, job) == "Bank Holiday (UK)"

    midnight = NOON + 17 * HOUR  # in New York, in winter
    agent.wait_until(midnight - SECOND)
    assert left_out(agent, job) == "Bank Holiday (UK)"
    agent.wait_until(midnight)
    assert agent.fire_report(job.id) is None


def test_a_file_job_says_each_day_anew_whether_it_is_left_out() -> None:
    """Each by its own reason; the last one of them leaves nothing behind."""
    job = a_file_job(calendars={"include": ["Trading"]})
    agent = an_agent(job, {"Trading": {TODAY + timedelta(days=1): "Tuesday"}})

    said = [left_out(agent, job)]
    for _ in range(2):
        agent.wait_until(agent.now + DAY)
        said.append(left_out(agent, job))

    assert said == ["not a day of 'Trading'", "", "not a day of 'Trading'"]


def test_a_file_job_whose_holiday_is_struck_out_says_nothing_more() -> None:
    """Nor does one that is stopped, or whose calendar is gone: that is a problem instead."""
    job = a_file_job(calendars=WISH)
    agent = an_agent(job)
    agent.provision(job, calendars={"UK": {}})
    struck_out = left_out(agent, job)
    agent.provision(job, calendars=UK)
    again = left_out(agent, job)
    agent.provision(job, calendars={})
    report = agent.fire_report(job.id)

    assert (struck_out, again) == ("", "Bank Holiday (UK)")
    assert report is not None
    assert (report.left_out, report.problem) == ("", "calendar 'UK' is not among those the dashboard has shown")


def test_an_end_of_a_blackout_is_not_taken_from_another_day() -> None:
    """A new day begins while files wait for the end of a blackout: they wait on."""
    until = NOON + 14 * HOUR
    ends = {str(int(NOON.timestamp() * 1000)): str(int(until.timestamp() * 1000))}
    job = a_file_job(calendars={"exclude": ["US"]}, onBlackout="delay", blackoutWindowDateTimeRanges=ends)
    agent = an_agent(job, {"US": {}})
    agent.see(job.id, [("/d/x", NOON - HOUR)])
    before = agent.fire_report(job.id)

    agent.wait_until(NOON + 13 * HOUR)

    assert before is not None
    assert before.delayed == NOON
    assert agent.fire_report(job.id) == before
