"""How contexts stand by what is in them, kept up by counting: a change costs its context's ancestry, not its jobs.

The counts are derived; ``recount`` makes them from scratch, and the invariants compare both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from dashboard_node.core.graph import Copy, PlanGraph
from dashboard_node.core.lifecycle import FAILED, Stage, Tally, fulfils
from dashboard_node.core.records import ContextRecord, CopyRecord
from schemas.status import ContextStatus

Share = tuple[bool, bool, bool, bool, bool]
"""What one job adds to its context's tally: failed, busy, undone, unfed, moved."""

_WAITING: Final = Stage.WAITING
"""Looked up once: that takes as long as a fifth of a share."""
_UNDER_WAY: Final = frozenset({Stage.RUNNING, Stage.QUEUED})
_MOVED: Final = _UNDER_WAY | FAILED | {Stage.COMPLETE}
_NOTHING: Share = (False, False, False, False, False)
_CONTEXT: Final = attrgetter("context")
_EACH: Final[dict[Share, Share]] = {}
"""One of each that has been met, for all jobs that add it: at most 32."""


def is_done(record: CopyRecord) -> bool:
    """Whether a leaf job is no reason to wait: it fulfils, or it is to be skipped."""
    to_be_skipped = record.skipped and record.stage is _WAITING and not (record.live or record.disabled)
    return to_be_skipped or fulfils(record.stage, acknowledged=record.acknowledged)


def is_busy(record: CopyRecord) -> bool:
    """Whether something is under way for it."""
    return record.stage in _UNDER_WAY or record.live or record.retry_at is not None


def share(copy: Copy, record: CopyRecord, *, unfed: bool) -> Share:
    """What a job adds to its context's tally. ``unfed``: it has a dependency, and that does not hold."""
    needed = copy.leaf or ((record.redo or record.disabled) and not copy.shadow)
    undone = needed and not is_done(record)
    waits = unfed and record.stage is _WAITING and not record.raised
    if copy.shadow:
        return (False, False, undone, waits, False)
    return (
        record.stage in FAILED and not record.acknowledged,
        is_busy(record),
        undone,
        waits,
        record.stage in _MOVED or record.retry_at is not None,
    )


class RollUp:
    """The tallies of one instance."""

    def __init__(self, graph: PlanGraph) -> None:
        self._graph = graph
        self._shares: list[Share] = [_NOTHING] * len(graph.copies)
        self.tallies: list[Tally] = [Tally() for _ in graph.contexts]
        for node in graph.contexts:
            self.tallies[node.index].undone += len(node.children)

    def put(self, copy: Copy, new: Share) -> bool:
        """Replace a job's share; whether that changed anything."""
        old = self._shares[copy.index]
        if old == new:
            return False
        self._shares[copy.index] = _EACH.setdefault(new, new)
        self.count(copy.context, old, -1)
        self.count(copy.context, new, 1)
        return True

    def count(self, context: int, share: Share, jobs: int) -> None:
        """So many jobs more (or fewer, below zero) add this to a context's tally."""
        tally = self.tallies[context]
        tally.failed += share[0] * jobs
        tally.busy += share[1] * jobs
        tally.undone += share[2] * jobs
        tally.unfed += share[3] * jobs
        tally.moved += share[4] * jobs

    def child_moves(self, child: int, before: ContextStatus, after: ContextStatus) -> None:
        """Replace what a context adds to its parent's tally."""
        node = self._graph.contexts[child]
        if node.parent is None:
            return
        tally = self.tallies[node.parent]
        tally.failed += (after is ContextStatus.ERROR) - (before is ContextStatus.ERROR)
        tally.undone += (after is not ContextStatus.COMPLETE) - (before is not ContextStatus.COMPLETE)
        if not node.empty:
            moving = {ContextStatus.RUNNING, ContextStatus.COMPLETE}
            tally.moved += (after in moving) - (before in moving)


def recount(graph: PlanGraph, shares: Sequence[Share], contexts: Sequence[ContextRecord]) -> list[Tally]:
    """The tallies from scratch."""
    fresh = RollUp(graph)
    contexts_of = map(_CONTEXT, graph.copies)
    for (context, each), jobs in Counter(zip(contexts_of, shares, strict=True)).items():  # few differ
        fresh.count(context, each, jobs)
    for node in graph.contexts:
        fresh.child_moves(node.index, ContextStatus.WAITING, contexts[node.index].status)
    return fresh.tallies
