"""A server of a broker whose list stands still: what is retained by a mark never comes to it, and all else is as it should be."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.support.mosquitto import HOST

_PUBLISH = 0x30
_RETAIN = 0x01
_PATIENCE = 20.0


@dataclass
class StillServer:
    """Where it listens, how often it was connected to, and what was published to it."""

    port: int = 0
    connections: int = 0
    topics: list[str] = field(default_factory=list)

    def pass_on(self, packet: bytearray) -> None:
        """Take the word "retain" from a mark."""
        if packet[0] & 0xF0 != _PUBLISH:
            return
        start = next(place for place, byte in enumerate(packet[1:], start=1) if byte < 128) + 1
        end = start + 2 + int.from_bytes(packet[start : start + 2])
        self.topics.append(packet[start + 2 : end].decode())
        if "_sync/" in self.topics[-1]:
            packet[0] &= ~_RETAIN


@contextmanager
def a_server_that_stands_still(broker_port: int) -> Iterator[StillServer]:
    """Behind it is a real broker."""
    here = StillServer()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()
    up = threading.Event()
    answering: list[asyncio.Task[None]] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        here.connections += 1
        down, up = await asyncio.open_connection(HOST, broker_port)
        try:
            async with asyncio.TaskGroup() as group:
                there = group.create_task(_to_broker(here, reader, up), name="to the broker")
                back = group.create_task(_all_of(down, writer), name="to the client")
                _, left = await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
                for task in left:
                    task.cancel()
        finally:
            for end in (writer, up):
                end.close()
                with suppress(OSError):
                    await end.wait_closed()

    async def serve() -> None:
        async with asyncio.TaskGroup() as group:

            def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                answering.append(group.create_task(pass_on(reader, writer), name="a client of the still server"))

            async with await asyncio.start_server(answer, HOST, 0) as server:
                here.port = server.sockets[0].getsockname()[1]
                up.set()
                await over.wait()
            for task in answering:
                task.cancel()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="still-server")
    thread.start()
    try:
        assert up.wait(_PATIENCE), "the server did not start"
        yield here
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(_PATIENCE)
        loop.close()


async def _to_broker(here: StillServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Packet by packet, until the client is gone."""
    with suppress(OSError, asyncio.IncompleteReadError):
        while True:
            packet = bytearray(await reader.readexactly(2))
            while packet[-1] >= 128:
                packet += await reader.readexactly(1)
            left = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(packet[1:]))
            packet += await reader.readexactly(left)
            here.pass_on(packet)
            writer.write(bytes(packet))


async def _all_of(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
