"""A dashboard that goes on from a copy of an hour ago: with real processes and a real broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.nodes import a_command, an_installation, write_plan
from tests.support.waiting import until


@pytest.mark.timeout(120)
def test_what_ran_since_the_copy_does_not_run_again(tmp_path: Path) -> None:
    """Copied while the first command runs, put back when all is over: both ends are told again."""
    ledger, go = tmp_path / "ledger", tmp_path / "go"
    waiting = f"echo first >> {ledger}; while [ ! -e {go} ]; do sleep 0.1; done"
    jobs = [a_command("First", waiting), a_command("Second", f"echo second >> {ledger}")]
    data = ("--data", str(tmp_path / "data"))
    with an_installation(tmp_path) as nodes:
        nodes.start("north")
        nodes.do("plan", "import", str(write_plan(tmp_path / "Back", jobs, {"First": [], "Second": ["First"]})))
        instance = nodes.do("instance", "start", "Back").strip()
        nodes.do("job", "submit", instance, "First")
        until(ledger.exists, within=20, what="the first command runs")
        nodes.do("backup", str(tmp_path / "copy.db"), *data)
        go.touch()
        nodes.wait_for(instance, "COMPLETE")

        refused = nodes.run("restore", str(tmp_path / "copy.db"), *data)
        nodes.nodes["dashboard"].stop()
        nodes.do("restore", str(tmp_path / "copy.db"), *data)
        nodes.nodes["dashboard"].start()
        nodes.wait_for_agents("north")
        nodes.wait_for(instance, "COMPLETE")

    assert refused.returncode == 2
    assert "in use" in refused.stderr
    assert ledger.read_text().split() == ["first", "second"]
