"""Answers to who wants to read a run's output: a range of bytes in parts, or all that comes until the run has ended."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Raw, Struct

from agent_node.core.effects import ReadLogFile
from agent_node.folders import RunFolders
from agent_node.outputs import next_data
from schemas.names import RequestId, RunId, UserName
from schemas.requests import Answer, LogPart

PART: Final = 262_144
"""Most bytes of output in one answer."""
MOST: Final = 16 * 1_048_576
"""Most bytes for one request that does not follow."""
MOST_FOLLOWERS: Final = 32
LONGEST_FOLLOW: Final = 3_600.0
"""Seconds; who wants more asks again from where it ended."""
_PAUSE: Final = 0.2
_RUN: Final = re.compile(r"[A-Za-z0-9_%-]+(~[A-Za-z0-9_%-]+){3}")

Respond = Callable[[UserName, RequestId, int, Answer], Awaitable[None]]
"""Publish one part of an answer."""


class Chunk(Struct, frozen=True):
    """Bytes of a file, and how long it is."""

    offset: int
    content: bytes
    size: int


class Logs:
    """Reads runs' output for people."""

    def __init__(
        self,
        folders: RunFolders,
        *,
        respond: Respond,
        is_attended: Callable[[RunId], bool],
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._folders = folders
        self._respond = respond
        self._is_attended = is_attended
        self._tasks = tasks
        self._open: set[asyncio.Task[None]] = set()

    def answer(self, asked: ReadLogFile) -> None:
        """Begin to answer a request; refuse when too many are being answered."""
        work = (
            self._answer(asked)
            if len(self._open) < MOST_FOLLOWERS
            else self._refuse(asked, "too many logs are being read here; ask again later")
        )
        task = self._tasks.create_task(work, name=f"log {asked.user} {asked.request}")
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    def close(self) -> None:
        """Answer no more."""
        for task in list(self._open):
            task.cancel()

    async def _answer(self, asked: ReadLogFile) -> None:
        ask = asked.ask
        if _RUN.fullmatch(ask.run) is None:
            await self._refuse(asked, f"'{ask.run}' is not the id of a run")
            return
        folder = self._folders.of(ask.run)
        path = Path(folder.errors if ask.errors else folder.output)
        first = await asyncio.to_thread(read_chunk, path, ask.offset, 0)
        if first is None:
            await self._refuse(
                asked, f"there is no output of {ask.run} on this agent: it never started here, or was removed"
            )
        elif ask.follow:
            await self._follow(asked, path, first.offset)
        else:
            await self._range(asked, path, first.offset)

    async def _range(self, asked: ReadLogFile, path: Path, offset: int) -> None:
        """So many bytes as were asked for, or as there are."""
        left = min(max(0, asked.ask.limit), MOST)
        for part in range(MOST // PART + 1):
            running = self._is_attended(asked.ask.run)
            wanted = min(left, PART)
            chunk = await self._chunk(path, offset, wanted)
            offset = chunk.offset + len(chunk.content)
            left -= len(chunk.content)
            last = (
                left <= 0 or offset >= chunk.size or len(chunk.content) < wanted
            )  # cut where something was given back
            await self._send(asked, part, chunk, ended=not running and offset >= chunk.size, last=last)
            if last:
                return

    async def _follow(self, asked: ReadLogFile, path: Path, offset: int) -> None:
        """Everything from there on, as it comes, until the run has ended or it has taken too long."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + LONGEST_FOLLOW
        part = 0
        while True:
            running = self._is_attended(asked.ask.run)
            chunk = await self._chunk(path, offset, PART)
            offset = chunk.offset + len(chunk.content)
            ended = not running and offset >= chunk.size
            last = ended or loop.time() > deadline
            if chunk.content or last or part == 0:
                await self._send(asked, part, chunk, ended=ended, last=last)
                part += 1
            if last:
                return
            if not chunk.content:
                await asyncio.sleep(_PAUSE)

    async def _chunk(self, path: Path, offset: int, limit: int) -> Chunk:
        """A part of the file; one that was removed meanwhile ends where we are."""
        chunk = await asyncio.to_thread(read_chunk, path, offset, limit)
        return chunk if chunk is not None else Chunk(offset, b"", offset)

    async def _send(self, asked: ReadLogFile, part: int, chunk: Chunk, *, ended: bool, last: bool) -> None:
        data = LogPart(offset=chunk.offset, content=chunk.content, size=chunk.size, ended=ended)
        answer = Answer(ok=True, data=Raw(msgspec.json.encode(data)), last=last)
        await self._respond(asked.user, asked.request, part, answer)

    async def _refuse(self, asked: ReadLogFile, reason: str) -> None:
        await self._respond(asked.user, asked.request, 0, Answer(ok=False, reason=reason))


def read_chunk(path: Path, offset: int, limit: int) -> Chunk | None:
    """Bytes of a file from ``offset`` (negative: before its end) on; None: there is no such file.

    What was given back (see outputs) is passed over: the chunk begins after it, or ends before it.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            wanted = max(0, size + offset) if offset < 0 else min(offset, size)
            start, until = next_data(file.fileno(), wanted)
            file.seek(start)
            return Chunk(start, file.read(min(limit, until - start)), size)
    except OSError:
        return None
