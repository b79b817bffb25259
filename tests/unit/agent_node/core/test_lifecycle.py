"""The table of a run's stages, the verdicts on assignments, and what must always hold."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from agent_node.core.invariants import SENTENCES, check
from agent_node.core.lifecycle import TRANSITIONS, Stage, TransitionError, Trigger, Window, advance, window_at
from agent_node.core.reconcile import Verdict, verdict, visible
from agent_node.core.records import INSTANCES, RUNS, WATCHES, Instance, Record, Run, Stopping, Watch
from agent_node.core.state import State, Wakeups
from broker.runtime.core import InvariantError, Key
from schemas.documents import Fire
from schemas.status import Outcome
from tests.support.agents import HOUR, INSTANCE, JOURNAL, NOON, RULES, a_clock, a_publication, a_run, an_assignment

JOB = a_clock().id


def a_record(stage: Stage, **fields: object) -> Run:
    """A run's record."""
    plain = {"run": a_run(), "instance": INSTANCE, "job": JOB, "stage": stage, "accepted": NOON}
    return Run(**{**plain, **fields})  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("trigger", list(Trigger))
def test_every_cell_is_listed_or_refused(stage: Stage, trigger: Trigger) -> None:
    """What the table does not have names both in its error."""
    if (stage, trigger) in TRANSITIONS:
        assert advance(stage, trigger) is TRANSITIONS[(stage, trigger)]
    else:
        with pytest.raises(TransitionError, match=f"{stage}.*{trigger}"):
            advance(stage, trigger)


def test_end_is_final() -> None:
    """No way leads out."""
    assert [trigger for stage, trigger in TRANSITIONS if stage is Stage.ENDED] == []


def test_every_stage_is_reached() -> None:
    """From waiting on."""
    assert set(TRANSITIONS.values()) | {Stage.WAITING} == set(Stage)


@pytest.mark.parametrize(("minutes", "window"), [
    (-1, Window.PENDING), (0, Window.OPEN), (59, Window.OPEN), (60, Window.CLOSED),
])  # fmt: skip
def test_window_includes_its_start_alone(minutes: int, window: Window) -> None:
    """Open from its start to just before its end; without an end for ever."""
    now = NOON + timedelta(minutes=minutes)

    assert window_at(NOON, NOON + HOUR, now) is window
    assert window_at(NOON, None, now) is (Window.PENDING if minutes < 0 else Window.OPEN)


@pytest.mark.parametrize(("stage", "assigned", "stop", "expected"), [
    (None, False, False, Verdict.LEAVE),
    (None, True, False, Verdict.ACCEPT),
    (Stage.WAITING, False, False, Verdict.FORGET),
    (Stage.WAITING, True, False, Verdict.LEAVE),
    (Stage.WAITING, True, True, Verdict.WITHDRAW),
    (Stage.STARTING, False, False, Verdict.LEAVE),
    (Stage.STARTING, True, True, Verdict.STOP),
    (Stage.RUNNING, False, False, Verdict.LEAVE),
    (Stage.RUNNING, True, False, Verdict.LEAVE),
    (Stage.RUNNING, True, True, Verdict.STOP),
    (Stage.ENDED, False, False, Verdict.LET_GO),
    (Stage.ENDED, True, False, Verdict.SHOW),
    (Stage.ENDED, True, True, Verdict.SHOW),
])  # fmt: skip
def test_verdict(stage: Stage | None, assigned: bool, stop: bool, expected: Verdict) -> None:  # noqa: FBT001  # columns
    """Assigned against journaled, each cell that matters."""
    run = None if stage is None else a_record(stage)

    assert verdict(an_assignment(stop=stop) if assigned else None, run, JOURNAL) is expected


@pytest.mark.parametrize(("stage", "journal", "hold", "expected"), [
    (Stage.WAITING, 0, False, Verdict.LEAVE),
    (Stage.WAITING, JOURNAL + 1, False, Verdict.LOSE),
    (Stage.WAITING, JOURNAL + 1, True, Verdict.LEAVE),
    (Stage.STARTING, JOURNAL + 1, False, Verdict.LEAVE),
    (Stage.ENDED, JOURNAL + 1, False, Verdict.SHOW),
])  # fmt: skip
def test_verdict_on_what_another_journal_was_handed(stage: Stage, journal: int, hold: bool, expected: Verdict) -> None:  # noqa: FBT001  # columns
    """What waits here and may be started there is lost; what was started here was handed to this journal once."""
    assignment = replace(an_assignment(journal=journal), hold=hold)

    assert verdict(assignment, a_record(stage), JOURNAL) is expected


def test_end_is_visible_while_wanted() -> None:
    """By its assignment, or by its time of grace."""
    ended = a_record(Stage.ENDED)

    assert visible(an_assignment(), ended)
    assert visible(None, a_record(Stage.ENDED, let_go_at=NOON))
    assert not visible(None, ended)


def a_watch(**fields: object) -> Watch:
    """A watch's record."""
    plain = {"instance": INSTANCE, "job": JOB, "active": False, "decided": NOON}
    return Watch(**{**plain, **fields})  # type: ignore[arg-type]  # fields by name


FIRES = (Fire(sequence=2, at=NOON), Fire(sequence=1, at=NOON))


@pytest.mark.parametrize(("name", "record"), [
    ("A1", a_record(Stage.ENDED)),
    ("A1", a_record(Stage.RUNNING, outcome=Outcome.FAILED, ended=NOON)),
    ("A3", a_record(Stage.WAITING)),
    ("A4", a_watch(fires=FIRES, sequence=2)),
    ("A4", a_watch(fires=FIRES[:1], sequence=1)),
    ("A5", a_watch(active=True)),
    ("A5", a_watch(next_due=NOON)),
])  # fmt: skip
def test_broken_promise_is_named(name: str, record: Record) -> None:
    """With its sentence and the culprit."""
    state = State(RULES)
    key = RUNS.key(a_run()) if isinstance(record, Run) else WATCHES.key("w")
    state.apply({key: record})

    with pytest.raises(InvariantError, match=f"{name} is broken.*{SENTENCES[name][:20]}"):
        check(state, [key])


def test_two_processes_of_one_job_break_a_promise() -> None:
    """A2, and A6 for a waiting run that is being stopped."""
    state = State(RULES)
    state.apply({RUNS.key(a_run(n)): a_record(Stage.RUNNING, run=a_run(n)) for n in (1, 2)})

    with pytest.raises(InvariantError, match="A2"):
        check(state, [RUNS.key(a_run(1))])


def test_waiting_run_is_not_stopping() -> None:
    """A6."""
    state = State(RULES)
    stopping = a_record(Stage.WAITING, stopping=Stopping.KILL)
    state.apply({RUNS.key(a_run()): stopping, Key("assignment", a_run()): an_assignment()})

    with pytest.raises(InvariantError, match="A6"):
        check(state, [RUNS.key(a_run())])


def test_wakeups_give_the_earliest() -> None:
    """What is replaced or taken back no longer counts."""
    wakeups = Wakeups()
    first, second = Key("run", "a"), Key("run", "b")
    for number in range(1000):
        wakeups.put(first, NOON + timedelta(seconds=1000 - number))
    wakeups.put(second, NOON)
    earliest = wakeups.next()
    wakeups.put(second, None)

    assert earliest == NOON
    assert wakeups.next() == NOON + timedelta(seconds=1)
    assert wakeups.due(NOON) == []
    assert wakeups.due(NOON + HOUR) == [first]


def test_restore_keeps_the_order_of_acceptance() -> None:
    """Runs that wait go on waiting in their order, whatever their names."""
    first, second = a_record(Stage.WAITING, run=a_run(2)), a_record(Stage.WAITING, run=a_run(1), accepted=NOON + HOUR)
    instance = Instance(publication=a_publication(), since=NOON, window=Window.OPEN)
    state = State(RULES)

    state.restore(
        (key, msgspec.json.encode(record))
        for key, record in (
            (RUNS.key(second.run), second),
            (RUNS.key(first.run), first),
            (INSTANCES.key(INSTANCE), instance),
            (Key("of another program", "x"), instance),
        )
    )

    assert list(state.waiting) == [first.run, second.run]
