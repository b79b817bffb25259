"""Reading a run's output from the agent that has it, in parts, through lost connections and restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

from jobplan.client import Client
from schemas.codec import decode
from schemas.names import NodeName, RunId
from schemas.requests import LogPart, ReadLog

AT_ONCE: Final = 262_144
QUIET: Final = 0.5
"""Seconds before asking again, when a log that is followed had nothing new."""


async def read_log(
    client: Client,
    run: RunId,
    agent: NodeName,
    *,
    errors: bool = False,
    offset: int = 0,
    follow: bool = False,
) -> AsyncIterator[LogPart]:
    """The parts of a run's output from ``offset`` on, each byte once; with ``follow`` until the run has ended."""
    position = offset
    while True:
        asked = ReadLog(run=run, errors=errors, offset=position, limit=AT_ONCE, follow=False)
        part = await _one(client, asked, agent, follow=follow)
        fresh = len(part.content) - max(0, position - part.offset)
        if fresh > 0:
            yield part
            position = part.offset + len(part.content)
        if part.ended or (position >= part.size and not follow):
            return
        if fresh <= 0:
            await asyncio.sleep(QUIET)


async def _one(client: Client, asked: ReadLog, agent: NodeName, *, follow: bool) -> LogPart:
    """One part. Who follows a log waits for an agent that is away."""
    patience = timedelta(hours=24) if follow else client.patience
    found: list[LogPart] = [
        decode(bytes(answer.data), LogPart) async for answer in client.answers(asked, to=agent, patience=patience)
    ]
    content = b"".join(part.content for part in found)
    last = found[-1]
    return LogPart(offset=found[0].offset, content=content, size=last.size, ended=last.ended)
