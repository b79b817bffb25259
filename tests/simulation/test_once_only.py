"""The checker of S1 excuses a second process of a run that nobody remembers, or tells the dashboard of; and no other."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from broker.runtime.core import AuditRow
from schemas.addresses import PlanVersionAt, RunReportAt
from schemas.documents import Document, PlanVersion, RunReport
from schemas.names import InstanceId, NodeName, PlanName, RunId
from schemas.status import RunPhase
from tests.simulation.checkers.reading import DASHBOARD, Ledger, RunRow
from tests.simulation.checkers.starts import OnceOnly
from tests.simulation.plans import nest
from tests.simulation.trace import (
    CommandBegan,
    FolderLost,
    Found,
    PromiseBrokenError,
    PutBack,
    Record,
    Row,
    Saved,
    Stepped,
)
from tests.simulation.world import BEGINNING
from tests.support.pictures import a_job, a_plan, an_instance, where

RUN = RunId("nest-20260101T000000Z~inner~north-first~1")
NORTH, SOUTH = NodeName("north"), NodeName("south")
KNOWN = RunRow(id=RUN, instance=InstanceId("nest-20260101T000000Z"), copy=0, attempt=1, agent=NORTH)
DISK_LOST = FolderLost(at=1.0, host=NORTH)
SET_BACK = PutBack(at=1.0, node=DASHBOARD)
WRITTEN_DOWN = Saved(at=1.0, node=NORTH, rows=(Row("run", RUN, b"{}"),), audit=())


class Judge:
    """The checker and its ledger, told of a run that both nodes know, and (unless it has not ``begun``) of its first process."""

    def __init__(self, *, begun: bool = True) -> None:
        self.ledger = Ledger()
        self.checker = OnceOnly(self.ledger)
        self.dashboard_knows()
        if begun:
            self.begin(100)

    def begin(self, pid: int, host: NodeName = NORTH) -> None:
        """A process becomes the run's command; none has ended."""
        self.hear([CommandBegan(at=1.0, host=host, run=RUN, pid=pid)])

    def hear(self, records: Iterable[Record]) -> None:
        """Tell of what happened. Whoever sets the dashboard back takes the run from its records as well."""
        for record in records:
            if record is SET_BACK:
                self.ledger.runs.clear()
            self.checker.hears[type(record)](record)

    def dashboard_knows(self, agent: NodeName = NORTH) -> None:
        """The dashboard has handed the run over."""
        row = AuditRow(at=BEGINNING, kind="run", instance=KNOWN.instance, run=RUN, after="assigned", cause="time")
        self.ledger.hear(Saved(at=1.0, node=DASHBOARD, rows=(), audit=(row,)))
        self.ledger.runs[RUN] = self.ledger.handed[RUN] = replace(KNOWN, agent=agent)

    def dashboard_hears(self, report: RunReport | None) -> None:
        """The first agent tells of the run, or lets go of what it told."""
        at = RunReportAt(NORTH, RUN)
        self.hear([Stepped(at=1.0, node=DASHBOARD, event="Heard", now=BEGINNING, address=at, document=report)])


@pytest.mark.parametrize("losses", [(DISK_LOST, SET_BACK), (SET_BACK, DISK_LOST)])
def test_a_run_that_nobody_remembers_may_begin_once_more(losses: tuple[Record, ...]) -> None:
    """Once, though the first process lives; not twice."""
    judge = Judge()
    judge.hear(losses)
    judge.dashboard_knows()
    judge.begin(101)

    with pytest.raises(PromiseBrokenError, match="S1"):
        judge.begin(102)


@pytest.mark.parametrize("losses", [(), (DISK_LOST,), (SET_BACK,), (DISK_LOST, WRITTEN_DOWN, SET_BACK)])
def test_a_run_that_somebody_remembers_never_begins_again(losses: tuple[Record, ...]) -> None:
    """Neither after one of the losses, nor when an agent knew of the run again before the other one."""
    judge = Judge()
    judge.hear(losses)
    judge.dashboard_knows()

    with pytest.raises(PromiseBrokenError, match="S1"):
        judge.begin(101)


def test_a_run_that_the_dashboard_learnt_of_again_is_remembered() -> None:
    """It was set back, and knew of the run again when the agent's disk was lost."""
    judge = Judge()
    judge.hear([SET_BACK])
    judge.dashboard_knows()
    judge.hear([DISK_LOST])

    with pytest.raises(PromiseBrokenError, match="S1"):
        judge.begin(101)


def test_a_run_that_began_after_the_dashboard_had_forgotten_it_may_begin_once_more() -> None:
    """Its agent had heard of it before, and has lost its disk since."""
    judge = Judge(begun=False)
    judge.hear([SET_BACK])
    judge.begin(100)
    judge.hear([DISK_LOST])
    judge.dashboard_knows()
    judge.begin(101)

    with pytest.raises(PromiseBrokenError, match="S1"):
        judge.begin(102)


def test_a_run_that_was_handed_over_once_more_before_it_began_is_remembered() -> None:
    """The dashboard was set back, and knew of the run again by then."""
    judge = Judge(begun=False)
    judge.hear([SET_BACK])
    judge.dashboard_knows()
    judge.begin(100)
    judge.hear([DISK_LOST])

    with pytest.raises(PromiseBrokenError, match="S1"):
        judge.begin(101)


def set_back_to_a_copy_that_knows(journal: int, losses: tuple[Record, ...]) -> Judge:
    """To which journal the run was handed when the copy was made; 0: to none, so that it could not begin yet."""
    judge = Judge()
    judge.ledger.runs[RUN] = replace(KNOWN, journal=journal)
    for record in losses:
        judge.checker.hears[type(record)](record)
    judge.ledger.runs[RUN] = replace(KNOWN, journal=8)
    return judge


@pytest.mark.parametrize("losses", [(DISK_LOST, SET_BACK), (SET_BACK, DISK_LOST)])
def test_a_run_that_could_not_begin_when_the_dashboard_was_copied_may_begin_once_more(
    losses: tuple[Record, ...],
) -> None:
    """It was let begin after that, and neither of the two remembers."""
    judge = set_back_to_a_copy_that_knows(0, losses)
    judge.begin(101)

    with pytest.raises(PromiseBrokenError, match="S1"):
        judge.begin(102)


@pytest.mark.parametrize("losses", [(DISK_LOST, SET_BACK), (SET_BACK, DISK_LOST)])
def test_a_run_that_could_begin_when_the_dashboard_was_copied_never_begins_again(losses: tuple[Record, ...]) -> None:
    """The copy knows to which journal it was handed, and the agent that that one is gone."""
    judge = set_back_to_a_copy_that_knows(7, losses)

    with pytest.raises(PromiseBrokenError, match="S1"):
        judge.begin(101)


REPORT = RunReport(run=RUN, phase=RunPhase.RUNNING)


@pytest.mark.parametrize("told", [(), (REPORT, None)])
def test_a_run_that_a_dashboard_from_a_copy_is_not_told_of_may_begin_elsewhere(
    told: tuple[RunReport | None, ...],
) -> None:
    """Though the first process lives: its agent is away, and the broker has lost what it had said."""
    judge = Judge()
    judge.hear([SET_BACK])
    for report in told:
        judge.dashboard_hears(report)
    judge.dashboard_knows(SOUTH)
    judge.begin(101, SOUTH)

    with pytest.raises(PromiseBrokenError, match="S1"):
        judge.begin(102, SOUTH)


def test_a_run_that_a_dashboard_from_a_copy_is_told_of_never_begins_elsewhere() -> None:
    """It belongs to who has it."""
    judge = Judge()
    judge.hear([SET_BACK])
    judge.dashboard_hears(REPORT)
    judge.dashboard_knows(SOUTH)

    with pytest.raises(PromiseBrokenError, match="S1"):
        judge.begin(101, SOUTH)


def found(*documents: Document) -> Found:
    """A dashboard whose disk was lost finds these, the plan, and that the run's job had come to it."""
    version = PlanVersion(plan=PlanName("nest"), version=1, imported=BEGINNING, source=nest(1))
    job = a_job(instance=KNOWN.instance, attempt=KNOWN.attempt)
    shown = ((where(document), document) for document in (a_plan("nest"), job, *documents))
    return Found(at=1.0, node=DASHBOARD, documents=((PlanVersionAt(version.plan, 1), version), *shown))


def test_a_run_that_its_job_tells_of_never_begins_elsewhere() -> None:
    """What stood was enough to know of it."""
    judge = Judge()
    judge.hear([found(an_instance(plan="nest", instance=KNOWN.instance))])
    judge.dashboard_knows(SOUTH)

    with pytest.raises(PromiseBrokenError, match="S1"):
        judge.begin(101, SOUTH)


def test_a_run_of_an_instance_whose_status_does_not_stand_may_begin_elsewhere() -> None:
    """The broker was set back, and the disk lost before all was shown again: of a job without its instance nothing is known."""
    judge = Judge()
    judge.hear([found()])
    judge.dashboard_knows(SOUTH)
    judge.begin(101, SOUTH)

    with pytest.raises(PromiseBrokenError, match="S1"):
        judge.begin(102, SOUTH)
