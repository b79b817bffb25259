"""Processes of runs: start, attend, find again, stop. What happens to them becomes events; what to do is the core's.

A process never hangs on its agent: it leads its own session, reads nothing, writes to files, and its wrapper leaves the
return code on disk. The agent attends by pidfd, to its children and to those of an earlier life alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from agent_node.command import Host, StartError, prepare
from agent_node.core.events import (
    NeverClaimed,
    ProcessEnded,
    ProcessEvent,
    ProcessLost,
    ProcessStarted,
    StartFailed,
)
from agent_node.ends import Ends
from agent_node.folders import PRIVATE_FILE, Claim, RunFolder, RunFolders, has_others, is_alive, signal_group
from agent_node.secrets import SecretError
from agent_node.starts import Starts
from schemas.documents import Assignment
from schemas.names import RunId

_DEFAULTS: Final = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGPIPE,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGXFSZ,
)
"""What Python or a parent may have set to be ignored; a command expects it as usual."""
_APPEND: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND
_CLAIM_PAUSE: Final = 0.1
_LINGERING: Final = 0.2
"""Seconds between two looks for what is left of a group."""
_CLAIM_TRIES: Final = 20
_CLAIMING: Final = timedelta(seconds=2)
"""So long after a start was tried its wrapper may still be about to claim."""


Resolved = Callable[[Mapping[str, str | None]], dict[str, str]]
"""Gives parameters with values in place of references to secrets."""


class _Attended(Struct, frozen=True):
    """A process whose end is waited for."""

    pid: int
    pidfd: int
    folder: RunFolder


class Processes:
    """The processes this agent attends to, by run. Everything happens on the event loop, in moments."""

    def __init__(
        self,
        folders: RunFolders,
        *,
        emit: Callable[[ProcessEvent], None],
        clock: Callable[[], datetime],
        host: Host,
    ) -> None:
        self._folders = folders
        self._emit = emit
        self._clock = clock
        self._host = host
        self._resolving: dict[RunId, asyncio.Future[dict[str, str]]] = {}
        self._attended: dict[RunId, _Attended] = {}
        self._starts = Starts(emit)
        self._ends = Ends(self._exited)
        self._retries: dict[RunId, asyncio.TimerHandle] = {}
        self._stopping: set[RunId] = set()
        """Asked to end: these are over only when their whole group is."""
        self._lingering: dict[RunId, asyncio.TimerHandle] = {}
        self._written: list[RunFolder] = []
        """Of runs that have ended: their output was not looked at since."""
        self._loop = asyncio.get_running_loop()

    def start(self, assignment: Assignment) -> None:
        """Begin a run's command; if its folder was claimed already, find out what became of it instead (S1)."""
        run = assignment.run
        if run in self._attended or run in self._retries or run in self._resolving:
            return
        folder = self._folders.of(run)
        if folder.is_claimed:
            self.find(run)
        elif self._host.secrets.takes_time(assignment.parameters):
            asked = self._loop.run_in_executor(None, self._host.secrets.resolved, assignment.parameters)
            self._resolving[run] = asked
            asked.add_done_callback(lambda done: self._resolved(assignment, folder, done))
        else:
            self._start(assignment, folder, self._host.secrets.resolved)

    def _resolved(self, assignment: Assignment, folder: RunFolder, done: asyncio.Future[dict[str, str]]) -> None:
        """A thread has asked for the secrets of a run: start it, unless we have ended meanwhile."""
        del self._resolving[assignment.run]
        if not done.cancelled():
            self._start(assignment, folder, lambda _: done.result())

    def _start(self, assignment: Assignment, folder: RunFolder, resolved: Resolved) -> None:
        run = assignment.run
        try:
            launch = prepare(assignment, folder, self._host, resolved(assignment.parameters))
            pid = os.posix_spawn(
                launch.program,
                launch.arguments,
                launch.environment,
                file_actions=(
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, folder.output, _APPEND, PRIVATE_FILE),
                    (os.POSIX_SPAWN_OPEN, 2, folder.errors, _APPEND, PRIVATE_FILE),
                ),
                setsid=True,
                setsigmask=(),
                setsigdef=_DEFAULTS,
            )
        except (StartError, SecretError, OSError, ValueError) as error:
            self._failed(run, error)
            return
        self._attend(run, _Attended(pid, os.pidfd_open(pid), folder))
        self._started(run, pid, self._clock(), folder)

    def _failed(self, run: RunId, error: Exception) -> None:
        self._tell(StartFailed(now=self._clock(), run=run, reason=_reason(error)))

    def find(self, run: RunId, tries: int = 0) -> None:
        """Find out from its folder what became of a run, and attend to its process if it lives."""
        self._retries.pop(run, None)
        if run in self._attended:
            return
        folder = self._folders.of(run)
        claim = folder.claim()
        if claim is not None:
            self._found(run, folder, claim)
        elif folder.is_claimed and tries < _CLAIM_TRIES:
            self._find_later(run, _CLAIM_PAUSE, tries + 1)
        elif folder.is_claimed:
            self._lost(run, "its claim is empty: the host or its wrapper died while it was starting")
        elif (wait := self._still_claiming(folder)) > timedelta(0):
            self._find_later(run, wait.total_seconds(), tries)
        else:
            self._tell(NeverClaimed(now=self._clock(), run=run))

    def stop(self, run: RunId, *, force: bool) -> None:
        """End a run's whole process group, if it is there: TERM, or KILL with ``force``. Its end becomes an event as usual."""
        attended = self._attended.get(run)
        if attended is not None:
            self._stopping.add(run)
            signal_group(attended.pid, signal.SIGKILL if force else signal.SIGTERM)

    def is_attended(self, run: RunId) -> bool:
        """Whether a process lives for this run, as far as is known."""
        return run in self._attended or run in self._retries or run in self._resolving

    def written_to(self) -> list[RunFolder]:
        """The folders of the runs attended to, and of those that have ended since this was asked last."""
        ended, self._written = self._written, []
        return [*ended, *(attended.folder for attended in self._attended.values())]

    def close(self) -> None:
        """Attend no more. The processes live on."""
        for handle in (*self._retries.values(), *self._lingering.values()):
            handle.cancel()
        self._retries.clear()
        self._lingering.clear()
        for asked in self._resolving.values():
            asked.cancel()
        for run in list(self._attended):
            self._leave(run)
        self._starts.close()
        self._ends.close()

    def _found(self, run: RunId, folder: RunFolder, claim: Claim) -> None:
        """Somebody claimed it: it has ended, or lives, or is gone."""
        if claim.code is not None:
            self._ended(run, folder, claim)
        elif claim.boot != self._host.boot:
            self._lost(run, "the host was restarted while it ran")
        elif (pidfd := _open_process(claim, folder)) is not None:
            self._attend(run, _Attended(claim.pid, pidfd, folder))
            self._started(run, claim.pid, claim.at, folder)
        else:  # it may have ended since we looked
            self._ended(run, folder, folder.claim())

    def _still_claiming(self, folder: RunFolder) -> timedelta:
        """How long a wrapper of an earlier life may still be about to claim."""
        tried = folder.started_at()
        return timedelta(0) if tried is None else min(_CLAIMING, tried + _CLAIMING - self._clock())

    def _find_later(self, run: RunId, seconds: float, tries: int) -> None:
        self._retries[run] = self._loop.call_later(seconds, self.find, run, tries)

    def _attend(self, run: RunId, attended: _Attended) -> None:
        self._attended[run] = attended
        self._ends.wait_for(attended.pidfd, run)

    def _leave(self, run: RunId) -> _Attended:
        attended = self._attended.pop(run)
        self._ends.leave(attended.pidfd)
        os.close(attended.pidfd)
        return attended

    def _exited(self, run: RunId) -> None:
        """A process that was attended to is gone.

        Of a run that is being stopped others of its group may live on, one that ignores TERM, say: then it is not over. Its
        leader is not reaped before they are gone, so that nobody else can get the group's number meanwhile.
        """
        if run in self._stopping and has_others(self._attended[run].pid):
            self._lingering[run] = self._loop.call_later(_LINGERING, self._exited, run)
            return
        self._lingering.pop(run, None)
        self._stopping.discard(run)
        attended = self._leave(run)
        status = _reap(attended.pid)
        claim = attended.folder.claim()
        if claim is not None and claim.pid != attended.pid:
            self.find(run)  # another wrapper was first
        elif claim is None and status is not None:
            reason = f"its folder could not be claimed (code {status}); is the disk full?"
            self._tell(StartFailed(now=self._clock(), run=run, reason=reason))
        else:
            self._ended(run, attended.folder, claim, status, leader=attended.pid)

    def _ended(
        self,
        run: RunId,
        folder: RunFolder,
        claim: Claim | None,
        status: int | None = None,
        *,
        leader: int | None = None,
    ) -> None:
        """Report an end: by what the wrapper wrote, else by what the kernel told its parent."""
        self._written.append(folder)
        now = at = self._clock()
        code, reason = (claim.code if claim is not None else None), ""
        if claim is not None and code is not None:
            at = claim.at
        elif status is not None and status >= 0:
            code = status
        else:
            by = f" by {_signal_name(-status)}" if status is not None else ""
            reason = f"its wrapper was ended{by} before it could write a return code"
            if leader is not None:  # nobody would attend to what is left of the group
                signal_group(leader, signal.SIGKILL)
        self._tell(
            ProcessEnded(
                now=now,
                run=run,
                at=at,
                code=code,
                reason=reason,
                started=folder.started_at(),
                output=folder.output,
                errors=folder.errors,
            )
        )

    def _started(self, run: RunId, pid: int, at: datetime, folder: RunFolder) -> None:
        now = self._clock()
        self._starts.began(ProcessStarted(now=now, run=run, pid=pid, at=at, output=folder.output, errors=folder.errors))

    def _tell(self, event: ProcessEvent) -> None:
        """Of anything but a start, which comes first."""
        self._starts.tell(event.run)
        self._emit(event)

    def _lost(self, run: RunId, reason: str) -> None:
        self._tell(ProcessLost(now=self._clock(), run=run, reason=reason))


def _open_process(claim: Claim, folder: RunFolder) -> int | None:
    """A pidfd of exactly this process. It is opened first: whoever then has the number and runs this folder, is behind it."""
    try:
        pidfd = os.pidfd_open(claim.pid)
    except OSError:
        return None
    if is_alive(claim, folder):
        return pidfd
    os.close(pidfd)
    return None


def _reap(pid: int) -> int | None:
    """The exit status of a process that has ended: its code, or minus the signal; None: it is not our child."""
    with contextlib.suppress(ChildProcessError):
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _reason(error: Exception) -> str:
    """Why a start failed, in one line."""
    if isinstance(error, OSError) and error.errno == errno.E2BIG:
        return "the environment is too large for a process: fewer or shorter parameters are needed"
    return f"the process could not be started: {error}" if isinstance(error, OSError) else str(error)
