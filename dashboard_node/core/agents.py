"""What agents say: that they are there, how far runs have come, which clock and file jobs have fired."""

from __future__ import annotations

from msgspec.structs import replace

from dashboard_node.core import runs
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.lifecycle import Trigger
from dashboard_node.core.records import TakenRecord
from dashboard_node.core.step import Step
from schemas.documents import Fire, FireReport, Presence, RunReport
from schemas.names import NodeName, RunId
from schemas.status import FireOutcome, JobKind, NodeState, Outcome, RunPhase, Tick

_TICKS = {
    FireOutcome.FIRED: Tick.RAN,
    FireOutcome.PASSED: Tick.SKIPPED,
    FireOutcome.DROPPED: Tick.SKIPPED,
    FireOutcome.MISSED: Tick.MISSED,
}
"""How a fire stands in the ledger."""


def presence(step: Step, agent: NodeName, heard: Presence | None) -> None:
    """An agent came, went, or has now shown all it has."""
    before = step.state.presences.get(agent)
    if heard is None:
        step.state.presences.pop(agent, None)
    else:
        step.state.presences[agent] = heard
    if before is None or heard is None or before.state is not heard.state:
        step.note(
            "agent", detail=agent, before=before.state if before else "", after=heard.state if heard else "removed"
        )
    if before is None or heard is None or replace(before, condition=heard.condition) != heard:
        step.agents.add(agent)  # how busy it is keeps no job waiting
    if step.state.settled_in:
        forgotten(step, agent)


def forgotten(step: Step, agent: NodeName) -> None:
    """Runs an agent had reported as running, and now, with all it has shown, says nothing of: they are lost."""
    now = step.state.presences.get(agent)
    if now is None or now.state is not NodeState.ALIVE or not now.complete:
        return
    for run in [r for live in step.state.live.values() for r in live]:
        record = step.state.runs[run]
        if record.agent == agent and record.phase is RunPhase.RUNNING and run not in step.state.reported:
            lose(step, run, f"{agent} knows nothing of it any more")


def lose(step: Step, run: RunId, reason: str) -> None:
    """A run nobody will ever hear of again."""
    record = step.state.runs[run]
    report = RunReport(
        run=run,
        phase=RunPhase.ENDED,
        started=record.started,
        ended=step.now,
        outcome=Outcome.LOST,
        reason=f"lost: {reason}",
    )
    runs.end(step, record, report)


def run_report(step: Step, run: RunId, report: RunReport | None) -> None:
    """An agent says how far a run has come; None: it has let go of it."""
    if report is None:
        step.state.reported.pop(run, None)
        record = step.state.runs.get(run)
        if record is not None and record.phase is RunPhase.RUNNING:
            lose(step, run, f"{record.agent} has forgotten it")
        return
    step.state.reported[run] = report.phase
    refused = runs.reported(step, report)
    if refused and not step.replaying:
        step.note("run", run=run, detail=f"report of {report.phase} changes nothing: {refused}")


def fires(step: Step, agent: NodeName, report: FireReport) -> None:
    """Take in the firings of a clock or file job that have not been taken yet, in order."""
    taken = step.state.taken.get((report.instance, report.job))
    known = taken.sequence if taken is not None else 0
    fresh = [fire for fire in report.fires if fire.sequence > known]
    if report.instance not in step.state.instances or not fresh:
        return
    machine = step.machine(report.instance)
    for fire in fresh:
        refused = "the instance is not active" if machine is None else fired(step, machine, report.job, fire)
        step.note(
            "tick",
            instance=report.instance,
            context=step.state.instances[report.instance].plan,
            job=report.job,
            before=(fire.due or fire.at).isoformat(),
            after=Tick.SKIPPED if refused else _TICKS[fire.outcome],
            detail=refused or fire.reason or " ".join(fire.files),
        )
    newest = max(fresh, key=lambda fire: fire.sequence)
    step.put_taken(
        TakenRecord(instance=report.instance, job=report.job, agent=agent, sequence=newest.sequence, due=newest.due)
    )


def fired(step: Step, machine: ContextMachine, job: str, fire: Fire, context: int | None = None) -> str:
    """A clock or file job has fired (in one context, or everywhere it resides); the reason when that changes nothing."""
    residences = machine.graph.residences.get(job, ())
    wanted = [i for i in residences if context is None or machine.graph.copies[i].context == context]
    if not wanted:
        return "the plan version of this instance has no such job"
    first = machine.graph.copies[wanted[0]]
    if first.kind is JobKind.CLOCK and machine.clocks_disabled and not fire.manual:
        return "the clock jobs of this instance are disabled"
    if all(machine.copies[i].disabled for i in wanted):
        return "the job is disabled"
    if not fire.outcome.counts:
        return ""
    for index in wanted:
        _happened(step, machine, index, fire)
    step.touch(machine)
    return ""


def _happened(step: Step, machine: ContextMachine, index: int, fire: Fire) -> None:
    record = machine.copies[index]
    if record.disabled:
        return
    if record.held or not machine.gate_open(machine.graph.copies[index].context):
        machine.put(step, index, replace(record, pending=True), "fired; remembered")
        return
    passed = record.skipped or fire.outcome is FireOutcome.PASSED
    reason = fire.reason or (f"{len(fire.files)} files" if len(fire.files) > 1 else "".join(fire.files))
    trigger = Trigger.PASS if passed else Trigger.SUCCEED
    machine.result(step, index, trigger, reason, raised=True, started=fire.at, reason=reason)
