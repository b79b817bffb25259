"""What people ask: each request is decided once, saved with its answer, and answered again when it is asked again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from broker.runtime.core import Reply, Requested
from dashboard_node.core import (
    actions,
    calendars,
    instances,
    naming,
    notifying,
    plans,
    previewing,
    reading,
    settling,
    users,
    windows,
)
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.graph import PlanGraph
from dashboard_node.core.records import AnswerRecord
from dashboard_node.core.state import ACTIVE
from dashboard_node.core.step import Step
from schemas.acted import Acted, ActedOn, Foreseen
from schemas.names import InstanceId, job_id
from schemas.near import unknown
from schemas.plan import Context
from schemas.requests import (
    Act,
    Action,
    Answer,
    Change,
    DashboardRequest,
    DeleteCalendar,
    DeletePlan,
    EnablePlan,
    EndInstance,
    EventRaised,
    GrantRole,
    ImportCalendar,
    ImportPlan,
    InstanceStarted,
    MoveEnd,
    MuteNotifications,
    PrepareInstance,
    Query,
    RaiseEvent,
    ResetInstance,
    RevokeRole,
    SetParameters,
    StartInstance,
    TestNotification,
    UnmuteNotifications,
)
from schemas.rights import refusal
from schemas.status import ContextStatus, JobKind

KEPT = timedelta(hours=24)
"""How long an answer is remembered: a tool that asks again within this time gets the same one."""

_BEFORE_OPENING = {Action.HOLD, Action.RELEASE, Action.SKIP, Action.UNSKIP, Action.DISABLE, Action.ENABLE}
"""What may be done to jobs of an instance that is only prepared."""

_decoder = msgspec.json.Decoder(DashboardRequest)


def asked(step: Step, event: Requested) -> None:
    """Decide a request, unless it has been decided before; either way it is answered. What only looks is not remembered."""
    known = step.state.answers.get((event.user, event.request))
    if known is not None:
        step.effects.append(Reply(event.user, event.request, known.answer))
        return
    try:
        request = _decoder.decode(event.body)
    except msgspec.MsgspecError as error:
        answer = Answer(ok=False, reason=f"not a request this dashboard understands: {error}")
    else:
        denied = refusal(step.state.granted, event.user, request)
        if isinstance(request, Query):
            _looked_up(step, event, request, denied)
            return
        answer = _refused(step, request, denied) or _decide(step, event, request)
    if not answer.ok:
        step.note("request", before=event.request, after="refused", detail=answer.reason)
    step.put_answer(AnswerRecord(user=event.user, request=event.request, answer=answer, at=step.now))
    step.state.timers.set(("answer", event.user, event.request), step.now + KEPT)
    step.effects.append(Reply(event.user, event.request, answer))


def _refused(step: Step, request: Change, denied: str) -> Answer | None:
    """Why a change cannot even be decided: nobody gave the right to it, or what it names is not there."""
    return Answer(ok=False, reason=denied) if denied else naming.stranger(step.state, request)


def _looked_up(step: Step, event: Requested, query: Query, denied: str) -> None:
    """Answer a question, or say why not."""
    if not denied:
        reading.look_up(step, event, query)
        return
    step.note("request", before=event.request, after="refused", detail=denied)
    step.effects.append(Reply(event.user, event.request, Answer(ok=False, reason=denied)))


def _decide(step: Step, event: Requested, request: Change) -> Answer:  # noqa: C901, PLR0911, PLR0912  # one branch a request
    match request:
        case ImportPlan():
            return plans.import_plan(step, request)
        case EnablePlan():
            return plans.enable(step, request)
        case DeletePlan():
            return plans.delete(step, request)
        case PrepareInstance():
            return _prepare(step, request)
        case MoveEnd() | SetParameters():
            return _change(step, request)
        case StartInstance():
            return _start(step, event, request)
        case EndInstance():
            return _end(step, request)
        case ResetInstance():
            return _reset(step, event, request)
        case Act():
            return _act(step, request)
        case MuteNotifications() | UnmuteNotifications() | TestNotification():
            return notifying.asked(step, event.request, request)
        case ImportCalendar():
            return calendars.import_calendar(step, request)
        case DeleteCalendar():
            return calendars.delete_calendar(step, request)
        case GrantRole():
            return users.grant(step, request)
        case RevokeRole():
            return users.revoke(step, request)
        case RaiseEvent():
            return _raise(step, request)


def _raise(step: Step, request: RaiseEvent) -> Answer:
    """In every running instance that has the event; of a name that no plan knows it is said so."""
    event, state = job_id("GLOBAL_EVENT", request.event), step.state
    running = [state.machines[instance.id].graph for instance in state.active()]
    if not any(event in graph.residences for graph in running):  # a plan that does not run is not compiled for this
        plans = [state.versions[name, record.version].source.plan for name, record in state.plans.items()]
        known = sorted({name for plan in (*plans, *(graph.plan for graph in running)) for name in _events(plan)})
        if request.event not in known:
            return naming.no_such("global event", request.event, known)
    reached = settling.broadcast(step, event, "raised by a person", group=None)
    step.note("request", detail=f"global event {request.event} raised in {reached} instances")
    return _done(EventRaised(instances=reached))


def _events(context: Context) -> Iterator[str]:
    """The global events of a plan, or of a context in it."""
    yield from (job.job_name for job in context.scheduled_jobs if job.kind is JobKind.GLOBAL)
    for inside in context.contexts:
        yield from _events(inside)


def _undeclared(graph: PlanGraph, values: Iterable[str]) -> Answer | None:
    """The answer to a parameter that neither the plan nor a job of it declares: no run would ever get it."""
    known = sorted(graph.parameters)
    strange = next((name for name in sorted(values) if name not in known), None)
    return None if strange is None else naming.no_such("parameter", strange, known, of=f" of plan '{graph.plan.name}'")


def _start(step: Step, event: Requested, request: StartInstance) -> Answer:
    undeclared = _undeclared(step.state.newest(request.plan), request.parameters)
    if undeclared is not None:
        return undeclared
    try:
        instance = windows.start_by_hand(step, request.plan, event.request, request.parameters)
    except windows.NotStartedError as error:
        return Answer(ok=False, reason=str(error))
    return _done(InstanceStarted(instance=instance.id))


def _prepare(step: Step, request: PrepareInstance) -> Answer:
    try:
        instance = windows.prepare(step, request.plan)
    except windows.NotStartedError as error:
        return Answer(ok=False, reason=str(error))
    return _done(InstanceStarted(instance=instance.id))


def _change(step: Step, request: MoveEnd | SetParameters) -> Answer:
    """Change an instance that is there, or will be."""
    instance = step.state.instances[request.instance]
    if instance.status is ContextStatus.ENDED:
        return _too_late(step, request.instance)
    if isinstance(request, SetParameters):
        undeclared = _undeclared(step.state.graph(instance.plan, instance.version), request.values)
        if undeclared is not None:
            return undeclared
        instances.set_parameters(step, instance, request.values)
    elif request.closes is not None and request.closes <= step.now:
        return Answer(ok=False, reason=f"{request.closes.isoformat()} has passed; to end it now, end it")
    else:
        instances.move_end(step, instance, request.closes)
    return _done({})


def _end(step: Step, request: EndInstance) -> Answer:
    instance = step.state.instances[request.instance]
    if instance.status not in ACTIVE:
        return _too_late(step, request.instance)
    instances.end_instance(step, instance, f"ended by {step.user or 'a person'}")
    return _done({})


def _reset(step: Step, event: Requested, request: ResetInstance) -> Answer:
    instance = step.state.instances[request.instance]
    if instance.status not in ACTIVE:
        return _too_late(step, request.instance)
    try:
        fresh = windows.reset_instance(step, instance, event.request, held=request.held)
    except windows.NotStartedError as error:
        return Answer(ok=False, reason=str(error))
    return _done(InstanceStarted(instance=fresh.id))


def _act(step: Step, request: Act) -> Answer:
    machine = step.machine(request.instance, prepared=request.action in _BEFORE_OPENING)
    if machine is None:
        return _too_late(step, request.instance)
    try:
        wanted = find(machine, request.job, request.context)
        if request.preview:
            return _done(_foreseen(step, machine, wanted, request))
        acted = _each(step, machine, wanted, request)
    except actions.RefusedError as error:
        return Answer(ok=False, reason=str(error), unknown=error.unknown)
    return _done(acted)


def _foreseen(step: Step, machine: ContextMachine, wanted: list[int], request: Act) -> Foreseen:
    def trying(trial: Step, copy: ContextMachine) -> None:
        _each(trial, copy, wanted, request)

    return previewing.preview(step, machine.instance, trying)


def _each(step: Step, machine: ContextMachine, wanted: Iterable[int], request: Act) -> Acted:
    """One job, or all of a context or instance: then those that cannot are left out, and said."""
    done: list[ActedOn] = []
    refused: list[ActedOn] = []
    for index in wanted:
        copy = machine.graph.copies[index]
        job = ActedOn(context=machine.graph.context_of(index).name, job=copy.id, name=copy.called)
        try:
            actions.act(step, machine, index, request)
        except actions.RefusedError as error:
            if request.job:
                raise
            refused.append(replace(job, reason=str(error)))
        else:
            done.append(job)
    if not done:
        raise actions.RefusedError(f"there is no job here that you could {request.action}")
    return Acted(done=tuple(done), refused=tuple(refused))


def find(machine: ContextMachine, job: str, context: str) -> list[int]:
    """The copies an action is meant for. Raises RefusedError for unknown and for ambiguous names.

    Without a context, a job that sits in several is taken where its dependency is; a name that several agents have is ambiguous.
    """
    graph, of = machine.graph, f" of {machine.instance}"
    if context and context not in {node.name for node in graph.contexts}:
        raise actions.UnknownError(unknown("context", context, [node.name for node in graph.contexts], of=of))
    inside = [copy for copy in graph.copies if not context or graph.context_of(copy.index).name == context]
    found = [copy for copy in inside if not job or job in {copy.id, copy.name}]
    if job and not found:
        where = f" in context '{context}'" if context else ""
        raise actions.UnknownError(unknown("job", job, [copy.called for copy in inside], of=of + where))
    if not job:
        return _once_each([copy.index for copy in found], machine)
    if len({copy.id for copy in found}) > 1:
        raise actions.RefusedError(
            f"'{job}' is ambiguous: {', '.join(sorted({copy.id for copy in found}))}; use the identifier"
        )
    if len(found) > 1 and len(found[0].stands_for) == 1:
        places = ", ".join(graph.context_of(copy.index).name for copy in found)
        raise actions.RefusedError(f"'{job}' runs by itself in each of {places}: say in which context")
    home = next((copy for copy in found if not copy.shadow), found[0])
    return [home.index]


def _once_each(wanted: list[int], machine: ContextMachine) -> list[int]:
    """Of copies that one action covers together, only the first."""
    seen: set[int] = set()
    chosen: list[int] = []
    for index in wanted:
        if index not in seen:
            chosen.append(index)
            seen.update(machine.graph.copies[index].stands_for)
    return chosen


def _too_late(step: Step, name: InstanceId) -> Answer:
    status = step.state.instances[name].status
    return Answer(ok=False, reason=f"{name} is {status}: nothing can be done to it any more")


def _done(data: object) -> Answer:
    return Answer(ok=True, data=Raw(msgspec.json.encode(data)))
