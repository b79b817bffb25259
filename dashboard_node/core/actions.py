"""What a person may do to a job: each action has its full effect, or is refused with the reason and has none.

Actions work on a machine and a job copy. What follows (dependents, locks, contexts) is settled by the caller. In an instance that
is only prepared they are wishes: what follows from them is decided when it opens.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from dashboard_node.core import own_windows, runs
from dashboard_node.core.context_machine import PERSON, ContextMachine, Initiation
from dashboard_node.core.graph import Copy
from dashboard_node.core.instances import has_upstream
from dashboard_node.core.lifecycle import FAILED, Stage, Trigger
from dashboard_node.core.locks import Owner
from dashboard_node.core.step import Step
from schemas.names import RunId
from schemas.requests import Act, Action
from schemas.status import JobKind, JobStatus


class RefusedError(Exception):
    """The action may not be done now; the message says why, and what to do instead."""

    unknown = False


class UnknownError(RefusedError):
    """It names a job or context that is not there; the message says which is perhaps meant."""

    unknown = True


def act(step: Step, machine: ContextMachine, index: int, asked: Act) -> None:
    """Do the action to one job. Raises RefusedError, and then nothing has changed."""
    _ACTIONS[asked.action](step, machine, machine.graph.copies[index], asked)


def _hold(step: Step, machine: ContextMachine, copy: Copy, _: Act) -> None:
    _wanted(machine, copy, "hold", JobStatus.WAITING)
    _not_handed_over(machine, copy, "hold")
    waiting = machine.copies[copy.index].retry_at is not None
    for other in copy.stands_for:
        if machine.status(other) is JobStatus.WAITING:
            record = machine.copies[other]
            machine.put(step, other, replace(record, held=True, retry_at=None, pending=record.pending or waiting))


def _release(step: Step, machine: ContextMachine, copy: Copy, _: Act) -> None:
    _wanted(machine, copy, "release", JobStatus.ON_HOLD)
    for other in copy.stands_for:
        machine.put(step, other, replace(machine.copies[other], held=False))
    machine.let_go_of(step, copy.stands_for)


def _skip(step: Step, machine: ContextMachine, copy: Copy, _: Act) -> None:
    _wanted(machine, copy, "skip", JobStatus.WAITING)
    _not_handed_over(machine, copy, "skip")
    due = (
        machine.copies[copy.index].retry_at is not None
        or machine.copies[copy.index].pending
        or not has_upstream(machine, copy.index)
    )
    for other in copy.stands_for:
        if machine.status(other) is JobStatus.WAITING:
            machine.put(step, other, replace(machine.copies[other], skipped=True, retry_at=None))
    if machine.prepared:
        return
    if due:
        machine.pass_over(step, copy.index, "skipped")
        return
    for other in copy.stands_for:  # its dependency may hold already
        if machine.copies[other].skipped and machine.holds(machine.graph.copies[other]):
            machine.initiate(step, other, PERSON)
            return


def _unskip(step: Step, machine: ContextMachine, copy: Copy, _: Act) -> None:
    _wanted(machine, copy, "unskip", JobStatus.SKIPPED, JobStatus.SKIPPED_COMPLETE)
    for other in copy.stands_for:
        record = machine.copies[other]
        if machine.status(other) in {JobStatus.SKIPPED, JobStatus.SKIPPED_COMPLETE}:
            fresh = {
                "skipped": False,
                "raised": record.live,
                "redo": _to_redo(machine, other),
                "ended": None,
                "reason": "",
            }
            machine.move(step, other, Trigger.RESET, "unskipped", **fresh)


def _disable(step: Step, machine: ContextMachine, copy: Copy, _: Act) -> None:
    _wanted(machine, copy, "disable", JobStatus.WAITING, JobStatus.ON_HOLD, JobStatus.SKIPPED)
    _not_handed_over(machine, copy, "disable")
    for other in copy.stands_for:
        record = machine.copies[other]
        if record.stage is Stage.WAITING:
            pending = record.pending or record.retry_at is not None
            machine.put(step, other, replace(record, disabled=True, retry_at=None, pending=pending))


def _enable(step: Step, machine: ContextMachine, copy: Copy, _: Act) -> None:
    if machine.clocks_disabled and copy.kind is JobKind.CLOCK:
        _one_by_one(step, machine)
    if not machine.copies[copy.index].disabled:
        raise RefusedError(f"{copy.called} is {machine.status(copy.index)}: only a disabled job can be enabled")
    for other in copy.stands_for:
        if machine.copies[other].disabled:
            machine.put(step, other, replace(machine.copies[other], disabled=False))
    if machine.prepared:
        return
    machine.let_go_of(step, copy.stands_for)
    for other in copy.stands_for:
        same = machine.graph.copies[other]
        if not (machine.copies[other].raised or same.kind.fires) and machine.holds(same):
            machine.initiate(step, other, PERSON)


def _one_by_one(step: Step, machine: ContextMachine) -> None:
    """The clock jobs of the instance are disabled as one: from now on each for itself, so that one of them can be enabled."""
    for clock in machine.graph.copies:
        if clock.kind is JobKind.CLOCK:
            machine.put(step, clock.index, replace(machine.copies[clock.index], disabled=True))
    machine.clocks_disabled = False
    instance = step.state.instances[machine.instance]
    step.put_instance(replace(instance, clocks_disabled=False))


def _submit(step: Step, machine: ContextMachine, copy: Copy, asked: Act) -> None:
    if not (copy.kind is JobKind.CLOCK and machine.clocks_disabled):
        _wanted(machine, copy, "submit", JobStatus.WAITING)
    _not_handed_over(machine, copy, "submit")
    _inside_its_windows(step, machine, copy, "submit")
    _start(step, machine, copy, asked)


def _resubmit(step: Step, machine: ContextMachine, copy: Copy, asked: Act) -> None:
    status = machine.status(copy.index)
    again = status in {JobStatus.WAITING, JobStatus.COMPLETE, *_FAILED_STATUSES}
    if not (again or _passed_by_itself(machine, copy)):
        instead = "; unskip it and submit it" if status is JobStatus.SKIPPED_COMPLETE else ""
        raise RefusedError(f"{copy.called} is {status}: only a job that waits or has ended can be resubmitted{instead}")
    _not_handed_over(machine, copy, "resubmit")
    _inside_its_windows(step, machine, copy, "resubmit")
    _reset(step, machine, copy, asked)
    _start(step, machine, copy, asked)


def _start(step: Step, machine: ContextMachine, copy: Copy, asked: Act) -> None:
    """A person stands in for the dependency; locks are waited for all the same."""
    why = f"submitted by {step.user or 'a person'}"
    if copy.kind is JobKind.GLOBAL:
        machine.raised.append(copy.index)
        step.touch(machine)
        return
    if copy.kind is not JobKind.COMMAND:
        machine.happen(step, copy.index, why)
        return
    for other in copy.stands_for:
        machine.put(step, other, replace(machine.copies[other], raised=True, pending=False, retry_at=None))
    record = replace(machine.copies[copy.index], overrides=dict(asked.parameters), cause=PERSON)
    machine.put(step, copy.index, record)
    machine.initiations.append(Initiation(copy.index, PERSON))


def _reset(step: Step, machine: ContextMachine, copy: Copy, _: Act) -> None:
    if not _passed_by_itself(machine, copy):
        _wanted(machine, copy, "reset", *_RESETTABLE)
    _not_handed_over(machine, copy, "reset")
    step.withdrawn += [
        Owner(machine.copies[i].queued, machine.instance, i) for i in copy.stands_for if machine.copies[i].queued
    ]
    for other in copy.stands_for:
        if machine.status(other) in _RESETTABLE | {JobStatus.SKIPPED_COMPLETE}:
            redo = machine.copies[other].redo or _to_redo(machine, other)
            machine.move(step, other, Trigger.RESET, "reset", **_FRESH, redo=redo)
            _forget_what_it_caused(step, machine, other)


def _passed_by_itself(machine: ContextMachine, copy: Copy) -> bool:
    """It was passed over though nobody skipped it (a blackout, not its day): it has ended, and there is no skip to take back."""
    record = machine.copies[copy.index]
    return record.stage is Stage.PASSED and not record.skipped


def _to_redo(machine: ContextMachine, index: int) -> bool:
    """Whether taking the job back leaves something to be done again."""
    return machine.fulfilled(index)


def _forget_what_it_caused(step: Step, machine: ContextMachine, index: int) -> None:
    """What is remembered of held jobs because of this job's result is taken back, unless their dependency holds all the same."""
    for dependent in machine.graph.copies[index].dependents:
        record = machine.copies[dependent]
        if record.pending and record.cause == index and not machine.holds(machine.graph.copies[dependent]):
            machine.put(step, dependent, replace(record, pending=False, raised=False))


def _kill(step: Step, machine: ContextMachine, copy: Copy, _: Act) -> None:
    record = machine.copies[copy.index]
    run = step.state.runs.get(record.run or RunId("")) if record.live else None
    if run is None:
        raise RefusedError(f"{copy.called} is {machine.status(copy.index)}: there is no run of it to kill")
    if run.stop:
        raise RefusedError(f"{copy.called} is being killed already; {run.agent} has not reported its end yet")
    runs.stop(step, run, f"killed by {step.user or 'a person'}")
    step.note("run", instance=run.instance, run=run.id, job=copy.id, after="kill asked for")


def _acknowledge(step: Step, machine: ContextMachine, copy: Copy, asked: Act) -> None:
    _wanted(machine, copy, "acknowledge", JobStatus.ERROR, JobStatus.KILLED)
    why = " ".join(part for part in (asked.ticket, asked.message) if part)
    for other in copy.stands_for:
        record = machine.copies[other]
        if record.stage in FAILED:
            machine.put(step, other, replace(record, acknowledged=True), why)
            if asked.onward:
                machine.reconsider(step, other)


def _continue(step: Step, machine: ContextMachine, copy: Copy, _: Act) -> None:
    """Ikasan's "initiate downstream": start what depends on a failed job as if it were done; it stays as it is."""
    _wanted(machine, copy, "continue after", *_FAILED_STATUSES)
    failed = [i for i in copy.stands_for if machine.copies[i].stage in FAILED]
    acknowledged = {i: machine.copies[i].acknowledged for i in failed}
    for other in failed:
        context = machine.graph.context_of(other).name
        step.note("job", instance=machine.instance, context=context, job=copy.id, detail="continued downstream")
        machine.pretend(other, acknowledged=True)
    for other in failed:
        machine.follow(step, other)
    for other in failed:
        machine.pretend(other, acknowledged=acknowledged[other])
    step.touch(machine)


_FRESH: dict[str, object] = {
    "raised": False,
    "pending": False,
    "passing": False,
    "acknowledged": False,
    "tries": 0,
    "again": 0,
    "retry_at": None,
    "queued": 0,
    "queued_at": None,
    "overrides": {},
    "started": None,
    "ended": None,
    "return_code": None,
    "reason": "",
}
_FAILED_STATUSES = frozenset({JobStatus.ERROR, JobStatus.KILLED, JobStatus.ERROR_ACKNOWLEDGED})
_RESETTABLE = frozenset({JobStatus.WAITING, JobStatus.COMPLETE, JobStatus.LOCK_QUEUED, *_FAILED_STATUSES})


def _wanted(machine: ContextMachine, copy: Copy, verb: str, *wanted: JobStatus) -> None:
    status = machine.status(copy.index)
    if status not in wanted:
        raise RefusedError(
            f"{copy.called} is {status}: it can be {_PAST[verb]} only when {_either(wanted)}{_INSTEAD.get((verb, status), '')}"
        )


def _either(statuses: tuple[JobStatus, ...]) -> str:
    return " or ".join(sorted(statuses))


_PAST = {
    "hold": "held",
    "release": "released",
    "skip": "skipped",
    "unskip": "unskipped",
    "disable": "disabled",
    "submit": "submitted",
    "reset": "reset",
    "acknowledge": "acknowledged",
    "continue after": "continued after",
}
_INSTEAD = {
    ("submit", JobStatus.ON_HOLD): "; release it first",
    ("submit", JobStatus.SKIPPED): "; unskip it first",
    ("submit", JobStatus.DISABLED): "; enable it first",
    ("submit", JobStatus.COMPLETE): "; use resubmit",
    ("submit", JobStatus.ERROR): "; use resubmit",
    ("submit", JobStatus.KILLED): "; use resubmit",
    ("reset", JobStatus.RUNNING): "; kill it first",
    ("reset", JobStatus.ON_HOLD): "; release it first",
    ("reset", JobStatus.SKIPPED): "; unskip it instead",
    ("reset", JobStatus.SKIPPED_COMPLETE): "; unskip it instead",
    ("hold", JobStatus.LOCK_QUEUED): "; reset it first",
}


def _not_handed_over(machine: ContextMachine, copy: Copy, verb: str) -> None:
    live = next((machine.copies[i].run for i in copy.stands_for if machine.copies[i].live), None)
    if live is not None:
        raise RefusedError(f"{copy.called} has been handed to {copy.agent} as run {live}: kill it before you {verb} it")


def _inside_its_windows(step: Step, machine: ContextMachine, copy: Copy, verb: str) -> None:
    """A person stands in for dependencies, not for a window (S2)."""
    shut = machine.shut(copy.context, step.now)
    if shut is not None:
        raise RefusedError(f"{own_windows.shut_text(machine, shut)}; {verb} {copy.called} when that is open")


_ACTIONS: dict[Action, Callable[[Step, ContextMachine, Copy, Act], None]] = {
    Action.SUBMIT: _submit,
    Action.RESUBMIT: _resubmit,
    Action.CONTINUE: _continue,
    Action.HOLD: _hold,
    Action.RELEASE: _release,
    Action.SKIP: _skip,
    Action.UNSKIP: _unskip,
    Action.DISABLE: _disable,
    Action.ENABLE: _enable,
    Action.RESET: _reset,
    Action.KILL: _kill,
    Action.ACKNOWLEDGE: _acknowledge,
}
