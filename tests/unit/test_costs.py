"""What a job costs in things that can be counted: documents shown, their bytes, records, transactions. No clock is looked at.

A change that shows, saves or encodes more than before fails here; whoever means it writes the new number down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from benchmarks.plans import chain, fan, plan
from broker.runtime.core import AuditRow, Decision, Heard, Key
from broker.runtime.store import SqliteStore
from dashboard_node.core import invariants
from dashboard_node.core.effects import Effect
from dashboard_node.core.machine import DashboardCore
from dashboard_node.core.state import State
from schemas.addresses import Address, AgentPresenceAt, AssignmentAt, InstanceAt, JobAt, RunReportAt
from schemas.codec import encode_body
from schemas.documents import Condition, Document, Presence, RunReport
from schemas.names import JobId, NodeName, PlanName
from schemas.requests import Act, Action, ImportPlan, StartInstance
from schemas.status import NodeState, Outcome, RunPhase
from tests.support.office import Office, at

NOW = at("01-31 07:30")
WAITED = (RunPhase.ACCEPTED, RunPhase.RUNNING, RunPhase.ENDED)
"""What an agent tells of a run that had to wait there; of one that starts at once it tells the last two."""
QUICK = (RunPhase.ENDED,)
"""Of one that is over in a moment."""


class Cost(msgspec.Struct):
    """What one report of a run led to."""

    documents: list[str]
    size: int
    records: int
    audit: int


def _kind(address: Address, document: Document | None) -> str:
    match address:
        case AssignmentAt():
            return "assignment" if document is not None else "cleared"
        case JobAt():
            return "job"
        case InstanceAt():
            return "instance"
        case _:
            return type(address).__name__


def _costs(jobs: int, told: Sequence[RunPhase] = WAITED) -> list[Cost]:
    """What the reports of the second run of a chain cost."""
    office = Office(NOW)
    office.ask(ImportPlan(source=plan("P", chain(jobs))))
    office.ask(StartInstance(plan=PlanName("P")))
    (instance,) = office.core.state.machines
    first = office.core.state.machines[instance].graph.copies[0].id
    office.ask(Act(action=Action.SUBMIT, instance=instance, job=first))
    _report(office.core, told)
    return _report(office.core, told)


def _report(core: DashboardCore, told: Sequence[RunPhase] = WAITED) -> list[Cost]:
    """An agent carries out the run that lives."""
    (live,) = core.state.live.values()
    (run,) = live
    costs = []
    for phase in told:
        started = NOW if phase is not RunPhase.ACCEPTED else None
        ended = NOW if phase is RunPhase.ENDED else None
        outcome = Outcome.SUCCEEDED if phase is RunPhase.ENDED else None
        report = RunReport(run=run, phase=phase, started=started, ended=ended, outcome=outcome)
        decision = core.step(Heard(NOW, RunReportAt(core.state.runs[run].agent, run), report))
        shown = core.project(decision.changes)
        costs.append(
            Cost(
                documents=sorted(_kind(address, document) for address, document in shown.items()),
                size=sum(len(encode_body(document)) for document in shown.values() if document is not None),
                records=len(decision.changes),
                audit=len(decision.audit),
            )
        )
    return costs


def test_report_of_a_run_shows_a_fixed_number_of_documents() -> None:
    """From assignment to end a command in a chain costs so many documents, whatever else its plan holds."""
    accepted, running, ended = _costs(100)

    assert accepted.documents == ["assignment", "job"]
    assert running.documents == ["assignment", "instance", "job", "job"]
    assert ended.documents == ["assignment", "cleared", "instance", "job", "job", "job"]


def test_quick_run_is_told_once() -> None:
    """One turn of the dashboard, of the documents that three would have shown the last of each."""
    (ended,) = _costs(100, QUICK)

    assert ended.documents == ["assignment", "cleared", "instance", "job", "job", "job"]
    assert (ended.size, ended.records, ended.audit) == (1364, 5, 4)


@pytest.mark.parametrize("told", [WAITED, QUICK])
@pytest.mark.parametrize("jobs", [10, 1000])
def test_cost_of_a_run_is_the_same_in_every_plan(jobs: int, told: Sequence[RunPhase]) -> None:
    """Documents re-encoded, records saved and audit rows do not grow with the plan."""
    few, many = _costs(4, told), _costs(jobs, told)

    assert [one.documents for one in many] == [one.documents for one in few]
    assert [(one.records, one.audit) for one in many] == [(one.records, one.audit) for one in few]


def test_bytes_of_a_run_are_bounded() -> None:
    """What one run of a chain puts on the bus, in bytes of documents, for each of the reports that there may be."""
    sizes = [one.size for one in _costs(100)]

    assert sizes == [583, 1016, 1364]


def test_event_that_changes_nothing_pays_for_no_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that an agent lets go of, as each is in the end: of the three reports before, each pays for twenty jobs."""
    looks: list[int] = []
    check_in_parts = invariants.parts

    def counted(state: State) -> Iterator[int]:
        for jobs in check_in_parts(state):
            looks.append(jobs)
            yield jobs

    monkeypatch.setattr(invariants, "parts", counted)
    office = Office(NOW)
    office.ask(ImportPlan(source=plan("P", chain(100))))
    office.ask(StartInstance(plan=PlanName("P")))
    (instance,) = office.core.state.machines
    office.ask(
        Act(action=Action.SUBMIT, instance=instance, job=office.core.state.machines[instance].graph.copies[0].id)
    )
    (run,) = office.core.state.live[instance]
    office.core.check()
    looks.clear()
    for _ in range(10):
        _report(office.core)
        office.core.check()
    paid = sum(looks)
    for _ in range(100):
        decision = office.core.step(Heard(NOW, RunReportAt(NodeName("a"), run), None))
        office.core.check()
        assert not decision.changes

    assert 20 * 30 - 100 <= paid <= 20 * 30 + 100
    assert sum(looks) == paid


def test_how_busy_an_agent_is_changes_no_document() -> None:
    """Nor how many it shows itself: it says both now and then, while hundreds of its runs are under way."""
    office = Office(NOW)
    office.ask(ImportPlan(source=plan("P", fan(100))))
    office.ask(StartInstance(plan=PlanName("P")))
    (instance,) = office.core.state.machines
    office.ask(Act(action=Action.SUBMIT, instance=instance, job=JobId("a-first")))
    _report(office.core)
    there = Presence(node=NodeName("a"), state=NodeState.ALIVE, connection=1, since=NOW, complete=True)
    busy = replace(there, documents=100, condition=Condition(running=64, load=9.5))

    shown = [office.core.project(_hears(office.core, one).changes) for one in (there, busy)]

    assert [len([one for one in part if isinstance(one, JobAt)]) for part in shown] == [100, 0]


def _hears(core: DashboardCore, presence: Presence) -> Decision[Effect]:
    return core.step(Heard(NOW, AgentPresenceAt(presence.node), presence))


async def test_turn_is_one_transaction(tmp_path: Path) -> None:
    """Records that change, records that go and audit rows of a turn are one commit."""
    said: list[str] = []
    async with SqliteStore.open(tmp_path / "node.db") as store:
        await store.save({Key("job", "gone"): AuditRow(at=NOW, kind="x")}, ())
        store._saving.set_trace_callback(said.append)  # the only place where commits can be counted
        await store.save(
            {Key("job", "a"): AuditRow(at=NOW, kind="x"), Key("job", "gone"): None}, [AuditRow(at=NOW, kind="job")]
        )

    assert [one for one in said if one.startswith(("BEGIN", "COMMIT"))] == ["BEGIN ", "COMMIT"]


def test_jobs_to_which_nothing_has_happened_share_one_record() -> None:
    """When an instance is laid out, and when it comes back after a restart: the other 99 of a hundred weigh next to nothing."""
    office = Office(NOW)
    office.ask(ImportPlan(source=plan("P", chain(100))))
    office.ask(StartInstance(plan=PlanName("P")))
    (machine,) = office.core.state.machines.values()
    office.ask(Act(action=Action.SUBMIT, instance=machine.instance, job=machine.graph.copies[0].id))
    office.begin()
    (restored,) = office.core.state.machines.values()

    assert [len({id(record) for record in one.copies}) for one in (machine, restored)] == [2, 2]
