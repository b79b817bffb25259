"""Processes of runs on a bench: started for real over a folder, everything they tell kept, all ended with the test."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from agent_node.command import Host
from agent_node.core.events import ProcessEnded, ProcessEvent, ProcessStarted
from agent_node.folders import RunFolder, RunFolders
from agent_node.process import Processes
from agent_node.secrets import Secrets
from schemas.documents import Assignment
from schemas.names import RunId
from tests.support.agents import a_run
from tests.support.waiting import eventually

SOON = 10.0
RUN = a_run()
T = TypeVar("T")


def path_of(file: str) -> Path:
    """A file in a run's folder."""
    return Path(file)


class Bench:
    """Processes over a folder, and what they told."""

    def __init__(self, data: Path, environment: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.users: tuple[str, ...] = ()
        self.folders = RunFolders(data)
        self.told: list[ProcessEvent] = []
        self.environment = dict(os.environ if environment is None else environment)
        self.secrets = Secrets(data / "secrets", {}, self.environment)
        self.processes = self.another_life()

    @property
    def folder(self) -> RunFolder:
        """Of the run that most tests start."""
        return self.folders.of(RUN)

    def another_life(self) -> Processes:
        """What a new agent on the same disk has."""
        return Processes(
            self.folders,
            emit=self.told.append,
            clock=lambda: datetime.now(UTC),  # real processes live in real time
            host=Host(self.environment, self.secrets, self.users),
        )

    async def tells(self, kind: type[T], run: RunId = RUN) -> T:
        """Wait for an event of the run."""
        found: list[T] = []

        def arrived() -> bool:
            found.extend(event for event in self.told if isinstance(event, kind) and event.run == run)
            return bool(found)

        await eventually(arrived, within=SOON, what=lambda: f"{kind.__name__}; told: {self.told}")
        return found[0]

    async def runs(self, assignment: Assignment) -> ProcessEnded:
        """Start a run and wait for its end."""
        self.processes.start(assignment)
        return await self.tells(ProcessEnded, assignment.run)

    def output(self) -> str:
        """Standard output."""
        return path_of(self.folder.output).read_text()


@asynccontextmanager
async def a_bench(data: Path, environment: Mapping[str, str] | None = None) -> AsyncIterator[Bench]:
    """A bench whose processes are ended with the test."""
    bench = Bench(data, environment)
    try:
        yield bench
    finally:
        bench.processes.close()
        for event in bench.told:
            if isinstance(event, ProcessStarted):
                _kill(event.pid)


def _kill(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass
