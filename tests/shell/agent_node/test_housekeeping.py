"""Old run folders: by age and by count, removed, archived or moved. Real files."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent_node.folders import RunFolders
from agent_node.housekeeping import Fate, Housekeeping, sweep
from schemas.names import InstanceId

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def a_folder(data: Path, name: str, days: float, *, empty: bool = False) -> Path:
    """The folder of an instance in which something happened last so many days ago."""
    folder = data / "runs" / name
    (folder / "run").mkdir(parents=True)
    if not empty:
        (folder / "run" / "out").write_text(name)
    at = (NOW - days * DAY).timestamp()
    for path in (folder / "run", folder):
        os.utime(path, (at, at))
    return folder


def swept(data: Path, fate: Fate = Fate.REMOVE, *, most: int = 0, keep: str = "") -> list[str]:
    """Keep house: older than 25 days is old."""
    rules = Housekeeping(fate=fate, target=data / "archive", most=most)
    return sweep(RunFolders(data), rules, NOW - 25 * DAY, [InstanceId(keep)])


def left(data: Path, folder: str = "runs") -> list[str]:
    """What is there."""
    return sorted(path.name for path in (data / folder).iterdir())


def test_scenario_210_old_folders_go_and_younger_ones_stay(tmp_path: Path) -> None:
    """26 days old: gone; 24 days: there; one that is kept stays whatever its age."""
    for name, days in (("old", 26), ("young", 24), ("kept", 400)):
        a_folder(tmp_path, name, days)

    assert swept(tmp_path, keep="kept") == ["old"]
    assert left(tmp_path) == ["kept", "young"]
    assert swept(tmp_path, keep="kept") == []


def test_scenario_210_archive_holds_everything_and_never_an_archive(tmp_path: Path) -> None:
    """One tar.gz an instance, before its folder goes; none of an empty one, none of archives however old they are."""
    a_folder(tmp_path, "old", 26)
    a_folder(tmp_path, "empty", 26, empty=True)
    first = swept(tmp_path, Fate.ARCHIVE)
    os.utime(tmp_path / "archive" / "old.tar.gz", (0, 0))
    second = swept(tmp_path, Fate.ARCHIVE)
    with tarfile.open(tmp_path / "archive" / "old.tar.gz") as packed:
        names = packed.getnames()

    assert (first, second) == (["empty", "old"], [])
    assert left(tmp_path) == []
    assert left(tmp_path, "archive") == ["old.tar.gz"]
    assert (tmp_path / "archive" / "old.tar.gz").stat().st_mode & 0o777 == 0o600
    assert sorted(names) == ["old", "old/run", "old/run/out"]


def test_scenario_210_folders_can_be_moved(tmp_path: Path) -> None:
    """As they are."""
    a_folder(tmp_path, "old", 26)

    assert swept(tmp_path, Fate.MOVE) == ["old"]
    assert (tmp_path / "archive" / "old" / "run" / "out").read_text() == "old"
    assert left(tmp_path) == []


def test_oldest_beyond_the_number_go_whatever_their_age(tmp_path: Path) -> None:
    """Those kept do not count."""
    for name, days in (("a", 3), ("b", 1), ("c", 2), ("kept", 9)):
        a_folder(tmp_path, name, days)

    assert swept(tmp_path, most=2, keep="kept") == ["a"]
    assert left(tmp_path) == ["b", "c", "kept"]


def test_what_cannot_be_archived_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And is told."""
    a_folder(tmp_path, "old", 26)
    (tmp_path / "archive").write_text("in the way")

    assert swept(tmp_path, Fate.ARCHIVE) == []
    assert left(tmp_path) == ["old"]
    assert "run folder stays" in caplog.text


def test_folders_nested_without_end_stay_and_end_no_agent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A job may leave anything in its run's folder; the others are cleared away all the same."""
    deep = a_folder(tmp_path, "deep", 30) / "run"
    nested = "/".join(["d"] * (sys.getrecursionlimit() + 100))
    subprocess.run(["mkdir", "-p", f"{deep}/{nested}"], check=True)
    at = (NOW - 30 * DAY).timestamp()
    os.utime(deep, (at, at))
    a_folder(tmp_path, "old", 30)

    try:
        assert swept(tmp_path) == ["old"]
        assert "run folder stays" in caplog.text
    finally:
        subprocess.run(["rm", "-rf", str(deep)], check=True)  # shutil recurses, as pytest does
