"""Runs of command jobs: asked for, queued for locks, handed to an agent, started, ended, tried again."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from dashboard_node.core import history, placement
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.graph import Copy
from dashboard_node.core.lifecycle import Stage, Trigger
from dashboard_node.core.locks import Owner
from dashboard_node.core.parameters import of_run
from dashboard_node.core.records import RunRecord
from dashboard_node.core.step import Step
from schemas.documents import RunReport
from schemas.names import InstanceId, RunId, run_id
from schemas.plan import CommandJob, Retry
from schemas.spans import span
from schemas.status import Outcome, RunPhase

_DONE = frozenset({Outcome.SUCCEEDED, Outcome.NOT_TODAY})
_STOPPED = frozenset({Outcome.KILLED, Outcome.WITHDRAWN})


def ask(step: Step, machine: ContextMachine, index: int) -> None:
    """Start a run of the job as soon as its locks allow; a repeatable job that is busy is remembered instead."""
    copy = machine.graph.copies[index]
    if any(machine.copies[i].live or machine.copies[i].stage is Stage.QUEUED for i in copy.stands_for):
        machine.put(step, index, replace(machine.copies[index], again=machine.copies[index].again + 1))
        return
    order = step.next_order()
    owner = Owner(order, machine.instance, index)
    if not copy.claims or step.state.locks.ask(owner, copy.claims):
        hand_over(step, machine, index, order)
        return
    machine.put(step, index, replace(machine.copies[index], queued=order, queued_at=step.now))
    for other in copy.stands_for:
        if not machine.copies[other].skipped:
            machine.move(step, other, Trigger.QUEUE, "waits for a lock", raised=True)


def hand_over(step: Step, machine: ContextMachine, index: int, order: int) -> None:
    """Make the run that an agent is to carry out."""
    copy, record = machine.graph.copies[index], machine.copies[index]
    values = parameters(step, machine, copy, record.overrides)
    _give(step, machine, Errand(index, order, step.now, values), tries=record.tries + 1)


class Errand(Struct, frozen=True):
    """What the next attempt of a job is about, whoever carries it out."""

    copy: int
    order: int
    created: datetime
    parameters: dict[str, str | None]


def _give(step: Step, machine: ContextMachine, errand: Errand, *, tries: int) -> None:
    """Make a job's next attempt, for its agent, or for whoever of its group is chosen."""
    copy = machine.graph.copies[errand.copy]
    attempt = 1 + max(machine.copies[i].attempt for i in copy.stands_for)
    name = run_id(machine.instance, machine.graph.context_of(copy.index).name, copy.id, attempt)
    # Who has it already, though these records do not know of it, keeps it (S1).
    told = step.state.reported.get(name)
    agent = told[0] if told is not None else placement.agent_for(step, machine.instance, copy.agent)
    run = RunRecord(
        id=name,
        instance=machine.instance,
        copy=copy.index,
        attempt=attempt,
        agent=agent,
        journal=step.state.journal_of(agent),
        created=errand.created,
        order=errand.order,
        parameters=errand.parameters,
    )
    step.put_run(run)
    if run.id in step.state.reported:
        step.known_already.append(run.id)
    for other in copy.stands_for:
        machine.put(
            step,
            other,
            replace(
                machine.copies[other],
                run=run.id,
                attempt=attempt,
                live=True,
                raised=True,
                pending=False,
                tries=tries,
                queued=0,
                queued_at=None,
                started=None,
                ended=None,
                return_code=None,
                reason="",
                dry_run=False,
            ),
        )
    step.note(
        "run",
        instance=run.instance,
        context=machine.graph.context_of(copy.index).name,
        job=copy.id,
        run=run.id,
        after="assigned",
        detail=f"to {agent}",
    )


def move(step: Step, machine: ContextMachine, run: RunRecord, why: str) -> None:
    """Take a run back that provably has not started (``placement.withheld``), and make its next attempt for somebody else.

    The job stands as it did, and keeps its locks: the new run has the old one's place in their order.
    """
    step.put_run(replace(run, phase=RunPhase.ENDED, ended=step.now, outcome=Outcome.WITHDRAWN))
    step.note("run", instance=run.instance, run=run.id, after=Outcome.WITHDRAWN, detail=f"taken back: {why}")
    errand = Errand(run.copy, run.order, run.created, run.parameters)
    _give(step, machine, errand, tries=machine.copies[run.copy].tries)


def parameters(step: Step, machine: ContextMachine, copy: Copy, overrides: dict[str, str]) -> dict[str, str | None]:
    """The run's values, taken when it is handed over, so that an edit while it was queued counts."""
    if not isinstance(copy.artefact, CommandJob):
        return {}
    node, plan = machine.graph.context_of(copy.index), machine.graph.plan
    instance = step.state.instances[machine.instance]
    return of_run(
        copy.artefact.context_parameters,
        given=overrides,
        known=node.parameters if node.parent is not None and node.parameters else instance.parameters,
        properties=step.state.properties.get(instance.plan, {}),
        day=instance.opens.astimezone(ZoneInfo(plan.timezone or "UTC")).date(),
    )


def reported(step: Step, report: RunReport) -> str:
    """Take in what an agent says of a run; the reason when it changes nothing."""
    run = step.state.runs.get(report.run)
    if run is None:
        return "no such run here"
    if run.phase is RunPhase.ENDED:
        return "the run has ended already"
    if report.phase is RunPhase.ENDED:
        if report.started is not None and run.phase is not RunPhase.RUNNING:  # over before that could be told
            _begin(step, run, report)
        end(step, step.state.runs[run.id], report)
    elif report.phase is RunPhase.RUNNING and run.phase is not RunPhase.RUNNING:
        _begin(step, run, report)
    elif run.phase is not RunPhase.RUNNING:  # it has been accepted
        if run.phase is None or report.ready is not run.ready:
            step.put_run(replace(run, phase=RunPhase.ACCEPTED, ready=report.ready))
        grant(step, run.id)
    return ""


def grant(step: Step, name: RunId) -> None:
    """Tell an agent that is ready to start a run; from now on the run stays there, whatever becomes of the agent (S1).

    Nobody could start it before: it is handed over now, to the journal that the agent has by now.
    """
    run = step.state.runs[name]
    if run.granted or not run.ready:
        return
    if step.machine(run.instance) is not None and step.state.agent_there(run.agent):
        step.put_run(replace(run, granted=True, journal=step.state.journal_of(run.agent)))


def lose(step: Step, run: RunId, reason: str) -> None:
    """A run nobody will ever hear of again."""
    record = step.state.runs[run]
    report = RunReport(
        run=run,
        phase=RunPhase.ENDED,
        outcome=Outcome.LOST,
        reason=reason,
        dry_run=record.dry_run,
    )
    end(step, record, report)


def _begin(step: Step, run: RunRecord, report: RunReport) -> None:
    started = report.started or step.now
    step.put_run(replace(run, phase=RunPhase.RUNNING, started=started, dry_run=report.dry_run))
    machine = step.machine(run.instance)
    if machine is None:
        return
    for index in _stands_for(machine, run):
        if not machine.copies[index].skipped:  # a copy that is skipped waits until the others' run is over
            facts = {"started": started, "acknowledged": False, "dry_run": report.dry_run}
            machine.move(step, index, Trigger.START, "", reason="dry run" if report.dry_run else "", **facts)


def end(step: Step, run: RunRecord, report: RunReport) -> None:
    """A run is over: its job follows, its locks go to the next, and what waited for it starts."""
    outcome = report.outcome or Outcome.FAILED
    reason = f"lost: {report.reason}" if outcome is Outcome.LOST else report.reason
    if run.stop and outcome is not Outcome.LOST:
        outcome = Outcome.KILLED  # killed wins, whatever the command answered
    ended = replace(
        run,
        phase=RunPhase.ENDED,
        started=report.started or run.started,
        ended=report.ended or step.now,
        outcome=outcome,
        return_code=report.return_code,
        dry_run=report.dry_run,
    )
    step.put_run(ended)
    history.ran(step, ended)
    machine = step.machine(run.instance)
    step.note("run", instance=run.instance, run=run.id, after=outcome, detail=reason)
    if machine is not None:
        for index in _stands_for(machine, run):
            _job_ends(step, machine, index, ended, reason)
    else:
        _tell_late_end(step, ended, reason)
    release(step, Owner(run.order, run.instance, run.copy))
    if machine is not None:
        _repeat(step, machine, run.copy)


def _tell_late_end(step: Step, run: RunRecord, reason: str) -> None:
    """The instance had ended before: the job keeps the status it had then, and says how its run ended after all."""
    machine = step.state.machines.get(run.instance)
    if machine is None:
        return
    why = f"{run.outcome} after the instance had ended" + (f": {reason}" if reason else "")
    for index in _stands_for(machine, run):
        record = machine.copies[index]
        late = replace(record, live=False, ended=run.ended, return_code=run.return_code, reason=why)
        machine.put(step, index, late)


def _stands_for(machine: ContextMachine, run: RunRecord) -> list[int]:
    """The copies whose present run this is."""
    return [
        i
        for i in machine.graph.copies[run.copy].stands_for
        if machine.copies[i].run == run.id and machine.copies[i].live
    ]


def _job_ends(step: Step, machine: ContextMachine, index: int, run: RunRecord, reason: str) -> None:
    record = machine.copies[index]
    facts: dict[str, object] = {
        "live": False,
        "return_code": run.return_code,
        "started": run.started,
        "ended": run.ended,
        "reason": reason,
        "overrides": {},
        "dry_run": run.dry_run,
    }
    if run.outcome in _DONE:
        passed = record.skipped or run.outcome is Outcome.NOT_TODAY
        machine.result(step, index, Trigger.PASS if passed else Trigger.SUCCEED, reason, tries=0, **facts)
    elif run.outcome in _STOPPED:
        machine.result(step, index, Trigger.KILL, run.stop_reason, again=0, tries=0, **facts)
    else:
        retry = _retry(machine.graph.copies[index], record.tries, run)
        if retry is None:
            machine.result(step, index, Trigger.FAIL, reason, tries=0, **facts)
            return
        at = step.now + span(seconds=retry)
        why = f"retry {record.tries + 1} at {at:%Y-%m-%dT%H:%M:%SZ}"
        again = {"reason": why, "overrides": record.overrides, "retry_at": at}
        machine.move(step, index, Trigger.RETRY, why, **facts | again)


def _retry(copy: Copy, tries: int, run: RunRecord) -> float | None:
    """Seconds until the next attempt; None: there is none."""
    policy = copy.artefact.retry if isinstance(copy.artefact, CommandJob) else None
    if policy is None or tries >= policy.attempts or run.outcome is Outcome.LOST:
        return None
    if policy.return_codes and run.return_code not in policy.return_codes:
        return None
    return back_off(policy, tries)


def back_off(policy: Retry, tries: int) -> float:
    """Seconds to wait after so many failed attempts."""
    try:
        wait = policy.back_off_seconds * policy.back_off_factor ** (tries - 1)
    except OverflowError:  # after some tries any factor leaves what a float can hold
        wait = policy.max_back_off_seconds
    return min(wait, policy.max_back_off_seconds)


def retry(step: Step, instance: InstanceId, index: int) -> None:
    """The back-off of a failed job is over: it runs again where it ran before."""
    machine = step.machine(instance)
    if machine is None or machine.copies[index].retry_at is None:
        return
    run = machine.copies[index].run
    home = step.state.runs[run].copy if run is not None else index
    for other in machine.graph.copies[index].stands_for:
        machine.put(step, other, replace(machine.copies[other], retry_at=None))
    machine.initiate(step, home, machine.copies[home].cause)


def _repeat(step: Step, machine: ContextMachine, index: int) -> None:
    """Start what was remembered while a repeatable job was busy."""
    for other in machine.graph.copies[index].stands_for:
        record = machine.copies[other]
        if record.again and record.retry_at is None:
            machine.put(step, other, replace(record, again=record.again - 1))
            machine.initiate(step, other, record.cause)
            return


def release(step: Step, owner: Owner) -> None:
    """The owner holds and waits no more; whoever may go now is handed to its agent.

    A job whose window is over lets the next one go instead (S2): its instance's, which is just about to end, or a context's own,
    for whose next opening it waits.
    """
    _go(step, step.state.locks.release(owner))


def _go(step: Step, owners: list[Owner]) -> None:
    for granted in owners:
        machine, closes = step.machine(granted.instance), step.state.instances[granted.instance].closes
        if machine is None or (closes is not None and closes <= step.now):
            continue  # its instance ends in this moment, and lets go of all it has
        if machine.shut(machine.graph.copies[granted.copy].context, step.now) is not None:
            _remember(step, machine, granted.copy)
            release(step, granted)
        else:
            hand_over(step, machine, granted.copy, granted.order)


def _remember(step: Step, machine: ContextMachine, index: int) -> None:
    """It has waited for its lock until its context's own window was shut: it is initiated again when that opens."""
    for other in machine.graph.copies[index].stands_for:
        if machine.copies[other].stage is Stage.QUEUED:
            pending = other == index
            facts = {"queued": 0, "queued_at": None, "pending": pending}
            machine.move(step, other, Trigger.RESET, "its context's own window is shut", **facts)


def let_go_of_withdrawn(step: Step) -> None:
    """Take withdrawn jobs out of their queues, all together: none of them may profit from another one's leaving (S2)."""
    withdrawn, step.withdrawn = step.withdrawn, []
    for owner in withdrawn:
        _go(step, [granted for granted in step.state.locks.release(owner) if granted not in withdrawn])


def stop(step: Step, run: RunRecord, reason: str) -> None:
    """Ask the run's agent to end it; one that provably has not started anywhere is over at once."""
    stopped = replace(run, stop=True, stop_reason=reason)
    step.put_run(stopped)
    if placement.withheld(step.state, run):
        end(step, stopped, RunReport(run=run.id, phase=RunPhase.ENDED, reason=reason))
