"""Printing a run's output."""

from __future__ import annotations

import sys

import click
from msgspec import Struct

from jobplan.cli.output import put_line, say
from jobplan.client import Client
from jobplan.client.logs import read_log, where_last_lines_begin
from jobplan.errors import BadInputError
from schemas.documents import JobState
from schemas.names import RunId, run_id
from schemas.status import NodeState


class Wanted(Struct, frozen=True, kw_only=True):
    """Which part of which output."""

    attempt: int | None = None
    errors: bool = False
    follow: bool = False
    lines: int | None = None
    """Only the last so many."""
    start: int = 0
    """First byte; negative: so many before the end."""
    most: int | None = None
    """Bytes."""


async def print_log(client: Client, copies: tuple[JobState, ...], wanted: Wanted, *, as_json: bool) -> None:
    """Write the bytes as they are; with ``--json`` one object a part. Raises BadInputError."""
    copy, run = _newest(copies, wanted.attempt)
    presence = client.picture.agents.get(copy.agent)
    if presence is not None and presence.state is NodeState.GONE and not wanted.follow:
        raise BadInputError(
            f"agent '{copy.agent}' is gone, and what its runs wrote is on its host; --follow waits for it"
        )
    start = wanted.start
    if wanted.lines is not None:
        start = await where_last_lines_begin(client, run, copy.agent, wanted.lines, errors=wanted.errors)
    parts = read_log(
        client, run, copy.agent, errors=wanted.errors, offset=start, most=wanted.most, follow=wanted.follow
    )
    expected: int | None = None
    silent = True
    async for part in parts:
        silent = silent and not part.content
        if expected is not None and part.offset > expected and not as_json:
            sys.stdout.buffer.flush()
            click.echo(f"\n[{part.offset - expected} bytes were not kept by the agent]", err=True)
        expected = part.offset + len(part.content)
        if as_json:
            text = part.content.decode("utf-8", "replace")
            put_line({"run": run, "offset": part.offset, "text": text, "ended": part.ended})
        else:
            sys.stdout.buffer.write(part.content)
            sys.stdout.buffer.flush()
    if silent and not (as_json or wanted.errors):
        say("nothing on its standard output; --stderr prints its standard error")


def _newest(copies: tuple[JobState, ...], attempt: int | None) -> tuple[JobState, RunId]:
    """The newest run among the copies, or the attempt that is asked for."""
    ran = [(copy, copy.run) for copy in copies if copy.run is not None]
    if not ran:
        first = copies[0]
        raise BadInputError(f"job '{first.name}' has not run yet ({first.status.value}): there is no output")
    newest, run = max(ran, key=_recency)
    if attempt is None:
        return newest, run
    if not 1 <= attempt <= newest.attempt:
        raise BadInputError(f"attempt {attempt} of job '{newest.name}' does not exist: there are 1 to {newest.attempt}")
    return newest, run_id(newest.instance, newest.context, newest.job, attempt)


def _recency(copy_and_run: tuple[JobState, RunId]) -> tuple[float, int]:
    copy, _ = copy_and_run
    return (0.0 if copy.started is None else copy.started.timestamp(), copy.attempt)
