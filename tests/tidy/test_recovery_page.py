"""docs/recovery.md names a test in every row, and every test that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/recovery.md"
ROWS = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ") and "---" not in line]


def test_every_row_names_tests_that_are_there() -> None:
    """What nobody plays is a hope."""
    tests = "\n".join(file.read_text(encoding="utf-8") for file in sorted((ROOT / "tests").rglob("test_*.py")))
    there = set(re.findall(r"def (test_\w+)\(", tests))
    rows = [line for line in ROWS if not line.endswith("| test |")]
    named = [re.findall(r"`(test_\w+)`", line) for line in rows]

    assert [line for line, names in zip(rows, named, strict=True) if not names] == []
    assert sorted({name for names in named for name in names} - there) == []
    assert len(rows) > 40
