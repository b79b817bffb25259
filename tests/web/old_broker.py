"""A broker's own listener for browsers that speaks MQTT 3.1.1 alone, and closes on all else without a word (as NATS does)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp.web import Application, AppRunner, Request, TCPSite, WebSocketResponse

from broker.ports import free_port
from jobplan.web.tunnel import close, tunnel
from tests.support.mosquitto import HOST

_LEVEL = 6
"""In a CONNECT, how far behind the length of the packet its protocol level stands: behind the length of ``MQTT`` and that."""
_SPOKEN = 4
_PATIENCE = 20.0


@contextmanager
def a_listener_of_mqtt_3(broker_port: int) -> Iterator[tuple[str, list[int]]]:
    """Its address, and the protocol levels that it is asked for, in order; behind it is a real broker."""
    asked: list[int] = []
    port = free_port()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()
    up = threading.Event()

    async def answer(request: Request) -> WebSocketResponse:
        socket = WebSocketResponse(protocols=("mqtt",))
        await socket.prepare(request)
        first = await socket.receive_bytes()
        asked.append(_level(first))
        if asked[-1] == _SPOKEN:
            reader, writer = await asyncio.open_connection(HOST, broker_port)
            writer.write(first)
            await tunnel(socket, reader, writer)
            await close(writer)
        await socket.close()
        return socket

    async def serve() -> None:
        app = Application()
        app.router.add_get("/mqtt", answer)
        runner = AppRunner(app, shutdown_timeout=0.0)
        await runner.setup()
        await TCPSite(runner, HOST, port).start()
        up.set()
        await over.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="old-broker")
    thread.start()
    try:
        assert up.wait(_PATIENCE), "the listener did not start"
        yield f"ws://{HOST}:{port}/mqtt", asked
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(_PATIENCE)
        loop.close()


def _level(connect: bytes) -> int:
    """The protocol level of a CONNECT packet."""
    length = next(place for place, byte in enumerate(connect[1:], start=1) if byte < 128)  # a varint's last byte
    return connect[length + 1 + _LEVEL]
