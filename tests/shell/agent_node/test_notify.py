"""News of folders from the kernel, with real folders: sooner than by time, and never instead of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent_node import notify
from agent_node.core.effects import FolderPattern, UnwatchFolders, WatchFolders
from agent_node.core.events import FileEvent, FilesSeen
from agent_node.watch import FolderWatches
from tests.support.agents import INSTANCE, a_file_job
from tests.support.waiting import eventually

JOB = a_file_job().id
SOON = 10.0
NEVER = 86_400.0
"""Seconds: no look by time comes in a test."""


def a_watch(folder: Path, *, every: float = NEVER, cron: str = "") -> WatchFolders:
    """Look into one folder."""
    return WatchFolders(
        instance=INSTANCE,
        job=JOB,
        patterns=(FolderPattern(directory=str(folder), expression=".*"),),
        depth=1,
        cron=cron,
        every=every,
        zone="UTC",
        known=(),
        moves=(),
        problem="",
    )


@asynccontextmanager
async def watches(told: list[FileEvent], *, notify: bool = True) -> AsyncIterator[FolderWatches]:
    """Folder watches that hear of news."""
    async with asyncio.TaskGroup() as tasks:
        found = FolderWatches(
            emit=told.append,
            clock=lambda: datetime.now(UTC),  # noqa: TID251  # real files live in real time
            tasks=tasks,
            notify=notify,
        )
        try:
            yield found
        finally:
            found.close()


async def listening(found: FolderWatches, folder: Path) -> None:
    """Come back when the kernel has been asked about a folder."""
    news = found.news
    assert news is not None
    await eventually(lambda: str(folder) in news.watched, within=SOON, what="the folder is watched")


def seen(told: list[FileEvent]) -> set[str]:
    """The names of all files that were told of."""
    return {Path(file.path).name for event in told if isinstance(event, FilesSeen) for file in event.files}


async def touched_until_told(folder: Path, told: list[FileEvent], name: str) -> None:
    """Write a file, again and again, until it is told of: the first news may come before anybody listens."""

    def told_of() -> bool:
        (folder / name).write_text("x")
        return name in seen(told)

    await eventually(told_of, within=SOON, what=f"{name} is told of")


async def test_a_new_file_is_told_of_long_before_the_next_look(tmp_path: Path) -> None:
    """The next look by time would be tomorrow."""
    told: list[FileEvent] = []
    async with watches(told) as found:
        found.watch(a_watch(tmp_path))
        await listening(found, tmp_path)
        await touched_until_told(tmp_path, told, "new")

    assert seen(told) == {"new"}


async def test_folders_of_several_jobs_come_and_go(tmp_path: Path) -> None:
    """One watch serves all; who is gone hears nothing, who stays hears on."""
    told: list[FileEvent] = []
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    async with watches(told) as found:
        found.watch(a_watch(one))
        await listening(found, one)
        found.watch(a_watch(two))
        await listening(found, two)
        await touched_until_told(two, told, "second")
        found.unwatch(UnwatchFolders(instance=INSTANCE, job=JOB))
        news = found.news
        assert news is not None
        await eventually(lambda: not news.watched, within=SOON, what="nothing is watched")

    assert seen(told) == {"second"}


async def test_without_news_a_file_is_found_by_time(tmp_path: Path) -> None:
    """Polling is the truth: as on a network file system, where the kernel knows nothing."""
    told: list[FileEvent] = []
    async with watches(told, notify=False) as found:
        assert found.news is None
        found.watch(a_watch(tmp_path, every=0.1))
        await touched_until_told(tmp_path, told, "polled")

    assert seen(told) == {"polled"}


async def test_a_folder_that_is_missing_is_watched_when_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked for now and then."""
    monkeypatch.setattr(notify, "_AGAIN", 0.1)
    told: list[FileEvent] = []
    later = tmp_path / "later"
    async with watches(told) as found:
        found.watch(a_watch(later))
        later.mkdir()
        await listening(found, later)
        await touched_until_told(later, told, "f")

    assert "f" in seen(told)


async def test_news_hurry_no_job_that_looks_by_cron(tmp_path: Path) -> None:
    """Its times are when it may fire."""
    told: list[FileEvent] = []
    async with watches(told) as found:
        found.watch(a_watch(tmp_path, every=0.0, cron="0 0 0 1 1 ? 2099"))
        (tmp_path / "early").touch()
        news = found.news
        assert news is not None

    assert news.watched == frozenset()
    assert told == []
