"""What must always be true of the state; a node that finds it is not stops rather than go on.

Each rule has a name, which appears in the message and in the tests.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from broker.runtime.core import InvariantError
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.lifecycle import Stage, context_status
from dashboard_node.core.locks import LockTable, Owner
from dashboard_node.core.records import InstanceRecord
from dashboard_node.core.roll_up import recount
from dashboard_node.core.state import ACTIVE, State
from schemas.status import ContextStatus, RunPhase

RULES = {
    "D1": "a job copy that is live has a run that has not ended, and that run is this job's newest",
    "D2": "a job that is RUNNING has a live run",
    "D3": "a context stands as its table says: the counts are what a recount gives, and nothing is left to settle",
    "D4": "a job that is queued for a lock is in the lock's queue, and nobody is there who is not",
    "D5": "who holds a lock has a run that has not ended, of an instance that has not ended",
    "D6": "nobody is let in to a lock beyond its capacity, unless alone, nor beside who holds an exclusive one",
    "D7": "an instance's own status is its outermost context's",
    "D8": "what has not ended, and nothing else, is listed by plan and by agent",
}

_RUNNING: Final = Stage.RUNNING
_ENDED: Final = RunPhase.ENDED
"""Looked up once, not for each job."""


def check(state: State) -> None:
    """Raise InvariantError naming the rule and the culprit."""
    deque(parts(state), maxlen=0)


def parts(state: State) -> Iterator[int]:
    """The same, one instance at a time, and last what is kept of all together: each time how many jobs were looked at.

    Events may come in between: each part is looked at as it is when its turn comes.
    """
    for name in list(state.instances):
        instance = state.instances.get(name)
        if instance is not None:
            yield _check_instance(state, instance)
    check_standing(state)
    check_locks(state)


def _check_instance(state: State, instance: InstanceRecord) -> int:
    machine = state.machines[instance.id]
    if instance.status is not machine.contexts[0].status:
        raise _broken("D7", instance.id)
    if instance.status in ACTIVE:
        check_machine(state, machine)
    return len(machine.copies)


def check_machine(state: State, machine: ContextMachine) -> None:
    """The rules of one instance."""
    for copy, record in zip(machine.graph.copies, machine.copies, strict=True):
        if record.live:
            run = state.runs.get(record.run) if record.run is not None else None
            if run is None or run.phase is _ENDED:
                raise _broken("D1", f"{machine.instance} {copy.id}")
        elif record.stage is _RUNNING:
            raise _broken("D2", f"{machine.instance} {copy.id}")
    shares = [machine.share_of(copy) for copy in machine.graph.copies]
    tallies = recount(machine.graph, shares, machine.contexts)
    for node in machine.graph.contexts:
        status = machine.contexts[node.index].status
        final = status in {ContextStatus.ENDED, ContextStatus.PREPARED}
        if tallies[node.index] != machine.roll_up.tallies[node.index]:
            raise _broken("D3", f"{machine.instance} {node.name}: counted {machine.roll_up.tallies[node.index]}")
        if machine.unsettled or (not final and context_status(tallies[node.index]) is not status):
            raise _broken("D3", f"{machine.instance} {node.name} is {status}")


def check_locks(state: State) -> None:
    """The rules of the lock table, against the runs and jobs it is derived from."""
    queued: set[Owner] = set()
    holding: set[Owner] = set()
    for instance in state.standing.instances:
        machine = state.machines[instance]
        for index in machine.graph.claiming:
            if machine.copies[index].queued:
                queued.add(Owner(machine.copies[index].queued, instance, index))
        for run in state.live_runs(instance):
            if machine.graph.copies[run.copy].claims:
                holding.add(Owner(run.order, instance, run.copy))
    table = state.locks
    _same("D4", queued, {owner for lock in table.locks.values() for owner in lock.queue})
    _same("D5", holding, {owner for lock in table.locks.values() for owner in lock.holders})
    _within_capacity(table)


def check_standing(state: State) -> None:
    """The lists of what has not ended, against the records."""
    instances = [one for one in state.instances.values() if one.status is not ContextStatus.ENDED]
    runs = [state.runs[run] for live in state.live.values() for run in live]
    for instance in instances:
        if not state.standing.lists_instance(instance):
            raise _broken("D8", instance.id)
    for run in runs:
        if not state.standing.lists_run(run):
            raise _broken("D8", run.id)
    if state.standing.sizes != (len(instances), len(instances), len(runs), len(runs)):
        raise _broken("D8", f"{state.standing.sizes} listed")


def _within_capacity(table: LockTable) -> None:
    """Too many may have been found to hold a lock (`LockTable.found`); then nobody else may be among them."""
    alone: dict[str, set[Owner]] = {}
    holding: dict[str, set[Owner]] = {}
    for name, lock in table.locks.items():
        claims = [(owner, claim) for owner in lock.holders for claim in table.claims(owner) if claim.lock == name.lock]
        holding.setdefault(name.group, set()).update(lock.holders)
        alone.setdefault(name.group, set()).update(owner for owner, claim in claims if claim.exclusive)
        most = max((claim.capacity for _, claim in claims), default=0)  # a newer plan version may know a smaller one
        crowded = len(lock.holders) > 1 and sum(lock.holders.values()) > most
        if crowded and not lock.holders.keys() <= table.found:
            raise _broken("D6", f"{name.lock} held by {sorted(lock.holders)}")
    for group, owners in alone.items():
        if owners and len(holding[group]) > 1 and not holding[group] <= table.found:
            raise _broken("D6", f"{sorted(owners)} and others hold locks")


def _same(rule: str, wanted: set[Owner], found: set[Owner]) -> None:
    if wanted != found:
        raise _broken(rule, ", ".join(str(owner) for owner in sorted(wanted ^ found)))


def _broken(rule: str, culprit: str) -> InvariantError:
    return InvariantError(f"{rule}: {RULES[rule]}; not so: {culprit}")
