"""Reading a run's output, whole, in part, and while it grows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from agent_node.core.effects import ReadLogFile
from agent_node.folders import RunFolders
from agent_node.logs import MOST_FOLLOWERS, PART, Logs
from schemas.names import RequestId, RunId, UserName
from schemas.requests import Answer, LogPart, ReadLog
from tests.support.agents import a_run
from tests.support.waiting import eventually

RUN = a_run()
SOON = 5.0


class Reader:
    """A person's tool: asks, and keeps the parts."""

    def __init__(self, data: Path) -> None:
        self.folders = RunFolders(data)
        self.output = Path(self.folders.of(RUN).output)
        self.answers: list[Answer] = []
        self.numbers: list[int] = []
        self.running = False
        self.logs: Logs | None = None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Logs]:
        """The agent's side."""
        async with asyncio.TaskGroup() as tasks:
            logs = Logs(self.folders, respond=self._respond, is_attended=lambda _run: self.running, tasks=tasks)
            try:
                yield logs
            finally:
                logs.close()

    async def read(self, ask: ReadLog) -> list[LogPart]:
        """Ask, and wait for the last part."""
        async with self.reading() as logs:
            logs.answer(asked(ask))
            await self.gets_last()
        return self.parts()

    async def gets_last(self) -> None:
        """Wait for the part that says it is the last."""
        await eventually(lambda: bool(self.answers) and self.answers[-1].last, within=SOON, what="the last part")

    def parts(self) -> list[LogPart]:
        """What the answers hold."""
        return [msgspec.json.decode(bytes(answer.data), type=LogPart) for answer in self.answers]

    async def _respond(self, user: UserName, request: RequestId, part: int, answer: Answer) -> None:
        assert (user, request) == ("anna", "r1")
        self.numbers.append(part)
        self.answers.append(answer)


def a_reader(tmp_path: Path, output: bytes | None = b"") -> Reader:
    """A reader, and a run that has put this out."""
    reader = Reader(tmp_path)
    if output is not None:
        reader.output.parent.mkdir(parents=True)
        reader.output.write_bytes(output)
    return reader


def asked(ask: ReadLog) -> ReadLogFile:
    """The effect that asks for it."""
    return ReadLogFile(user=UserName("anna"), request=RequestId("r1"), ask=ask)


async def test_range_is_read(tmp_path: Path) -> None:
    """From an offset, so many bytes."""
    parts = await a_reader(tmp_path, b"0123456789").read(ReadLog(run=RUN, offset=2, limit=3))

    assert parts == [LogPart(offset=2, content=b"234", size=10, ended=False)]


async def test_negative_offset_counts_from_the_end(tmp_path: Path) -> None:
    """The last bytes, and all is sent."""
    parts = await a_reader(tmp_path, b"0123456789").read(ReadLog(run=RUN, offset=-4))

    assert parts == [LogPart(offset=6, content=b"6789", size=10, ended=True)]


async def test_long_output_comes_in_parts(tmp_path: Path) -> None:
    """Numbered from 0, the last one says so."""
    reader = a_reader(tmp_path, b"x" * (2 * PART + 1))

    parts = await reader.read(ReadLog(run=RUN, limit=10 * PART))

    assert [len(part.content) for part in parts] == [PART, PART, 1]
    assert [answer.last for answer in reader.answers] == [False, False, True]
    assert reader.numbers == [0, 1, 2]
    assert [part.ended for part in parts] == [False, False, True]


async def test_run_that_lives_has_not_ended(tmp_path: Path) -> None:
    """More may come."""
    reader = a_reader(tmp_path, b"x")
    reader.running = True

    parts = await reader.read(ReadLog(run=RUN))

    assert [part.ended for part in parts] == [False]


async def test_followed_output_comes_until_the_end(tmp_path: Path) -> None:
    """What is written later comes later; the last part says that the run has ended."""
    reader = a_reader(tmp_path, b"first")
    reader.running = True
    async with reader.reading() as logs:
        logs.answer(asked(ReadLog(run=RUN, follow=True)))
        await eventually(lambda: len(reader.answers) == 1, within=SOON, what="the first part")
        with reader.output.open("ab") as output:
            output.write(b"second")
        await eventually(lambda: len(reader.answers) > 1, within=SOON, what="the second part")
        reader.running = False
        await reader.gets_last()
    parts = reader.parts()

    assert b"".join(part.content for part in parts) == b"firstsecond"
    assert [part.ended for part in parts][-1]


async def test_unknown_run_is_refused(tmp_path: Path) -> None:
    """With the reason."""
    reader = a_reader(tmp_path, None)
    async with reader.reading() as logs:
        logs.answer(asked(ReadLog(run=RUN)))
        await reader.gets_last()

    assert not reader.answers[0].ok
    assert "no output of" in reader.answers[0].reason


async def test_id_cannot_leave_the_folder(tmp_path: Path) -> None:
    """What is no run id is never looked for."""
    reader = a_reader(tmp_path, None)
    async with reader.reading() as logs:
        logs.answer(asked(ReadLog(run=RunId("../../etc~passwd~a~b"))))
        await reader.gets_last()

    assert "not the id of a run" in reader.answers[0].reason


async def test_followers_are_bounded(tmp_path: Path) -> None:
    """One too many is told to come again later."""
    reader = a_reader(tmp_path, b"x")
    reader.running = True
    async with reader.reading() as logs:
        for _ in range(MOST_FOLLOWERS + 1):
            logs.answer(asked(ReadLog(run=RUN, follow=True)))
        await eventually(lambda: any(not answer.ok for answer in reader.answers), within=SOON, what="a refusal")

    assert [answer.ok for answer in reader.answers].count(False) == 1
