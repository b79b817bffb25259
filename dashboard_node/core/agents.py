"""What agents say: that they are there, how far runs have come, which clock and file jobs have fired."""

from __future__ import annotations

from msgspec.structs import replace

from dashboard_node.core import history, moving, runs
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.lifecycle import Trigger
from dashboard_node.core.records import Placed, RunRecord, TakenRecord
from dashboard_node.core.step import Step
from schemas.documents import Condition, Fire, FireReport, Presence, RunReport
from schemas.names import InstanceId, JobId, NodeName, RunId, group_label
from schemas.status import FireOutcome, JobKind, NodeState, RunPhase, Tick

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
    if heard is not None and (before is None or _journal_known(before) != _journal_known(heard)):
        _date_runs(step, agent, heard)
    moving.heard(step, agent, before)
    if before is None or heard is None or _keeps_waiting(before) != _keeps_waiting(heard):
        step.agents.add(agent)
    if step.state.settled_in:
        forgotten(step, agent)


def _date_runs(step: Step, agent: NodeName, heard: Presence) -> None:
    """Runs handed over before the agent was heard of, as in the first moments of a life, are this journal's (S1).

    Until then no agent starts them: if it lost its disk, it could not tell that an earlier life of it may have done so. Those
    that run all the same, for they had been dated and that was forgotten, are this journal's once the agent has shown all it has
    and tells of them: else it might seem to have forgotten them (S7).
    """
    for run in [step.state.runs[name] for name in step.state.standing.runs_at.of(agent)]:
        known = run.phase is not RunPhase.RUNNING or (heard.complete and run.id in step.state.reported)
        if known and not run.journal and heard.journal:
            step.put_run(replace(run, journal=heard.journal))


def _journal_known(presence: Presence) -> tuple[int, bool]:
    """What of an agent says which runs are of its journal."""
    return presence.journal, presence.complete


def _keeps_waiting(presence: Presence) -> Presence:
    """What of an agent may keep a job waiting: not how busy it is, nor how much it shows."""
    condition = Condition(draining=presence.condition.draining, disk_full=presence.condition.disk_full)
    return replace(presence, condition=condition, documents=0)


def forgotten(step: Step, agent: NodeName) -> None:
    """Runs an agent had reported as running, and now, with all it has shown, says nothing of: they are lost."""
    now = step.state.presences.get(agent)
    if now is None or now.state is not NodeState.ALIVE or not now.complete:
        return
    for run in step.state.standing.runs_at.of(agent):
        if run not in step.state.reported:
            _lose(step, step.state.runs[run], f"{agent} knows nothing of it any more")


def _lose(step: Step, record: RunRecord, reason: str) -> None:
    """A run that was reported as running, and is not any more, is lost.

    Not while its agent's journal is the one the run was handed to, for that one remembers: then it is the broker or this
    dashboard that went back in time, to before the run's end was taken, and the agent shows the end again. Which journal it
    has, its presence says; until that is heard, perhaps after all that the agent has cleared, nothing is lost (S7).
    """
    now = step.state.presences.get(record.agent)
    if now is None or (record.journal and record.journal == now.journal):
        return
    if record.phase is RunPhase.RUNNING:
        runs.lose(step, record.id, reason)


def run_report(step: Step, agent: NodeName, run: RunId, report: RunReport | None) -> None:
    """An agent says how far a run has come; None: it has let go of it."""
    if report is None:
        step.state.reported.pop(run, None)
        record = step.state.runs.get(run)
        if record is not None:
            _lose(step, record, f"{record.agent} has forgotten it")
        return
    step.state.reported[run] = (agent, report)
    refused = runs.reported(step, report)
    if refused and not step.replaying:
        step.note("run", run=run, detail=f"report of {report.phase} changes nothing: {refused}")


def fires(step: Step, agent: NodeName, report: FireReport) -> None:
    """Take in the firings of a clock or file job that have not been taken yet, in order."""
    _note_watching(step, agent, report)
    taken = step.state.taken.get((report.instance, report.job))
    known = taken.sequence if taken is not None and taken.agent == agent else 0
    fresh = [fire for fire in report.fires if fire.sequence > known]
    if report.instance not in step.state.instances or not fresh:
        return
    machine = step.machine(report.instance)
    placed = _placed(step, report)
    if placed is not None and placed.agent != agent:
        if not step.replaying:
            step.note(
                "tick", instance=report.instance, job=report.job, detail=f"fires of {agent} count for nothing here"
            )
        return
    for fire in fresh:
        if machine is None:
            refused = "the instance is not active"
        elif placed is not None and placed.since is not None and fire.at < placed.since:
            refused = f"{agent} was not chosen for it then"
        else:
            refused = fired(step, machine, report.job, fire)
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


def _note_watching(step: Step, agent: NodeName, report: FireReport) -> None:
    """What keeps a job from watching, or puts off its fire, its day too, or that nothing does any more."""
    said, silence = replace(report, fires=()), FireReport(instance=report.instance, job=report.job)
    known = step.state.watching.get(report.instance, {}).get(report.job, silence)
    if known == said or report.instance not in step.state.instances:
        return
    step.state.watching.setdefault(report.instance, {})[report.job] = said
    step.agents.add(agent)
    if known.problem != report.problem and not step.replaying:
        what = "watches again" if not report.problem else report.problem
        step.note("agent", instance=report.instance, job=report.job, detail=f"{agent}: {what}")


def silent(step: Step, agent: NodeName, instance: InstanceId, job: JobId) -> None:
    """An agent has nothing to say of a clock or file job any more: no fires, and nothing that keeps it."""
    if job in step.state.watching.get(instance, {}):
        _note_watching(step, agent, FireReport(instance=instance, job=job))


def _placed(step: Step, report: FireReport) -> Placed | None:
    """Who is chosen for a job of an agent group; None: it names its agent."""
    graph = step.state.machines[report.instance].graph
    residences = graph.residences.get(report.job, ())
    group = graph.copies[residences[0]].agent if residences else NodeName("")
    if not group_label(group):
        return None
    return step.state.instances[report.instance].placed.get(group, Placed(agent=group))


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
    if (
        fire.outcome is FireOutcome.FIRED
        and machine.copies[first.index].ended is None
        and not (fire.manual or fire.dry_run)
    ):
        history.fired(step, machine, first, fire.at)
    for index in wanted:
        _happened(step, machine, index, fire)
    step.touch(machine)
    return ""


def _happened(step: Step, machine: ContextMachine, index: int, fire: Fire) -> None:
    record = machine.copies[index]
    if record.disabled:
        return
    passes = fire.outcome is FireOutcome.PASSED
    reason = fire.reason or (f"{len(fire.files)} files" if len(fire.files) > 1 else "".join(fire.files))
    if record.held or not machine.gate_open(machine.graph.copies[index].context, step.now):
        remembered = replace(record, pending=True, passing=passes, reason=reason, dry_run=fire.dry_run)
        machine.put(step, index, remembered, "fired; remembered")
        return
    trigger = Trigger.PASS if record.skipped or passes else Trigger.SUCCEED
    machine.result(step, index, trigger, reason, raised=True, started=fire.at, reason=reason, dry_run=fire.dry_run)
