"""What a line of a script changed. It looks where something was saved, never at the whole plan."""

from __future__ import annotations

from msgspec import Struct

from broker.runtime.core import Changes, Key
from dashboard_node.core.machine import DashboardCore
from jobplan.simulate.world import Told
from schemas.names import InstanceId, RunId

_ITSELF = -1
"""In place of a copy's index: the context is meant."""


class Moved(Struct, frozen=True, order=True):
    """A job copy, or a context (``copy`` is None), that stands otherwise than before."""

    context: int
    copy: int | None
    before: str
    after: str


class Sight:
    """How everything stood when somebody last looked. Tell it of every change."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._keys: set[Key] = set()
        self._known: dict[tuple[int, int], str] = {}
        self._runs: set[RunId] = set()

    def hear(self, core: DashboardCore, changes: Changes) -> None:
        """Something was saved; whoever else wants to know is told."""
        self._keys.update(changes)
        self._told(core, changes)

    def look(self, core: DashboardCore, instance: InstanceId) -> tuple[list[Moved], list[int]]:
        """What moved since somebody last looked, and the copies of which runs were handed over, both in plan order."""
        keys, self._keys = self._keys, set()
        moved: list[Moved] = []
        for context, copy, after in _standings(core, instance, keys):
            before = self._known.get((context, copy))
            if before != after:
                self._known[context, copy] = after
                moved.append(Moved(context, None if copy == _ITSELF else copy, before or "", after))
        fresh = {RunId(key.key) for key in keys if key.table == "run"} - self._runs
        self._runs |= fresh
        handed = sorted(core.state.runs[run].copy for run in fresh if run in core.state.runs)
        return sorted(moved, key=lambda one: (one.context, _ITSELF if one.copy is None else one.copy)), handed


def _standings(core: DashboardCore, instance: InstanceId, keys: set[Key]) -> list[tuple[int, int, str]]:
    """Context, copy and status of each job and context of the instance among these keys."""
    machine = core.state.machines[instance]
    found: list[tuple[int, int, str]] = []
    for key in keys:
        name, _, index = key.key.partition("~")
        if name != instance:
            continue
        if key.table == "job":
            copy = machine.graph.copies[int(index)]
            found.append((copy.context, copy.index, machine.status(copy.index)))
        elif key.table == "context":
            found.append((int(index), _ITSELF, machine.contexts[int(index)].status))
    return found
