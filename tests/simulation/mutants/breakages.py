"""Each mutant: what it breaks, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from agent_node.core import fires, runs, watches
from agent_node.core.records import RUNS
from broker.runtime.life import Life
from broker.runtime.reconciler import Reconciler
from broker.runtime.view import News, View
from dashboard_node.core import machine as dashboard_machine
from dashboard_node.core import rebuilding, requests, settling, windows
from dashboard_node.core import runs as dashboard_runs
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.locks import LockTable
from dashboard_node.core.projection import Projection
from dashboard_node.core.timers import Timers
from schemas.codec import decode_header
from schemas.status import JobStatus
from tests.simulation.disk import Disk
from tests.simulation.hands import Hands
from tests.simulation.host import Host
from tests.simulation.node import Node
from tests.simulation.world import Steps

Break = Callable[[pytest.MonkeyPatch], None]


class Mutant(Struct, frozen=True):
    """One place broken."""

    name: str
    breaks: str
    mutate: Break
    seed: int = 0
    """One that notices it, told first."""


def _instead(owner: Any, name: str, make: Callable[[Any], Any]) -> Break:  # noqa: ANN401  # any attribute of anything
    """Replace an attribute by what ``make`` makes of it."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(owner, name, make(getattr(owner, name)))

    return mutate


def _both(*breaks: Break) -> Break:
    def mutate(patch: pytest.MonkeyPatch) -> None:
        for one in breaks:
            one(patch)

    return mutate


def _nothing(_: Any) -> Any:  # noqa: ANN401  # stands for any function
    return lambda *_args, **_fields: None


# ---------------------------------------------------------------------- the runtime


def _save_later(save: Any) -> Any:  # noqa: ANN401  # a method
    """What is to be shown need not be saved first."""

    def skipping(self: Node, turn: Any) -> Steps[None]:  # noqa: ANN401  # a turn
        if turn.publications:
            return
        yield from save(self, turn)

    return skipping


def _remove_what_is_absent(end: Any) -> Any:  # noqa: ANN401  # a method
    def removing(self: View) -> list[News]:
        gone = end(self)
        for missing in self._session.missing.values():
            for address in missing:
                known = self._known[address]
                if not known.removed:
                    gone += self._remove(address, known)
            missing.clear()
        return list(gone)

    return removing


def _leave_all_standing(adopt: Any) -> Any:  # noqa: ANN401  # a method
    def adopting(self: Reconciler, own: Mapping[str, bytes], witness: Any, mark: Any) -> None:  # noqa: ANN401  # as it has them
        adopt(self, own, witness if mark is None else (mark.epoch, mark.revision), mark)

    return adopting


def _forget_what_is_gone(remove: Any) -> Any:  # noqa: ANN401  # a method
    def forgetting(self: View, address: Any, known: Any) -> list[News]:  # noqa: ANN401  # as it has them
        news = remove(self, address, known)
        del self._known[address], self._gone[address]
        return list(news)

    return forgetting


def _believe_greetings(look: Any) -> Any:  # noqa: ANN401  # a method
    def looking(self: Life[Any, Any], payload: Any) -> int:  # noqa: ANN401  # as it has it
        floor: int = look(self, payload)
        if payload and floor > 1 and floor - 1 != self.epoch:
            self._witness = decode_header(payload).order
        return floor

    return looking


# ---------------------------------------------------------------------- the dashboard


def _overlook_holds_of_events(happen: Any) -> Any:  # noqa: ANN401  # a method
    def happening(self: ContextMachine, journal: Any, index: int, why: str) -> None:  # noqa: ANN401  # as it has them
        for residence in self.graph.copies[index].residences:
            self.copies[residence] = replace(self.copies[residence], held=False)
        happen(self, journal, index, why)

    return happening


def _clear_first(changed: Any) -> Any:  # noqa: ANN401  # a method
    def changing(self: Projection, changes: Any, agents: Any) -> Any:  # noqa: ANN401  # as it has them
        found = changed(self, changes, agents)
        return dict(sorted(found.items(), key=lambda item: item[1] is not None))

    return changing


def _trust_no_newer_assignment(run: Any) -> Any:  # noqa: ANN401  # a function
    def running(step: Any, agent: Any, assignment: Any, job: Any) -> None:  # noqa: ANN401  # as it has them
        if assignment is None or assignment.run == job.run:
            run(step, agent, assignment, job)

    return running


def _forget_what_was_told(given: Any) -> Any:  # noqa: ANN401  # a function
    def giving(step: Any, *more: Any, **fields: Any) -> None:  # noqa: ANN401  # as it has them
        given(step, *more, **fields)
        step.known_already.clear()

    return giving


def _grant_everything(_: Any) -> Any:  # noqa: ANN401  # a method
    def granting(self: LockTable, owner: Any, claims: Any) -> bool:  # noqa: ANN401  # as it has them
        self.restore(owner, claims, holding=True)
        return True

    return granting


def _decide_again(asked: Any) -> Any:  # noqa: ANN401  # a function
    def deciding(step: Any, event: Any) -> None:  # noqa: ANN401  # as it has them
        step.state.answers.pop((event.user, event.request), None)
        asked(step, event)

    return deciding


def _overlook_holds(initiate: Any) -> Any:  # noqa: ANN401  # a method
    def initiating(self: ContextMachine, journal: Any, index: int, cause: int) -> None:  # noqa: ANN401  # as it has them
        self.copies[index] = replace(self.copies[index], held=False)
        initiate(self, journal, index, cause)

    return initiating


def _only_the_newest(undecided: Any) -> Any:  # noqa: ANN401  # a function
    def deciding(*given: Any) -> Any:  # noqa: ANN401  # as it has them
        starts, *rest = undecided(*given)
        return (starts[-1:], *rest)

    return deciding


def _release_into_the_past(_: Any) -> Any:  # noqa: ANN401  # a function
    def releasing(step: Any, owner: Any) -> None:  # noqa: ANN401  # as it has them
        for granted in step.state.locks.release(owner):
            machine = step.machine(granted.instance)
            if machine is not None:
                dashboard_runs.hand_over(step, machine, granted.copy, granted.order)
                step.touch(machine)

    return releasing


def _in_order_of_time(_: Any) -> Any:  # noqa: ANN401  # a function
    def due(step: Any) -> None:  # noqa: ANN401  # as it has it
        while names := step.state.timers.take_due(step.now):
            for name in names:
                dashboard_machine._happens(step, name)
                settling.settle(step)

    return due


def _blame_the_event(time_first: Any) -> Any:  # noqa: ANN401  # a function
    def blaming(state: Any, now: Any, cause: str) -> Any:  # noqa: ANN401  # as it has them
        step = time_first(state, now, cause)
        step.audit[:] = [replace(row, cause=cause) for row in step.audit]
        return step

    return blaming


# ---------------------------------------------------------------------- the agent


def _any_boot(unclaimed: Any) -> Any:  # noqa: ANN401  # a function
    def trusting(draft: Any, run_id: Any) -> None:  # noqa: ANN401  # as it has them
        run = draft.get(RUNS, run_id)
        if run is not None:
            draft.put(RUNS, run_id, replace(run, boot=draft.rules.boot))
        unclaimed(draft, run_id)

    return trusting


def _any_journal(accept: Any) -> Any:  # noqa: ANN401  # a function
    return lambda draft, assignment: accept(draft, replace(assignment, journal=0))


def _claim_twice(claim: Any) -> Any:  # noqa: ANN401  # a method
    def claiming(self: Host, process: Any) -> None:  # noqa: ANN401  # a process
        self.folder(process.run).claim = None
        claim(self, process)

    return claiming


def _start_again(start: Any) -> Any:  # noqa: ANN401  # a method
    def starting(self: Hands, assignment: Any) -> None:  # noqa: ANN401  # an assignment
        self._host.folder(assignment.run).claim = None
        start(self, assignment)

    return starting


MUTANTS = (
    Mutant("shown before saved", "a turn that shows something is not saved", _instead(Node, "_save", _save_later)),
    Mutant("absence is removal", "what a replay leaves out is gone", _instead(View, "end", _remove_what_is_absent)),
    Mutant(
        "one epoch for all lives",
        "the counter of lives stands still",
        _instead(Disk, "next_epoch", lambda _: lambda _disk, _floor: 1),
    ),
    Mutant(
        "everything is adopted",
        "what an earlier life published counts as shown, whatever was lost",
        _instead(Reconciler, "adopt", _leave_all_standing),
    ),
    Mutant(
        "no claim",
        "a wrapper runs its command though another one has claimed it",
        _both(_instead(Host, "_claim", _claim_twice), _instead(Hands, "start", _start_again)),
    ),
    Mutant(
        "exit codes are forgotten",
        "the code a wrapper left is not read after a restart",
        _instead(Hands, "_found", lambda _: lambda hands, run, *_: hands._ended(run, None)),
    ),
    Mutant(
        "taken is ignored", "the agent keeps fires that the dashboard has taken", _instead(fires, "taken", _nothing)
    ),
    Mutant(
        "fires go on",
        "clocks and files are watched after their instance is gone",
        _instead(watches, "removed", _nothing),
    ),
    Mutant("locks are ignored", "everybody gets every lock", _instead(LockTable, "ask", _grant_everything)),
    Mutant(
        "answers are forgotten",
        "a request that is asked again is done again",
        _instead(requests, "asked", _decide_again),
    ),
    Mutant(
        "dependencies are ignored",
        "every dependency holds",
        _instead(ContextMachine, "holds", lambda _: lambda *_: True),
    ),
    Mutant(
        "held jobs start",
        "a hold is forgotten as soon as the dependency holds",
        _instead(ContextMachine, "initiate", _overlook_holds),
    ),
    Mutant(
        "missed starts are dropped",
        "only the newest of several due starts is decided",
        _instead(windows, "_undecided", _only_the_newest),
    ),
    Mutant(
        "kills are promised only", "a kill is answered and not asked for", _instead(dashboard_runs, "stop", _nothing)
    ),
    Mutant("timers are lost", "what was to happen later does not", _instead(Timers, "set", _nothing)),
    # What the simulation found, as it was.
    Mutant(
        "what is gone comes back",
        "an old store is believed",
        _both(_instead(View, "_was_gone", lambda _: lambda *_: False), _instead(View, "_remove", _forget_what_is_gone)),
    ),
    Mutant("any journal", "a run handed to a lost journal is started", _instead(runs, "_accept", _any_journal)),
    Mutant(
        "any boot", "a claim that a power cut took proves that nothing began", _instead(runs, "unclaimed", _any_boot)
    ),
    Mutant(
        "locks after the end",
        "a lock goes to a job whose window closes at the same moment",
        _instead(dashboard_runs, "release", _release_into_the_past),
    ),
    Mutant(
        "ends in order of time",
        "a retry comes before the end of its instance when both are late",
        _instead(dashboard_machine, "_due", _in_order_of_time),
    ),
    Mutant(
        "time is blamed on people",
        "what was due is audited as a request's doing",
        _instead(dashboard_machine, "_time_first", _blame_the_event),
    ),
    Mutant(
        "events pass over holds",
        "a global event happens where a person holds it",
        _instead(ContextMachine, "happen", _overlook_holds_of_events),
    ),
    Mutant(
        "fires of the dead",
        "an agent keeps the fires that an old broker showed it of an instance that is gone",
        _instead(watches, "recheck_unpublished", _nothing),
    ),
    Mutant(
        "greetings are believed",
        "a greeting proves that all documents of a life stand",
        _instead(Life, "look", _believe_greetings),
    ),
    Mutant(
        "queued is not handed over",
        "a rebuilt job that got its lock and has not begun shows WAITING",
        _instead(rebuilding, "_UNDER_WAY", lambda known: {JobStatus.RUNNING: known[JobStatus.RUNNING]}),
    ),
    Mutant(
        "only jobs are believed",
        "a rebuilt dashboard overlooks an assignment that is newer than what its job shows",
        _instead(rebuilding, "_run", _trust_no_newer_assignment),
    ),
    Mutant(
        "cleared before shown",
        "what has ended is cleared before what follows from it is shown",
        _instead(Projection, "changed", _clear_first),
    ),
    Mutant(
        "told before",
        "what an agent said of a run before it was handed over (again) is not looked at",
        _instead(dashboard_runs, "_give", _forget_what_was_told),
    ),
)
