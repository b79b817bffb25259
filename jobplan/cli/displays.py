"""Where an instance is watched: a tree in a terminal, lines of text or JSON elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Self

import click

from jobplan.cli.names import the_instance
from jobplan.cli.output import console, put_line, say
from jobplan.client import Client, JobsOf, Scope
from jobplan.client.live import Line, View
from jobplan.client.watching import Watching, follow_started
from jobplan.errors import BadInputError
from schemas.names import InstanceId
from schemas.status import JobStatus


class JsonLines:
    """One JSON object a change."""

    pause = 0.0
    estimates = False

    def line(self, line: Line, *, reason: str) -> None:  # noqa: ARG002  # the line's form is fixed
        """Write it."""
        put_line(line)

    def view(self, seen: View) -> None:
        """Nothing: lines say it all."""

    def doubt(self, reason: str) -> None:
        """On standard error, beside the lines."""
        say(f"jobplan: {reason}" if reason else "jobplan: up to date again")


class PlainLines(JsonLines):
    """One line of text a change; what waits from the beginning is left out."""

    def __init__(self) -> None:
        self._moved: set[tuple[str, str]] = set()

    def line(self, line: Line, *, reason: str) -> None:
        """Write it."""
        from jobplan.cli.tree import plain  # rich takes its time to load

        place = (line.context, line.job)
        if line.status != JobStatus.WAITING or place in self._moved:
            self._moved.add(place)
            click.echo(plain(line, reason=reason))
            sys.stdout.flush()


class LiveTree:
    """The tree, redrawn in place. Use as a context manager."""

    pause = 1 / 8
    estimates = True

    def __init__(self, *, hints: Callable[[], tuple[str, ...]] = tuple) -> None:
        from rich.live import Live  # rich takes its time to load

        self._live = Live(console=console(), auto_refresh=False, vertical_overflow="ellipsis", transient=False)
        self._hints = hints

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def line(self, line: Line, *, reason: str) -> None:
        """Nothing: the tree says it all."""

    def view(self, seen: View) -> None:
        """Redraw."""
        from jobplan.cli.tree import InstanceTree  # rich takes its time to load

        self._live.update(InstanceTree(seen, hints=self._hints()), refresh=True)

    def doubt(self, reason: str) -> None:
        """Nothing: the tree's foot says it."""


async def follow_instance(client: Client, name: str | None) -> InstanceId:
    """Follow all of one instance: by name, or the newest one."""
    await client.follow(Scope.INSTANCES, Scope.LOCKS)
    found = client.picture.instances
    if name is None and not found:
        raise BadInputError("there is no instance to watch: start one with 'jobplan instance start PLAN'")
    one = the_instance(name, found).instance if name is not None else list(found)[-1]
    await client.follow(JobsOf(one))
    return one


async def watch_instance(client: Client, one: InstanceId, *, as_json: bool, leave: bool) -> bool:
    """Show what happens until the instance is over (``leave``), gone, or Ctrl-C; says whether it completed."""
    if as_json:
        return await Watching(client, one, JsonLines()).run(leave=leave)
    if not sys.stdout.isatty():
        return await Watching(client, one, PlainLines()).run(leave=leave)
    with LiveTree() as tree:
        return await Watching(client, one, tree).run(leave=leave)


async def until_over(client: Client, one: InstanceId, *, as_json: bool) -> bool:
    """Wait for the end of an instance that was just started, showing what happens."""
    await follow_started(client, one)
    return await watch_instance(client, one, as_json=as_json, leave=True)
