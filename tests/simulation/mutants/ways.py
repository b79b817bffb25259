"""How a place is broken: what is put in its stead."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from agent_node.core.records import RUNS
from broker.runtime.doubt import Doubt
from broker.runtime.presence import writer_of
from broker.runtime.reconciler import Reconciler, stamp_of
from broker.runtime.shares import Shares
from broker.runtime.view import News, View
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


def as_it_is(_: Any) -> Any:  # noqa: ANN401  # stands for any function of one value
    """A function that changes nothing."""
    return lambda value: value


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
                gone += self._remove(address, known, known.order.stamp)
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

    def adopting(self: Reconciler, own: Mapping[str, bytes], mark: Any, **more: Any) -> None:  # noqa: ANN401  # likewise
        newest = max((found for payload in own.values() if (found := stamp_of(payload)) is not None), default=(0, 0))
        behind = mark is not None and newest < (mark.epoch, mark.revision)
        adopt(self, own, replace(mark, epoch=newest[0], revision=newest[1]) if behind else mark, **more)
        self.mark = mark

    return adopting


def adopt_what_was_cut_off(adopt: Any) -> Any:  # noqa: ANN401  # a method
    """A life that ended before all was put right counts as one that had put it right."""

    def adopting(self: Reconciler, own: Mapping[str, bytes], mark: Any, **more: Any) -> None:  # noqa: ANN401  # likewise
        adopt(self, own, None if mark is None else replace(mark, whole=True), **more)

    return adopting


def leave_the_unheard(adopt: Any) -> Any:  # noqa: ANN401  # a method
    """What an earlier life published counts as heard by all when it stands."""
    return lambda self, own, mark, **_unheard: adopt(self, own, mark)


def doubt_who_stands_alone(_: Any) -> Any:  # noqa: ANN401  # a method
    """A connection begins: of whom nothing stands is not waited for."""

    def beginning(self: Doubt) -> None:
        self._silent = {}
        self._due = None

    return beginning


def answer_the_first_word(heard: Any) -> Any:  # noqa: ANN401  # a method
    """Who comes is answered as soon as it greets, which is before it listens, and not again."""

    def hearing(self: Doubt, writer: Any, header: Any, presence: Any, **how: bool) -> bool:  # noqa: ANN401  # as it has them
        return bool(heard(self, writer, header, replace(presence, complete=True), **how))

    return hearing


def count_as_heard(replayed: Any) -> Any:  # noqa: ANN401  # a method
    """What nobody acknowledged counts as heard by all when it stands."""

    def replaying(self: Reconciler, own: Mapping[str, bytes], *, proved: bool = True) -> None:
        self._open.clear()
        replayed(self, own, proved=proved)

    return replaying


def forget_what_is_gone(remove: Any) -> Any:  # noqa: ANN401  # a method
    """What was removed is not remembered as removed."""

    def forgetting(self: View, address: Any, known: Any, until: Any) -> list[News]:  # noqa: ANN401  # as it has them
        news = remove(self, address, known, until)
        del self._known[address], self._gone[address]
        return list(news)

    return forgetting


# ---------------------------------------------------------------------- the agent


def any_boot(unclaimed: Any) -> Any:  # noqa: ANN401  # a function
    """A run of an earlier life of the host is taken for one of this life."""

    def trusting(draft: Any, run_id: Any) -> None:  # noqa: ANN401  # as it has them
        run = draft.get(RUNS, run_id)
        if run is not None:
            draft.put(RUNS, run_id, replace(run, boot=draft.rules.boot))
        unclaimed(draft, run_id)

    return trusting


def any_journal(verdict: Any) -> Any:  # noqa: ANN401  # a function
    """A run is accepted whatever journal it was handed to."""

    def trusting(assignment: Any, run: Any, journal: int) -> Any:  # noqa: ANN401  # as it has them
        return verdict(assignment, run, journal if assignment is None else assignment.journal)

    return trusting


def no_journal(handed_to: Any) -> Any:  # noqa: ANN401  # a function
    """A run that was handed to no journal is taken for one that was handed to this one."""
    return lambda assignment, journal: not assignment.journal or handed_to(assignment, journal)


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
