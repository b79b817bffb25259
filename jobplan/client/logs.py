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
BACK: Final = 65_536
"""Bytes before the end in which the last lines are looked for at first."""
MOST_BACK: Final = 16 * 1_048_576
QUIET: Final = 0.5
"""Seconds before asking again, when a log that is followed had nothing new."""


async def read_log(  # noqa: PLR0913  # one a word of the question
    client: Client,
    run: RunId,
    agent: NodeName,
    *,
    errors: bool = False,
    offset: int = 0,
    most: int | None = None,
    follow: bool = False,
) -> AsyncIterator[LogPart]:
    """The parts of a run's output from ``offset`` on, each byte once; with ``follow`` until the run has ended.

    A negative ``offset``: so many bytes before the end. ``most``: no more bytes than that.
    """
    position, left = offset, most
    while left is None or left > 0:
        limit = AT_ONCE if left is None else min(AT_ONCE, left)
        asked = ReadLog(run=run, errors=errors, offset=position, limit=limit, follow=False)
        part = await _one(client, asked, agent, follow=follow)
        fresh = len(part.content) - max(0, position - part.offset)
        if fresh > 0:
            yield part
        position = max(position, part.offset + len(part.content))
        left = None if left is None else left - fresh
        if part.ended or (position >= part.size and not follow):
            return
        if fresh <= 0:
            await asyncio.sleep(QUIET)


async def where_last_lines_begin(
    client: Client, run: RunId, agent: NodeName, lines: int, *, errors: bool = False
) -> int:
    """The offset of the last so many lines, a line that has no end yet among them; at most MOST_BACK bytes before the end."""
    back = BACK
    while True:
        start, content = 0, b""
        async for part in read_log(client, run, agent, errors=errors, offset=-back, most=back):
            if part.offset != start + len(content):  # the first one, or something was not kept before it
                start, content = part.offset, b""
            content += part.content
        found = _last_lines(content, lines)
        if found is not None or start == 0 or len(content) < back or back >= MOST_BACK:
            return start + (found or 0)
        back = min(MOST_BACK, 4 * back)


def _last_lines(content: bytes, lines: int) -> int | None:
    """Where the last so many lines begin; None: there are not so many."""
    if not lines:
        return len(content)
    at = len(content) - content.endswith(b"\n")
    for _ in range(lines):
        at = content.rfind(b"\n", 0, at)
        if at < 0:
            return None
    return at + 1


async def _one(client: Client, asked: ReadLog, agent: NodeName, *, follow: bool) -> LogPart:
    """One part. Who follows a log waits for an agent that is away."""
    patience = timedelta(hours=24) if follow else client.patience
    found: list[LogPart] = [
        decode(bytes(answer.data), LogPart) async for answer in client.answers(asked, to=agent, patience=patience)
    ]
    content = b"".join(part.content for part in found)
    last = found[-1]
    return LogPart(offset=found[0].offset, content=content, size=last.size, ended=last.ended)
