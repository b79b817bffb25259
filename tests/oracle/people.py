"""What a person may do to a job, by definition; for the naive evaluator."""

from __future__ import annotations

from collections.abc import Callable

from schemas.status import JobKind
from tests.oracle.evaluator import FAILED, Evaluator, RefusedError
from tests.oracle.grouping import Place

FIRES = {JobKind.CLOCK, JobKind.FILE}


def act(world: Evaluator, action: str, place: Place, *, onward: bool = False) -> None:
    """Do it, or raise RefusedError and change nothing."""
    if world.ended:
        raise RefusedError
    if action == "acknowledge":
        _acknowledge(world, place, onward=onward)
    else:
        _ACTIONS[action](world, place)
    world.settle()


def _only(world: Evaluator, place: Place, *statuses: str) -> None:
    if world.status(place) not in statuses:
        raise RefusedError


def _no_run(world: Evaluator, place: Place) -> None:
    if any(world.jobs[other].live for other in world.text.together(place)):
        raise RefusedError


def _hold(world: Evaluator, place: Place) -> None:
    _only(world, place, "WAITING")
    _no_run(world, place)
    retrying = world.jobs[place].retry_at is not None
    for other in world.text.together(place):
        job = world.jobs[other]
        if world.status(other) == "WAITING":
            job.held, job.retry_at, job.remembered = True, None, job.remembered or retrying


def _release(world: Evaluator, place: Place) -> None:
    _only(world, place, "ON_HOLD")
    for other in world.text.together(place):
        world.jobs[other].held = False
    _go_on(world, place)


def _go_on(world: Evaluator, place: Place) -> None:
    """What was remembered goes on, unless a person still keeps it."""
    for other in world.text.together(place):
        job = world.jobs[other]
        if job.remembered and not (job.held or job.disabled):
            world._initiate(other, job.cause)


def _skip(world: Evaluator, place: Place) -> None:
    _only(world, place, "WAITING")
    _no_run(world, place)
    job, together = world.jobs[place], world.text.together(place)
    at_once = job.retry_at is not None or job.remembered or not world._has_something_before_it(place)
    for other in together:
        if world.status(other) == "WAITING":
            world.jobs[other].skipped, world.jobs[other].retry_at = True, None
    if at_once:
        world._pass(place)
        return
    for other in together:
        if world.jobs[other].skipped and world.due(other):
            world._initiate(other, None)
            return


def _unskip(world: Evaluator, place: Place) -> None:
    _only(world, place, "SKIPPED", "SKIPPED_COMPLETE")
    for other in world.text.together(place):
        if world.status(other) in {"SKIPPED", "SKIPPED_COMPLETE"}:
            job = world.jobs[other]
            job.redo = world.fulfils(other)
            job.stands, job.skipped, job.raised = "WAITING", False, job.live


def _disable(world: Evaluator, place: Place) -> None:
    _only(world, place, "WAITING", "ON_HOLD", "SKIPPED")
    _no_run(world, place)
    for other in world.text.together(place):
        job = world.jobs[other]
        if job.stands == "WAITING":
            job.disabled, job.remembered, job.retry_at = True, job.remembered or job.retry_at is not None, None


def _enable(world: Evaluator, place: Place) -> None:
    if not world.jobs[place].disabled:
        raise RefusedError
    together = world.text.together(place)
    for other in together:
        world.jobs[other].disabled = False
    _go_on(world, place)
    for other in together:
        job = world.jobs[other]
        idle = job.stands == "WAITING" and not job.raised and not job.live
        if idle and world.text.kind(other) not in FIRES and world.due(other):
            world._initiate(other, None)


def _submit(world: Evaluator, place: Place) -> None:
    _only(world, place, "WAITING")
    _no_run(world, place)
    _start(world, place)


def _start(world: Evaluator, place: Place) -> None:
    kind = world.text.kind(place)
    if kind is JobKind.GLOBAL:
        world.jobs[place].raised = True
        world._broadcasts.append(place)
    elif kind is not JobKind.COMMAND:
        world.happen(place)
    else:
        for other in world.text.together(place):
            world.jobs[other].raised, world.jobs[other].remembered, world.jobs[other].retry_at = True, False, None
        world.jobs[place].cause = None
        world._asks.append(place)


_ENDED_SOMEHOW = ("COMPLETE", "ERROR", "KILLED", "ERROR_ACKNOWLEDGED")


def _resubmit(world: Evaluator, place: Place) -> None:
    if not _passed_by_itself(world, place):
        _only(world, place, "WAITING", *_ENDED_SOMEHOW)
    _reset(world, place)
    _start(world, place)


def _reset(world: Evaluator, place: Place) -> None:
    resettable = {"WAITING", "LOCK_QUEUED", *_ENDED_SOMEHOW}
    if not _passed_by_itself(world, place):
        _only(world, place, *resettable)
    _no_run(world, place)
    together = world.text.together(place)
    for other in together:
        if world.status(other) in resettable | {"SKIPPED_COMPLETE"}:
            job = world.jobs[other]
            job.redo = job.redo or world.fulfils(other)
            job.stands, job.raised, job.remembered, job.cause = "WAITING", False, False, None
            job.acknowledged, job.tries, job.again, job.retry_at = False, 0, 0, None
            _forget(world, other)
    for other in together:
        world._free(other)


def _passed_by_itself(world: Evaluator, place: Place) -> bool:
    """A blackout let it pass, or it was not its day: nobody skipped it."""
    return world.status(place) == "SKIPPED_COMPLETE" and not world.jobs[place].skipped


def _forget(world: Evaluator, place: Place) -> None:
    """What is only remembered because of this job is not, any more."""
    for follower in world.text.followers[place]:
        job = world.jobs[follower]
        if job.remembered and job.cause == place and not world.due(follower):
            job.remembered, job.raised = False, False


def _kill(world: Evaluator, place: Place) -> None:
    job = world.jobs[place]
    if not job.live or job.run is None or job.run in world.stopped:
        raise RefusedError
    world.stopped.add(job.run)


def _acknowledge(world: Evaluator, place: Place, *, onward: bool) -> None:
    _only(world, place, "ERROR", "KILLED")
    for other in world.text.together(place):
        if world.jobs[other].stands in FAILED:
            world.jobs[other].acknowledged = True
            if onward:
                world._results.append(other)


def _continue(world: Evaluator, place: Place) -> None:
    _only(world, place, "ERROR", "KILLED", "ERROR_ACKNOWLEDGED")
    failed = [other for other in world.text.together(place) if world.jobs[other].stands in FAILED]
    before = {other: world.jobs[other].acknowledged for other in failed}
    for other in failed:
        world.jobs[other].acknowledged = True
    for other in failed:
        world.follow(other)
    for other in failed:
        world.jobs[other].acknowledged = before[other]


_ACTIONS: dict[str, Callable[[Evaluator, Place], None]] = {
    "hold": _hold,
    "release": _release,
    "skip": _skip,
    "unskip": _unskip,
    "disable": _disable,
    "enable": _enable,
    "submit": _submit,
    "resubmit": _resubmit,
    "reset": _reset,
    "kill": _kill,
    "continue": _continue,
}
