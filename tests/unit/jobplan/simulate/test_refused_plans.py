"""What cannot be imported is not simulated either."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from jobplan.cli import main
from tests.scenarios.notation import as_json, plan

UNEVEN = plan("P[a b | a<-, b<-]", locks="L{a:5 b}")


def test_scenario_105_a_plan_with_a_weight_above_the_capacity_is_refused_with_what_to_do(
    tmp_path: Path,
) -> None:
    """Nobody is shown a night that can never be: an import says the same."""
    file = tmp_path / "plan.json"
    file.write_bytes(as_json(UNEVEN))
    script = tmp_path / "script.jsonl"
    script.write_text('{"do": "submit", "job": "a"}\n', encoding="utf-8")

    done = CliRunner().invoke(main, ["simulate", str(file), "--script", str(script)])

    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        "jobplan: plan.json $.jobLocks[0].jobs.P[0].lockCount: 'north-a' takes 5 of 'L', which has 1;"
        " lower the weight or raise the lock's count\n"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"\xff", "not UTF-8"),
        (b"x", "line 1: JSON is malformed"),
        (b'{"do": "nothing"}', "line 1: nobody can 'nothing'"),
    ],
)
def test_a_script_that_cannot_be_read_is_one_line(tmp_path: Path, content: bytes | None, said: str) -> None:
    """With the file's name, and exit code 2."""
    file, script = tmp_path / "plan.json", tmp_path / "script.jsonl"
    file.write_bytes(as_json(plan("P[a | a<-]")))
    if content is not None:
        script.write_bytes(content)

    done = CliRunner().invoke(main, ["simulate", str(file), "--script", str(script)])

    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"jobplan: {script}: {said}")
