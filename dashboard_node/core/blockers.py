"""Why not? For a job that does not run, what keeps it, as data and in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dashboard_node.core import own_windows, placement
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.graph import Copy
from dashboard_node.core.lifecycle import Stage
from dashboard_node.core.locks import Owner
from dashboard_node.core.rules import asked_for, forbidden
from dashboard_node.core.state import State
from schemas.blockers import Blocker, BlockerKind, LockClaim
from schemas.documents import Presence
from schemas.holders import held_by
from schemas.names import LockName, NodeName, group_label
from schemas.plan import ClockJob, OnAgentAway, StartupControl
from schemas.spans import span
from schemas.status import ContextStatus, JobKind, RunPhase

SHOWN = 3
"""How many predecessors, or holders of a lock, are named: a job that waits for a thousand says so with its first few."""


def blockers(
    state: State, machine: ContextMachine, copy: Copy, missing: list[int] | None = None
) -> tuple[Blocker, ...]:
    """What keeps a job from running; empty when nothing does, or when it has run. ``missing``: what ``first_missing`` found.

    Of one that runs: what keeps its end from being known.
    """
    record = machine.copies[copy.index]
    if record.stage is Stage.RUNNING and record.live:
        return tuple(_unreachable(state, machine, copy))
    if record.stage not in {Stage.WAITING, Stage.QUEUED}:
        return ()
    if record.live:
        return tuple(_agent(state, machine, copy))
    if record.stage is Stage.QUEUED:
        return tuple(_locks(state, machine, copy))
    return (*_wanted(machine, copy), *_waiting(state, machine, copy, missing))


def _waiting(state: State, machine: ContextMachine, copy: Copy, missing: list[int] | None) -> Iterator[Blocker]:
    record = machine.copies[copy.index]
    if record.retry_at is not None:
        yield Blocker(kind=BlockerKind.RETRY, text=record.reason, until=record.retry_at)
    elif record.pending:
        yield from _gates(machine, copy)
    elif copy.kind.fires:
        yield _watching(state, machine, copy)
    else:
        yield from _gates(machine, copy)
        yield from _predecessors(machine, copy, missing)


def _wanted(machine: ContextMachine, copy: Copy) -> Iterator[Blocker]:
    record = machine.copies[copy.index]
    if record.disabled or (machine.clocks_disabled and copy.kind is JobKind.CLOCK):
        yield Blocker(kind=BlockerKind.DISABLED, text="disabled; enable it")
    if record.held:
        yield Blocker(kind=BlockerKind.HELD, text="held; release it")


def _locks(state: State, machine: ContextMachine, copy: Copy) -> Iterator[Blocker]:
    """Who holds its locks is said by the first of each queue alone: else a hand-over would have to show all of it again."""
    home = next(index for index in copy.stands_for if machine.copies[index].queued)
    owner, since = Owner(machine.copies[home].queued, machine.instance, home), machine.copies[home].queued_at
    for needed in copy.claims:
        text, holders = f"waits for lock {needed.lock}", tuple[LockClaim, ...]()
        keepers = state.locks.keepers(owner, needed)
        if keepers and not state.locks.holds(keepers[0]):
            text += f" until {claim(state, keepers[0], needed.lock).called} has run, which has to be alone"
        elif keepers is not None:
            holders = tuple(claim(state, keeper, needed.lock) for keeper in keepers[:SHOWN])
            text += held_by(holders, machine.instance, more=len(keepers[SHOWN:]))
        run = (holders[0].run or "") if holders else ""
        yield Blocker(kind=BlockerKind.LOCK, lock=needed.lock, text=text, run=run, holders=holders, since=since)


def claim(state: State, owner: Owner, lock: LockName) -> LockClaim:
    """Who holds a lock, or waits for it."""
    machine = state.machines[owner.instance]
    copy, record = machine.graph.copies[owner.copy], machine.copies[owner.copy]
    run = state.runs[record.run] if record.run is not None and state.locks.holds(owner) else None
    return LockClaim(
        instance=owner.instance,
        context=machine.graph.context_of(owner.copy).name,
        job=copy.id,
        name=copy.called,
        weight=max((needed.weight for needed in copy.claims if needed.lock == lock), default=1),
        run=run.id if run is not None else None,
        since=run.created if run is not None else record.queued_at,
    )


def _agent(state: State, machine: ContextMachine, copy: Copy) -> Iterator[Blocker]:
    run = machine.copies[copy.index].run
    agent = placement.shown_agent(state, machine, copy)
    presence = state.presences.get(agent)
    accepted = run is not None and state.runs[run].phase is RunPhase.ACCEPTED
    if group_label(agent):
        text = placement.absent(state, agent)
    elif state.agent_there(agent):
        keeps = _keeps_waiting(presence)
        text = f"{agent} has it{keeps or ' and will start it'}" if accepted else f"handed to {agent}, not started yet"
    else:
        text = _absence(state, agent)
    until = placement.moves_at(state, state.runs[run]) if run is not None else None
    text += _goes_at(until)
    yield Blocker(kind=BlockerKind.AGENT, agent=agent, run=run or "", text=text, until=until)


def _keeps_waiting(presence: Presence | None) -> str:
    """What keeps an agent that is there from starting what it has."""
    if presence is None:
        return ""
    if presence.condition.draining:
        return ", but drains"
    return ", but its disk is full: it starts nothing until there is space" if presence.condition.disk_full else ""


def _unreachable(state: State, machine: ContextMachine, copy: Copy) -> Iterator[Blocker]:
    """It was started on an agent that is gone: nobody knows how it is until that is back, or its plan gives it up."""
    run = machine.copies[copy.index].run
    agent = placement.shown_agent(state, machine, copy)
    presence = state.presences.get(agent)
    if run is None or presence is None or state.agent_there(agent):
        return
    plan, until = machine.graph.plan, None
    text = f"{agent} is gone: it may run on there, and its end is told when that is back"
    if plan.on_agent_away is OnAgentAway.LOST and plan.agent_away_milliseconds > 0 and agent in state.away:
        until = state.away[agent] + span(milliseconds=plan.agent_away_milliseconds)
        text += f", or it counts as lost at {until:%H:%M:%SZ}"
    yield Blocker(kind=BlockerKind.AGENT, agent=agent, run=run, text=text, until=until)


def _watching(state: State, machine: ContextMachine, copy: Copy) -> Blocker:
    """What a clock or file job waits for. Never of the kind that says a run is with an agent: somebody may submit it."""
    agent = placement.shown_agent(state, machine, copy)
    kind = BlockerKind.CLOCK if copy.kind is JobKind.CLOCK else BlockerKind.FILE
    awaited = "its time" if copy.kind is JobKind.CLOCK else "a file"
    said = state.watching.get(machine.instance, {}).get(copy.id)
    by_hand = isinstance(copy.artefact, ClockJob) and copy.artefact.startup_control_type is StartupControl.MANUAL
    until = None
    if group_label(agent):
        text = placement.absent(state, agent)
    elif not state.agent_there(agent):
        until = placement.taken_over_at(state, machine.instance, copy.agent)
        text = f"{_absence(state, agent)}: nobody looks for {awaited} until it is there, or somebody submits the job"
        text += _goes_at(until)
    elif said is not None and said.left_out:
        text = (
            f"its calendar leaves out this day: {said.left_out}; waits for one that runs, or for somebody to submit it"
        )
    elif said is not None and said.problem:
        text = said.problem
    elif said is not None and said.delayed is not None and said.delayed_until is not None:
        until = said.delayed_until
        text = f"{awaited} came at {said.delayed:%H:%M:%SZ}; a blackout puts it off until {until:%Y-%m-%d %H:%M:%SZ}"
    elif by_hand:
        text = "MANUAL: watches once 'jobplan agent watch' lets it; or submit it"
    else:
        text = f"waits for {awaited}, or for somebody to submit it"
    return Blocker(kind=kind, agent=agent, text=text, until=until)


def _absence(state: State, agent: NodeName) -> str:
    """Since when, a will that was written when it came cannot say."""
    return f"{agent} {'is gone' if agent in state.presences else 'has never been seen'}"


def _goes_at(until: datetime | None) -> str:
    return f"; goes to another one at {until:%H:%M:%SZ}" if until is not None else ""


def _gates(machine: ContextMachine, copy: Copy) -> Iterator[Blocker]:
    for node in machine.graph.ancestry(copy.context):
        if node.own_window is None:
            continue
        spell = machine.spells.get(node.index)
        if spell is None or not spell.open:
            until = spell.until if spell is not None else None
            yield Blocker(kind=BlockerKind.WINDOW, text=own_windows.shut_text(machine, node.index), until=until)
    for node in machine.graph.ancestry(copy.context):
        if node.gate is None or machine.dependencies_hold(node.index):
            continue
        asked = [(needed, "not COMPLETE") for needed in asked_for(node.gate)]
        asked += [(needed, "and this job runs only if it is not") for needed in forbidden(node.gate)]
        for needed, why in dict.fromkeys(asked):
            name, status = machine.graph.contexts[needed].name, machine.contexts[needed].status
            if (status is ContextStatus.COMPLETE) is not (why == "not COMPLETE"):
                yield Blocker(kind=BlockerKind.CONTEXT, text=f"context {name} is {status}, {why}")


def _predecessors(machine: ContextMachine, copy: Copy, missing: list[int] | None) -> Iterator[Blocker]:
    if copy.rule is None:
        yield Blocker(kind=BlockerKind.NOT_TRIGGERED, text=_nothing_before_it(machine, copy))
        return
    if machine.holds(copy):
        text = "its dependency holds, but nothing has happened since that would start it: submit it"
        yield Blocker(kind=BlockerKind.NOT_TRIGGERED, text=text)
        return
    named = first_missing(machine, copy)[0] if missing is None else missing
    for index in named:
        other = machine.graph.copies[index]
        text = f"{other.called} is {machine.status(index)}"
        yield Blocker(kind=BlockerKind.PREDECESSOR, job=other.id, text=text)
    forbidding = _forbidding(machine, copy)
    for index in forbidding:
        other = machine.graph.copies[index]
        text = f"{other.called} is {machine.status(index)}, and this job runs only if it is not"
        yield Blocker(kind=BlockerKind.PREDECESSOR, job=other.id, text=text)
    if not named and not forbidding:
        text = "its dependency names a job that is not in its context: it never holds"
        yield Blocker(kind=BlockerKind.PREDECESSOR, text=text)


def _nothing_before_it(machine: ContextMachine, copy: Copy) -> str:
    if not copy.shadow:
        return "nothing starts it but a person: submit it"
    deciding = [other for other in copy.residences if machine.graph.copies[other].rule is not None]
    return "it is started in " + " or ".join(machine.graph.context_of(other).name for other in deciding)


def first_missing(machine: ContextMachine, copy: Copy, start: int = 0) -> tuple[list[int], int]:
    """The first few copies the rule asks for that are not done, in the order of the plan's text, and where the first one stands.

    ``start`` spares looking again at those known to be done.
    """
    found: list[int] = []
    first = start
    for place in range(start, len(copy.asked)):
        if not machine.fulfilled(copy.asked[place]):
            first = first if found else place
            found.append(copy.asked[place])
            if len(found) == SHOWN:
                break
    return found, first


def _forbidding(machine: ContextMachine, copy: Copy) -> list[int]:
    """The first few copies that are done and should not be, also those of nested groupings."""
    found = [index for index in copy.forbidden if machine.fulfilled(index)]
    return found[:SHOWN]
