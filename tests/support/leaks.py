"""What a test may not leave behind: processes and tasks.

(Sockets and files it leaves open show themselves: as a ResourceWarning, and warnings are errors here.)
"""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ParamSpec

from tests.support.waiting import until

P = ParamSpec("P")

GRACE_SECONDS = 2.0
"""A process that was told to end may need a moment, and its parent one to notice."""

_MARK = f"JOBPLAN_TESTS={os.getpid()}"


def mark_descendants() -> None:
    """Let every process that is started from now on inherit a mark. So one is found even when its parent has left it."""
    name, _, value = _MARK.partition("=")
    os.environ[name] = value


def descendants() -> frozenset[int]:
    """The processes that bear the mark, and the children of this one; but not this one."""
    found = {int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit() and _is_ours(folder)}
    return frozenset(found - {os.getpid()})


def check_descendants(before: frozenset[int]) -> None:
    """Fail if there are processes now that were not there before, and stay."""
    until(
        lambda: descendants() <= before,
        within=GRACE_SECONDS,
        what=lambda: f"the processes this test started have ended; still there: {_commands(descendants() - before)}",
    )


def without_leaking_tasks(test: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
    """Make an async test fail if tasks that it started are still there at its end."""

    @functools.wraps(test)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        before = asyncio.all_tasks()
        await test(*args, **kwargs)
        # Who is done, or cancelled and about to be, is not left behind.
        await asyncio.sleep(0)
        left = sorted(str(task) for task in asyncio.all_tasks() - before)
        assert not left, f"this test left tasks behind: {left}"

    return guarded


def _is_ours(folder: Path) -> bool:
    try:
        # pid (command) state parent ...; the command may hold any letter, even a bracket.
        parent = int((folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
        return parent == os.getpid() or _MARK.encode() in (folder / "environ").read_bytes().split(b"\0")
    except OSError:
        return False  # it has ended meanwhile, or is somebody else's


def _commands(pids: frozenset[int]) -> list[str]:
    return sorted(f"{pid}: {_command(pid)}" for pid in pids)


def _command(pid: int) -> str:
    try:
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            or "(ended, not reaped)"
        )
    except OSError:
        return "(ended)"
