"""What must always hold of an agent's state: A1 to A6, each with its sentence. Checked after every step, in production too."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from agent_node.core.lifecycle import Stage
from agent_node.core.records import ASSIGNMENTS, INSTANCES, RUNS, TAKEN, WATCHES, Run, Watch
from agent_node.core.state import State
from broker.runtime.core import InvariantError, Key
from schemas.names import RunId

SENTENCES: Final = {
    "A1": "a run has an outcome and a time of end exactly when it has ended",
    "A2": "of one job of one instance at most one run may have a process",
    "A3": "a run that waits is assigned",
    "A4": "the numbers of a watch's fires rise and stay at or below its sequence, and none was taken",
    "A5": "only a watch of a published instance is active, and only an active one has a due time",
    "A6": "a run that is being stopped has not merely been accepted",
}
"""The promises by name."""


def check(state: State, keys: Iterable[Key]) -> None:
    """Check the records that changed. Raises InvariantError."""
    for key in keys:
        if key.table in {RUNS.name, ASSIGNMENTS.name}:
            run = state.get(RUNS, key.key)
            if run is not None:
                _check_run(state, run)
        elif key.table == WATCHES.name:
            watch = state.get(WATCHES, key.key)
            if watch is not None:
                _check_watch(state, key.key, watch)


def _check_run(state: State, run: Run) -> None:
    ended = run.stage is Stage.ENDED
    _hold("A1", run.run, ended == (run.outcome is not None) == (run.ended is not None))
    if run.stage.active:
        together = [state.get(RUNS, other) for other in sorted(_beside(state, run))]
        known = [other for other in together if other is not None and not other.recovered]
        _hold("A2", run.run, run.recovered or len(known) <= 1)
    if run.stage is Stage.WAITING:
        _hold("A3", run.run, state.get(ASSIGNMENTS, run.run) is not None)
        _hold("A6", run.run, run.stopping is None)


def _beside(state: State, run: Run) -> set[RunId]:
    return state.active.get((run.instance, run.job), set())


def _check_watch(state: State, key: str, watch: Watch) -> None:
    numbers = [fire.sequence for fire in watch.fires]
    taken = state.get(TAKEN, key)
    rising = all(a < b for a, b in pairwise(numbers))
    untaken = taken is None or not numbers or numbers[0] > taken.sequence
    _hold("A4", key, rising and untaken and (not numbers or numbers[-1] <= watch.sequence))
    published = state.get(INSTANCES, watch.instance) is not None
    idle = watch.next_due is None and watch.delayed_until is None
    _hold("A5", key, (published or not watch.active) and (watch.active or idle))


def _hold(name: str, culprit: str, holds: bool) -> None:  # noqa: FBT001 - the promise itself
    if not holds:
        raise InvariantError(f"{name} is broken by {culprit}: {SENTENCES[name]}")
