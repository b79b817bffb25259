"""What the audit trail says of jobs, contexts and runs: whoever reads it later has nothing else."""

from __future__ import annotations

from broker.runtime.core import Heard
from schemas.addresses import RunReportAt
from schemas.documents import RunReport
from schemas.names import NodeName
from schemas.requests import Action
from schemas.status import Outcome, RunPhase
from tests.scenarios.house import mentioned
from tests.scenarios.notation import AGENT, plan
from tests.scenarios.telling import Telling
from tests.support.office import Office, at


def an_office(text: str, **more: object) -> Office:
    """An instance of the plan, opened at noon; the trail begins then."""
    office = Office(at("04-02 12:00"))
    office.imports(mentioned(plan(text, **more)))  # type: ignore[arg-type]  # what `plan` takes
    assert office.start("P").ok
    office.audit.clear()
    return office


def of_job(office: Office, name: str) -> list[tuple[str, str, str, str]]:
    """The context, before, after and detail of every row of a job."""
    rows = [row for row in office.audit if row.kind == "job" and row.job.endswith(f"-{name}")]
    return [(row.context, row.before, row.after, row.detail) for row in rows]


def test_an_event_says_what_it_came_after() -> None:
    """The job whose result made it due, the first one of a plan too."""
    office = an_office("P[a l:e l:f | e<-and(a), f<-and(e)]")
    office.act(Action.SUBMIT, "a")
    office.ends("a")

    assert of_job(office, "e") == [("P", "WAITING", "COMPLETE", "after north-a")]
    assert of_job(office, "f") == [("P", "WAITING", "COMPLETE", "after LOCAL_EVENT_JOB-e")]


def test_what_was_remembered_says_so_when_it_comes_true() -> None:
    """Released: a fire that came while the job was held."""
    office = an_office("P[q:q]")
    office.act(Action.HOLD, "q")
    office.fires("q", agent="north")
    office.act(Action.RELEASE, "q")

    assert of_job(office, "q") == [
        ("P", "WAITING", "ON_HOLD", ""),
        ("P", "ON_HOLD", "WAITING", ""),
        ("P", "WAITING", "COMPLETE", "remembered"),
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
