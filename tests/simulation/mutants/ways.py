"""How a place is broken: what is put in its stead."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from agent_node.core.records import RUNS
from broker.runtime.life import Life
from broker.runtime.presence import writer_of
from broker.runtime.reconciler import Mark, Reconciler, stamp_of
from broker.runtime.shares import Shares
from broker.runtime.view import News, View
from dashboard_node.core import machine as dashboard_machine
from dashboard_node.core import runs as dashboard_runs
from dashboard_node.core import settling
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.locks import LockTable
from dashboard_node.core.projection import Projection
from schemas.codec import decode_header
from tests.simulation.hands import Hands
from tests.simulation.host import Host
from tests.simulation.node import Node
from tests.simulation.world import Steps

Break = Callable[[pytest.MonkeyPatch], None]


def instead(owner: Any, name: str, make: Callable[[Any], Any]) -> Break:  # noqa: ANN401  # any attribute of anything
    """Replace an attribute by what ``make`` makes of it."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(owner, name, make(getattr(owner, name)))

    return mutate


def both(*breaks: Break) -> Break:
    """Break several places."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        for one in breaks:
            one(patch)

    return mutate


def nothing(_: Any) -> Any:  # noqa: ANN401  # stands for any function
    """A function that does nothing."""
    return lambda *_args, **_fields: None


# ---------------------------------------------------------------------- the runtime


def save_later(save: Any) -> Any:  # noqa: ANN401  # a method
    """What is to be shown need not be saved first."""

    def skipping(self: Node, turn: Any) -> Steps[None]:  # noqa: ANN401  # a turn
        if turn.publications:
            return
        yield from save(self, turn)

    return skipping


def remove_what_is_absent(end: Any) -> Any:  # noqa: ANN401  # a method
    """A replay ends: what it left out counts as gone, whatever its writer says."""

    def removing(self: View, *, proved: bool = True) -> list[News]:
        gone = end(self, proved=proved)
        for address, known in list(self._known.items()):
            if not known.removed and address != writer_of(address) and not self._proof.stands(address):
                gone += self._remove(address, known)
        return list(gone)

    return removing


def believe_an_old_word(gone: Any) -> Any:  # noqa: ANN401  # a method
    """What is missing is gone, though it was shown after its writer's word."""
    return lambda self, writer, _word: gone(self, writer, (sys.maxsize, 0))


def tell_nobody(went: Any) -> Any:  # noqa: ANN401  # a method
    """A document goes, and the agent that it was for keeps the share that it has."""

    def going(self: Shares, topic: str) -> None:
        waiting = dict(self._waiting)
        went(self, topic)
        self._waiting = waiting

    return going


def leave_all_standing(adopt: Any) -> Any:  # noqa: ANN401  # a method
    """What is found of an earlier life is trusted, though the broker may have lost what came after."""

    def adopting(self: Reconciler, own: Mapping[str, bytes], witness: Any, mark: Any, *more: Any) -> None:  # noqa: ANN401  # likewise
        adopt(self, own, witness if mark is None else (mark.epoch, mark.revision), mark, *more)

    return adopting


def adopt_what_was_cut_off(adopt: Any) -> Any:  # noqa: ANN401  # a method
    """A life that ended before all was put right counts as one that had put it right."""

    def adopting(self: Reconciler, own: Mapping[str, bytes], witness: Any, mark: Any, *more: Any) -> None:  # noqa: ANN401  # likewise
        adopt(self, own, witness, None if mark is None else replace(mark, whole=True), *more)

    return adopting


def adopt_with_a_copy(adopt: Any) -> Any:  # noqa: ANN401  # a method
    """Records that are those of a copy are taken for the newest ones."""

    def adopting(self: Reconciler, own: Mapping[str, bytes], witness: Any, mark: Any, *more: Any) -> None:  # noqa: ANN401  # likewise
        newest = max((found for payload in own.values() if (found := stamp_of(payload)) is not None), default=(0, 0))
        behind = mark is not None and newest > (mark.epoch, mark.revision)
        adopt(self, own, witness, Mark(*newest, mark.whole) if behind else mark, *more)
        self.mark = mark

    return adopting


def count_as_heard(replayed: Any) -> Any:  # noqa: ANN401  # a method
    """What nobody acknowledged counts as heard by all when it stands."""

    def replaying(self: Reconciler, own: Mapping[str, bytes], *, proved: bool = True) -> None:
        self._open.clear()
        replayed(self, own, proved=proved)

    return replaying


def forget_what_is_gone(remove: Any) -> Any:  # noqa: ANN401  # a method
    """What was removed is not remembered as removed."""

    def forgetting(self: View, address: Any, known: Any) -> list[News]:  # noqa: ANN401  # as it has them
        news = remove(self, address, known)
        del self._known[address], self._gone[address]
        return list(news)

    return forgetting


def believe_greetings(look: Any) -> Any:  # noqa: ANN401  # a method
    """A presence that greets is taken for one that says all is shown."""

    def looking(self: Life[Any, Any], payload: Any) -> int:  # noqa: ANN401  # as it has it
        floor: int = look(self, payload)
        if payload and floor > 1 and floor - 1 != self.epoch:
            self._witness = decode_header(payload).order
        return floor

    return looking


# ---------------------------------------------------------------------- the dashboard


def overlook_holds_of_events(happen: Any) -> Any:  # noqa: ANN401  # a method
    """A global event happens in copies that are held, too."""

    def happening(self: ContextMachine, journal: Any, index: int, why: str) -> None:  # noqa: ANN401  # as it has them
        for residence in self.graph.copies[index].residences:
            self.copies[residence] = replace(self.copies[residence], held=False)
        happen(self, journal, index, why)

    return happening


def at_their_turn(_: Any) -> Any:  # noqa: ANN401  # a method
    """While all is shown, what changes is shown at once, before what it speaks for."""

    def documents(self: Projection) -> Any:  # noqa: ANN401  # as it has them
        self._plans.begin()
        return (item for item in self._everything() if item[1] is not None)

    return documents


def clear_first(changed: Any) -> Any:  # noqa: ANN401  # a method
    """What goes is cleared before what follows from that is shown."""

    def changing(self: Projection, changes: Any, agents: Any) -> Any:  # noqa: ANN401  # as it has them
        found = changed(self, changes, agents)
        return dict(sorted(found.items(), key=lambda item: item[1] is not None))

    return changing


def trust_no_newer_assignment(run: Any) -> Any:  # noqa: ANN401  # a function
    """A job's document is believed, an assignment that is newer is not."""

    def running(step: Any, agent: Any, assignment: Any, job: Any) -> None:  # noqa: ANN401  # as it has them
        if assignment is None or assignment.run == job.run:
            run(step, agent, assignment, job)

    return running


def trust_no_journal(lose: Any) -> Any:  # noqa: ANN401  # a function
    """A run is lost whatever its agent remembers."""

    def losing(step: Any, record: Any, reason: str) -> None:  # noqa: ANN401  # as it has them
        lose(step, replace(record, journal=0), reason)

    return losing


class Unasked(dict[Any, Any]):
    """Has everything, and answers nothing."""

    def get(self, _key: Any, default: Any = None) -> Any:  # noqa: ANN401  # as a dict has it
        """Nothing."""
        return default


def hand_over_blindly(given: Any) -> Any:  # noqa: ANN401  # a function
    """A run is handed over as if no agent had told of it."""

    def giving(step: Any, *more: Any, **fields: Any) -> None:  # noqa: ANN401  # as it has them
        known, step.state.reported = step.state.reported, Unasked(step.state.reported)
        given(step, *more, **fields)
        step.state.reported = known

    return giving


def forget_what_was_told(given: Any) -> Any:  # noqa: ANN401  # a function
    """What was told of a run before it was handed over is not looked at."""

    def giving(step: Any, *more: Any, **fields: Any) -> None:  # noqa: ANN401  # as it has them
        given(step, *more, **fields)
        step.known_already.clear()

    return giving


def grant_everything(_: Any) -> Any:  # noqa: ANN401  # a method
    """A lock is given to everybody."""

    def granting(self: LockTable, owner: Any, claims: Any) -> bool:  # noqa: ANN401  # as it has them
        self.restore(owner, claims, holding=True)
        return True

    return granting


def decide_again(asked: Any) -> Any:  # noqa: ANN401  # a function
    """An answer that was given is forgotten."""

    def deciding(step: Any, event: Any) -> None:  # noqa: ANN401  # as it has them
        step.state.answers.pop((event.user, event.request), None)
        asked(step, event)

    return deciding


def overlook_holds(initiate: Any) -> Any:  # noqa: ANN401  # a method
    """A hold is gone when the job is initiated."""

    def initiating(self: ContextMachine, journal: Any, index: int, cause: int) -> None:  # noqa: ANN401  # as it has them
        self.copies[index] = replace(self.copies[index], held=False)
        initiate(self, journal, index, cause)

    return initiating


def only_the_newest(undecided: Any) -> Any:  # noqa: ANN401  # a function
    """Of several due starts one is decided."""

    def deciding(*given: Any) -> Any:  # noqa: ANN401  # as it has them
        starts, *rest = undecided(*given)
        return (starts[-1:], *rest)

    return deciding


def release_into_the_past(_: Any) -> Any:  # noqa: ANN401  # a function
    """A lock goes to a job whose window is over."""

    def releasing(step: Any, owner: Any) -> None:  # noqa: ANN401  # as it has them
        for granted in step.state.locks.release(owner):
            machine = step.machine(granted.instance)
            if machine is not None:
                dashboard_runs.hand_over(step, machine, granted.copy, granted.order)
                step.touch(machine)

    return releasing


def in_order_of_time(_: Any) -> Any:  # noqa: ANN401  # a function
    """What is due happens in the order of its times."""

    def due(step: Any) -> None:  # noqa: ANN401  # as it has it
        while names := step.state.timers.take_due(step.now):
            for name in names:
                dashboard_machine._happens(step, name)
                settling.settle(step)

    return due


def blame_the_event(time_first: Any) -> Any:  # noqa: ANN401  # a function
    """What time brought is put down to the event that came with it."""

    def blaming(state: Any, now: Any, cause: str) -> Any:  # noqa: ANN401  # as it has them
        step = time_first(state, now, cause)
        step.audit[:] = [replace(row, cause=cause) for row in step.audit]
        return step

    return blaming


# ---------------------------------------------------------------------- the agent


def any_boot(unclaimed: Any) -> Any:  # noqa: ANN401  # a function
    """A run of an earlier life of the host is taken for one of this life."""

    def trusting(draft: Any, run_id: Any) -> None:  # noqa: ANN401  # as it has them
        run = draft.get(RUNS, run_id)
        if run is not None:
            draft.put(RUNS, run_id, replace(run, boot=draft.rules.boot))
        unclaimed(draft, run_id)

    return trusting


def any_journal(accept: Any) -> Any:  # noqa: ANN401  # a function
    """A run is accepted whatever journal it was handed to."""
    return lambda draft, assignment: accept(draft, replace(assignment, journal=0))


def claim_twice(claim: Any) -> Any:  # noqa: ANN401  # a method
    """A wrapper claims its folder though it is claimed."""

    def claiming(self: Host, process: Any) -> None:  # noqa: ANN401  # a process
        self.folder(process.run).claim = None
        claim(self, process)

    return claiming


def start_again(start: Any) -> Any:  # noqa: ANN401  # a method
    """A run is started though its folder is claimed."""

    def starting(self: Hands, assignment: Any) -> None:  # noqa: ANN401  # an assignment
        self._host.folder(assignment.run).claim = None
        start(self, assignment)

    return starting
