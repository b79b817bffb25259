"""What would follow? An action tried on a copy of its instance, and what came of it; the instance itself is untouched."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

from dashboard_node.core import settling
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.state import State
from dashboard_node.core.step import Step
from schemas.acted import Foreseen, ForeseenChange, ForeseenStart
from schemas.names import InstanceId, RunId


def preview(step: Step, instance: InstanceId, act: Callable[[Step, ContextMachine], None]) -> Foreseen:
    """What ``act`` would lead to, at once, in the instance. Whatever ``act`` raises is raised.

    Other instances are left out: a global event would reach them as well, and a lock that comes free may go to them.
    """
    trial = Step(_branch(step.state, instance), step.now, cause="preview", user=step.user)
    machine = trial.state.machines[instance]
    act(trial, machine)
    settling.settle(trial)
    return Foreseen(
        changed=tuple(
            ForeseenChange(
                context=row.context,
                job=row.job,
                name=machine.graph.called(row.job),
                before=row.before,
                after=row.after,
            )
            for row in trial.audit
            if row.kind in {"job", "context", "instance"} and row.before != row.after
        ),
        starts=tuple(
            _start(trial, RunId(row.run)) for row in trial.audit if row.kind == "run" and row.after == "assigned"
        ),
    )


def _start(trial: Step, name: RunId) -> ForeseenStart:
    run = trial.state.runs[name]
    graph = trial.state.machines[run.instance].graph
    copy = graph.copies[run.copy]
    return ForeseenStart(run=name, context=graph.context_of(run.copy).name, job=copy.id, name=copy.called)


def _branch(state: State, instance: InstanceId) -> State:
    """A state with this one instance, which can be changed without changing the other; what never changes is shared."""
    branch = State(state.retention)
    record, machine = state.instances[instance], state.machines[instance]
    branch.plans = dict(state.plans)
    branch.versions = state.versions
    branch.put_instance(record)
    branch.machines[instance] = ContextMachine(
        instance, machine.graph, machine.copies, machine.contexts, clocks_disabled=machine.clocks_disabled
    )
    branch.machines[instance].spells = dict(machine.spells)
    for run in state.runs_of(instance):
        branch.put_run(state.runs[run])
    branch.locks = deepcopy(state.locks)
    branch.order = state.order
    return branch
