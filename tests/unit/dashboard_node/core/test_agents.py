"""What agents say, and what follows when they say it twice, late, or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broker.runtime.core import Heard
from dashboard_node.core.blockers import blockers
from schemas.addresses import AgentPresenceAt, AssignmentAt, FireReportAt, RunReportAt
from schemas.documents import Assignment, Fire, FireReport, Presence, RunReport
from schemas.names import InstanceId, JobId, NodeName, RunId
from schemas.requests import Action
from schemas.status import FireOutcome, NodeState, Outcome, RunPhase
from tests.scenarios.house import BEGINNING, House

NORTH = NodeName("north")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def _running() -> tuple[House, RunId]:
    house = House()
    house.open("i", "P[a b | b<-and(a)]")
    house.act(Action.SUBMIT, "i.a")
    house.started("i.a")
    return house, next(iter(house.core.state.runs))


def _present(house: House, *, state: NodeState = NodeState.ALIVE, complete: bool = True, journal: int = 0) -> None:
    presence = Presence(node=NORTH, state=state, connection=1, since=BEGINNING, complete=complete, journal=journal)
    house.step(Heard(house.now, AgentPresenceAt(NORTH), presence))


def _why(house: House) -> list[str]:
    """What is said of the job that runs."""
    machine = house.machine("i")
    return [blocker.text for blocker in blockers(house.core.state, machine, machine.graph.copies[0])]


def test_a_run_that_ended_while_its_agent_was_away_ended_then() -> None:
    """Its job's time is the one that the agent tells, not the one at which it was told."""
    house, run = _running()
    began = house.now
    house.now += HOUR
    report = RunReport(
        run=run, phase=RunPhase.ENDED, started=began, ended=began + MINUTE, outcome=Outcome.FAILED, return_code=3
    )
    house.step(Heard(house.now, RunReportAt(NORTH, run), report))

    assert house.machine("i").copies[0].ended == began + MINUTE


def test_a_run_the_agent_knows_nothing_of_any_more() -> None:
    """It is lost, when the agent has shown all it has; its job failed."""
    house, run = _running()
    house.core.state.reported.clear()
    _present(house, complete=False)
    assert house.status("i.a") == "RUNNING"

    _present(house)
    assert house.status("i.a") == "ERROR"
    assert house.machine("i").copies[0].reason == "lost: north knows nothing of it any more"
    assert run not in house.core.state.live[house.instances["i"]]


def test_a_broker_that_went_back_to_before_a_report_loses_no_run() -> None:
    """The agent's word that this is all it shows is older than its report: its journal is the same, so it knows the run."""
    house = House()
    house.open("i", "P[a b | b<-and(a)]")
    _present(house, journal=7)
    house.act(Action.SUBMIT, "i.a")
    house.started("i.a")
    house.core.state.reported.clear()
    _present(house, journal=7)
    assert house.status("i.a") == "RUNNING"

    _present(house, journal=8)
    assert house.status("i.a") == "ERROR"


def test_a_run_whose_report_is_gone() -> None:
    """The agent has let go of it: it is lost, unless it had ended."""
    house, run = _running()
    _present(house)
    house.step(Heard(house.now, RunReportAt(NORTH, run), None))

    assert house.status("i.a") == "ERROR"
    house.step(Heard(house.now, RunReportAt(NORTH, run), None))
    assert house.status("i.a") == "ERROR"


@pytest.mark.parametrize(("journal", "after"), [(7, "RUNNING"), (8, "ERROR")])
def test_a_report_that_is_gone_before_its_agent_is_heard_of(journal: int, after: str) -> None:
    """A life of the dashboard begins: nothing is lost until the agent's presence says whether it remembers (S7)."""
    house = House()
    house.open("i", "P[a b | b<-and(a)]")
    _present(house, journal=7)
    house.act(Action.SUBMIT, "i.a")
    house.started("i.a")
    [run] = house.core.state.runs
    house.core.state.presences.clear()

    house.step(Heard(house.now, RunReportAt(NORTH, run), None))
    assert house.status("i.a") == "RUNNING"

    _present(house, journal=journal)
    assert house.status("i.a") == after


def test_a_report_that_is_heard_before_its_agent() -> None:
    """The run is of the journal that shows it: once the agent has shown all it has, that one remembers the run (S7)."""
    house, run = _running()
    _present(house, journal=7, complete=False)
    assert house.core.state.runs[run].journal == 0

    _present(house, journal=7)
    house.step(Heard(house.now, RunReportAt(NORTH, run), None))
    assert house.core.state.runs[run].journal == 7
    assert house.status("i.a") == "RUNNING"

    _present(house, journal=8)
    assert house.status("i.a") == "ERROR"


def test_an_agent_that_takes_a_run_before_it_is_heard_of() -> None:
    """It waits, and the job says for whom; with the agent's first word the run is of its journal, and may start (S1)."""
    house = House()
    house.open("i", "P[a b | b<-and(a)]")
    house.act(Action.SUBMIT, "i.a")
    [run] = house.core.state.runs
    house.step(Heard(house.now, RunReportAt(NORTH, run), RunReport(run=run, phase=RunPhase.ACCEPTED)))
    assert house.core.state.runs[run].journal == 0
    assert _why(house) == ["north has never been seen"]

    _present(house, journal=7, complete=False)

    shown = dict(house.core.documents())[AssignmentAt(NORTH, run)]
    assert isinstance(shown, Assignment)
    assert shown.journal == 7


def test_an_agent_that_is_gone() -> None:
    """What runs there runs on, as far as anybody knows, and says so until the agent is back."""
    house, _ = _running()
    _present(house)
    assert not _why(house)

    _present(house, state=NodeState.GONE)
    [why] = _why(house)
    assert why.startswith("north is gone: it may run on there")

    _present(house)
    assert not _why(house)

    _present(house, state=NodeState.GONE)
    house.step(Heard(house.now, AgentPresenceAt(NORTH), None))

    assert house.status("i.a") == "RUNNING"


def test_a_run_nobody_knows() -> None:
    """It changes nothing."""
    house, _ = _running()
    stranger = RunId("P-20260101T000000Z~P~north-z~1")
    house.step(Heard(house.now, RunReportAt(NORTH, stranger), RunReport(run=stranger, phase=RunPhase.RUNNING)))

    assert house.status("i.a") == "RUNNING"


def _fires(house: House, job: str, *fires: Fire, instance: str = "") -> None:
    name = InstanceId(instance or house.instances["i"])
    report = FireReport(instance=name, job=JobId(job), fires=fires)
    house.step(Heard(house.now, FireReportAt(NORTH, name, JobId(job)), report))


def test_fires_are_taken_once() -> None:
    """Also when they are shown again, with others behind them."""
    house = House()
    house.open("i", "P[q:q a* | a<-and(q)]")
    first, second = Fire(sequence=1, at=house.now), Fire(sequence=2, at=house.now)
    _fires(house, "north-q", first)
    _fires(house, "north-q", first, second)
    _fires(house, "north-q", first, second)

    assert house.machine("i").copies[1].live
    assert house.machine("i").copies[1].again == 1


def test_fires_that_change_nothing() -> None:
    """Dropped in a blackout, of a job or an instance that is not there, or no more."""
    house = House()
    house.open("i", "P[q:q a | a<-and(q)]")
    _fires(house, "north-q", Fire(sequence=1, at=house.now, outcome=FireOutcome.DROPPED))
    _fires(house, "north-z", Fire(sequence=1, at=house.now))
    _fires(house, "north-q", Fire(sequence=1, at=house.now), instance="P-20250101T000000Z")
    assert house.statuses("i.q", "i.a") == ["WAITING", "WAITING"]

    house.end("i")
    _fires(house, "north-q", Fire(sequence=2, at=house.now))
    assert house.statuses("i.q", "i.a") == ["WAITING", "WAITING"]


def test_a_manual_fire_of_disabled_clocks() -> None:
    """It counts."""
    house = House()
    house.open("i", "P[q:q a | a<-and(q)]", quartz_schedule_driven_jobs_disabled_for_context=True)
    assert house.fired("i.q") == []
    assert house.fired("i.q", manual=True) == ["i.a"]


def test_clocks_enabled_one_by_one() -> None:
    """The one that is enabled fires; the others stay as they are."""
    house = House()
    house.open("i", "P[q:q q:r a | a<-and(q,r)]", quartz_schedule_driven_jobs_disabled_for_context=True)
    house.act(Action.ENABLE, "i.q")

    assert house.statuses("i.q", "i.r") == ["WAITING", "DISABLED"]
    house.fired("i.q")
    house.fired("i.r")
    assert house.statuses("i.q", "i.r") == ["COMPLETE", "DISABLED"]
