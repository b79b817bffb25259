"""Looking into folders and moving files: real ones."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from agent_node import scan
from agent_node.core.effects import FolderPattern, PendingMove, TakeFiles, UnwatchFolders, WatchFolders
from agent_node.core.events import FileEvent, FilesMoved, FilesSeen
from agent_node.scan import look, move
from agent_node.watch import FolderWatches
from tests.support.agents import INSTANCE, a_file_job
from tests.support.waiting import eventually

JOB = a_file_job().id
STAMP = "20260302_120000"
SOON = 10.0


def pattern(folder: Path, expression: str) -> tuple[FolderPattern, ...]:
    """One pattern."""
    return (FolderPattern(directory=str(folder), expression=expression),)


def names(found: scan.Look) -> list[str]:
    """What was found, by name."""
    return sorted(Path(file.path).name for file in found.files)


@pytest.mark.parametrize(("depth", "found"), [
    (1, ["in_1.txt"]),
    (2, ["in_1.txt", "in_2.txt"]),
])  # fmt: skip
def test_scenario_187_name_matches_whole_within_depth(tmp_path: Path, depth: int, found: list[str]) -> None:
    """The whole name has to match; a folder below counts from depth 2 on; folders themselves never match."""
    (tmp_path / "sub" / "in_folder.txt").mkdir(parents=True)
    for name in ("in_1.txt", "xin_1.txt", "in_1.txt.bak", "sub/in_2.txt"):
        (tmp_path / name).touch()

    seen = look(pattern(tmp_path, r"in_.*\.txt"), depth, frozenset())

    assert names(seen) == found
    assert seen.problem == ""


def test_file_is_seen_with_its_time_of_change(tmp_path: Path) -> None:
    """In UTC."""
    (tmp_path / "f").touch()
    os.utime(tmp_path / "f", (1_000, 1_000))

    seen = look(pattern(tmp_path, "f"), 1, frozenset())

    assert [file.modified for file in seen.files] == [datetime(1970, 1, 1, 0, 16, 40, tzinfo=UTC)]


def test_known_files_are_left_out_and_none_comes_twice(tmp_path: Path) -> None:
    """Two patterns that match the same file find it once."""
    for name in "abc":
        (tmp_path / name).touch()

    seen = look(pattern(tmp_path, "[ab]") + pattern(tmp_path, ".*"), 1, {str(tmp_path / "c")})

    assert names(seen) == ["a", "b"]


def test_scenario_193_missing_folder_is_a_problem(tmp_path: Path) -> None:
    """Said once, and the other patterns are looked for."""
    (tmp_path / "f").touch()

    seen = look(
        pattern(tmp_path / "no", ".*") + pattern(tmp_path, ".*") + pattern(tmp_path / "no", "x"), 1, frozenset()
    )

    assert seen.problem == f"folder '{tmp_path}/no' is missing"
    assert names(seen) == ["f"]


def test_file_in_place_of_a_folder_is_a_problem(tmp_path: Path) -> None:
    """Whatever the system says of it."""
    (tmp_path / "f").touch()

    seen = look(pattern(tmp_path / "f", ".*"), 1, frozenset())

    assert "cannot be read" in seen.problem


def test_name_that_is_no_text_is_left_out(tmp_path: Path) -> None:
    """It could not be written into a document."""
    (tmp_path / os.fsdecode(b"\xff.txt")).touch()
    (tmp_path / "good.txt").touch()

    seen = look(pattern(tmp_path, ".*"), 1, frozenset())

    assert names(seen) == ["good.txt"]
    assert "not UTF-8" in seen.problem


def test_look_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound it says so."""
    monkeypatch.setattr(scan, "MOST_ENTRIES", 3)
    for name in "abcde":
        (tmp_path / name).touch()

    seen = look(pattern(tmp_path, ".*"), 1, frozenset())

    assert len(seen.files) == 3
    assert "more than 3 entries" in seen.problem


def test_dangling_link_is_no_file(tmp_path: Path) -> None:
    """Nor is a folder."""
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder").mkdir()

    assert look(pattern(tmp_path, ".*"), 1, frozenset()).files == ()


def test_scenario_191_move_renames_with_a_stamp(tmp_path: Path) -> None:
    """The folder is made; a name that stands there already is not overwritten."""
    for _ in range(2):
        (tmp_path / "f.txt").write_text("x")
        move(PendingMove(path=str(tmp_path / "f.txt"), directory=str(tmp_path / "deep" / "arch")), STAMP)

    assert sorted(path.name for path in (tmp_path / "deep" / "arch").iterdir()) == [
        "f.txt_20260302_120000",
        "f.txt_20260302_120000_2",
    ]
    assert not (tmp_path / "f.txt").exists()


def test_move_to_a_relative_folder_is_beside_the_file(tmp_path: Path) -> None:
    """Not where the agent happens to run."""
    (tmp_path / "f").touch()

    move(PendingMove(path=str(tmp_path / "f"), directory="done"), STAMP)

    assert (tmp_path / "done" / f"f_{STAMP}").exists()


def test_move_of_a_file_that_is_gone_is_done(tmp_path: Path) -> None:
    """A crash between the move and its record asks for it again."""
    move(PendingMove(path=str(tmp_path / "f"), directory=str(tmp_path / "arch")), STAMP)

    assert not (tmp_path / "arch").exists()


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")  # noqa: S108  # that one
def test_move_across_file_systems_leaves_no_half(tmp_path: Path) -> None:
    """Copied beside its target, renamed, and only then removed."""
    target = Path("/dev/shm") / f"jobplan-test-{os.getpid()}"  # noqa: S108  # a second file system
    (tmp_path / "f").write_text("whole")
    try:
        move(PendingMove(path=str(tmp_path / "f"), directory=str(target)), STAMP)

        assert [(path.name, path.read_text()) for path in target.iterdir()] == [(f"f_{STAMP}", "whole")]
        assert not (tmp_path / "f").exists()
    finally:
        for path in target.iterdir():
            path.unlink()
        target.rmdir()


@asynccontextmanager
async def watches(told: list[FileEvent]) -> AsyncIterator[FolderWatches]:
    """Watches that end with the test."""
    async with asyncio.TaskGroup() as tasks:
        found = FolderWatches(
            emit=told.append,
            clock=lambda: datetime.now(UTC),  # noqa: TID251  # real files live in real time
            tasks=tasks,
        )
        try:
            yield found
        finally:
            found.close()


def a_watch(folder: Path, *, moves: tuple[PendingMove, ...] = (), problem: str = "") -> WatchFolders:
    """Looks for every file each second."""
    return WatchFolders(
        instance=INSTANCE,
        job=JOB,
        patterns=pattern(folder, ".*"),
        depth=1,
        cron="* * * * * ?",
        zone="UTC",
        known=(),
        moves=moves,
        problem=problem,
    )


async def test_watch_tells_of_files_until_they_are_taken(tmp_path: Path) -> None:
    """Then it moves them, and says that too."""
    told: list[FileEvent] = []
    (tmp_path / "in").mkdir()
    file = tmp_path / "in" / "f"
    file.touch()
    async with watches(told) as watching:
        watching.watch(a_watch(tmp_path / "in"))
        await eventually(lambda: told != [], within=SOON, what="the file is seen")
        moves = (PendingMove(path=str(file), directory=str(tmp_path / "arch")),)
        watching.take(TakeFiles(instance=INSTANCE, job=JOB, paths=(str(file),), moves=moves))
        await eventually(lambda: isinstance(told[-1], FilesMoved), within=SOON, what="it is moved")

    assert isinstance(told[0], FilesSeen)
    assert [found.path for found in told[0].files] == [str(file)]
    assert not file.exists()


async def test_scenario_192_move_that_fails_is_tried_again(tmp_path: Path) -> None:
    """A target that cannot be made is a problem; once it can, the file goes there."""
    told: list[FileEvent] = []
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "f").touch()
    blocked = tmp_path / "arch"
    blocked.touch()
    asked = a_watch(tmp_path / "in", moves=(PendingMove(path=str(tmp_path / "in" / "f"), directory=str(blocked)),))
    async with watches(told) as watching:
        watching.watch(asked)
        await eventually(
            lambda: any(isinstance(event, FilesSeen) and "cannot be moved" in event.problem for event in told),
            within=SOON,
            what="the problem is told",
        )
        blocked.unlink()
        await eventually(lambda: any(isinstance(event, FilesMoved) for event in told), within=SOON, what="it is moved")

    assert [path.name[:2] for path in blocked.iterdir()] == ["f_"]


async def test_quiet_folder_tells_nothing(tmp_path: Path) -> None:
    """A problem is told once, and once more when it is over; an unwatched folder not at all."""
    told: list[FileEvent] = []
    async with watches(told) as watching:
        watching.watch(a_watch(tmp_path / "no"))
        await eventually(lambda: told != [], within=SOON, what="the problem is told")
        (tmp_path / "no").mkdir()
        await eventually(lambda: len(told) > 1, within=SOON, what="its end is told")
        watching.unwatch(UnwatchFolders(instance=INSTANCE, job=JOB))
        watching.take(TakeFiles(instance=INSTANCE, job=JOB, paths=(), moves=()))

    assert [event.problem for event in told if isinstance(event, FilesSeen)] == [
        f"folder '{tmp_path}/no' is missing",
        "",
    ]


async def test_file_that_vanishes_before_it_is_taken_is_told_of(tmp_path: Path) -> None:
    """Once: whoever waits with it waits no more."""
    told: list[FileEvent] = []
    (tmp_path / "f").touch()
    async with watches(told) as found:
        found.watch(replace(a_watch(tmp_path), cron="", every=0.1))
        await eventually(lambda: told != [], within=SOON, what="the file is seen")
        (tmp_path / "f").unlink()
        await eventually(
            lambda: told[-1].files == () if isinstance(told[-1], FilesSeen) else False, within=SOON, what="it is gone"
        )


async def test_file_that_still_grows_is_not_told_of(tmp_path: Path) -> None:
    """Only after its size has stayed the same; one that is complete does not wait for it."""
    told: list[FileEvent] = []
    growing, whole = tmp_path / "growing", tmp_path / "whole"
    whole.touch()

    def grows() -> bool:
        with growing.open("a") as file:
            file.write("x")
        return bool(told)

    async with watches(told) as found:
        found.watch(replace(a_watch(tmp_path), cron="", every=0.1, stable=0.5))
        await eventually(grows, within=SOON, what="the whole one is told of")
        first = told[0]
        found.take(TakeFiles(instance=INSTANCE, job=JOB, paths=(str(whole),), moves=()))
        told.clear()
        await eventually(lambda: bool(told), within=SOON, what="it has stopped growing")
        last = told[0]

    assert isinstance(first, FilesSeen)
    assert isinstance(last, FilesSeen)
    assert [Path(file.path).name for file in first.files] == ["whole"]
    assert [(Path(file.path).name, file.size) for file in last.files] == [("growing", growing.stat().st_size)]


def test_moved_file_can_be_packed(tmp_path: Path) -> None:
    """With its time; the source goes when the packed one stands whole."""
    source = tmp_path / "f.txt"
    source.write_text("content")
    os.utime(source, (1_000, 1_000))
    move(PendingMove(path=str(source), directory="done", compress=True), STAMP)
    packed = tmp_path / "done" / f"f.txt_{STAMP}.gz"

    assert gzip.decompress(packed.read_bytes()) == b"content"
    assert packed.stat().st_mtime == 1_000
    assert [path.name for path in (tmp_path / "done").iterdir()] == [packed.name]
    assert not source.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_unreadable_folder_is_a_problem(tmp_path: Path) -> None:
    """Said; the other patterns are looked for."""
    (tmp_path / "f").touch()
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)

    seen = look(pattern(closed, ".*") + pattern(tmp_path, "f"), 1, frozenset())

    assert "cannot be read: Permission denied" in seen.problem
    assert names(seen) == ["f"]
