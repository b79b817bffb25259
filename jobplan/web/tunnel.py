"""One browser's WebSocket joined to one connection of the broker: bytes pass both ways, unread, until either side ends."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from aiohttp import WSMsgType
from aiohttp.web import WebSocketResponse

CHUNK: Final = 65_536
"""Most bytes that go to a browser in one frame."""
FIRST_FRAME: Final = 15.0
"""Seconds a browser has to say something before its place is given to somebody else."""
CONNECTING: Final = 10.0


async def tunnel(browser: WebSocketResponse, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """Pass bytes until one side ends; which one did, in words."""
    async with asyncio.TaskGroup() as group:
        up = group.create_task(_to_broker(browser, writer), name="browser to broker")
        down = group.create_task(_to_browser(reader, browser), name="broker to browser")
        done, rest = await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
    return next(iter(done)).result()


async def _to_broker(browser: WebSocketResponse, writer: asyncio.StreamWriter) -> str:
    patience: float | None = FIRST_FRAME
    while True:
        try:
            message = await browser.receive(timeout=patience)
        except TimeoutError:
            return "the browser said nothing"
        patience = None
        if message.type is WSMsgType.BINARY:
            try:
                writer.write(message.data)
                await writer.drain()
            except OSError:
                return "the broker closed the connection"
        elif message.type in {WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED}:
            return "the browser left"
        else:
            return "the browser sent what is no MQTT"


async def _to_browser(reader: asyncio.StreamReader, browser: WebSocketResponse) -> str:
    while True:
        try:
            data = await reader.read(CHUNK)
        except OSError:
            data = b""
        if not data:
            return "the broker closed the connection"
        try:
            await browser.send_bytes(data)
        except (ConnectionError, RuntimeError):
            return "the browser left"


async def close(writer: asyncio.StreamWriter) -> None:
    """Let go of the broker's connection; what is under way to it need not arrive."""
    writer.close()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(1.0):
            await writer.wait_closed()
