"""A minute of kill -9: each run ran once, each instance ended, everybody agrees, and nothing is left behind."""

from __future__ import annotations

import secrets
from pathlib import Path
from random import Random

import pytest

from schemas.names import InstanceId, RunId
from tests.chaos.judging import Verdict, each_run_once
from tests.chaos.site import Site
from tests.chaos.story import live
from tests.simulation.checkers.reading import RunRow
from tests.support import budget


@pytest.mark.timeout(budget.chaos().total_seconds() + 400)
async def test_nothing_is_lost_and_nothing_runs_twice(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Dashboard, agents and broker are killed at random, alone and all at once."""
    seed = secrets.randbelow(10**6)
    site = Site(tmp_path)
    try:
        figures = await live(site, budget.chaos().total_seconds(), Random(seed))  # noqa: S311  # to repeat it is the point
    finally:
        site.close()
    terminal = request.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None:
        terminal.write_line(f" chaos, seed {seed}: {figures}")

    assert figures.complaints == []


def test_the_judge_notices_what_ran_twice_or_never(tmp_path: Path) -> None:
    """Else nothing would be proved."""
    told = tmp_path / "runs"
    told.write_text("once\ntwice\ntwice\nforeign\n", encoding="utf-8")
    runs = [
        RunRow(id=RunId(name), instance=InstanceId("i"), copy=0, attempt=1, agent="north", outcome="succeeded")
        for name in ("once", "twice", "never")
    ]
    verdict = Verdict()
    each_run_once(verdict, told, runs)

    assert [complaint.split()[1] for complaint in verdict.complaints] == ["twice", "never", "foreign"]
