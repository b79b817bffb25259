"""What cannot be imported is not simulated either."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobplan.simulate import cli_main
from tests.scenarios.notation import as_json, plan

UNEVEN = plan("P[a b | a<-, b<-]", locks="L{a:5 b}")


def test_scenario_105_a_plan_with_a_weight_above_the_capacity_is_refused_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody is shown a night that can never be: an import says the same."""
    file = tmp_path / "plan.json"
    file.write_bytes(as_json(UNEVEN))
    script = tmp_path / "script.jsonl"
    script.write_text('{"do": "submit", "job": "a"}\n', encoding="utf-8")

    assert cli_main(file, script, {}, as_json=False) == 2
    said = capsys.readouterr()
    assert not said.out
    assert said.err == (
        "error: plan.json $.jobLocks[0].jobs.P[0].lockCount: 'north-a' takes 5 of 'L', which has 1;"
        " lower the weight or raise the lock's count\n"
    )
