"""A line between clients and a server that a test can cut: a TCP relay on the loopback address, in a thread of its own.

Cutting resets the connections of both sides, as a cable that is pulled and noticed at once; the server stays up.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

HOST = "127.0.0.1"
WITHIN = 10.0
Mqtt5 = Literal["passes", "is refused", "is hung up on"]
_CONNECT = b"\x00\x04MQTT"
"""Inside a CONNECT packet; the protocol's level follows."""
_UNACCEPTABLE_VERSION = b"\x20\x02\x00\x01"
"""CONNACK of a broker that knows MQTT 3.1.1 only."""


class Line:
    """One relay; ``port`` is where clients connect."""

    def __init__(self, port: int, mqtt5: Mqtt5 = "passes") -> None:
        """``port``: of the server; ``mqtt5``: what becomes of a client that wants to speak MQTT 5."""
        self.port = 0
        self._mqtt5 = mqtt5
        self._server_port = port
        self._loop = asyncio.new_event_loop()
        self._writers: list[asyncio.StreamWriter] = []
        self._relays: set[asyncio.Task[None]] = set()
        self._end = asyncio.Event()
        self._open = threading.Event()
        self._thread = threading.Thread(target=self._run, name="line")

    def open(self) -> None:
        """Accept clients from now on."""
        self._thread.start()
        assert self._open.wait(WITHIN)

    def cut(self) -> None:
        """Break all connections now."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(WITHIN)

    def close(self) -> None:
        """Break all connections and accept no more; nothing is left."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(WITHIN)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._relay, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        self._open.set()
        await self._end.wait()
        server.close()
        await self._cut()
        if self._relays:
            await asyncio.wait(self._relays)
        await server.wait_closed()

    async def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either side ends."""
        task = asyncio.current_task()
        assert task is not None
        self._relays.add(task)
        pair = [writer]
        try:
            server_reader, server_writer = await asyncio.open_connection(HOST, self._server_port)
            pair.append(server_writer)
            self._writers += pair
            if self._mqtt5 != "passes" and await self._wants_mqtt5(reader, server_writer):
                writer.write(_UNACCEPTABLE_VERSION if self._mqtt5 == "is refused" else b"")
                writer.close()
                await writer.wait_closed()
                return
            await asyncio.gather(_carry(reader, server_writer), _carry(server_reader, writer))
        except OSError:  # the server is down: so is the line
            pass
        finally:
            for side in pair:
                side.transport.abort()
            self._writers = [side for side in self._writers if side not in pair]
            self._relays.discard(task)

    async def _wants_mqtt5(self, reader: asyncio.StreamReader, server: asyncio.StreamWriter) -> bool:
        """Whether the first packet, a CONNECT, says so; else it goes on to the server."""
        said = await reader.read(65536)
        if said.partition(_CONNECT)[2].startswith(b"\x05"):
            return True
        server.write(said)
        return False


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    if not writer.is_closing():
        writer.close()


@contextmanager
def line_to(port: int, mqtt5: Mqtt5 = "passes") -> Iterator[Line]:
    """A line to the server on a port, open to clients until the end."""
    line = Line(port, mqtt5)
    line.open()
    try:
        yield line
    finally:
        line.close()
