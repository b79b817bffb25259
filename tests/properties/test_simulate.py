"""What a script is told of each line is what has changed: nothing else, and nothing less."""

from __future__ import annotations

from random import Random

import pytest

from jobplan.simulate.script import Final, Line, Play, Script
from schemas.status import JobKind
from tests.oracle.plans import dice, random_plan

DOES = ("started", "ended", "fired", "global", "wait", "hold", "release", "skip", "unskip", "disable", "enable")
MORE = ("submit", "resubmit", "continue", "kill", "acknowledge", "reset")


def _script(rng: Random, play: Play, lines: int) -> Script:
    """Things that make sense at random places; seldom a reset of the whole instance, seldom its end."""
    graph = play.world.machine.graph
    for number in range(lines):
        copy = rng.choice(graph.copies)
        live = sorted(run.copy for run in play.world.core.state.live_runs(play.world.instance))
        do = rng.choice(DOES + MORE)
        if live and rng.random() < 0.5:
            copy, do = graph.copies[rng.choice(live)], rng.choice(("started", "ended", "ended"))
        elif copy.kind is not JobKind.COMMAND and rng.random() < 0.5:
            do = "fired"
        line = Line(do=do, job=copy.id, context=graph.context_of(copy.index).name, return_code=rng.choice((0, 0, 1)))
        if do == "wait":
            line = Line(do=do, ms=rng.choice((1, 31_000, 90_000)))
        elif rng.random() < 0.03:
            line = Line(do="reset", held=rng.random() < 0.5)
        elif rng.random() < 0.005:
            line = Line(do="end")
        yield number, line


def _standing(final: Final) -> dict[str, str]:
    return {**final.contexts, **{path: str(status) for path, status in final.jobs.items()}}


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_changes_told_are_the_changes(first: int) -> None:
    """Applied one after the other to how everything stood first they give how it stands; so do the runs that were told of."""
    for seed in range(first, first + 50):
        rng = dice(seed)
        play = Play(random_plan(rng, 15))
        told, runs = _standing(play.final()), len(play.world.core.state.runs)
        for outcome in play.play(_script(rng, play, 60)):
            runs += len(outcome.initiated)
            for context, job, before, after in outcome.changed:
                place = context if job is None else f"{context}/{job}"
                assert before != after
                assert told[place] == before
                told[place] = after
            assert told == _standing(play.final())
        assert runs == len(play.world.core.state.runs)
