"""The page as it is shipped: built, small enough, from this page's own sources, in the wheel."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from jobplan.web.files import FOLDER, read_files

ROOT = Path(__file__).resolve().parents[2]
MOST_PACKED = 250_000
"""Bytes that a browser loads before it shows anything."""


def test_the_page_is_built_and_names_only_its_own_files() -> None:
    """Nothing inline, nothing from anywhere else, and each file that is named is there."""
    files = read_files()
    page = files["/"].content.decode()
    named = re.findall(r'(?:src|href)="\.?(/[^"]+)"', page)

    assert len(named) >= 3
    assert set(named) <= files.keys()
    assert "://" not in page
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)


def test_the_page_is_small() -> None:
    """Script and style as they travel."""
    packed = {path: len(file.packed) for path, file in read_files().items() if path.startswith("/assets/")}

    assert sum(packed.values()) < MOST_PACKED, packed


def test_the_built_page_is_in_the_wheel(tmp_path: Path) -> None:
    """Who installs jobplan needs no node."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        shipped = {name for name in wheel.namelist() if name.startswith("jobplan/web/static/")}

    built = {f"jobplan/web/static/{file.relative_to(FOLDER)}" for file in FOLDER.rglob("*") if file.is_file()}
    assert shipped == built


def test_the_lock_of_the_sources_names_no_registry() -> None:
    """Packages by version and hash; where they come from is the business of whoever builds."""
    text = (ROOT / "web" / "package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]

    assert '"resolved"' not in text
    assert [name for name, one in packages.items() if name and "integrity" not in one] == []
