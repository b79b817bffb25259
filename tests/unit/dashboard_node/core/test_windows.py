"""Windows: which instances open when, and that every due start is decided once. Scenarios 146-181 carry their number."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dashboard_node.core.schedules import open_since
from dashboard_node.core.state import State
from schemas.addresses import AgentInstanceAt, AssignmentAt, InstanceAt
from schemas.documents import InstanceStatus
from schemas.names import NodeName, PlanName
from schemas.requests import DeletePlan, EnablePlan, EndInstance, MoveEnd, PrepareInstance
from schemas.status import ContextStatus
from tests.support.office import Office, Shape, a_plan, at


def test_scenario_146_window_in_a_zone_ends_after_its_time_to_live() -> None:
    """01:00 in Sydney for 23 hours: created and ended at those instants, whatever zone the dashboard is in."""
    office = Office(at("01-10 00:00"))
    office.imports(a_plan(shape=Shape(zone="Australia/Sydney", hours=23)))

    office.until(at("01-10 14:00"))

    assert office.instances[-1].opens == at("01-10 14:00")
    assert office.instances[-1].closes == at("01-11 13:00")


@pytest.mark.parametrize(
    ("now", "inside"),
    [("14:29:59", False), ("14:30:00", True), ("14:32:00", True), ("14:32:01", False)],
)
def test_scenario_147_both_ends_of_a_window_are_inside(now: str, *, inside: bool) -> None:
    """14:30 for two minutes."""
    plan = a_plan(shape=Shape(cron="0 30 14 * * ?", hours=2 / 60)).plan

    assert (open_since(State(), plan, at(f"01-10 {now}")) is not None) is inside


def test_scenario_148_an_hourly_window_shorter_than_the_hour_has_a_hole() -> None:
    """3500 seconds from each full hour: 05:59:59 is outside."""
    plan = a_plan(shape=Shape(cron="0 0 * * * ?", hours=3500 / 3600)).plan

    assert open_since(State(), plan, at("01-10 05:59:59")) is None
    assert open_since(State(), plan, at("01-10 05:58:20")) == at("01-10 05:00")


def test_scenario_149_an_instance_is_published_when_it_opens() -> None:
    """Agents hold it before anything can happen in it: publication and instance are one decision."""
    office = Office(at("01-10 00:30"))
    office.imports(a_plan())

    office.until(at("01-10 01:00"))

    assert AgentInstanceAt(NodeName("a"), office.only.id) in office.shown


def test_scenario_150_a_start_while_the_last_instance_is_active_is_skipped() -> None:
    """Not side by side: the old one stays, the start is in the ledger, the next start tries again."""
    office = Office(at("01-10 02:30"))
    office.imports(a_plan(shape=Shape(hours=25)))
    first = office.only

    office.until(at("01-11 01:30"))
    office_then = office.instances
    office.until(at("01-12 01:30"))

    assert office_then == [first]
    assert office.ticks() == [("01-10 01:00", "ran"), ("01-11 01:00", "skipped"), ("01-12 01:00", "ran")]


def test_scenario_151_side_by_side_each_instance_has_its_own_end_and_fires() -> None:
    """Two instances of one plan: a fire reaches its own alone, each ends at its own time."""
    office = Office(at("01-10 02:30"))
    office.imports(a_plan(shape=Shape(hours=25), ableToRunConcurrently=True))
    office.until(at("01-11 01:30"))
    first, second = office.instances

    office.fires("q", instance=second.id)
    office.until(at("01-11 02:00"))

    assert office.status("q", second.id) == "COMPLETE"
    assert office.status("q", first.id) == "WAITING"
    assert [i.status for i in office.instances] == [ContextStatus.ENDED, ContextStatus.RUNNING]


def test_scenario_153_a_disabled_plan_starts_nothing_until_it_is_enabled() -> None:
    """Its starts are decided all the same: skipped. Enabled, it waits for the next start."""
    office = Office(at("01-10 00:30"))
    office.imports(a_plan())
    office.ask(EnablePlan(plan=PlanName("P"), enabled=False))
    office.until(at("01-10 02:00"))
    office.ask(EnablePlan(plan=PlanName("P"), enabled=True))
    assert office.instances == []

    office.until(at("01-11 02:00"))

    assert office.ticks() == [("01-10 01:00", "skipped"), ("01-11 01:00", "ran")]


@pytest.mark.parametrize(
    ("first", "last", "outcome"),
    [
        ("01-10 01:00", "01-10 02:00", "skipped"),
        ("01-10 00:00", "01-10 01:00", "skipped"),
        ("01-10 01:00:01", "01-10 02:00", "ran"),
        ("01-10 02:00", "01-10 00:00", "ran"),
    ],
)
def test_scenario_154_a_blackout_range_holds_with_both_ends_and_never_reversed(
    first: str, last: str, outcome: str
) -> None:
    """Milliseconds since 1970, on the plan."""
    office = Office(at("01-09 03:00"))
    window = {str(int(at(first).timestamp() * 1000)): int(at(last).timestamp() * 1000)}
    office.imports(a_plan(shape=Shape(hours=1), blackoutWindowDateTimeRanges=window))

    office.until(at("01-10 03:00"))

    assert office.ticks() == [("01-10 01:00", outcome)]


def test_scenario_155_a_blackout_cron_keeps_a_day_free() -> None:
    """No instance on Saturdays; the one prepared on Friday is Sunday's."""
    office = Office(at("01-09 12:00"))  # a Friday
    office.imports(a_plan(shape=Shape(hours=1), blackoutWindowCronExpressions=["* * * ? * SAT"]))
    office.ask(PrepareInstance(plan=PlanName("P")))
    assert office.only.opens == at("01-11 01:00")

    office.until(at("01-11 01:30"))

    assert office.ticks() == [("01-10 01:00", "skipped"), ("01-11 01:00", "ran")]


def test_scenario_156_what_has_not_ended_at_the_end_keeps_its_status() -> None:
    """The root is ENDED; waiting jobs wait, running ones show RUNNING; their runs are asked to stop."""
    office = Office(at("01-10 00:30"))
    office.imports(a_plan())
    office.until(at("01-10 07:00"))
    office.fires("q")
    office.starts("c")
    run = office.runs()["c"]

    office.until(at("01-11 00:00"))

    assert office.only.status is ContextStatus.ENDED
    assert office.status("c") == "RUNNING"
    assert office.core.state.runs[run.id].stop
    assert AgentInstanceAt(NodeName("a"), office.only.id) not in office.shown


def test_scenario_157_ending_twice_is_refused_and_changes_nothing() -> None:
    """The second time there is nothing to end."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    assert office.ask(EndInstance(instance=office.only.id)).ok

    answer = office.ask(EndInstance(instance=office.only.id))

    assert not answer.ok
    assert "ENDED" in answer.reason


def test_scenario_158_a_result_after_the_end_changes_no_status() -> None:
    """It is recorded, the assignment goes, the job stays as it stood."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.fires("q")
    office.starts("c")
    run = office.runs()["c"]
    office.ask(EndInstance(instance=office.only.id))
    assert AssignmentAt(NodeName("a"), run.id) in office.shown

    office.ends("c")

    assert office.status("c") == "RUNNING"
    assert AssignmentAt(NodeName("a"), run.id) not in office.shown
    assert [job.reason for job in office.jobs("c")] == ["killed after the instance had ended"]


def test_scenario_159_a_plan_that_ends_upon_completion_waits_for_its_next_start() -> None:
    """All complete: ended at once. The next instance opens at its cron, not before."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan(endJobPlanUponCompletion=True))
    office.fires("q")
    office.ends("c")
    assert office.only.status is ContextStatus.ENDED
    assert office.only.result is ContextStatus.COMPLETE

    office.until(at("01-11 01:00"))

    assert [tick for tick in office.ticks() if tick[1] == "ran"] == [("01-10 01:00", "ran"), ("01-11 01:00", "ran")]


def test_scenario_160_an_instance_started_by_hand_ends_with_the_open_window() -> None:
    """At 10:00 in a window from 01:00 for 23 hours: it ends at midnight."""
    office = Office(at("01-10 10:00"))
    office.imports(a_plan())
    office.ask(EndInstance(instance=office.only.id))

    assert office.start("P").ok

    assert office.instances[-1].closes == at("01-11 00:00")


@pytest.mark.parametrize(
    ("hours", "together", "closes"),
    [(1, True, "01-10 11:00"), (1, False, "01-10 11:00"), (20, False, "01-11 00:59")],
)
def test_scenario_160_by_hand_outside_a_window(hours: float, *, together: bool, closes: str) -> None:
    """So long from now; a lone plan's ends a minute before its next start."""
    office = Office(at("01-10 10:00"))
    office.imports(a_plan(shape=Shape(hours=hours, cron="0 0 1 * * ?"), ableToRunConcurrently=together))
    for instance in office.instances:  # twenty hours from 01:00 are open at 10:00
        office.ask(EndInstance(instance=instance.id))
    if hours > 1:
        office.until(at("01-10 21:30"))

    assert office.start("P").ok

    assert office.instances[-1].closes == at(closes)


def test_scenario_161_by_hand_just_before_the_next_start_is_refused() -> None:
    """Half a minute before it."""
    office = Office(at("01-10 00:59:30"))
    office.imports(a_plan(shape=Shape(hours=1)))

    answer = office.start("P")

    assert not answer.ok
    assert "too close" in answer.reason


def test_scenario_162_by_hand_while_another_is_active_is_refused() -> None:
    """Not side by side."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())

    answer = office.start("P")

    assert not answer.ok
    assert str(office.only.id) in answer.reason


def test_scenario_174_a_new_version_leaves_running_instances_alone() -> None:
    """The running one keeps its jobs; the next one has the new ones."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.imports(a_plan(description="changed"))
    assert office.only.version == 1

    office.until(at("01-11 02:00"))

    assert office.instances[-1].version == 2


def test_scenario_177_an_unreachable_agent_gets_its_run_when_it_is_back() -> None:
    """The assignment stands on the bus; the job waits and says for whom."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.hears_presence("a", alive=False)
    office.fires("q")

    assert office.status("c") == "WAITING"
    assert AssignmentAt(NodeName("a"), office.runs()["c"].id) in office.shown
    office.hears_presence("a")
    office.starts("c")
    assert office.status("c") == "RUNNING"


def test_scenario_179_a_plan_imported_inside_its_window_starts_at_once_and_once() -> None:
    """With an active one, a new version changes nothing."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    first = office.only.id

    office.imports(a_plan(description="again"))

    assert office.only.id == first == "P-20260110T010000Z"


def test_scenario_180_the_third_weekday_of_the_month() -> None:
    """customWeekDayOfMonth: 3W is the third Monday-Friday day, Thursday 3 September 2026."""
    office = Office(at("08-31 12:00"))
    office.imports(a_plan(shape=Shape(cron="0 0 1 3W * ?", hours=1), customWeekDayOfMonth=True))

    office.until(at("09-10 00:00"))

    assert office.ticks() == [("09-03 01:00", "ran")]


def test_scenario_181_a_clock_that_jumps_past_the_end_ends_the_instance_at_once() -> None:
    """Before anything that is heard then starts something new (S2)."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    name = office.only.id
    office.now = at("01-11 00:30")

    office.fires("q")

    assert office.core.state.instances[name].status is ContextStatus.ENDED
    assert office.runs(name) == {}


def test_an_ended_instance_is_forgotten_after_its_retention() -> None:
    """No document of it is left, no record; the plan remembers how it ended."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    name = office.only.id
    office.ask(EndInstance(instance=name))
    shown = office.shown[InstanceAt(name)]
    assert isinstance(shown, InstanceStatus)
    assert shown.status is ContextStatus.ENDED

    office.until(office.now + timedelta(hours=2))

    assert office.instances == []
    assert not [address for address in office.shown if getattr(address, "instance", None) == name]
    assert not [key for key in office.rows if name in key.key]


def test_moving_the_end_counts_from_then_on() -> None:
    """Extended by two hours; a time in the past is refused."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan(shape=Shape(hours=5)))
    assert not office.ask(MoveEnd(instance=office.only.id, closes=at("01-10 01:30"))).ok
    assert office.ask(MoveEnd(instance=office.only.id, closes=at("01-10 08:00"))).ok

    office.until(at("01-10 07:59"))
    before = office.only.status
    office.until(at("01-10 08:00"))

    assert before is not ContextStatus.ENDED
    assert office.only.status is ContextStatus.ENDED


def test_a_request_asked_again_gets_the_same_answer_and_is_done_once() -> None:
    """S6: by its id."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan(ableToRunConcurrently=True))
    request = EndInstance(instance=office.only.id)
    first = office.ask(request, "00000abc")

    again = office.ask(request, "00000abc")

    assert (first.ok, again.ok) == (True, True)


def test_a_plan_that_is_deleted_and_imported_again_opens_no_window_twice() -> None:
    """The instance's and its runs' ids would come again; agents remember those (S1, S3)."""
    office = Office(at("03-02 02:00"))
    office.imports(a_plan())
    first = office.only.id
    office.ask(EndInstance(instance=first))
    assert office.ask(DeletePlan(plan=PlanName("P"))).ok

    office.down_until(at("03-02 03:00"))
    office.imports(a_plan())
    assert office.instances == []

    office.until(at("03-03 01:00"))
    assert office.only.id != first
