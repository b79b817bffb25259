"""Why not? For a job that does not run, what keeps it, as data and in words."""

from __future__ import annotations

from collections.abc import Iterator

from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.graph import Copy
from dashboard_node.core.lifecycle import Stage
from dashboard_node.core.rules import Rule, mentioned
from dashboard_node.core.state import State
from schemas.documents import Blocker, BlockerKind
from schemas.status import ContextStatus, JobKind, RunPhase

SHOWN = 3
"""How many predecessors are named: a job that waits for a thousand says so with its first few."""


def blockers(
    state: State, machine: ContextMachine, copy: Copy, missing: list[int] | None = None
) -> tuple[Blocker, ...]:
    """What keeps a job from running; empty when nothing does, or when it has run. ``missing``: what ``first_missing`` found."""
    record = machine.copies[copy.index]
    if record.stage not in {Stage.WAITING, Stage.QUEUED}:
        return ()
    if record.live:
        return tuple(_agent(state, machine, copy))
    if record.stage is Stage.QUEUED:
        return tuple(_locks(machine, copy))
    return (*_wanted(machine, copy), *_waiting(machine, copy, missing))


def _waiting(machine: ContextMachine, copy: Copy, missing: list[int] | None) -> Iterator[Blocker]:
    record = machine.copies[copy.index]
    if record.retry_at is not None:
        yield Blocker(kind=BlockerKind.RETRY, text=record.reason, until=record.retry_at)
    elif record.pending:
        yield from _gates(machine, copy)
    elif copy.kind.fires:
        yield _watching(copy)
    else:
        yield from _gates(machine, copy)
        yield from _predecessors(machine, copy, missing)


def _wanted(machine: ContextMachine, copy: Copy) -> Iterator[Blocker]:
    record = machine.copies[copy.index]
    if record.disabled or (machine.clocks_disabled and copy.kind is JobKind.CLOCK):
        yield Blocker(kind=BlockerKind.DISABLED, text="disabled; enable it")
    if record.held:
        yield Blocker(kind=BlockerKind.HELD, text="held; release it")


def _locks(machine: ContextMachine, copy: Copy) -> Iterator[Blocker]:
    since = next((machine.copies[i].queued_at for i in copy.stands_for if machine.copies[i].queued_at), None)
    for claim in copy.claims:
        yield Blocker(kind=BlockerKind.LOCK, lock=claim.lock, text=f"waits for lock {claim.lock}", since=since)


def _agent(state: State, machine: ContextMachine, copy: Copy) -> Iterator[Blocker]:
    run = machine.copies[copy.index].run
    presence = state.presences.get(copy.agent)
    accepted = run is not None and state.runs[run].phase is RunPhase.ACCEPTED
    since = None
    if state.agent_there(copy.agent):
        text = f"{copy.agent} has it and will start it" if accepted else f"handed to {copy.agent}, not started yet"
    elif presence is None:
        text = f"{copy.agent} has never been seen"
    else:
        since = presence.since
        text = f"{copy.agent} is gone since {since:%Y-%m-%d %H:%M:%SZ}"
    yield Blocker(kind=BlockerKind.AGENT, agent=copy.agent, run=run or "", text=text, since=since)


def _watching(copy: Copy) -> Blocker:
    if copy.kind is JobKind.CLOCK:
        return Blocker(
            kind=BlockerKind.CLOCK, agent=copy.agent, text="waits for its time, or for somebody to submit it"
        )
    return Blocker(kind=BlockerKind.FILE, agent=copy.agent, text="waits for a file, or for somebody to submit it")


def _gates(machine: ContextMachine, copy: Copy) -> Iterator[Blocker]:
    for node in machine.graph.ancestry(copy.context):
        for needed in dict.fromkeys(mentioned(node.gate) if node.gate is not None else ()):
            context = machine.graph.contexts[needed]
            status = machine.contexts[needed].status
            if status is not ContextStatus.COMPLETE and not machine.gate_open(node.index):
                yield Blocker(kind=BlockerKind.CONTEXT, text=f"context {context.name} is {status}, not COMPLETE")


def _predecessors(machine: ContextMachine, copy: Copy, missing: list[int] | None) -> Iterator[Blocker]:
    homes = [i for i in copy.stands_for if machine.graph.copies[i].rule is not None]
    if copy.rule is None and homes:
        names = " or ".join(machine.graph.context_of(index).name for index in homes)
        yield Blocker(kind=BlockerKind.CONTEXT, text=f"is started in context {names}")
        return
    if copy.rule is None:
        yield Blocker(kind=BlockerKind.NOT_TRIGGERED, text="nothing starts it but a person: submit it")
        return
    if machine.holds(copy):
        text = "its dependency holds, but nothing has happened since that would start it: submit it"
        yield Blocker(kind=BlockerKind.NOT_TRIGGERED, text=text)
        return
    for index in first_missing(machine, copy)[0] if missing is None else missing:
        other = machine.graph.copies[index]
        text = f"{other.name} is {machine.status(index)}"
        yield Blocker(kind=BlockerKind.PREDECESSOR, job=other.id, text=text)
    for index in _forbidding(machine, copy.rule):
        other = machine.graph.copies[index]
        text = f"{other.name} is {machine.status(index)}, and this job runs only if it is not"
        yield Blocker(kind=BlockerKind.PREDECESSOR, job=other.id, text=text)


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


def _forbidding(machine: ContextMachine, rule: Rule) -> list[int]:
    return [term for term in rule.none if isinstance(term, int) and term >= 0 and machine.fulfilled(term)][:SHOWN]
