"""File systems that hang, time out, or are stranger than one thinks: told of, and nobody else's trouble."""

from __future__ import annotations

import errno
import subprocess
import sys
import threading
from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest
from msgspec.structs import replace

from agent_node import scan, watch
from agent_node.core.effects import FolderPattern, PendingMove
from agent_node.core.events import FileEvent, FilesMoved, FilesSeen
from agent_node.scan import look, move
from schemas.names import JobId
from tests.shell.agent_node.test_watch import SOON, a_watch, names, pattern, watches
from tests.support.waiting import eventually


def test_a_tree_may_be_deeper_than_python_recurses(tmp_path: Path) -> None:
    """A job that looks without end into folders nested by mistake (or malice) ends no agent."""
    deep = "/".join(["d"] * (sys.getrecursionlimit() + 100))
    subprocess.run(["mkdir", "-p", f"{tmp_path}/{deep}"], check=True)
    try:
        (tmp_path / "d" / "d" / "f").touch()

        seen = look(pattern(tmp_path, "f"), 10**9, frozenset())

        assert names(seen) == ["f"]
    finally:
        subprocess.run(["rm", "-rf", f"{tmp_path}/d"], check=True)  # shutil recurses, too


def test_a_folder_whose_name_cannot_be_is_a_problem() -> None:
    """A parameter may bring any character."""
    seen = look((FolderPattern(directory="/a\0b", expression=".*"),), 1, frozenset())

    assert "cannot be read" in seen.problem


async def test_a_folder_that_does_not_answer_is_told_of_and_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a network file system whose server is gone: other jobs look on, and the agent can end."""
    answers = threading.Event()
    hung = tmp_path / "hung"
    hung.mkdir()

    def look_or_hang(patterns: tuple[FolderPattern, ...], depth: int, known: AbstractSet[str]) -> scan.Look:
        if patterns[0].directory == str(hung):
            answers.wait(SOON)
        return look(patterns, depth, known)

    monkeypatch.setattr(watch, "look", look_or_hang)
    monkeypatch.setattr(watch, "SLOW", 0.2)
    told: list[FileEvent] = []
    (tmp_path / "f").touch()
    async with watches(told) as found:
        for number in range(40):
            found.watch(replace(a_watch(hung), job=JobId(f"hung-{number}"), cron="", every=0.1))
        found.watch(replace(a_watch(tmp_path), cron="", every=0.1))
        await eventually(lambda: "f" in _names_of(told), within=SOON, what="the other job sees its file")
        await eventually(lambda: "do not answer" in _problems(told), within=SOON, what="the problem is told")
        told.clear()
        (hung / "g").touch()
        answers.set()
        await eventually(lambda: "g" in _names_of(told), within=SOON, what="it answers, and is looked at again")

        await eventually(lambda: _last_problems(told) == {""}, within=SOON, what="no problem is left")

    assert _last_problems(told) == {""}


def _names_of(told: list[FileEvent]) -> set[str]:
    return {Path(file.path).name for event in told if isinstance(event, FilesSeen) for file in event.files}


def _last_problems(told: list[FileEvent]) -> set[str]:
    return set({event.job: event.problem for event in told if isinstance(event, FilesSeen)}.values())


def _problems(told: list[FileEvent]) -> str:
    return "; ".join(event.problem for event in told if isinstance(event, FilesSeen))


async def test_a_file_system_that_times_out_is_an_error_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its error is a TimeoutError, as ours is: the move is tried again, and the loop is not kept busy."""
    tries: list[str] = []

    def move_or_time_out(pending: PendingMove, stamp: str) -> None:
        tries.append(stamp)
        if len(tries) == 1:
            raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")
        move(pending, stamp)

    monkeypatch.setattr(watch, "move", move_or_time_out)
    source = tmp_path / "f"
    source.touch()
    told: list[FileEvent] = []
    async with watches(told) as found:
        found.watch(a_watch(tmp_path / "no", moves=(PendingMove(path=str(source), directory="done"),)))
        await eventually(lambda: any(isinstance(event, FilesMoved) for event in told), within=SOON, what="it is moved")

    assert len(tries) == 2
    assert "cannot be moved" in _problems(told)
