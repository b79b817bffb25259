"""What the machine needs for the parts of a hand-over, each alone and with nothing of ours round it, but for the wrapper.

- A process: posix_spawn of the claiming wrapper, which becomes a shell with the job's command; its end is noticed by pidfd.
- A hop: a retained message of a document's size, QoS 1, through mosquitto to another process, by bare aiomqtt; two of them: there
  and back.
- A commit: three records of common size in one SQLite transaction, write-ahead log, synced.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from itertools import count, pairwise
from pathlib import Path
from time import perf_counter

import aiomqtt

from agent_node.command import WRAPPER
from benchmarks.plans import STAMP
from tests.support.mosquitto import HOST, Mosquitto

BODY = b"x" * 400
"""A report has about 350 bytes, an assignment 450 (counted in tests/unit/test_costs.py)."""
_UPSERT = "INSERT INTO record VALUES (?, ?, ?) ON CONFLICT (tbl, key) DO UPDATE SET body = excluded.body"


class Launched:
    """Processes that claim their folders, as an agent starts them."""

    def __init__(self, folder: Path, jobs: int, command: str = STAMP) -> None:
        """Their folders and scripts are made here, before anything is timed."""
        self.folders = [folder / f"{number}" for number in range(jobs)]
        for one in self.folders:
            one.mkdir(parents=True)
            (one / "script").write_text(command)

    def start(self, folder: Path) -> int:
        """The pidfd of a process that is on its way."""
        append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        pid = os.posix_spawn(
            "/bin/sh",
            ("sh", str(WRAPPER), str(folder), "boot", "", "/bin/bash", str(folder / "script")),
            os.environ,
            file_actions=(
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(folder / "out"), append, 0o600),
                (os.POSIX_SPAWN_OPEN, 2, str(folder / "err"), append, 0o600),
            ),
            setsid=True,
        )
        return os.pidfd_open(pid)

    def together(self, most: int) -> float:
        """Run all of them, so many at once; seconds."""
        begun, waiting, poll, left = perf_counter(), list(reversed(self.folders)), select.epoll(), 0
        while waiting or left:
            while waiting and left < most:
                poll.register(self.start(waiting.pop()), select.EPOLLIN)
                left += 1
            for pidfd, _ in poll.poll():
                poll.unregister(pidfd)
                os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
                os.close(pidfd)
                left -= 1
        poll.close()
        return perf_counter() - begun

    def gaps(self) -> list[float]:
        """After they ran one at a time: seconds between the last act of one and that of the next."""
        return [after - before for before, after in pairwise(float((one / "out").read_text()) for one in self.folders)]


async def bare(jobs: int, most: int) -> float:
    """Seconds for so many ``true``, by asyncio's own subprocesses, so many at once."""
    room = asyncio.Semaphore(most)

    async def one() -> None:
        async with room:
            process = await asyncio.create_subprocess_exec("true")
            await process.wait()

    begun = perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(jobs):
            group.create_task(one(), name=f"true {number}")
    return perf_counter() - begun


@contextmanager
def database(file: Path) -> Iterator[Callable[[], None]]:
    """A new SQLite database; each call commits three records."""
    with closing(sqlite3.connect(file, isolation_level=None)) as opened:
        opened.execute("PRAGMA journal_mode = WAL")
        opened.execute("PRAGMA synchronous = FULL")
        opened.execute("CREATE TABLE record (tbl TEXT, key TEXT, body BLOB, PRIMARY KEY (tbl, key)) WITHOUT ROWID")
        numbers = count()

        def commit() -> None:
            number = next(numbers)
            opened.execute("BEGIN")
            opened.executemany(_UPSERT, [("job", f"{number + other}", BODY) for other in range(3)])
            opened.execute("COMMIT")

        yield commit


def commits(file: Path, number: int) -> list[float]:
    """Seconds of each of so many commits."""
    seconds = []
    with database(file) as commit:
        for _ in range(number):
            begun = perf_counter()
            commit()
            seconds.append(perf_counter() - begun)
    return seconds


class Echo:
    """Sends a message to another process, which sends it back."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client

    async def round_trips(self, count: int) -> list[float]:
        """Seconds of each of so many, one at a time: two hops each."""
        seconds, answers = [], aiter(self._client.messages)
        for _ in range(count):
            begun = perf_counter()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._client.publish("echo/there", BODY, qos=1, retain=True), name="there")
                await anext(answers)
                seconds.append(perf_counter() - begun)
        return seconds


@asynccontextmanager
async def echo(broker: Mosquitto) -> AsyncIterator[Echo]:
    """An echo by another process, as long as the block lasts."""
    command = [sys.executable, "-m", "benchmarks.floors", str(broker.port)]
    other = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: ASYNC220, S603  # ours, started once
    try:
        if other.stdout is not None:
            other.stdout.readline()
        async with _client(broker.port) as client:
            await client.subscribe("echo/back", qos=1)
            yield Echo(client)
    finally:
        other.kill()
        other.wait()


def _client(port: int) -> aiomqtt.Client:
    """Without Nagle's delay, which would make it 40 ms a hop."""
    options = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
    return aiomqtt.Client(HOST, port, protocol=aiomqtt.ProtocolVersion.V5, socket_options=options)


async def _answer(port: int) -> None:
    async with _client(port) as client:
        await client.subscribe("echo/there", qos=1)
        print("ready", flush=True)  # noqa: T201  # who started us waits for it
        async for message in client.messages:
            if not message.retain:
                await client.publish("echo/back", message.payload, qos=1, retain=True)


if __name__ == "__main__":
    asyncio.run(_answer(int(sys.argv[1])))
