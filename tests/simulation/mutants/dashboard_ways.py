"""How a place in the dashboard is broken: what is put in its stead."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from dashboard_node.core import machine as dashboard_machine
from dashboard_node.core import runs as dashboard_runs
from dashboard_node.core import settling
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.locks import LockTable
from dashboard_node.core.projection import Projection


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
        self.restore(owner, claims, holding=False)
        self._grant(owner)
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
