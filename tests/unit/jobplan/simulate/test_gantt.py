"""The timeline of a night in terminals of all widths."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from jobplan.simulate.gantt import render
from jobplan.simulate.night import NightPlay
from tests.scenarios.notation import plan

LONG = "A_context_with_quite_a_long_name"


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_bars_and_times_are_there_in_every_terminal(columns: int) -> None:
    """Names give way to them."""
    night = NightPlay(plan(f"{LONG}[q:seven_oclock first_job_of_it | first_job_of_it<-and(seven_oclock)]")).play()
    paper = StringIO()

    Console(file=paper, width=columns).print(render(night, columns))
    text = paper.getvalue()

    assert ("+5:00:00" in text, "1:00" in text, "◆" in text, "█" in text) == (True, True, True, True)
