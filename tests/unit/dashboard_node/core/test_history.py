"""How long jobs took is kept with their plan, and outlives instances and restarts."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.runtime.core import Heard
from dashboard_node.core.history import KEPT, quantile, remaining
from schemas.addresses import RunReportAt
from schemas.codec import decode
from schemas.documents import RunReport
from schemas.estimates import Durations, JobHistory, ReadDurations, ReadJobHistory
from schemas.names import PlanName
from schemas.requests import Action, DeletePlan, EndInstance
from schemas.status import Outcome, RunPhase
from tests.support.nets import net
from tests.support.office import Office, at

P = PlanName("P")
SECOND = timedelta(seconds=1)


def run(office: Office, job: str, seconds: float, *, code: int = 0) -> None:
    """A person submits the job, and it takes so long."""
    office.act(Action.RESUBMIT if office.status(job) in {"ERROR", "COMPLETE"} else Action.SUBMIT, job)
    office.starts(job)
    started = office.now
    office.now += SECOND * seconds
    office.ends(job, code=code, started=started)


def told(office: Office, job: str = "x") -> JobHistory:
    """The answer of the dashboard."""
    return decode(bytes(office.ask(ReadJobHistory(plan=P, job=job)).data), JobHistory)


def begun() -> Office:
    """An instance that runs."""
    office = Office(at("04-02 06:00"))
    office.imports(net({"x": [], "y": []}))
    return office


def test_runs_are_told_with_times_and_outcomes_the_oldest_first() -> None:
    """A failed one is told, and counts for nothing that is usual."""
    office = begun()
    run(office, "x", 10)
    run(office, "x", 99, code=3)
    run(office, "x", 20)

    found = told(office)

    assert [(one.seconds, one.outcome, one.return_code, one.attempt) for one in found.runs] == [
        (10.0, Outcome.SUCCEEDED, 0, 1),
        (99.0, Outcome.FAILED, 3, 2),
        (20.0, Outcome.SUCCEEDED, 0, 3),
    ]
    assert (found.median_seconds, found.p90_seconds) == (15.0, 19.0)
    assert {one.agent for one in found.runs} == {"a"}


def test_history_outlives_its_instances_and_restarts() -> None:
    """The instance is forgotten; the next night is estimated by it."""
    office = begun()
    run(office, "x", 10)
    before = told(office)
    office.ask(EndInstance(instance=office.only.id))
    office.until(office.now + timedelta(hours=2))
    office.down_until(office.now)

    assert office.instances == []
    assert told(office) == before


def test_history_is_bounded() -> None:
    """The newest runs are kept."""
    office = begun()
    for seconds in range(1, KEPT + 4):
        run(office, "x", seconds)

    assert [one.seconds for one in told(office).runs] == [float(s) for s in range(4, KEPT + 4)]


def test_dry_runs_and_withdrawn_ones_are_no_measure() -> None:
    """What never ran took no time."""
    office = begun()
    for ends in (
        {"outcome": Outcome.SUCCEEDED, "dry_run": True, "started": office.now},
        {"outcome": Outcome.WITHDRAWN},
    ):
        office.act(Action.SUBMIT, "x")
        run = office.runs()["x"]
        report = RunReport(run=run.id, phase=RunPhase.ENDED, ended=office.now, **ends)
        office.step(Heard(office.now, RunReportAt(run.agent, run.id), report))
        office.act(Action.RESET, "x")

    assert told(office).runs == ()


def test_a_file_is_remembered_by_how_long_after_the_opening_it_came() -> None:
    """Its first fire in an instance, once."""
    office = Office(at("04-02 00:59"))
    office.imports(net({"file": [], "x": ["file"]}))
    office.until(at("04-02 01:07"))
    office.fires("file")
    office.now += SECOND
    office.fires("file", 2)

    assert [one.seconds for one in told(office, "file").runs] == [420.0]


def test_a_deleted_plan_is_forgotten_with_its_history() -> None:
    """And a job that a new version lacks, once nothing runs that has it."""
    office = begun()
    run(office, "x", 10)
    office.ask(EndInstance(instance=office.only.id))
    office.imports(net({"z": []}))

    assert not [key for key in office.rows if key.table == "history"]

    office.start("P")
    new = office.instances[-1].id
    office.act(Action.SUBMIT, "z", new)
    office.ends("z", new)
    office.ask(EndInstance(instance=new))

    assert [key.key for key in office.rows if key.table == "history"] == ["P~a-z"]
    assert office.ask(DeletePlan(plan=P)).ok
    assert not [key for key in office.rows if key.table == "history"]


def test_usual_durations_of_a_plan() -> None:
    """Only of jobs that have succeeded."""
    office = begun()
    run(office, "x", 4)
    office.act(Action.SUBMIT, "y")
    office.ends("y", code=1)

    found = decode(bytes(office.ask(ReadDurations(plan=P)).data), Durations)

    assert [(one.job, one.median_seconds, one.runs) for one in found.jobs] == [("a-x", 4.0, 1)]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (ReadJobHistory(plan=P, job="nix"), "job 'nix' of plan 'P' is unknown; did you mean 'x'?"),
        (ReadJobHistory(plan=PlanName("Q"), job="x"), "plan 'Q' is unknown; there is P"),
        (ReadDurations(plan=PlanName("Q")), "plan 'Q' is unknown; there is P"),
    ],
)
def test_what_is_not_there_is_said(query: ReadJobHistory | ReadDurations, reason: str) -> None:
    """In one line."""
    answer = begun().ask(query)

    assert (answer.ok, answer.reason) == (False, reason)


def test_an_old_record_without_history_is_read() -> None:
    """A database of before has none."""
    office = begun()
    run(office, "x", 1)
    office.rows = {key: body for key, body in office.rows.items() if key.table != "history"}
    office.down_until(office.now)

    assert told(office).runs == ()
    assert msgspec.json.decode(bytes(office.ask(ReadJobHistory(plan=P, job="x")).data)) == {"plan": "P", "job": "a-x"}


LENGTHS = st.lists(st.floats(0, 1e6), min_size=1, max_size=KEPT).map(sorted)


@given(rising=LENGTHS, share=st.floats(0, 1), elapsed=st.floats(0, 2e6))
def test_what_remains_ends_among_those_that_took_longer(rising: list[float], share: float, elapsed: float) -> None:
    """A quantile lies between the extremes; what is over the longest may end now."""
    left = remaining(rising, share, elapsed)

    assert rising[0] - 0.001 <= quantile(rising, share) <= rising[-1] + 0.001
    assert left >= 0
    assert left == 0 or elapsed + left <= rising[-1] + 0.002
