"""What a dashboard that comes back makes of the windows that opened and closed meanwhile. Scenarios carry their number."""

from __future__ import annotations

from datetime import datetime

from broker.runtime.core import Heard
from dashboard_node.core.records import RunRecord
from schemas.addresses import AgentInstanceAt, AgentPresenceAt, AssignmentAt, FireReportAt, RunReportAt
from schemas.documents import Fire, FireReport, Presence, RunReport
from schemas.names import NodeName, PlanName, job_id
from schemas.requests import EnablePlan, MoveEnd, PrepareInstance
from schemas.status import ContextStatus, NodeState, Outcome, RunPhase
from tests.support.office import Office, Shape, a_plan, at


def ended(run: RunRecord, moment: datetime) -> Heard:
    """The report of a run that ended well, heard some time later."""
    report = RunReport(run=run.id, phase=RunPhase.ENDED, outcome=Outcome.SUCCEEDED, return_code=0, ended=moment)
    return Heard(moment, RunReportAt(run.agent, run.id), report)


def test_scenario_163_restart_outside_the_window_only_waits() -> None:
    """Nothing stored, nothing open: the next start is armed."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan(shape=Shape(cron="0 0 20 * * ?", hours=1)))

    office.down_until(at("01-10 05:00"))

    assert office.instances == []
    assert office.core.next_wakeup() == at("01-10 20:00")


def test_scenario_164_restart_inside_the_window_resumes_where_it_stood() -> None:
    """Statuses, runs and the end are as they were; the documents are the same."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.fires("q")
    office.starts("c")
    before = dict(office.shown)

    office.down_until(at("01-10 09:00"))

    assert office.status("c") == "RUNNING"
    assert office.only.closes == at("01-11 00:00")
    assert office.shown == before


def test_scenario_165_restart_inside_a_window_that_opened_meanwhile_creates_its_instance() -> None:
    """Once, with the id and the end of the window."""
    office = Office(at("01-09 23:00"))
    office.imports(a_plan(shape=Shape(hours=5)))

    office.down_until(at("01-10 03:00"))
    office.down_until(at("01-10 04:00"))

    assert office.only.id == "P-20260110T010000Z"
    assert office.only.closes == at("01-10 06:00")
    assert office.ticks() == [("01-10 01:00", "ran")]


def test_scenario_166_no_back_fill_for_a_disabled_plan() -> None:
    """The start is decided: skipped."""
    office = Office(at("01-09 23:00"))
    office.imports(a_plan(shape=Shape(hours=5)))
    office.ask(EnablePlan(plan=PlanName("P"), enabled=False))

    office.down_until(at("01-10 03:00"))

    assert office.instances == []
    assert office.ticks() == [("01-10 01:00", "skipped")]


def test_scenario_167_restart_after_the_end_ends_the_old_and_opens_the_new() -> None:
    """Down over an end and a start."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan(shape=Shape(hours=20)))
    old = office.only.id

    office.down_until(at("01-11 02:00"))

    assert office.core.state.instances[old].status is ContextStatus.ENDED
    assert office.instances[-1].id == "P-20260111T010000Z"


def test_scenario_168_an_instance_kept_open_outlives_its_window() -> None:
    """Until it is ended by hand, restarts included."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.ask(MoveEnd(instance=office.only.id, closes=None))

    office.down_until(at("01-12 12:00"))

    assert office.instances[0].status is not ContextStatus.ENDED


def test_scenario_170_a_prepared_instance_whose_start_has_passed_is_dropped() -> None:
    """Down over its window: it is ended unopened, the start was missed."""
    office = Office(at("01-09 23:00"))
    office.imports(a_plan(shape=Shape(hours=1)))
    office.ask(PrepareInstance(plan=PlanName("P")))

    office.down_until(at("01-11 01:30"))

    assert office.instances[0].status is ContextStatus.ENDED
    assert office.instances[-1].id == "P-20260111T010000Z"
    assert office.ticks() == [("01-10 01:00", "missed"), ("01-11 01:00", "ran")]


def test_scenario_171_a_complete_instance_is_not_started_again_at_restart() -> None:
    """Its window is open, its start is decided."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.fires("q")
    office.ends("c")

    office.down_until(at("01-10 12:00"))

    assert office.only.status is ContextStatus.COMPLETE


def test_missed_windows_are_recorded_one_by_one() -> None:
    """S3: every due start is in the ledger; only the newest window, still open, opens."""
    office = Office(at("01-09 23:00"))
    office.imports(a_plan(shape=Shape(hours=5)))

    office.down_until(at("01-12 02:00"))

    assert office.ticks() == [("01-10 01:00", "missed"), ("01-11 01:00", "missed"), ("01-12 01:00", "ran")]


def test_a_catching_up_plan_opens_every_missed_window_one_after_the_other() -> None:
    """Not side by side: each gets its whole time, the next when the one before has ended."""
    office = Office(at("01-09 23:00"))
    office.imports(a_plan(shape=Shape(hours=2), missedWindows="catch-up"))

    office.down_until(at("01-12 12:00"))
    active = []
    for hour in (13, 15, 17):
        office.until(at(f"01-12 {hour}:00"))
        active += [i.id for i in office.instances if i.status is not ContextStatus.ENDED]

    assert active == [f"P-202601{day}T010000Z" for day in (10, 11, 12)]
    assert office.ticks() == [("01-10 01:00", "ran"), ("01-11 01:00", "ran"), ("01-12 01:00", "ran")]


def test_a_skipping_plan_leaves_out_even_a_window_that_is_still_open() -> None:
    """What opened while nobody was there is missed."""
    office = Office(at("01-09 23:00"))
    office.imports(a_plan(shape=Shape(hours=5), missedWindows="skip"))

    office.down_until(at("01-10 02:00"))
    office.until(at("01-11 02:00"))

    assert office.ticks() == [("01-10 01:00", "missed"), ("01-11 01:00", "ran")]


def test_scenario_172_what_piled_up_while_the_dashboard_was_away_counts_once() -> None:
    """A report that stands on the bus is heard at each replay; it ends the run the first time."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.fires("q")
    office.starts("c")
    run = office.runs()["c"]
    report = ended(run, at("01-10 02:30"))

    office.now = at("01-10 03:00")
    office.begin(heard=[report])
    office.begin(heard=[report])

    assert office.status("c") == "COMPLETE"
    assert [row.after for row in office.audit if row.kind == "job" and row.job == "a-c"] == ["RUNNING", "COMPLETE"]


def test_scenario_173_what_was_decided_and_not_shown_is_shown_after_the_restart() -> None:
    """Killed between saving and showing: the assignment follows from what was saved."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.fires("q")
    run = office.runs()["c"]
    office.shown.clear()  # nothing of it reached the bus

    office.begin()

    assert AssignmentAt(NodeName("a"), run.id) in office.shown


def test_scenario_175_an_agent_that_was_away_at_the_start_finds_the_instance() -> None:
    """Its publication stands on the bus for as long as the instance is active."""
    office = Office(at("01-10 00:30"))
    office.imports(a_plan())
    office.hears_presence("a", alive=False)
    office.until(at("01-10 06:00"))

    office.hears_presence("a")
    office.fires("q")

    assert AgentInstanceAt(NodeName("a"), office.only.id) in office.shown
    assert office.status("q") == "COMPLETE"


def test_scenario_176_an_agent_that_was_away_at_the_end_finds_it_gone() -> None:
    """The publication was cleared; a result that comes all the same changes nothing."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.fires("q")
    office.starts("c")
    office.hears_presence("a", alive=False)
    office.until(at("01-11 00:00"))

    office.hears_presence("a")
    office.ends("c")

    assert AgentInstanceAt(NodeName("a"), office.only.id) not in office.shown
    assert office.status("c") == "RUNNING"


def test_scenario_178_a_result_that_came_while_the_dashboard_was_away_counts_when_it_is_back() -> None:
    """The agent shows its report until it is taken."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan())
    office.fires("q")
    office.starts("c")
    report = ended(office.runs()["c"], at("01-10 02:30"))

    office.now = at("01-10 03:00")
    office.begin(heard=[report])

    assert office.status("c") == "COMPLETE"
    assert office.jobs("c")[0].ended == at("01-10 02:30")


def test_scenario_169_an_instance_that_cannot_be_loaded_is_given_up_and_the_others_go_on() -> None:
    """A record that cannot be read costs its own instance alone, and the audit says so."""
    office = Office(at("01-10 02:00"))
    office.imports(a_plan("P"))
    office.imports(a_plan("Q"))
    broken, whole = (instance.id for instance in office.instances)
    key = next(key for key in office.rows if key.table == "job" and key.key.startswith(broken))
    office.rows[key] = b'{"stage":"flying"}'

    office.begin()

    assert [instance.id for instance in office.instances] == [whole]
    assert not [key for key in office.rows if broken in key.key]
    assert [row.instance for row in office.audit if "could not be loaded" in row.detail] == [broken]


def test_a_run_handed_over_before_its_agent_is_heard_of_is_of_the_agents_journal() -> None:
    """In the first moments of a life a fire may come before the presence; the agent must know if it lost its disk since (S1)."""
    office = Office(at("01-10 01:00"))
    office.imports(a_plan())
    office.until(at("01-10 01:00:01"))
    name, q = office.only.id, job_id("a", "q")
    fire = FireReport(instance=name, job=q, fires=(Fire(sequence=1, at=office.now),))
    presence = Presence(
        node=NodeName("a"), state=NodeState.ALIVE, connection=1, since=office.now, complete=True, journal=77
    )

    office.begin(
        [
            Heard(office.now, FireReportAt(NodeName("a"), name, q), fire),
            Heard(office.now, AgentPresenceAt(NodeName("a")), presence),
        ]
    )

    assert office.runs()["c"].journal == 77
