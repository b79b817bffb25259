"""The context machine: the rules that move one job plan instance on as results come in.

It owns the instance's jobs and contexts and nothing else: it says which jobs are to be started and which global events are
raised, and is told what became of them. Locks, runs, agents, time and people are its callers' business. Evaluation happens on
results, never on starts; what follows from one event is worked off in plan order until nothing moves any more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from heapq import heappop, heappush
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from dashboard_node.core.graph import Copy, PlanGraph
from dashboard_node.core.lifecycle import Stage, Trigger, advance, context_status, fulfils, shown
from dashboard_node.core.records import ContextRecord, CopyRecord
from dashboard_node.core.roll_up import RollUp, is_busy, share
from dashboard_node.core.rules import blocked, satisfied
from dashboard_node.core.spells import Spell
from schemas.names import InstanceId
from schemas.status import ContextStatus, JobKind, JobStatus

PERSON = -1
"""Cause of an initiation that no job's result made."""


class Initiation(Struct, frozen=True):
    """A command job that is to be started: its dependency holds, nobody holds it back. Locks come next."""

    copy: int
    cause: int


class Journal(Protocol):
    """Where every change of an instance goes: saved, audited, shown."""

    @property
    def now(self) -> datetime:
        """The time of the event being handled."""

    def job_changed(self, machine: ContextMachine, copy: Copy, before: CopyRecord, why: str) -> None:
        """A job copy's record was replaced."""

    def context_changed(self, machine: ContextMachine, index: int, before: ContextRecord) -> None:
        """A context's record was replaced."""

    def touch(self, machine: ContextMachine) -> None:
        """The machine has something to settle."""

    def loop_cut(self, machine: ContextMachine) -> None:
        """The instance's event jobs raised each other without end; the rest was dropped."""


class ContextMachine:
    """One instance: its compiled plan, the records of its jobs and contexts, and what is derived from them."""

    def __init__(
        self,
        instance: InstanceId,
        graph: PlanGraph,
        copies: Sequence[CopyRecord],
        contexts: Sequence[ContextRecord],
        *,
        clocks_disabled: bool = False,
    ) -> None:
        self.instance = instance
        self.graph = graph
        self.copies = list(copies)
        self.contexts = list(contexts)
        self.clocks_disabled = clocks_disabled
        self.initiations: list[Initiation] = []
        """Command jobs to start, in order; the caller takes them."""
        self.raised: list[int] = []
        """Global event jobs that were raised, in order; the caller takes them."""
        self.ceased: set[int] = set()
        """Copies that fulfilled and no longer do, since somebody last cleared this set."""
        self.spells: dict[int, Spell] = {}
        """How the own windows of contexts stood when they were last looked at; one that nobody has looked at is shut."""
        self.counts: dict[JobStatus, int] = {}
        for copy in graph.copies:
            self._count(self.status(copy.index), 1)
        self._results: deque[int] = deque()
        self._dirty: list[int] = []
        self._dirty_set: set[int] = set()
        self._missing = [0] * len(graph.copies)
        self._missing_here = [0] * len(graph.copies)
        for copy in graph.copies:
            missing = not self.fulfilled(copy.index)
            for dependent in copy.feeds:
                self._missing[dependent] += missing
                self._missing_here[dependent] += missing and not copy.shadow
        self.roll_up = RollUp(graph)
        for copy in graph.copies:
            self.roll_up.put(copy, self.share_of(copy))
        for node in graph.contexts:
            self.roll_up.child_moves(node.index, ContextStatus.WAITING, self.contexts[node.index].status)

    # What stands where

    @property
    def prepared(self) -> bool:
        """Whether the instance is only laid out: nothing happens in it before it opens."""
        return self.contexts[0].status is ContextStatus.PREPARED

    def status(self, index: int) -> JobStatus:
        """The status of a job copy, as shown."""
        return self.status_of(self.graph.copies[index], self.copies[index])

    def status_of(self, copy: Copy, record: CopyRecord) -> JobStatus:
        """The status a copy has, or had, with this record."""
        return shown(
            record.stage,
            held=record.held,
            skipped=record.skipped,
            disabled=record.disabled or (self.clocks_disabled and copy.kind is JobKind.CLOCK),
            acknowledged=record.acknowledged,
        )

    def fulfilled(self, index: int) -> bool:
        """Whether a dependency on this copy is satisfied."""
        record = self.copies[index]
        return fulfils(record.stage, acknowledged=record.acknowledged)

    def holds(self, copy: Copy) -> bool:
        """Whether the copy's dependency holds now; a job without one waits for nobody's result, so False."""
        if copy.rule is None:
            return False
        if copy.counted:
            return not self._missing[copy.index] and not blocked(copy.rule, self.fulfilled)
        return satisfied(copy.rule, self.fulfilled)

    def gate_open(self, context: int, now: datetime) -> bool:
        """Whether jobs of the context may be initiated: dependencies and own windows allow it, those around it included."""
        return self.dependencies_hold(context) and self.shut(context, now) is None

    def dependencies_hold(self, context: int) -> bool:
        """Whether the context dependencies of the context, and of those around it, hold."""
        return all(
            node.gate is None or satisfied(node.gate, self._context_complete) for node in self.graph.ancestry(context)
        )

    def shut(self, context: int, now: datetime) -> int | None:
        """The innermost context, from this one outwards, that is outside its own window; None: there is none."""
        for node in self.graph.ancestry(context):
            if node.own_window is not None:
                spell = self.spells.get(node.index)
                if spell is None or not spell.open_at(now):
                    return node.index
        return None

    def _context_complete(self, index: int) -> bool:
        return self.contexts[index].status is ContextStatus.COMPLETE

    def share_of(self, copy: Copy) -> tuple[bool, bool, bool, bool, bool]:
        """What the copy adds to its context's tally."""
        record = self.copies[copy.index]
        waits = not record.raised and copy.rule is not None and record.stage is Stage.WAITING
        return share(copy, record, unfed=waits and not self._fed(copy))

    def _fed(self, copy: Copy) -> bool:
        """Whether the dependency holds when jobs decided elsewhere are taken as done."""
        if copy.rule is None:
            return False
        if copy.counted:
            return not self._missing_here[copy.index] and not blocked(copy.rule, self._done_or_elsewhere)
        return satisfied(copy.rule, self._done_or_elsewhere)

    def _done_or_elsewhere(self, index: int) -> bool:
        return self.graph.copies[index].shadow or self.fulfilled(index)

    # Changing it

    def put(self, journal: Journal, index: int, record: CopyRecord, why: str = "") -> None:
        """Replace a copy's record, with all that is derived from it."""
        before = self.copies[index]
        if record == before:
            return
        copy = self.graph.copies[index]
        fulfilled = self.fulfilled(index)
        self.copies[index] = record
        self._count(self.status_of(copy, before), -1)
        self._count(self.status(index), 1)
        if fulfilled != self.fulfilled(index):
            self._feed(copy, 1 if fulfilled else -1)
        self._weigh(copy)
        journal.job_changed(self, copy, before, why)

    def _feed(self, copy: Copy, missing: int) -> None:
        """The copy began (-1) or ceased (+1) to fulfil: count it for what depends on it."""
        if missing > 0:
            self.ceased.add(copy.index)
        for dependent in copy.feeds:
            self._missing[dependent] += missing
            if not copy.shadow:
                self._missing_here[dependent] += missing
        for dependent in copy.dependents:
            self._weigh(self.graph.copies[dependent])

    def _count(self, status: JobStatus, by: int) -> None:
        self.counts[status] = self.counts.get(status, 0) + by

    def _weigh(self, copy: Copy) -> None:
        if self.roll_up.put(copy, self.share_of(copy)):
            self.touch(copy.context)

    def move(self, journal: Journal, index: int, trigger: Trigger, why: str = "", **fields: object) -> None:
        """Move a copy along the transition table and set further fields of its record."""
        record = self.copies[index]
        stage = advance(record.stage, trigger)
        self.put(journal, index, replace(record, stage=stage, **fields), why)

    def result(self, journal: Journal, index: int, trigger: Trigger, why: str = "", **fields: object) -> None:
        """A copy came to an end; what depends on it is looked at in ``settle``."""
        used = {"retry_at": None, "pending": False, "passing": False}
        facts = {"redo": False, "acknowledged": False, "ended": journal.now}
        self.move(journal, index, trigger, why, **used | facts | fields)
        if self.fulfilled(index):
            self.reconsider(journal, index)

    def reconsider(self, journal: Journal, index: int) -> None:
        """Have ``settle`` look at what depends on a copy."""
        self._results.append(index)
        journal.touch(self)

    def touch(self, context: int) -> None:
        """Have ``settle`` look at how a context stands."""
        if context not in self._dirty_set:
            self._dirty_set.add(context)
            heappush(self._dirty, -context)  # innermost first: children have larger indices than their parents

    def happen(self, journal: Journal, index: int, why: str) -> None:
        """A job that needs no run has happened: every residence is done, passed over where skipped; not where disabled.

        Where it is held that is remembered, and comes true when it is released.
        """
        for residence in self.graph.copies[index].residences:
            record = self.copies[residence]
            if record.disabled:
                continue
            if record.held:
                # raised and not pending: it has just been raised, and this is how that is heard here
                raised = record.raised and record.pending
                remembered = replace(record, pending=True, passing=False, raised=raised, cause=PERSON, reason="")
                self.put(journal, residence, remembered, "happened; remembered")
                continue
            trigger = Trigger.PASS if record.skipped else Trigger.SUCCEED
            self.result(journal, residence, trigger, why, raised=True, started=journal.now, reason="")

    @property
    def unsettled(self) -> bool:
        """Whether ``settle`` has something to do."""
        return bool(self._results or self._dirty or self.initiations or self.raised)

    def settle(self, journal: Journal) -> None:
        """Work off everything that follows, until nothing moves. Bounded: jobs that raise each other for ever are cut off."""
        budget = 100 * (len(self.graph.copies) + len(self.graph.contexts) + 10)
        while self._results or self._dirty:
            while self._results:
                budget -= 1
                if budget < 0:
                    self._results.clear()
                    journal.loop_cut(self)
                else:
                    self.follow(journal, self._results.popleft())
            if self.initiations or self.raised:
                return  # the caller takes them first: what is about to run must not look like something that never will
            for context in self._recompute(journal):
                self._open_gates(journal, context)

    def pretend(self, index: int, *, acknowledged: bool) -> None:
        """Take a failed job for acknowledged, or no more, for the sake of one ``follow``: nothing is saved or shown."""
        record = self.copies[index]
        if record.acknowledged != acknowledged:
            self.copies[index] = replace(record, acknowledged=acknowledged)
            copy = self.graph.copies[index]
            for dependent in copy.feeds:
                self._missing[dependent] += -1 if acknowledged else 1
            for dependent in copy.dependents:
                self._weigh(self.graph.copies[dependent])

    def follow(self, journal: Journal, cause: int) -> None:
        """Initiate what the result of ``cause`` makes due."""
        for dependent in self.graph.copies[cause].dependents:
            copy = self.graph.copies[dependent]
            if self._may_initiate(copy, self.graph.copies[cause]) and self.holds(copy):
                self.initiate(journal, dependent, cause)

    def _may_initiate(self, copy: Copy, cause: Copy) -> bool:
        """The guard of each job type (Ikasan's), before its dependency is evaluated."""
        record = self.copies[copy.index]
        if copy.kind.fires or record.disabled:
            return False
        again = cause.repeatable if copy.kind is JobKind.BRIDGING else copy.repeatable and copy.id != cause.id
        return again or not record.raised

    def initiate(self, journal: Journal, index: int, cause: int) -> None:
        """The copy's dependency holds: pass it over, remember it, let it happen, or ask for a run."""
        copy, record = self.graph.copies[index], self.copies[index]
        happened = copy.kind is not JobKind.COMMAND and record.pending and not record.raised
        if record.held or not self.gate_open(copy.context, journal.now):
            kept = replace(record, raised=record.held or not happened, pending=True, cause=cause)
            self.put(journal, index, kept, "initiated; remembered")
        elif record.skipped:
            self.pass_over(journal, index, "skipped")
        elif happened or copy.kind.fires:
            trigger = Trigger.PASS if record.passing else Trigger.SUCCEED
            self.result(journal, index, trigger, "remembered", raised=True, started=journal.now)
        elif copy.kind is JobKind.COMMAND:
            self._raise(journal, index, cause)
            self.initiations.append(Initiation(index, cause))
            journal.touch(self)
        elif copy.kind is JobKind.GLOBAL:
            self._raise(journal, index, cause)
            self.raised.append(index)
        else:
            self.happen(journal, index, f"after {self._name(cause)}")

    def _raise(self, journal: Journal, index: int, cause: int) -> None:
        """Initiated once, for all copies that one run stands for: what was remembered of them, or was to be tried, is used."""
        for other in self.graph.copies[index].stands_for:
            used = replace(self.copies[other], raised=True, pending=False, retry_at=None, cause=cause)
            self.put(journal, other, used)

    def pass_over(self, journal: Journal, index: int, why: str) -> None:
        """Passed over as if done: this copy, those that are skipped like it, and those that only wait for what is passed over."""
        same = [other for other in self.graph.copies[index].stands_for if not self.copies[other].disabled]
        nobody_runs_it = all(
            self.copies[other].skipped or (self.graph.copies[other].shadow and not is_busy(self.copies[other]))
            for other in same
        )
        for other in same:
            if nobody_runs_it or self.copies[other].skipped:
                facts = {"raised": True, "live": False, "started": None, "reason": why}  # others' run is theirs alone
                self.result(journal, other, Trigger.PASS, why, **facts)

    def _name(self, index: int) -> str:
        return self.graph.copies[index].called if index >= 0 else "a person"

    # Contexts

    def _recompute(self, journal: Journal) -> list[int]:
        """Let the statuses of touched contexts follow, children first; which became or ceased to be COMPLETE, in plan order."""
        turned: list[int] = []
        while self._dirty:
            index = -heappop(self._dirty)
            self._dirty_set.discard(index)
            before = self.contexts[index]
            after = context_status(self.roll_up.tallies[index])
            if before.status is not after:
                self.set_context(journal, index, after)
                if ContextStatus.COMPLETE in {before.status, after}:
                    turned.append(index)
        return sorted(turned)

    def set_context(self, journal: Journal, index: int, status: ContextStatus) -> None:
        """Replace a context's status and tell its parent's tally."""
        before = self.contexts[index]
        begun = status in {ContextStatus.RUNNING, ContextStatus.COMPLETE, ContextStatus.ERROR}
        started = before.started or (journal.now if begun else None)
        over = status in {ContextStatus.COMPLETE, ContextStatus.ENDED}
        self.contexts[index] = ContextRecord(status=status, started=started, ended=journal.now if over else None)
        self.roll_up.child_moves(index, before.status, status)
        parent = self.graph.contexts[index].parent
        if parent is not None:
            self.touch(parent)
        journal.context_changed(self, index, before)

    def _open_gates(self, journal: Journal, turned: int) -> None:
        """Initiate what was remembered in contexts that waited for this one."""
        for waiting in self.graph.contexts[turned].gates:
            self.let_go(journal, waiting)

    def let_go(self, journal: Journal, waiting: int) -> None:
        """Initiate what was remembered in a context and those inside it, where nothing keeps it any more."""
        for context in self.within(waiting):
            self.let_go_of(journal, self.graph.contexts[context].copies)

    def let_go_of(self, journal: Journal, copies: Iterable[int]) -> None:
        """Initiate what was remembered of these copies: once for all that one run stands for."""
        for index in copies:
            record = self.copies[index]
            if record.pending and not (record.held or record.disabled):
                self.initiate(journal, index, record.cause)

    def within(self, context: int) -> list[int]:
        """The context and all below it, in plan order."""
        found, stack = [], [context]
        while stack:
            at = stack.pop()
            found.append(at)
            stack.extend(self.graph.contexts[at].children)
        return sorted(found)
