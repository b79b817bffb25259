"""Each invariant notices what it is there for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from broker.runtime.core import InvariantError
from dashboard_node.core.context_machine import ContextMachine, Initiation
from dashboard_node.core.invariants import RULES, check
from dashboard_node.core.locks import LockId, Owner
from dashboard_node.core.records import ContextRecord
from dashboard_node.core.state import State
from dashboard_node.core.step import Step
from schemas.names import InstanceId, LockName, RunId
from schemas.status import ContextStatus
from tests.scenarios.house import BEGINNING
from tests.scenarios.telling import Telling

Damage = Callable[[State, ContextMachine], None]
SOMEBODY = Owner(99, InstanceId("x"), 0)


def _no_run(_: State, machine: ContextMachine) -> None:
    machine.copies[0] = replace(machine.copies[0], run=None)


def _not_live(_: State, machine: ContextMachine) -> None:
    machine.copies[0] = replace(machine.copies[0], live=False)


def _miscounted(_: State, machine: ContextMachine) -> None:
    machine.roll_up.tallies[0].moved += 1


def _a_context_to_look_at(_: State, machine: ContextMachine) -> None:
    machine.touch(0)


def _a_result_to_follow(state: State, machine: ContextMachine) -> None:
    machine.reconsider(Step(state, BEGINNING, cause="test"), 0)


def _a_run_to_ask_for(_: State, machine: ContextMachine) -> None:
    machine.initiations.append(Initiation(0, 0))


def _an_event_to_raise(_: State, machine: ContextMachine) -> None:
    machine.raised.append(0)


def _wrong_context(state: State, machine: ContextMachine) -> None:
    machine.contexts[0] = ContextRecord(status=ContextStatus.COMPLETE)
    state.instances[machine.instance] = replace(state.instances[machine.instance], status=ContextStatus.COMPLETE)


def _in_no_queue(state: State, _: ContextMachine) -> None:
    lock = state.locks.locks[LockId("", LockName("L"))]
    lock.queue.clear()


def _somebody_holds(state: State, _: ContextMachine) -> None:
    state.locks.locks[LockId("", LockName("L"))].holders[SOMEBODY] = 1


def _two_statuses(state: State, machine: ContextMachine) -> None:
    state.instances[machine.instance] = replace(state.instances[machine.instance], status=ContextStatus.ERROR)


def _not_listed(state: State, machine: ContextMachine) -> None:
    state.standing.forget_instance(state.instances[machine.instance])


def _run_not_listed(state: State, _: ContextMachine) -> None:
    [run] = state.standing.runs
    state.standing.forget_run(state.runs[run])


def _listed_too_long(state: State, _: ContextMachine) -> None:
    state.standing.runs[RunId("over")] = None


@pytest.mark.parametrize(
    ("rule", "damage"),
    [
        ("D1", _no_run),
        ("D2", _not_live),
        ("D3", _miscounted),
        ("D3", _a_context_to_look_at),
        ("D3", _a_result_to_follow),
        ("D3", _a_run_to_ask_for),
        ("D3", _an_event_to_raise),
        ("D3", _wrong_context),
        ("D4", _in_no_queue),
        ("D5", _somebody_holds),
        ("D7", _two_statuses),
        ("D8", _not_listed),
        ("D8", _run_not_listed),
        ("D8", _listed_too_long),
    ],
)
def test_a_broken_rule_is_named(rule: str, damage: Damage) -> None:
    """With its sentence."""
    told = Telling("P[a b]", locks="L{a b}")
    told.tell("S(a) -> init{a}\n submit(b) -> b=Q")
    check(told.core.state)
    damage(told.core.state, told.play.world.machine)

    with pytest.raises(InvariantError, match=f"{rule}: {RULES[rule]}"):
        check(told.core.state)


@pytest.mark.parametrize("locks", ["L{a b}", "L:2{a b}"])
def test_a_lock_beyond_its_capacity_is_noticed(locks: str) -> None:
    """Two where one may be, or one beside an exclusive one."""
    told = Telling("P[a b x]", locks=f"{locks} X!{{x}}")
    told.tell("S(a) -> init{a}\n submit(x) -> x=Q")
    table = told.core.state.locks
    owner = next(iter(table.locks[LockId("", LockName("X"))].queue))
    table._grant(owner)
    machine = told.play.world.machine
    machine.copies[2] = replace(machine.copies[2], queued=0)
    run = next(iter(told.core.state.runs.values()))
    told.core.state.put_run(replace(run, id="other", copy=2, order=owner.order))

    with pytest.raises(InvariantError, match=f"D6: {RULES['D6']}"):
        check(told.core.state)
