"""Property files: one a plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard_node.properties import read_folder
from schemas.tables import SettingError


def test_every_plan_with_a_file_has_its_properties(tmp_path: Path) -> None:
    """Names that cannot be file names are percent-encoded."""
    (tmp_path / "Daily.properties").write_text("# the day\nbusiness_date = today\n\nregion=north\n")
    (tmp_path / "a%2Fb.properties").write_text("p=1")
    (tmp_path / "notes.txt").write_text("x=1")

    assert read_folder(tmp_path) == {"Daily": {"business_date": "today", "region": "north"}, "a/b": {"p": "1"}}


def test_no_folder_means_no_properties(tmp_path: Path) -> None:
    """It is made by whoever wants one."""
    assert read_folder(tmp_path / "none") == {}


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The node does not start on half of its settings."""
    (tmp_path / "P.properties").write_bytes(b"\xff\xfe")

    with pytest.raises(SettingError, match=r"P\.properties"):
        read_folder(tmp_path)
