"""The context machine agrees with a naive second one: on random plans, after random events, restarts in between."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dashboard_node.core import context_machine, invariants
from dashboard_node.core.lifecycle import TRANSITIONS, Stage, Trigger, advance
from schemas.requests import Action
from tests.oracle.pair import Pair, something
from tests.oracle.plans import dice, random_plan

SMALL = tuple(range(start, start + 60) for start in range(0, 660, 60))
LARGE = tuple(range(start, start + 5) for start in range(1000, 1060, 5))

Move = tuple[Stage, Trigger]


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
def moves(seeds: range, *, jobs: int, events: int) -> frozenset[Move]:
    """Play all the seeds; the moves of jobs that were seen."""
    seen: set[Move] = set()

    def noted(stage: Stage, trigger: Trigger) -> Stage:
        seen.add((stage, trigger))
        return advance(stage, trigger)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(context_machine, "advance", noted)
        for seed in seeds:
            play(seed, jobs=jobs, events=events)
    return frozenset(seen)


@pytest.mark.parametrize("seeds", SMALL, ids=lambda seeds: f"from-{seeds.start}")
def test_small_plans(seeds: range) -> None:
    """Plans of up to ten jobs, in which everything meets everything."""
    assert moves(seeds, jobs=10, events=60)


@pytest.mark.parametrize("seeds", LARGE, ids=lambda seeds: f"from-{seeds.start}")
def test_large_plans(seeds: range) -> None:
    """Plans of up to sixty jobs."""
    assert moves(seeds, jobs=60, events=100)


def test_every_transition_is_seen() -> None:
    """Over the fixed seeds every legal move of a job happens; a move that never can has no place in the table."""
    seen = [moves(seeds, jobs=10, events=60) for seeds in SMALL] + [moves(s, jobs=60, events=100) for s in LARGE]
    missing = sorted(f"{stage} {trigger}" for stage, trigger in set(TRANSITIONS).difference(*seen))

    assert not missing


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
