"""What the audit trail says of jobs and runs: whoever reads it later has nothing else."""

from __future__ import annotations

from broker.runtime.core import Heard
from schemas.addresses import RunReportAt
from schemas.documents import RunReport
from schemas.names import NodeName, RunId
from schemas.requests import Action, EndInstance
from schemas.status import Outcome, RunPhase
from tests.scenarios.notation import AGENT
from tests.scenarios.telling import Telling
from tests.support.written import Written


def test_an_event_says_what_it_came_after() -> None:
    """The job whose result made it due, the first one of a plan too."""
    office = Written("P[a l:e l:f | e<-and(a), f<-and(e)]")
    office.act(Action.SUBMIT, "a")
    office.ends("a")

    assert office.of_job("e") == [("WAITING", "COMPLETE", "after a")]
    assert office.of_job("f") == [("WAITING", "COMPLETE", "after e")]


def test_what_was_remembered_says_so_when_it_comes_true() -> None:
    """Released: a fire that came while the job was held."""
    office = Written("P[q:q]")
    office.act(Action.HOLD, "q")
    office.fires("q", agent="north")
    office.act(Action.RELEASE, "q")

    assert office.of_job("q") == [
        ("WAITING", "ON_HOLD", ""),
        ("ON_HOLD", "WAITING", ""),
        ("WAITING", "COMPLETE", "remembered"),
    ]


def test_events_that_raise_each_other_for_ever_are_said_to_be_cut_off() -> None:
    """With the instance in which they do."""
    told = Telling("P[a b* c* | b<-or(a,c), c<-or(b)]", skipped={"P": "b c"})
    told.tell("S(a) -> init{a}")
    world = told.play.world
    [run] = told.core.state.runs
    report = RunReport(run=run, phase=RunPhase.ENDED, outcome=Outcome.SUCCEEDED)
    audit = told.core.step(Heard(world.now, RunReportAt(NodeName(AGENT), run), report)).audit

    cut = [row for row in audit if row.kind == "instance" and row.instance == world.instance and not row.after]
    assert [row.detail for row in cut] == ["jobs raise each other without end; the rest was dropped"]


def test_a_run_says_to_whom_it_was_handed_and_how_it_ended() -> None:
    """With its instance, context, job and agent; and with what the agent says of its end."""
    office = Written("P{C[a | a<-]}")
    office.act(Action.SUBMIT, "a")
    run = office.run_of("a")
    office.says(run, RunPhase.RUNNING)
    office.says(run, RunPhase.ENDED, outcome=Outcome.FAILED, return_code=3, reason="return code 3")

    handed, ended = [row for row in office.audit if row.kind == "run"]
    assert (handed.instance, handed.context, handed.job) == (office.only.id, "C", "north-a")
    assert (handed.run, handed.after, handed.detail) == (run.id, "assigned", "to north")
    assert (ended.instance, ended.run, ended.after, ended.detail) == (run.instance, run.id, "failed", "return code 3")
    assert office.of_job("a") == [("WAITING", "RUNNING", ""), ("RUNNING", "ERROR", "return code 3")]


def test_a_killed_run_says_who_killed_it() -> None:
    """Whatever the agent says of its end, which stands in the row of the run."""
    office = Written("P[a]")
    office.act(Action.SUBMIT, "a")
    run = office.run_of("a")
    office.says(run, RunPhase.RUNNING)
    office.act(Action.KILL, "a")
    office.says(run, RunPhase.ENDED, outcome=Outcome.KILLED, reason="signal 15")

    asked, ended = office.of_runs()[1:]
    assert (asked, ended) == ((run.id, "kill asked for", ""), (run.id, "killed", "signal 15"))
    assert office.of_job("a")[-1] == ("RUNNING", "KILLED", "killed by ann")
    [row] = [row for row in office.audit if row.after == "kill asked for"]
    assert (row.instance, row.job) == (office.only.id, "north-a")


def test_reports_that_change_nothing_say_why() -> None:
    """Of a run nobody knows, and of one that has ended."""
    office = Written("P[a]")
    office.act(Action.SUBMIT, "a")
    run = office.run_of("a")
    office.says(run, RunPhase.ENDED, outcome=Outcome.SUCCEEDED)
    office.audit.clear()

    office.says(run, RunPhase.RUNNING)
    stranger = RunReport(run=RunId("nobody's"), phase=RunPhase.RUNNING)
    office.step(Heard(office.now, RunReportAt(run.agent, stranger.run), stranger))

    assert office.of_runs() == [
        (run.id, "", "report of running changes nothing: the run has ended already"),
        ("nobody's", "", "report of running changes nothing: no such run here"),
    ]


def test_an_end_after_the_instances_end_is_told_with_the_job() -> None:
    """The status stays; the reason, the time and the return code are the late ones."""
    office = Written("P[a b]", on_end="leave")
    for job in "ab":
        office.act(Action.SUBMIT, job)
        office.starts(job)
    first, second = office.run_of("a"), office.run_of("b")
    office.ask(EndInstance(instance=office.only.id))
    office.until(office.now.replace(minute=5))
    office.says(first, RunPhase.ENDED, outcome=Outcome.FAILED, return_code=3, reason="no space", ended=office.now)
    office.says(second, RunPhase.ENDED, outcome=Outcome.SUCCEEDED, return_code=0, ended=office.now)

    found = [office.jobs(job)[0] for job in "ab"]
    assert [(job.status, job.return_code, job.ended, job.reason) for job in found] == [
        ("RUNNING", 3, office.now, "failed after the instance had ended: no space"),
        ("RUNNING", 0, office.now, "succeeded after the instance had ended"),
    ]
