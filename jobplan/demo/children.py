"""The demo's processes: started one by one, watched, and ended by their process id; none outlives the demo."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from contextlib import suppress
from pathlib import Path
from typing import Final

from jobplan.errors import JobplanError

LAST_LINES: Final = 15
SETTINGS: Final = frozenset({"JOBPLAN_BROKER", "JOBPLAN_CONFIG", "JOBPLAN_DATA", "JOBPLAN_LOG_LEVEL"})
"""Of the person who runs the demo, not of its processes."""

GRACE: Final = 8.0
"""Seconds a process has to end after SIGTERM."""


class ChildDiedError(JobplanError):
    """A process of the demo ended though nobody asked it to; the message has the last lines of its log."""


class Child:
    """One node as a process."""

    def __init__(self, name: str, process: Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def death(self) -> None:
        """Wait for its end, which nobody asked for. Raises ChildDiedError."""
        code = await self._process.wait()
        raise ChildDiedError(f"{self.name} ended with code {code}; its log {self.log} ends so:\n{self.last_lines()}")

    def last_lines(self) -> str:
        """The end of its log."""
        with suppress(OSError):
            lines = self.log.read_text("utf-8", "replace").splitlines()[-LAST_LINES:]
            return "\n".join(f"  {line}" for line in lines) or "  (empty)"
        return "  (no log)"

    async def end(self) -> None:
        """End it: politely, then not."""
        if self._process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(GRACE):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


async def start(name: str, arguments: tuple[str, ...], log: Path) -> Child:
    """Start ``jobplan ARGUMENTS``, its output in ``log``.

    It gets a session of its own, so that Ctrl-C in the terminal reaches the demo alone, which then ends its processes in
    order; and it ends by itself should the demo be killed.
    """
    environment = {key: value for key, value in os.environ.items() if key not in SETTINGS}
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "jobplan",
            *arguments,
            "--ends-with",
            str(os.getpid()),
            stdin=DEVNULL,
            stdout=output,
            stderr=STDOUT,
            env=environment | {"PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
    return Child(name, process, log)
