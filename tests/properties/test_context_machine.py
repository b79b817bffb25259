"""The context machine agrees with a naive second one: on random plans, after random events, restarts in between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import permutations

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec import Struct, field

from dashboard_node.core import context_machine, invariants
from dashboard_node.core.context_machine import ContextMachine, Journal
from dashboard_node.core.lifecycle import TRANSITIONS, Stage, Trigger, advance
from dashboard_node.core.records import RunRecord
from dashboard_node.core.step import Step
from schemas.names import JobId
from schemas.plan import Context
from schemas.requests import Action
from schemas.status import ContextStatus, Outcome, RunPhase
from tests.oracle.pair import Pair, something
from tests.oracle.plans import dice, random_plan

SMALL = tuple(range(start, start + 60) for start in range(0, 660, 60))
LARGE = tuple(range(start, start + 5) for start in range(1140, 1200, 5))


class Seen(Struct, frozen=True):
    """Which moves happened."""

    jobs: set[tuple[Stage, Trigger]] = field(default_factory=set)
    contexts: set[tuple[ContextStatus, ContextStatus]] = field(default_factory=set)
    runs: set[tuple[RunPhase | None, RunPhase | Outcome]] = field(default_factory=set)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note all that move meanwhile."""
        set_context, put_run = ContextMachine.set_context, Step.put_run

        def job(stage: Stage, trigger: Trigger) -> Stage:
            self.jobs.add((stage, trigger))
            return advance(stage, trigger)

        def context(machine: ContextMachine, journal: Journal, index: int, status: ContextStatus) -> None:
            self.contexts.add((machine.contexts[index].status, status))
            set_context(machine, journal, index, status)

        def run(step: Step, record: RunRecord) -> None:
            before = step.state.runs.get(record.id)
            if before is not None and before.phase is not record.phase:
                self.runs.add((before.phase, record.outcome or record.phase or RunPhase.ENDED))
            put_run(step, record)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(context_machine, "advance", job)
            patch.setattr(ContextMachine, "set_context", context)
            patch.setattr(Step, "put_run", run)
            yield


LIVING = (ContextStatus.WAITING, ContextStatus.RUNNING, ContextStatus.COMPLETE, ContextStatus.ERROR)
CONTEXT_MOVES = {*permutations(LIVING, 2), *((status, ContextStatus.ENDED) for status in LIVING)} - {
    (ContextStatus.COMPLETE, ContextStatus.ERROR)
}
"""A context follows what is in it, so it may go from anywhere to anywhere, but for this: what fails was busy before. The
outermost one ends from anywhere."""
RUN_MOVES = {
    *((None, phase) for phase in (RunPhase.ACCEPTED, RunPhase.RUNNING)),
    (RunPhase.ACCEPTED, RunPhase.RUNNING),
    *((phase, outcome) for phase in (None, RunPhase.ACCEPTED, RunPhase.RUNNING) for outcome in Outcome),
}
"""From each phase on to each later one, however it ends."""


def play(seed: int, *, jobs: int, events: int) -> None:
    """Let random things happen to a random plan, and compare after each of them."""
    rng = dice(seed)
    pair = Pair(random_plan(rng, jobs))
    for number in range(events):
        something(pair, rng)
        pair.compare()
        if number % 10 == 9:
            pair.see()
        if rng.random() < 0.02:
            pair.restart()
    if rng.random() < 0.3:
        pair.end()
    for _ in range(4):
        something(pair, rng)
        pair.compare()
    pair.see()


@cache
def moves(seeds: range, *, jobs: int, events: int) -> Seen:
    """Play all the seeds; the moves that were seen."""
    seen = Seen()
    with seen.watching():
        for seed in seeds:
            play(seed, jobs=jobs, events=events)
    return seen


@pytest.mark.parametrize("seeds", SMALL, ids=lambda seeds: f"from-{seeds.start}")
def test_small_plans(seeds: range) -> None:
    """Plans of up to ten jobs, in which everything meets everything."""
    assert moves(seeds, jobs=10, events=60).jobs


@pytest.mark.parametrize("seeds", LARGE, ids=lambda seeds: f"from-{seeds.start}")
def test_large_plans(seeds: range) -> None:
    """Plans of up to sixty jobs."""
    assert moves(seeds, jobs=60, events=100).jobs


def everything() -> list[Seen]:
    """What was seen over all fixed seeds."""
    return [moves(seeds, jobs=10, events=60) for seeds in SMALL] + [moves(s, jobs=60, events=100) for s in LARGE]


def test_every_transition_of_a_job_is_seen() -> None:
    """Over the fixed seeds every legal move of a job happens; a move that never can has no place in the table."""
    assert set[tuple[Stage, Trigger]]().union(*(seen.jobs for seen in everything())) == set(TRANSITIONS)


def test_every_move_of_a_context_is_seen() -> None:
    """Each that there is, and no other."""
    assert set[tuple[ContextStatus, ContextStatus]]().union(*(seen.contexts for seen in everything())) == CONTEXT_MOVES


def test_every_move_of_a_run_is_seen() -> None:
    """Each that there is, and no other: no run goes back, and each ends once."""
    assert set[tuple[RunPhase | None, RunPhase | Outcome]]().union(*(seen.runs for seen in everything())) == RUN_MOVES


def test_the_fixed_plans_are_large_and_have_all_there_is() -> None:
    """Sixty jobs; groupings in groupings, each of and, or and not; context dependencies, locks, jobs in several contexts."""
    plans = [random_plan(dice(seed), 60).plan for seeds in LARGE for seed in seeds]
    texts = [msgspec.json.encode(plan).decode() for plan in plans]

    assert max(len(_jobs(plan)) for plan in plans) == 60
    assert max(len(list(_contexts(plan))) for plan in plans) == 5
    for words in (
        '"and":[{"logicalGrouping"',
        '"or":[{"logicalGrouping"',
        '"not":[{"logicalGrouping"',
        '"contextDependencies"',
    ):
        assert any(words in text for text in texts), words
    assert any(plan.job_locks for plan in plans)
    assert any(lock.exclusive_job_lock for plan in plans for lock in plan.job_locks)
    assert any(len(_jobs(plan)) < sum(len(c.scheduled_jobs) for c in _contexts(plan)) for plan in plans)


def _contexts(context: Context) -> Iterator[Context]:
    yield context
    for child in context.contexts:
        yield from _contexts(child)


def _jobs(plan: Context) -> set[JobId]:
    return {job.id for context in _contexts(plan) for job in context.scheduled_jobs}


class Machines(RuleBasedStateMachine):
    """Hypothesis picks what happens, so that what fails is made small."""

    @initialize(seed=st.integers(0, 10_000))
    def open(self, seed: int) -> None:
        """Start an instance of some small plan."""
        self.pair = Pair(random_plan(dice(seed), 8))

    @rule(seed=st.integers(0, 10_000))
    def happen(self, seed: int) -> None:
        """Something happens."""
        something(self.pair, dice(seed))

    @rule()
    def restart(self) -> None:
        """The dashboard starts anew."""
        self.pair.restart()

    @rule(seconds=st.integers(1, 300))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.pair.wait(seconds)

    @rule(where=st.integers(0, 100), onward=st.booleans())
    def act(self, where: int, *, onward: bool) -> None:
        """A person does something that makes sense, to some job."""
        rng = dice(where)
        places = self.pair.naive.text.places
        self.pair.act(rng.choice(list(Action)), places[where % len(places)], onward=onward)

    @invariant()
    def both_agree(self) -> None:
        """After every event."""
        if hasattr(self, "pair"):
            self.pair.compare()
            invariants.check(self.pair.core.state)

    def teardown(self) -> None:
        """At the end all that was shown and saved is looked at."""
        if hasattr(self, "pair"):
            self.pair.see()


Machines.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
test_machines = Machines.TestCase
