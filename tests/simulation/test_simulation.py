"""The promises hold in every story: in those that once found a bug, in the fixed ones, and in ones never told before."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest
from msgspec import Struct, field

from tests.simulation.coverage import Coverage
from tests.simulation.crowd import BATCH, tell_all
from tests.simulation.mutants.__main__ import noticed
from tests.simulation.mutants.breakages import MUTANTS
from tests.simulation.story import Ending, tell
from tests.support import budget

FIXED = 200
"""Seeds told each time, besides those in seeds.txt."""
FRESH_AT_ONCE = 20
ROOT = Path(__file__).resolve().parents[2]


def found_bugs() -> list[int]:
    """The seeds in seeds.txt."""
    lines = Path(__file__).with_name("seeds.txt").read_text(encoding="utf-8").splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


def complaints(endings: list[Ending]) -> str:
    """What broke, and how to see it again."""
    return "\n".join(
        f"seed {ending.seed} at {ending.at:.3f} s: {ending.broken}\n  again: make sim SEED={ending.seed} ARGS=--trace"
        for ending in endings
        if ending.broken
    )


class Told(Struct):
    """The fixed stories, told."""

    endings: list[Ending] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)


@pytest.fixture(scope="module")
def told() -> Told:
    """All fixed seeds, and those that found bugs."""
    found = Told()
    found.endings += tell_all(sorted({*range(FIXED), *found_bugs()}), found.coverage)
    return found


@pytest.mark.timeout(0)  # who tells them notices what hangs: how long all of them take depends on the machine
def test_promises_hold_for_the_fixed_seeds(told: Told) -> None:
    """S1 to S8 all the way, L1 to L4 after healing."""
    assert not complaints(told.endings)


@pytest.mark.timeout(0)
def test_everything_that_can_happen_has_happened(told: Told) -> None:
    """Each event, effect, edge of a lifecycle, request, outcome and fault: else green would say little."""
    assert told.coverage.missing() == []


@pytest.mark.timeout(600)
def test_promises_hold_for_fresh_seeds(request: pytest.FixtureRequest) -> None:
    """As many as there is time for; their seeds are printed. CI tells of what they find, and fails for what is known to hold."""
    ends = time.perf_counter() + budget.simulation().total_seconds()
    first = secrets.randbelow(10**9)
    count = 0
    endings: list[Ending] = []
    while time.perf_counter() < ends:
        endings += tell_all(range(first + count, first + count + FRESH_AT_ONCE))
        count += FRESH_AT_ONCE
    terminal = request.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None:
        terminal.write_line(f" fresh seeds: {first} to {first + count - 1}")

    found = complaints(endings)
    if found and os.environ.get("CI"):
        pytest.xfail(f"a story never told before, which this change need not have broken:\n{found}")
    assert not found


def test_a_story_depends_on_its_seed_alone() -> None:
    """The same in another process, whatever order its sets have there."""
    digests = {
        subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", "7", "--digest"],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": order},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for order in ("1", "2")
    }

    assert digests == {tell(7).digest}


def test_a_story_that_hangs_is_noticed() -> None:
    """Its process says in what, and ends."""
    with pytest.raises(BrokenProcessPool):
        list(tell_all(range(2 * BATCH), longest=0.01))


def test_a_broken_promise_is_noticed() -> None:
    """One of the mutants, for `make sim-mutants` is told seldom: clocks that fire on after their instance is gone."""
    mutant = next(mutant for mutant in MUTANTS if mutant.name == "fires go on")
    ending = noticed(mutant, most=5)

    assert ending is not None
    assert ending.promise == "S8"
