"""A virtual host: processes, run folders and files that outlive the agent, and an operating system that may go down.

A process becomes a run's command by creating the claim, which must not exist (O_EXCL); its wrapper leaves the return code in the
run's folder. Both survive the agent; a power cut may take what was not yet synced.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from msgspec import Struct

from schemas.names import RunId
from tests.simulation.trace import CommandBegan, CommandEnded, FolderLost, Trace
from tests.simulation.world import World

TERM, KILL = 15, 9
_SECOND_CLAIM = 75
CLAIMING = 2.0
"""Seconds: an agent counts on it that a wrapper claims its folder within them."""
SLOWEST_CLAIM = 5.0


class Claim(Struct, frozen=True):
    """Who became the command, in which life of the host, and when."""

    pid: int
    boot: int
    at: float


class Folder(Struct):
    """What a run has left on disk; times are true time."""

    scripted: float | None = None
    claim: Claim | None = None
    code: int | None = None
    ended: float = 0.0


class Habits(Struct, kw_only=True):
    """How commands behave: chances from 0 to 1, times in seconds."""

    at_once: float = 0.3
    long: float = 0.1
    stubborn: float = 0.0
    """Those that do not end when they are asked to."""
    endless: float = 0.0
    """Those that never end by themselves."""
    late: float = 0.0
    """Those whose end takes its time after they were told."""
    slow_claim: float = 0.0
    unstartable: float = 0.0
    """Those that the operating system does not start."""
    unclaimed: float = 0.0
    """Those whose wrapper dies before it can claim its folder."""
    failing: float = 0.1


class Process(Struct):
    """A process that lives."""

    pid: int
    run: RunId
    spawned: float
    claimed: bool = False
    stubborn: bool = False
    ending: bool = False
    on_exit: Callable[[int], None] | None = None
    """Told the status (minus a signal) when it is gone."""


class Host:
    """One host."""

    def __init__(self, name: str, world: World, trace: Trace) -> None:
        self.name = name
        self.boot = 1
        self.full = False
        """Whether there is no space on its disk."""
        self.habits = Habits()
        self.folders: dict[RunId, Folder] = {}
        self.files: dict[str, float] = {}
        """Path to time of change."""
        self.processes: dict[int, Process] = {}
        self.synced = -1.0
        """When the disk was last synced as a whole."""
        self._world = world
        self._trace = trace
        self._chance: Random = world.chance(f"host {name}")
        self._pids = 100

    def folder(self, run: RunId) -> Folder:
        """A run's folder, made when it is not there."""
        return self.folders.setdefault(run, Folder())

    def spawn(self, run: RunId) -> Process | None:
        """Start a wrapper; it claims the run a moment later, or finds that somebody has. None: it could not be started."""
        if self._chance.random() < self.habits.unstartable:
            return None
        self._pids += 1
        process = self.processes[self._pids] = Process(self._pids, run, self._world.seconds)
        self.folder(run).scripted = self._world.seconds
        slow = self._chance.random() < self.habits.slow_claim
        self._later(
            process,
            self._chance.uniform(0.5, SLOWEST_CLAIM) if slow else self._chance.uniform(0.0005, 0.01),
            self._claim,
        )
        return process

    def alive(self, claim: Claim) -> Process | None:
        """The process of a claim, if it lives."""
        return self.processes.get(claim.pid) if claim.boot == self.boot else None

    def signal(self, pid: int, number: int) -> None:
        """Send a signal to a process group."""
        process = self.processes.get(pid)
        if process is None:
            return
        if number == KILL or not process.claimed:
            self._gone(process, -number)
        elif not process.stubborn and not process.ending:
            process.ending = True
            wait = self._chance.uniform(1.0, 15.0) if self._chance.random() < self.habits.late else 0.01
            self._later(process, wait, lambda ending: self._finish(ending, 128 + TERM))

    def reboot(self, *, power_cut: bool) -> None:
        """All processes are gone. A power cut takes, too, what was not synced."""
        for process in list(self.processes.values()):
            process.on_exit = None
            self._gone(process, -KILL)
        self.boot += 1
        if not power_cut:
            return
        for run, folder in sorted(self.folders.items()):
            at = folder.claim.at if folder.claim is not None else folder.scripted
            is_new = at is not None and at > self.synced
            has_ended = folder.code is not None and folder.ended > self.synced
            if not (is_new or has_ended) or self._chance.random() < 0.5:
                continue
            if is_new:
                del self.folders[run]
            folder.code = None
            self._trace.add(FolderLost(at=self._world.seconds, host=self.name, run=run))

    def lose_disk(self) -> None:
        """All folders of runs are gone; processes know nothing of it."""
        self.folders.clear()
        self._trace.add(FolderLost(at=self._world.seconds, host=self.name))

    def calm(self) -> None:
        """From now on commands end by themselves; those that never would are ended by somebody."""
        self.habits = Habits(failing=self.habits.failing)
        for process in list(self.processes.values()):
            process.stubborn = False
            self._later(process, self._chance.uniform(1.0, 60.0), lambda ending: self._finish(ending, 0))

    def _claim(self, process: Process) -> None:
        folder = self.folders.get(process.run)  # None: the disk was lost meanwhile, and nothing can be claimed there
        if folder is None or folder.claim is not None or self._chance.random() < self.habits.unclaimed:
            self._gone(process, _SECOND_CLAIM)
            return
        folder.claim = Claim(process.pid, self.boot, self._world.seconds)
        process.claimed = True
        self._trace.add(
            CommandBegan(
                at=self._world.seconds,
                host=self.name,
                run=process.run,
                pid=process.pid,
                late=self._world.seconds - process.spawned > CLAIMING,
            )
        )
        chance, habits = self._chance, self.habits
        process.stubborn = chance.random() < habits.stubborn
        code = chance.choice([1, 2, 3]) if chance.random() < habits.failing else 0
        endless = chance.random() < habits.endless
        if not endless:
            self._later(process, self._length(), lambda ending: self._finish(ending, code))

    def _length(self) -> float:
        """How long a command takes."""
        drawn, chance = self._chance.random(), self._chance
        if drawn < self.habits.at_once:
            return chance.uniform(0.0, 0.05)
        if drawn < self.habits.at_once + self.habits.long:
            return chance.uniform(60.0, 240.0)
        return chance.uniform(0.2, 20.0)

    def _finish(self, process: Process, code: int) -> None:
        """The wrapper writes the return code and ends. Where the folder is gone it cannot."""
        folder = self.folders.get(process.run)
        if folder is not None and folder.claim is not None and folder.claim.pid == process.pid:
            folder.code, folder.ended = code, self._world.seconds
        self._gone(process, code)

    def _gone(self, process: Process, status: int) -> None:
        if self.processes.pop(process.pid, None) is None:
            return
        if process.claimed:
            left = status if status >= 0 else None
            self._trace.add(
                CommandEnded(at=self._world.seconds, host=self.name, run=process.run, pid=process.pid, code=left)
            )
        if process.on_exit is not None:
            process.on_exit(status)

    def _later(self, process: Process, seconds: float, action: Callable[[Process], None]) -> None:
        def act() -> None:
            if process.pid in self.processes:
                action(process)

        self._world.later(seconds, act)
