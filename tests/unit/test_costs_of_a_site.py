"""What a job costs a large site is what it costs a small one: counted in events, documents, records, rows and lines of Python.

The small sister of ``python -m benchmarks.scale 10000 1000000``, on the same virtual day. No clock is looked at.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import pytest

from benchmarks.day import LENGTH, Day
from dashboard_node.core import invariants
from dashboard_node.core.machine import DashboardCore
from dashboard_node.core.state import State

if TYPE_CHECKING:
    from _typeshed import TraceFunction

SMALL, LARGE = (24, 240), (120, 1_200)
"""Agents, jobs: five times as many of both; in each hour of the day as many instances end."""
CORE = str(Path(invariants.__file__).parent)


@pytest.fixture(scope="module")
def days() -> list[Day]:
    """A small and a large one, over."""
    found = [Day(agents) for agents, _ in (SMALL, LARGE)]
    for day, (_, jobs) in zip(found, (SMALL, LARGE), strict=True):
        deque(day.play(jobs), maxlen=0)
    return found


def _a_job(day: Day, jobs: int, kind: str) -> tuple[float, ...]:
    """What a job led to on average by events of one kind: events, documents, records and audit rows."""
    cost = day.spent[kind]
    return (cost.events / jobs, cost.documents / jobs, cost.records / jobs, cost.audit / jobs)


@pytest.mark.parametrize(("kind", "counts"), [("report", (3.0, 11.7, 7.2, 4.1)), ("request", (0.3, 4.8, 2.0, 0.3))])
def test_a_job_leads_to_the_same_on_five_times_the_site(kind: str, counts: tuple[float, ...], days: list[Day]) -> None:
    """As many events, documents shown, records and rows saved, for what agents report and for what people ask."""
    small, large = (_a_job(day, jobs, kind) for day, (_, jobs) in zip(days, (SMALL, LARGE), strict=True))

    assert large == small == pytest.approx(counts)


def test_forgetting_a_job_costs_the_same_on_five_times_the_site(days: list[Day]) -> None:
    """What is removed when its time is over: within the one instance by which two days differ."""
    small, large = (_a_job(day, jobs, "time") for day, (_, jobs) in zip(days, (SMALL, LARGE), strict=True))

    assert large == pytest.approx(small, rel=0.05)


def test_an_agent_that_comes_or_goes_touches_its_own_instances_alone(days: list[Day]) -> None:
    """As many documents for each, however many others there are."""
    small, large = (day.presences.documents / day.presences.events for day in days)

    assert 1 < large < small + 0.5


def _lines(what: Callable[[], object]) -> int:
    """How many lines of the dashboard's core were run, each turn of a loop counting anew."""
    count = 0

    def line(_: FrameType, event: str, __: object) -> TraceFunction | None:
        nonlocal count
        count += event == "line"
        return line

    def call(frame: FrameType, _: str, __: object) -> TraceFunction | None:
        return line if frame.f_code.co_filename.startswith(CORE) else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        what()
    finally:
        sys.settrace(before)
    return count


def test_a_job_runs_as_many_lines_on_ten_times_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing looks through all instances, runs or agents for the few that an event means; a loop that did would show."""
    monkeypatch.setattr(DashboardCore, "check", lambda _: None)  # it is paid for by events: see below
    jobs, loops = [], []
    for agents in (20, 200):
        day = Day(agents)
        playing = day.play(agents * LENGTH)
        deque(islice(playing, 2 * LENGTH), maxlen=0)
        jobs.append(_lines(partial(deque, islice(playing, 4 * LENGTH), maxlen=0)))
        loops.append(_lines(partial(list, day.core.state.active())))

    assert jobs[0] > 10_000
    assert jobs[1] == pytest.approx(jobs[0], rel=0.1)
    assert loops[1] > 5 * loops[0]  # as such a loop does show


def test_checks_are_paid_for_by_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many jobs a site has: an event pays for the check of 20, and all come round; no more than an instance at once."""
    looks: list[int] = []
    rounds: list[int] = []
    check_in_parts = invariants.parts

    def counted(state: State) -> Iterator[int]:
        for jobs in check_in_parts(state):
            looks.append(jobs)
            yield jobs
        rounds.append(len(looks))

    monkeypatch.setattr(invariants, "parts", counted)
    day = Day(LARGE[0])
    looks.clear()
    deque(day.play(LARGE[1]), maxlen=0)
    events = sum(cost.events for cost in day.spent.values())

    assert len(rounds) > 2
    assert sum(looks) <= 20 * events + LENGTH
    assert max(looks) == LENGTH
