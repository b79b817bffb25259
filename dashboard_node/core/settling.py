"""What follows from an event, across all instances: machines settle, runs are asked for, global events are heard by everybody."""

from __future__ import annotations

from dashboard_node.core import instances, runs
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.step import Step
from schemas.names import JobId


def settle(step: Step) -> None:
    """Work off everything until nothing moves.

    That ends: what an instance does by itself is bounded by its machine, and it raises each of its global events once.
    """
    runs.let_go_of_withdrawn(step)
    while step.unsettled:
        while step.known_already:
            runs.reported(step, step.state.reported[step.known_already.pop()][1])
        instance = next(iter(step.unsettled))
        del step.unsettled[instance]
        machine = step.machine(instance)
        if machine is None:
            continue
        machine.settle(step)
        _start(step, machine)
        _raise(step, machine)
        if not machine.unsettled:  # else how its contexts stand is known once all that was due has been asked for
            instances.follow_root(step, machine)


def _start(step: Step, machine: ContextMachine) -> None:
    initiations, machine.initiations = machine.initiations, []
    for initiation in initiations:
        runs.ask(step, machine, initiation.copy)


def _raise(step: Step, machine: ContextMachine) -> None:
    raised, machine.raised = machine.raised, []
    for index in raised:
        group = machine.graph.plan.environment_group
        broadcast(step, machine.graph.copies[index].id, f"raised by {machine.instance}", group=group)


def broadcast(step: Step, event: JobId, why: str, *, group: str | None) -> int:
    """A global event happens in every running instance that has it (of one environment group, or None: of all); how many."""
    reached = 0
    for instance in step.state.active():
        machine = step.state.machines[instance.id]
        residences = machine.graph.residences.get(event, ())
        if not residences or group not in {None, machine.graph.plan.environment_group}:
            continue
        machine.happen(step, residences[0], why)
        reached += 1
    return reached
