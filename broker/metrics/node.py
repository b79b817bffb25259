"""What a node's life gives of its metrics: turns as they happen, and what stands when somebody looks. Knows no node's rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from broker.metrics.registry import Registry
from broker.metrics.table import Fact
from broker.runtime.life import Life
from broker.runtime.measuring import Measured
from broker.runtime.world import Signal
from schemas.status import Outcome

Also = Callable[[Measured, Registry], None]
"""What a kind of node finds in a turn besides."""
_OUTCOMES = frozenset(str(outcome) for outcome in Outcome)


class NodeMetrics:
    """The metrics of one life. ``measure`` and ``signal`` are the driver's to call; ``registry`` is what is asked for."""

    def __init__(self, own: Callable[[], Iterable[Fact]], also: Also) -> None:
        self._own = own
        self._also = also
        self._life: Life[Any, Any] | None = None
        self._registry: Registry | None = None

    def attend(self, life: Life[Any, Any]) -> Registry:
        """This is the life; its registry is made."""
        self._life = life
        self._registry = Registry(life.identity.role, self._facts)
        return self._registry

    def signal(self, signal: Signal) -> None:
        """The driver has done something."""
        if self._registry is not None and signal is Signal.CONNECTED:
            self._registry.count("jobplan_connections")
        elif self._registry is not None and signal is Signal.LOST:
            self._registry.count("jobplan_connections_lost")

    def measure(self, measured: Measured) -> None:
        """A turn was carried out."""
        registry, turn = self._registry, measured.turn
        if registry is None:
            return
        registry.count("jobplan_turns")
        registry.count("jobplan_events", turn.events)
        if turn.publications:
            registry.count("jobplan_publications", len(turn.publications))
        if measured.save:
            registry.observe("jobplan_save_seconds", measured.save)
        if measured.show:
            registry.observe("jobplan_show_seconds", measured.show)
        for kind, rows in Counter(row.kind for row in turn.audit).items():
            registry.count("jobplan_audit_rows", rows, kind)
        for row in turn.audit:
            if row.kind == "run" and row.after in _OUTCOMES:
                registry.count("jobplan_runs_ended", 1, row.after)
        self._also(measured, registry)

    def ready(self) -> str:
        """Why the node is not ready; empty: it is, all it has to show stands on the broker."""
        if self._life is None or not self._life.started:
            return "the first replay is not in: no broker yet"
        if not self._life.connected:
            return "no connection to the broker"
        return "" if self._life.complete else "not everything is shown yet"

    def _facts(self) -> Iterator[Fact]:
        life = self._life
        if life is None:
            return
        yield Fact("jobplan_up", 1, (life.identity.node, life.identity.version))
        yield Fact("jobplan_connected", life.connected)
        yield Fact("jobplan_complete", life.complete)
        yield Fact("jobplan_documents", life.documents)
        yield Fact("jobplan_set_aside", life.aside.total)
        yield Fact("jobplan_stale", life.view.stale)
        yield Fact("jobplan_fenced", life.view.fenced)
        yield Fact("jobplan_inbox", life.backlog)
        if life.started:
            yield from self._own()
