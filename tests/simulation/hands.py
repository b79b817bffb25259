"""What an agent's adapters do on a virtual host: start, find and stop processes, look into folders. Dies with its agent.

Told after `agent_node/process.py` and `agent_node/watch.py`, whose decisions these are: claimed or not, this boot or another,
ended or alive.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from agent_node.core.effects import PendingMove, TakeFiles, UnwatchFolders, WatchFolders
from agent_node.core.events import (
    FilesMoved,
    FilesSeen,
    FoundFile,
    NeverClaimed,
    OwnEvent,
    ProcessEnded,
    ProcessEvent,
    ProcessLost,
    ProcessStarted,
    StartFailed,
)
from agent_node.starts import TOLD_AFTER
from schemas.cron import LOSSLESS, Cron, next_fire, parse
from schemas.documents import Assignment
from schemas.names import InstanceId, JobId, RunId
from tests.simulation.host import CLAIMING, KILL, TERM, Claim, Folder, Host, Process

Emit = Callable[[OwnEvent], None]
Clock = Callable[[], datetime]
TimeOf = Callable[[float], datetime]
Later = Callable[[float, Callable[[], None]], None]


class Hands:
    """One life's adapters."""

    def __init__(self, host: Host, *, emit: Emit, clock: Clock, time_of: TimeOf, later: Later) -> None:
        """``time_of``: what the host's clock showed at a moment of true time. ``later``: happens only while the agent lives."""
        self._host = host
        self._emit = emit
        self._clock = clock
        self._time_of = time_of
        self._later = later
        self._attended: dict[RunId, Process] = {}
        self._retries: set[RunId] = set()
        self._untold: dict[RunId, ProcessStarted] = {}
        self._looks: dict[tuple[InstanceId, JobId], _Look] = {}

    @property
    def silent(self) -> bool:
        """Whether a process has begun, or ended, of which nothing has been told yet."""
        ended = any(process.pid not in self._host.processes for process in self._attended.values())
        return ended or bool(self._untold)

    # ------------------------------------------------------------------ processes

    def start(self, assignment: Assignment) -> None:
        """Begin a run's command; if its folder was claimed already, find out what became of it instead (S1)."""
        run = assignment.run
        if run in self._attended or run in self._retries:
            return
        if self._host.folder(run).claim is not None:
            self.find(run)
            return
        process = self._host.spawn(run)
        if process is None:
            self._tell(StartFailed(now=self._clock(), run=run, reason="the process could not be started"))
            return
        self._attend(run, process)
        self._started(run, process.pid, self._clock())

    def find(self, run: RunId) -> None:
        """Find out from its folder what became of a run, and attend to its process if it lives."""
        self._retries.discard(run)
        if run in self._attended:
            return
        folder = self._host.folders.get(run)
        if folder is not None and folder.claim is not None:
            self._found(run, folder, folder.claim)
            return
        wait = 0.0
        if folder is not None and folder.scripted is not None:
            tried = self._time_of(folder.scripted) + timedelta(seconds=CLAIMING)
            wait = min(CLAIMING, (tried - self._clock()).total_seconds())
        if wait > 0:
            self._retries.add(run)
            self._later(wait, lambda: self.find(run) if run in self._retries else None)
        else:
            self._tell(NeverClaimed(now=self._clock(), run=run))

    def stop(self, run: RunId, *, force: bool) -> None:
        """End a run's process, if it is there."""
        process = self._attended.get(run)
        if process is not None:
            self._host.signal(process.pid, KILL if force else TERM)

    def close(self) -> None:
        """Attend no more; the processes live on."""
        for process in self._attended.values():
            process.on_exit = None
        self._attended.clear()
        self._retries.clear()
        self._untold.clear()
        self._looks.clear()

    def _found(self, run: RunId, folder: Folder, claim: Claim) -> None:
        process = self._host.alive(claim)
        if folder.code is not None:
            self._ended(run, None)
        elif claim.boot != self._host.boot:
            self._tell(ProcessLost(now=self._clock(), run=run, reason="the host was restarted while it ran"))
        elif process is not None:
            self._attend(run, process)
            self._started(run, claim.pid, self._time_of(claim.at))
        else:
            self._ended(run, None)

    def _attend(self, run: RunId, process: Process) -> None:
        self._attended[run] = process
        process.on_exit = lambda status: self._later(0.001, lambda: self._exited(run, process, status))

    def _exited(self, run: RunId, process: Process, status: int) -> None:
        if self._attended.get(run) is not process:
            return
        del self._attended[run]
        folder = self._host.folders.get(run)
        claim = folder.claim if folder is not None else None
        if claim is not None and claim.pid != process.pid:
            self.find(run)
        elif claim is None:
            self._tell(
                StartFailed(now=self._clock(), run=run, reason=f"its folder could not be claimed (code {status})")
            )
        else:
            self._ended(run, status)

    def _started(self, run: RunId, pid: int, at: datetime) -> None:
        event = ProcessStarted(now=self._clock(), run=run, pid=pid, at=at, output=f"/runs/{run}/out", errors="")
        self._untold[run] = event
        self._later(TOLD_AFTER, lambda: self._tell_start(run) if self._untold.get(run) is event else None)

    def _tell_start(self, run: RunId) -> None:
        untold = self._untold.pop(run, None)
        if untold is not None:
            self._emit(untold)

    def _tell(self, event: ProcessEvent) -> None:
        self._tell_start(event.run)
        self._emit(event)

    def _ended(self, run: RunId, status: int | None) -> None:
        """Report an end: by what the wrapper wrote, else by what its parent was told."""
        folder = self._host.folders.get(run)
        left = folder.code if folder is not None else None
        at = self._time_of(folder.ended) if folder is not None and left is not None else self._clock()
        code, reason = left, ""
        if left is None and status is not None and status >= 0:
            code = status
        elif left is None:
            reason = "its wrapper was ended before it could write a return code"
        self._tell(ProcessEnded(now=self._clock(), run=run, at=at, code=code, reason=reason))

    # ------------------------------------------------------------------ folders

    def watch(self, asked: WatchFolders) -> None:
        """Look for these files from now on."""
        self._looks[asked.instance, asked.job] = look = _Look(asked)
        self._move(look)
        self._look_later(look)

    def unwatch(self, asked: UnwatchFolders) -> None:
        """Look no more."""
        self._looks.pop((asked.instance, asked.job), None)

    def take(self, asked: TakeFiles) -> None:
        """These files have fired: see them no more, and move those that are to be moved."""
        look = self._looks.get((asked.instance, asked.job))
        if look is not None:
            look.known.update(asked.paths)
            look.moves.update((move.path, move) for move in asked.moves)
            self._later(0.01, lambda: self._move(look))

    def _look_later(self, look: _Look) -> None:
        now = self._clock()
        due = next_fire(look.cron, now, look.zone, LOSSLESS)
        if due is not None:
            self._later((due - now).total_seconds(), lambda: self._look(look))

    def _look(self, look: _Look) -> None:
        asked = look.asked
        if self._looks.get((asked.instance, asked.job)) is not look:
            return
        now = self._clock()
        files = tuple(
            FoundFile(path=path, modified=min(now, self._time_of(at)))
            for path, at in sorted(self._host.files.items())
            if path not in look.known and look.matches(path)
        )
        if files:
            self._emit(FilesSeen(now=now, instance=asked.instance, job=asked.job, files=files))
        self._look_later(look)

    def _move(self, look: _Look) -> None:
        asked = look.asked
        if self._looks.get((asked.instance, asked.job)) is not look or not look.moves:
            return
        moved = tuple(sorted(look.moves))
        for path in moved:
            self._host.files.pop(path, None)
        look.moves.clear()
        self._emit(FilesMoved(now=self._clock(), instance=asked.instance, job=asked.job, paths=moved))


class _Look:
    """One file job's looks."""

    def __init__(self, asked: WatchFolders) -> None:
        self.asked = asked
        self.cron: Cron = parse(asked.cron)
        self.zone = ZoneInfo(asked.zone)
        self.known = set(asked.known)
        self.moves: dict[str, PendingMove] = {move.path: move for move in asked.moves}
        self._patterns = [(pattern.directory, re.compile(pattern.expression)) for pattern in asked.patterns]

    def matches(self, path: str) -> bool:
        """Whether a file is one of those looked for."""
        directory, _, name = path.rpartition("/")
        return any(directory == wanted and whole.fullmatch(name) for wanted, whole in self._patterns)
