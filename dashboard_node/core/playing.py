"""The rest of an instance, played forward by how long its jobs took before: when each copy starts and ends, and what made it due.

Only results move a play on, as in the context machine, whose rules it uses; locks, retries to come and busy agents are left out
of account. It changes nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Final

from dashboard_node.core import history
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.forecasting import next_fire_of
from dashboard_node.core.graph import ContextNode, Copy, PlanGraph
from dashboard_node.core.instances import has_upstream
from dashboard_node.core.lifecycle import Stage
from dashboard_node.core.records import CopyRecord, InstanceRecord
from dashboard_node.core.rules import satisfied
from dashboard_node.core.spells import Spell, spell
from dashboard_node.core.state import State
from schemas.plan import ClockJob
from schemas.status import JobKind

NOTHING: Final = -1
"""No copy made another one due: it was due by itself."""
_ALWAYS: Final = Spell(open=True, until=None)
_FARTHEST: Final = timedelta(days=400)
"""How far an instance without an end is played."""


class Past:
    """What is known of an instance's jobs: how long they took before, how far they are, and when they are due by themselves."""

    def __init__(self, state: State, instance: InstanceRecord, now: datetime) -> None:
        self._state = state
        self._instance = instance
        self.now = max(now, instance.opens)
        """An instance that is only prepared begins when it opens."""
        self._took: dict[str, list[float]] = {}

    def took(self, copy: Copy) -> list[float]:
        """Seconds of the job's past runs, rising."""
        if copy.id not in self._took:
            self._took[copy.id] = history.succeeded(self._state, self._instance.plan, copy.id)
        return self._took[copy.id]

    def takes(self, copy: Copy, share: float, started: datetime) -> timedelta:
        """How long it is to take from now on, if it has been going on since ``started``."""
        took, elapsed = self.took(copy), max(0.0, (self.now - started).total_seconds())
        return timedelta(seconds=history.remaining(took, share, elapsed) if took else 0.0)

    def fires(self, copy: Copy, share: float, *, clocks_disabled: bool) -> datetime | None:
        """When a clock or file job is to fire for the first time; None: nobody knows."""
        if copy.kind is JobKind.FILE:
            return self.now + self.takes(copy, share, self._instance.opens) if self.took(copy) else None
        if clocks_disabled or not isinstance(copy.artefact, ClockJob):
            return None
        return next_fire_of(self._state, copy.artefact, self.now, self._instance.closes)

    @property
    def ends(self) -> datetime:
        """After that nothing starts in the instance, or nobody wants to know."""
        return self._instance.closes or self.now + _FARTHEST

    @property
    def opens(self) -> datetime:
        """When the instance opens, or did."""
        return self._instance.opens


class Play:
    """The rest of the instance, played forward: when each copy starts and ends, and which one made it due."""

    def __init__(self, machine: ContextMachine, past: Past, share: float) -> None:
        self._machine = machine
        self._graph = machine.graph
        self._past = past
        self._share = share
        count = len(self._graph.copies)
        self.starts: list[datetime | None] = [None] * count
        self.ends: list[datetime | None] = [None] * count
        self.cause = [NOTHING] * count
        self.unmeasured = [False] * count
        self.complete: datetime | None = None
        self.last = NOTHING
        """The copy with whose end the instance is complete."""
        self._done = [machine.fulfilled(index) for index in range(count)]
        self._left = _left(self._graph, self._done)
        self._kept: set[int] = set()
        """Copies that are due and whose context may not start yet."""
        self._spells: dict[int, Spell] = {}
        """How the own windows of contexts stand; the agenda has ``NOTHING`` at their openings for which something waits."""
        self._agenda: list[tuple[datetime, int]] = []
        self._begin()
        self._run()

    def _begin(self) -> None:
        """What has been, what goes on, and what happens by itself."""
        for copy in self._graph.copies:
            record = self._machine.copies[copy.index]
            if self._done[copy.index]:
                ended = record.ended or self._past.opens
                self.starts[copy.index], self.ends[copy.index] = record.started or ended, ended
            elif (due := self._due(copy, record)) is not None:
                self._schedule(copy.index, max(due, self._past.now), NOTHING, began=record.started)
        if self._left[0] == 0:
            self.complete = max((end for end in self.ends if end is not None), default=self._past.opens)

    def _due(self, copy: Copy, record: CopyRecord) -> datetime | None:
        """When a copy goes on without any other one's result; None: not."""
        if record.live or record.stage is Stage.QUEUED:
            return self._past.now
        if why_stuck(self._machine, copy) or record.stage is not Stage.WAITING:
            return None
        if record.retry_at is not None:
            return record.retry_at
        if record.pending:
            self._keep(copy.index, self._past.now)
        elif copy.kind.fires and not record.skipped:
            return self._past.fires(copy, self._share, clocks_disabled=self._machine.clocks_disabled)
        elif record.skipped and not has_upstream(self._machine, copy.index):
            return self._past.now  # the instance is only prepared: passed over as soon as it opens
        return None

    def _schedule(self, index: int, start: datetime, cause: int, began: datetime | None = None) -> None:
        """A copy starts; so do the others that its run stands for."""
        copy = self._graph.copies[index]
        going = self._machine.copies[index].live and began is not None
        took = timedelta()
        if copy.kind is JobKind.COMMAND and not self._machine.copies[index].skipped:
            took = self._past.takes(copy, self._share, began if going and began is not None else start)
            self.unmeasured[index] = not self._past.took(copy)
        for other in copy.stands_for if copy.kind is JobKind.COMMAND else copy.residences:
            if self.starts[other] is None:
                self.starts[other] = began if going else start
                self.cause[other] = cause
                if not self._graph.copies[other].leaf:
                    self._count_up(other)
                heappush(self._agenda, (start + took, other))

    def _run(self) -> None:
        """Each result in the order of time, with what follows from it."""
        while self._agenda:
            at, index = heappop(self._agenda)
            if index == NOTHING:
                for waiting in sorted(self._kept):
                    self._follow(waiting, at, NOTHING)
                continue
            copy = self._graph.copies[index]
            if copy.kind.fires and not self._gate_open(copy.context, at):  # remembered
                self.starts[index] = None
                self._keep(index, at)
                if not copy.leaf:
                    self._count_down(index, at)
                continue
            self.ends[index] = at
            self._done[index] = True
            for dependent in copy.dependents:
                self._follow(dependent, at, index)
            for waiting in sorted(self._kept) if self._count_down(index, at) else ():
                self._follow(waiting, at, index)

    def _follow(self, index: int, at: datetime, cause: int) -> None:
        """Start a copy if it is due now."""
        copy = self._graph.copies[index]
        due = not copy.kind.fires or index in self._kept
        if not due or self.starts[index] is not None or why_stuck(self._machine, copy):
            return
        if copy.rule is not None and not satisfied(copy.rule, self._done.__getitem__):
            return
        if not self._gate_open(copy.context, at):
            self._keep(index, at)
            return
        self._kept.discard(index)
        self._schedule(index, at, cause)

    def _keep(self, index: int, at: datetime) -> None:
        """A copy is due and its context may not start yet; it is looked at again when an own window opens that keeps it."""
        self._kept.add(index)
        for node in self._graph.ancestry(self._graph.copies[index].context):
            opens = self._spell(node, at).until
            if not self._spell(node, at).open and opens is not None and opens <= self._past.ends:
                if (opens, NOTHING) not in self._agenda:
                    heappush(self._agenda, (opens, NOTHING))
                return

    def _gate_open(self, context: int, at: datetime) -> bool:
        return all(
            self._spell(node, at).open
            and (node.gate is None or satisfied(node.gate, lambda other: not self._left[other]))
            for node in self._graph.ancestry(context)
        )

    def _spell(self, node: ContextNode, at: datetime) -> Spell:
        """How a context's own window stands then; times only rise."""
        if node.own_window is None:
            return _ALWAYS
        known = self._spells.get(node.index)
        if known is None or (known.until is not None and at >= known.until):
            known = self._spells[node.index] = spell(self._graph.plan, node.own_window, at)
        return known

    def _count_up(self, index: int) -> None:
        """A copy that nothing waits for has started: until it ends its context is not complete, nor are those around it."""
        for node in self._graph.ancestry(self._graph.copies[index].context):
            self._left[node.index] += 1
            if self._left[node.index] > 1:
                return

    def _count_down(self, index: int, at: datetime) -> bool:
        """A copy has ended: so its context may be complete, and those around it. Whether a gate may have opened."""
        opened = False
        for node in self._graph.ancestry(self._graph.copies[index].context):
            self._left[node.index] -= 1
            if self._left[node.index]:
                return opened
            opened = opened or bool(node.gates)
        self.complete, self.last = at, index
        return opened


def _left(graph: PlanGraph, done: list[bool]) -> list[int]:
    """By context: how many leaves and child contexts have to be done before it is complete."""
    left = [0] * len(graph.contexts)
    for node in reversed(graph.contexts):  # children have larger indices
        left[node.index] += sum(graph.copies[copy].leaf and not done[copy] for copy in node.copies)
        if node.parent is not None and left[node.index]:
            left[node.parent] += 1
    return left


def why_stuck(machine: ContextMachine, copy: Copy) -> str:
    """Why a copy waits for a person; empty: it does not."""
    record = machine.copies[copy.index]
    if record.live or machine.fulfilled(copy.index):
        return ""
    if record.stage in {Stage.ERROR, Stage.KILLED}:
        return "failed" if record.stage is Stage.ERROR else "was killed"
    if record.disabled or (machine.clocks_disabled and copy.kind is JobKind.CLOCK):
        return "is disabled"
    return "is held" if record.held else ""
