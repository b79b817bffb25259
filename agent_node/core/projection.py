"""What an agent ought to show: a report for each run that is not let go, and for each watch that has something to tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent_node.core.reconcile import visible
from agent_node.core.records import ASSIGNMENTS, RUNS, WATCHES, Watch, watch_of
from agent_node.core.state import State
from broker.runtime.core import Key
from schemas.addresses import Address, FireReportAt, RunReportAt
from schemas.documents import Document, FireReport, RunReport
from schemas.names import RunId


def documents(state: State) -> Iterator[tuple[Address, Document]]:
    """All of it, in the order to publish; each made when it is taken, by the state as it is then."""
    keys = [RUNS.key(key) for key, _ in state.all(RUNS)]
    keys += [WATCHES.key(key) for key, _ in state.all(WATCHES)]
    for key in keys:
        for address, document in project(state, (key,)).items():
            if document is not None:
                yield address, document


def project(state: State, keys: Iterable[Key]) -> dict[Address, Document | None]:
    """What records that changed lead to; None: nothing is to be seen there."""
    shown: dict[Address, Document | None] = {}
    for key in keys:
        if key.table in {RUNS.name, ASSIGNMENTS.name}:  # often both
            run = RunId(key.key)
            report = RunReportAt(state.rules.agent, run)
            if report not in shown:
                shown[report] = _run(state, run)
        elif key.table == WATCHES.name:
            instance, job = watch_of(key.key)
            watch = state.get(WATCHES, key.key)
            address = FireReportAt(state.rules.agent, instance, job)
            shown[address] = None if watch is None else _fires(watch)
    return shown


def _run(state: State, run_id: RunId) -> RunReport | None:
    run = state.get(RUNS, run_id)
    if run is None or not visible(state.get(ASSIGNMENTS, run_id), run):
        return None
    return run.report()


def _fires(watch: Watch) -> FireReport | None:
    """A watch without fires, and that nothing keeps, is not shown: silence is the normal case."""
    if not (watch.fires or watch.problem or watch.delayed or watch.left_out):
        return None
    return FireReport(
        instance=watch.instance,
        job=watch.job,
        fires=watch.fires,
        problem=watch.problem,
        delayed=watch.delayed,
        delayed_until=watch.delayed_until,
        left_out=watch.left_out,
    )
