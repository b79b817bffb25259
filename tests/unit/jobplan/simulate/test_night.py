"""A night without a script: when clocks fire, commands run and windows of contexts open."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from jobplan.simulate.night import Night, NightPlay
from schemas.plan import OwnWindow, PlanSource
from tests.oracle.plans import dice, random_plan
from tests.scenarios.notation import plan

CLOCKED = "P[q:q a | a<-and(q)]"
DAY: dict[str, Any] = {"time_window_start": "0 0 1 ? * *", "context_ttl_milliseconds": 23 * 3_600_000}


def bars(night: Night) -> list[tuple[str, float, float]]:
    """Job, when after the opening and for how long, in hours."""
    hour = timedelta(hours=1)
    return [(b.job, (b.started - night.opens) / hour, ((b.ended or night.done) - b.started) / hour) for b in night.bars]


def a_clock(cron: str, **fields: object) -> dict[str, dict[str, object]]:
    """Fields of the clock job."""
    return {"q": {"cron_expression": cron, **fields}}


def test_a_command_takes_what_it_usually_takes() -> None:
    """A minute where nothing is known."""
    source = plan(CLOCKED, jobs=a_clock("0 0 2 ? * *"), **DAY)

    assert bars(NightPlay(source, durations={"north-a": timedelta(hours=2)}).play()) == [("q", 1, 0), ("a", 1, 2)]
    assert bars(NightPlay(source).play())[1][2] == pytest.approx(1 / 60)


@pytest.mark.parametrize("cron", ["0 0 2 ? * *", "0 0 2-5 ? * *"])
def test_fires_that_a_blackout_delays_are_one_at_its_end(cron: str) -> None:
    """And what follows starts then."""
    blackout = {"on_blackout": "delay", "blackout_window_cron_expressions": ("* * 1-5 ? * *",)}

    night = NightPlay(plan(CLOCKED, jobs=a_clock(cron, **blackout), **DAY)).play()

    assert [(job, start) for job, start, _ in bars(night)] == [("q", 5), ("a", 5)]
    assert night.firings == {"q": 1}


def test_a_context_with_a_window_of_its_own() -> None:
    """What fires before it opens waits until then."""
    source = plan("P{C[q:q a | a<-and(q)]}", jobs=a_clock("0 30 9 ? * *"), **DAY)
    window = OwnWindow(start="0 0 10 ? * *", ttl_milliseconds=3_600_000)
    contexts = (replace(source.plan.contexts[0], own_window=window),)

    night = NightPlay(replace(source, plan=replace(source.plan, contexts=contexts))).play()

    assert [(job, start) for job, start, _ in bars(night)] == [("q", 8.5), ("a", 9)]


def test_the_window_ends_over_what_runs() -> None:
    """The night is over then."""
    short = DAY | {"context_ttl_milliseconds": 2 * 3_600_000}
    source = plan(CLOCKED, jobs=a_clock("0 0 2 ? * *"), **short)

    night = NightPlay(source, durations={"a": timedelta(hours=5)}).play()

    assert night.jobs == {"P/q": "COMPLETE", "P/a": "RUNNING"}


@pytest.mark.parametrize("seed", range(60))
def test_any_plan_has_a_night(seed: int) -> None:
    """All of it is played, and what is complete has been seen running or firing."""
    source = random_plan(dice(seed), 30)

    night = NightPlay(_with_a_window(source)).play()

    assert not night.cut
    assert {bar.job for bar in night.bars} >= {
        path.partition("/")[2] for path, status in night.jobs.items() if status == "COMPLETE" and _runs(source, path)
    }


def _with_a_window(source: PlanSource) -> PlanSource:
    return msgspec.structs.replace(source, plan=replace(source.plan, **DAY))


def _runs(source: PlanSource, path: str) -> bool:
    return path.partition("/")[2] in {job.job_name for job in source.jobs if job.agent_name != "GLOBAL_EVENT"}
