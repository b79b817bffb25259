"""Own windows of contexts: what follows when they open or shut.

A context inside a plan may have a window of its own (``ownWindow``): outside of it no job of the context, or of those inside it,
is initiated. It is a gate like a context dependency, and what is due meanwhile is remembered in the same way. How a window stands
follows from the time alone (``spells.py``); nothing of it is saved.
"""

from __future__ import annotations

from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.graph import PlanGraph
from dashboard_node.core.spells import spell
from dashboard_node.core.step import Step
from schemas.names import InstanceId


def begin(step: Step, machine: ContextMachine) -> None:
    """An instance opens: its contexts' own windows are looked at from now on."""
    for index in _owners(machine.graph):
        _look(step, machine, index)


def resume(step: Step) -> None:
    """A new life: how every window stands now; what opened meanwhile is let go once all has been heard."""
    for instance in step.state.active():
        machine = step.state.machines[instance.id]
        for index in _owners(machine.graph):
            _look(step, machine, index)
            step.state.timers.set(_timer(instance.id, index), step.now)


def turn(step: Step, instance: InstanceId, index: int) -> None:
    """A context's own window opens or shuts."""
    machine = step.machine(instance)
    closes = step.state.instances[instance].closes if machine is not None else None
    if machine is None or (closes is not None and closes <= step.now):  # nothing more begins in it (S2)
        return
    _look(step, machine, index)
    machine.let_go(step, index)
    step.touch(machine)


def shut_text(machine: ContextMachine, context: int) -> str:
    """That a context is outside its own window, and when that opens."""
    spell = machine.spells.get(context)
    text = f"context {machine.graph.contexts[context].name} is outside its own window"
    if spell is None:
        return text
    return f"{text} until {spell.until:%Y-%m-%d %H:%M:%SZ}" if spell.until is not None else f"{text} for good"


def forget(step: Step, machine: ContextMachine) -> None:
    """The instance has ended: its windows are looked at no more."""
    for index in _owners(machine.graph):
        step.state.timers.set(_timer(machine.instance, index), None)


def _look(step: Step, machine: ContextMachine, index: int) -> None:
    """Take in how a window stands, and look again when that changes; what its jobs show says so."""
    window = machine.graph.contexts[index].own_window
    if window is None:
        return
    found = spell(machine.graph.plan, window, step.now)
    if machine.spells.get(index) != found:
        machine.spells[index] = found
        step.touch_context(machine, index)
    step.state.timers.set(_timer(machine.instance, index), found.until)


def _owners(graph: PlanGraph) -> list[int]:
    return [node.index for node in graph.contexts if node.own_window is not None]


def _timer(instance: InstanceId, index: int) -> tuple[str, ...]:
    return ("window", instance, str(index))
