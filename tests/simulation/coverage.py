"""What the stories have shown of what there is to see: green is hard to fake when everything must have happened.

Counts every event and effect of the cores, every edge of their lifecycle tables, every request, outcome and fault. What
happens too seldom to count on is listed with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, get_args

import agent_node.core.lifecycle as agent_table
import dashboard_node.core.lifecycle as dashboard_table
from agent_node.core.effects import Effect as AgentEffect
from agent_node.core.events import Event as AgentEvent
from dashboard_node.core.effects import Effect as DashboardEffect
from dashboard_node.core.machine import Event as DashboardEvent
from schemas.requests import Act, Action, Change
from schemas.status import FireOutcome, Outcome
from tests.simulation.checkers.reading import DASHBOARD
from tests.simulation.faults import KINDS, LEAP, SERVER_KILLED
from tests.simulation.setbacks import SETBACKS
from tests.simulation.trace import Fault, Performed, PersonAsked, Record, Saved, Stepped

STEPS = ("turning", "saving", "about to show", "about to perform", "performing")
ALWAYS = (
    "list that stands still",
    "stored and not passed on",
    "delay",
    "repeated delivery",
    "repeated publication",
    "lost write",
    *(f"crash while {step}" for step in STEPS),
)
"""Faults that are properties of a run."""

_SELDOM = (
    "a job that stood so, a repeatable one or one that is run again, and its next run's end is heard before its start: about "
    "once in fifty stories"
)
SELDOM: Mapping[str, str] = {
    f"{DASHBOARD} edge {edge}": _SELDOM
    for edge in (
        "complete -kill->",
        "complete -retry->",
        "error -kill->",
        "error -pass->",
        "error -queue->",
        "error -retry->",
        "killed -fail->",
        "killed -kill->",
        "killed -pass->",
        "killed -queue->",
        "killed -retry->",
        "killed -succeed->",
        "passed -fail->",
        "passed -kill->",
        "passed -retry->",
        "passed -start->",
        "queued -kill->",
        "queued -retry->",
        "running -pass->",
        "waiting -kill->",
    )
}
"""What may happen, too seldom for the fixed seeds to count on it."""


class Coverage:
    """Counts, over as many stories as it listens to."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def hear(self, record: Record) -> None:
        """Something happened."""
        match record:
            case Stepped(node=node, event=event):
                self.seen[f"{_role(node)} event {event}"] += 1
            case Performed(node=node, effect=effect):
                self.seen[f"{_role(node)} effect {effect}"] += 1
            case Fault(kind=kind):
                self.seen[f"fault {kind}"] += 1
            case PersonAsked(asked=Act(action=action)):
                self.seen[f"action {action}"] += 1
            case PersonAsked(asked=asked):
                self.seen[f"request {type(asked).__name__}"] += 1
            case Saved(audit=audit):
                self.seen.update(f"{row.kind} {row.after}" for row in audit)
                self.seen["run moved"] += sum(row.detail.startswith("taken back") for row in audit)
            case _:
                pass

    def count(self, part: str) -> Iterator[int]:
        """How often each thing happened whose name contains a word."""
        return (number for name, number in self.seen.items() if part in name)

    def missing(self) -> list[str]:
        """What should have happened and has not."""
        return sorted(name for name in set(_everything()) - SELDOM.keys() if not self.seen[name])

    @contextmanager
    def watching_tables(self) -> Iterator[None]:
        """Count the edges of both lifecycle tables that are taken meanwhile."""
        tables: tuple[tuple[Any, str], ...] = ((agent_table, "agent"), (dashboard_table, DASHBOARD))
        before = [module.TRANSITIONS for module, _ in tables]
        for module, role in tables:
            module.TRANSITIONS = _Counted(module.TRANSITIONS, self.seen, role)
        try:
            yield
        finally:
            for (module, _), table in zip(tables, before, strict=True):
                module.TRANSITIONS = table


class _Counted(dict[tuple[Any, Any], Any]):
    """A table that notices which of its edges is asked for."""

    def __init__(self, table: Mapping[tuple[Any, Any], Any], seen: Counter[str], role: str) -> None:
        super().__init__(table)
        self._seen = seen
        self._role = role

    def __getitem__(self, edge: tuple[Any, Any]) -> Any:  # noqa: ANN401  # what the table holds
        self._seen[_edge(self._role, edge)] += 1
        return super().__getitem__(edge)

    def get(self, edge: tuple[Any, Any], default: Any = None) -> Any:  # noqa: ANN401  # what the table holds
        self._seen[_edge(self._role, edge)] += 1
        return super().get(edge, default)


def _everything() -> Iterator[str]:
    for role, events, effects in (("agent", AgentEvent, AgentEffect), (DASHBOARD, DashboardEvent, DashboardEffect)):
        yield from (f"{role} event {kind.__name__}" for kind in _members(events))
        yield from (f"{role} effect {kind.__name__}" for kind in _members(effects))
    yield from (_edge("agent", edge) for edge in agent_table.TRANSITIONS)
    yield from (_edge(DASHBOARD, edge) for edge in dashboard_table.TRANSITIONS)
    yield from (f"request {kind.__name__}" for kind in _members(Change) if kind is not Act)
    yield from (f"action {action}" for action in Action)
    yield from (f"fault {kind}" for kind in (*KINDS, *SETBACKS, *ALWAYS, LEAP, SERVER_KILLED))
    yield from (f"run {outcome}" for outcome in Outcome)
    yield "run moved"
    yield from (f"tick {outcome}" for outcome in FireOutcome)


def _members(union: Any) -> tuple[type, ...]:  # noqa: ANN401  # a union of types, nested or not
    return tuple(found for member in get_args(union) for found in (_members(member) or (member,)))


def _edge(role: str, edge: tuple[Any, Any]) -> str:
    return f"{role} edge {edge[0]} -{edge[1]}->"


def _role(node: str) -> str:
    return DASHBOARD if node == DASHBOARD else "agent"
