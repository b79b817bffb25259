"""How runs end and leave: outcomes, stops and their escalation, letting go. Stages change by the table only."""

from __future__ import annotations

from signal import Signals
from typing import Final

from msgspec.structs import replace

from agent_node.core.draft import Draft
from agent_node.core.effects import StopProcess
from agent_node.core.events import ProcessEnded
from agent_node.core.lifecycle import Stage, Trigger, advance
from agent_node.core.reconcile import visible
from agent_node.core.records import ASSIGNMENTS, INSTANCES, RUNS, Instant, Run, Stopping
from agent_node.core.rules import LET_GO_GRACE, STOP_GRACE
from schemas.names import RunId
from schemas.status import Outcome

_SIGNALLED: Final = 128
_BY_STOP = {Stopping.KILL: Outcome.KILLED, Stopping.TIMEOUT: Outcome.TIMED_OUT}


def stop(draft: Draft, run: Run, why: Stopping, reason: str) -> None:
    """End a run that may have a process: TERM now, KILL after a grace. The first reason stands; a second changes nothing."""
    if run.stopping is not None:
        return
    stopping = replace(run, stopping=why, stop_reason=reason)
    draft.put(RUNS, run.run, stopping)
    draft.note_run(run, stopping, f"asked to stop: {why}")
    if run.dry_run:
        end(draft, stopping, _BY_STOP[why], at=draft.now)
    elif run.stage is Stage.RUNNING:  # one that is starting is told as soon as its process is seen
        signal(draft, stopping, force=False)


def signal(draft: Draft, run: Run, *, force: bool) -> None:
    """Tell a run's process to end; again, and harder, if it has not after a grace."""
    draft.put(RUNS, run.run, replace(run, act_at=draft.now + STOP_GRACE))
    draft.effects.append(StopProcess(run=run.run, force=force))


def ended(draft: Draft, event: ProcessEnded) -> None:
    """A run's process is gone. A stop that was asked for decides the outcome, whatever the return code."""
    run = draft.get(RUNS, event.run)
    if run is None or not run.stage.active:
        return
    at, code, reason = event.at, event.code, event.reason
    if event.output:
        run = replace(run, output=event.output, errors=event.errors, started=run.started or event.started)
    if run.stopping is not None:
        end(draft, run, _BY_STOP[run.stopping], at=at, code=code, reason=run.stop_reason)
    elif code is None:
        end(draft, run, Outcome.FAILED, at=at, reason=reason)
    elif code in run.success_codes:
        end(draft, run, Outcome.SUCCEEDED, at=at, code=code, reason=event.reason)
    else:
        end(draft, run, Outcome.FAILED, at=at, code=code, reason=reason or _meaning(code))


def failed_to_start(draft: Draft, run_id: RunId, reason: str) -> None:
    """The command could not be started."""
    run = draft.get(RUNS, run_id)
    if run is None or not run.stage.active:
        return
    if run.stopping is not None:
        end(draft, run, Outcome.WITHDRAWN, at=draft.now, reason=run.stop_reason)
    else:
        end(draft, run, Outcome.NOT_STARTED, at=draft.now, reason=reason)


def lost(draft: Draft, run_id: RunId, reason: str) -> None:
    """It began, and nobody knows how it ended; one that was being stopped is surely stopped."""
    run = draft.get(RUNS, run_id)
    if run is None or not run.stage.active:
        return
    outcome = Outcome.LOST if run.stopping is None else _BY_STOP[run.stopping]
    end(draft, run, outcome, at=draft.now, reason=reason)


def end(
    draft: Draft,
    run: Run,
    outcome: Outcome,
    *,
    at: Instant,
    code: int | None = None,
    reason: str = "",
) -> None:
    """Write down how a run ended. Without an assignment its report is let go after a grace, once the dashboard is there."""
    assigned = draft.get(ASSIGNMENTS, run.run) is not None
    after = replace(
        run,
        stage=advance(run.stage, Trigger.END),
        ended=at if run.started is None else max(at, run.started),
        outcome=outcome,
        return_code=code,
        reason=reason,
        answer_by=None,
        act_at=None,
        let_go_at=None if assigned else draft.now + LET_GO_GRACE,
    )
    draft.put(RUNS, run.run, after)
    draft.note_run(run, after, "ended")


def unassigned(draft: Draft, run: Run) -> None:
    """Its time of grace is over: let it go, unless it has yet to be heard from the dashboard whether it is assigned."""
    if draft.dashboard_complete:
        let_go(draft, run)
    else:
        draft.put(RUNS, run.run, replace(run, let_go_at=draft.now + LET_GO_GRACE))


def resume(draft: Draft) -> None:
    """A life begins: what was not let go before waits its whole time of grace once more.

    What stands of the dashboard may be old (a broker that went back), and tells whether it is there only after a while.
    """
    for _, run in draft.state.all(RUNS):
        if run.let_go_at is not None:
            draft.put(RUNS, run.run, replace(run, let_go_at=draft.now + LET_GO_GRACE))


def let_go(draft: Draft, run: Run) -> None:
    """Nobody has to be told of its end any more, or somebody wants to know again: no more time of grace."""
    draft.put(RUNS, run.run, replace(run, let_go_at=None))
    purge(draft, run.run)


def purge(draft: Draft, run_id: RunId) -> None:
    """Remove an ended run that is not shown, once its instance is not published either: until then its id is remembered."""
    run = draft.get(RUNS, run_id)
    if run is None or run.stage is not Stage.ENDED:
        return
    if not visible(draft.get(ASSIGNMENTS, run_id), run) and draft.get(INSTANCES, run.instance) is None:
        draft.put(RUNS, run_id, None)


def _meaning(code: int) -> str:
    """A return code in words: shells add 128 to the number of the signal that ended their command."""
    try:
        return f"return code {code} (ended by {Signals(code - _SIGNALLED).name})"
    except ValueError:
        return f"return code {code}"
