"""Looking for files at the times of a cron or every few seconds, one task a file job. What fires, the core decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable
from datetime import datetime
from functools import partial
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from agent_node.core.effects import PendingMove, TakeFiles, UnwatchFolders, WatchFolders
from agent_node.core.events import FileEvent, FilesMoved, FilesSeen, FoundFile
from agent_node.notify import FolderNews
from agent_node.scan import look, move
from agent_node.threads import in_own_thread
from schemas.cron import next_fire, parse
from schemas.names import InstanceId, JobId
from schemas.spans import span

STAMP: Final = "%Y%m%d_%H%M%S"
"""Of a moved file's name, in the job's zone."""
_SHORTEST: Final = 0.1
"""Seconds between two looks at least."""
SLOW: Final = 30.0
"""Seconds after which a file system that does not answer is a problem."""
_LONGEST_NAP: Final = 60.0
"""Seconds: the wall clock may be set while we sleep."""

T = TypeVar("T")
Emit = Callable[[FileEvent], None]
Clock = Callable[[], datetime]


class FolderWatches:
    """All looks of this agent."""

    def __init__(self, *, emit: Emit, clock: Clock, tasks: asyncio.TaskGroup, notify: bool = False) -> None:
        self._emit = emit
        self._clock = clock
        self._tasks = tasks
        self._looks: dict[tuple[InstanceId, JobId], _Looker] = {}
        self.news = FolderNews(self._look_now) if notify else None
        self._listening = tasks.create_task(self.news.run(), name="folder news") if self.news is not None else None

    def watch(self, asked: WatchFolders) -> None:
        """Look for these files from now on, instead of what was asked for the job before."""
        self._drop(asked.instance, asked.job)
        looker = _Looker(asked, self._emit, self._clock)
        looker.task = self._tasks.create_task(looker.run(), name=f"look {asked.instance} {asked.job}")
        self._looks[(asked.instance, asked.job)] = looker
        if self.news is not None and asked.every:  # a cron says when to look, and not before
            self.news.want((asked.instance, asked.job), {pattern.directory for pattern in asked.patterns})

    def unwatch(self, asked: UnwatchFolders) -> None:
        """Look no more."""
        self._drop(asked.instance, asked.job)

    def take(self, asked: TakeFiles) -> None:
        """These files have fired: see them no more, and move those that are to be moved."""
        looker = self._looks.get((asked.instance, asked.job))
        if looker is not None:
            looker.take(asked)

    def close(self) -> None:
        """End all looks."""
        for instance, job in list(self._looks):
            self._drop(instance, job)
        if self._listening is not None:
            self._listening.cancel()

    def _look_now(self, who: Hashable) -> None:
        looker = next((looker for key, looker in self._looks.items() if key == who), None)
        if looker is not None:
            looker.look_now()

    def _drop(self, instance: InstanceId, job: JobId) -> None:
        looker = self._looks.pop((instance, job), None)
        if self.news is not None:
            self.news.drop((instance, job))
        if looker is not None and looker.task is not None:
            looker.task.cancel()


class _Looker:
    """One file job's looks."""

    def __init__(self, asked: WatchFolders, emit: Emit, clock: Clock) -> None:
        self.task: asyncio.Task[None] | None = None
        self._asked = asked
        self._emit = emit
        self._clock = clock
        self._cron = None if asked.every else parse(asked.cron)
        self._zone = ZoneInfo(asked.zone)
        self._policy = asked.policy
        self._known = set(asked.known)
        self._moves: dict[str, PendingMove] = {move.path: move for move in asked.moves}
        self._problem = asked.problem
        self._offered = False
        """Files were seen at the last look, and have not fired."""
        self._stuck = ""
        self._woken = asyncio.Event()
        self._heard = False
        """Something has changed in its folders: it is time to look."""
        self._watched: dict[str, tuple[FoundFile, datetime]] = {}
        """Files at the last look, and since when each is as it is."""

    def take(self, asked: TakeFiles) -> None:
        """Files have fired."""
        self._offered = False
        self._known.update(asked.paths)
        self._moves.update((move.path, move) for move in asked.moves)
        self._woken.set()

    def look_now(self) -> None:
        """Look before the next time."""
        self._heard = True
        self._woken.set()

    async def run(self) -> None:
        """Move what is to be moved, look when it is time; for ever."""
        due = self._next()
        while due is not None:
            await self._move()
            if not await self._woken_before(due):
                await self._look()
                due = self._next()

    def _next(self) -> datetime | None:
        if self._cron is None:
            return self._clock() + span(seconds=max(_SHORTEST, self._asked.every))
        return next_fire(self._cron, self._clock(), self._zone, self._policy)

    async def _woken_before(self, due: datetime) -> bool:
        """Sleep until then; True: there is something to move first (or it is merely time to look at the clock again)."""
        seconds = (due - self._clock()).total_seconds()
        if seconds <= 0:
            return False
        try:
            async with asyncio.timeout(min(seconds, _LONGEST_NAP)):
                await self._woken.wait()
        except TimeoutError:
            return self._clock() < due
        self._woken.clear()
        return not self._heard

    async def _look(self) -> None:
        asked, self._heard = self._asked, False
        known = frozenset(self._known)
        looking = in_own_thread(f"look {asked.job}", lambda: look(asked.patterns, asked.depth, known))
        seen = await self._patiently(looking)
        problem = "; ".join(filter(None, (seen.problem, self._stuck)))
        files = tuple(file for file in self._settled(seen.files) if file.path not in self._known)
        self._tell(problem, files)

    async def _patiently(self, work: asyncio.Future[T]) -> T:
        """Wait for what the file system says, however long it takes; and say so, if that is long."""
        while True:
            try:
                async with asyncio.timeout(SLOW):
                    return await asyncio.shield(work)
            except asyncio.CancelledError:
                work.cancel()
                raise
            except TimeoutError:
                if work.done():  # a file system may say so, too
                    return work.result()
                self._tell(f"its folders do not answer for {SLOW:g} s: does a network file system hang?")

    def _tell(self, problem: str, files: tuple[FoundFile, ...] = ()) -> None:
        """Emit what there is to say, if that is news."""
        if not (files or self._offered) and problem == self._problem:
            return
        self._problem, self._offered = problem, bool(files)
        asked = self._asked
        self._emit(FilesSeen(now=self._clock(), instance=asked.instance, job=asked.job, files=files, problem=problem))

    def _settled(self, files: Iterable[FoundFile]) -> list[FoundFile]:
        """Those whose size and time have been the same at every look for as long as they have to."""
        now = self._clock()
        before, self._watched = self._watched, {}
        settled = []
        for file in files:
            last = before.get(file.path)
            since = last[1] if last is not None and last[0] == file else now
            self._watched[file.path] = (file, since)
            if (now - since).total_seconds() >= self._asked.stable:
                settled.append(file)
        return settled

    async def _move(self) -> None:
        """Carry out the moves; one that fails stays and is tried again at the next look."""
        moved: list[str] = []
        stuck: list[str] = []
        for pending in list(self._moves.values()):
            stamp = self._clock().astimezone(self._zone).strftime(STAMP)
            try:
                await self._patiently(in_own_thread("move", partial(move, pending, stamp)))
            except OSError as error:
                stuck.append(f"'{pending.path}' cannot be moved to '{pending.directory}': {error.strerror}")
            else:
                moved.append(pending.path)
                del self._moves[pending.path]
        self._stuck = "; ".join(stuck[:3])
        if moved:
            asked = self._asked
            event = FilesMoved(now=self._clock(), instance=asked.instance, job=asked.job, paths=tuple(moved))
            self._emit(event)
