"""docs/first-steps.md, typed as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.nodes import ROOT, an_installation, environment

pytestmark = pytest.mark.timeout(180)

TEXT = (ROOT / "docs/first-steps.md").read_text(encoding="utf-8")
SOURCES = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
LINES = [
    line for block in re.findall(r"^```sh\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE) for line in block.splitlines()
]
SERVED = [line for line in LINES if line.startswith("jobplan serve")]
TELLING = ("jobplan doctor", "jobplan job why", "jobplan job logs")
"""Commands behind which the page writes what they say."""


def test_what_the_page_shows_can_be_typed(tmp_path: Path) -> None:
    """Each command succeeds, one after the other, and says what the page says of it."""
    (tmp_path / "hello.py").write_text("".join(SOURCES), encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with an_installation(tmp_path) as nodes:
        nodes.start("north")
        here = environment() | {"PATH": path, "JOBPLAN_BROKER": nodes.url}
        for line in (line for line in LINES if line not in SERVED):
            done = subprocess.run(
                ["/bin/sh", "-c", line], cwd=tmp_path, env=here, capture_output=True, text=True, timeout=60, check=False
            )
            told = line.partition("#")[2].strip() if line.startswith(TELLING) else ""

            assert done.returncode == 0, f"{line}\n{done}\n{nodes.logs()}"
            assert told in done.stdout + done.stderr


def test_the_page_starts_what_the_test_starts() -> None:
    """A broker, a dashboard and an agent named north."""
    assert [line.split("#")[0].split()[2:] for line in SERVED] == [["broker"], ["dashboard"], ["agent", "north"]]
