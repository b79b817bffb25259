"""Where a demo is shown: its notes beside, and its summary after, what an instance's displays show."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from jobplan.cli.displays import JsonLines, LiveTree, PlainLines
from jobplan.cli.output import put_rich, say
from jobplan.cli.symbols import job_style, words
from jobplan.client.live import View, clock, lasted, span
from jobplan.clock import now
from jobplan.demo.run import Stage
from schemas.status import ContextStatus

NOTES_SHOWN: Final = 5


class JsonStage(JsonLines):
    """Lines of JSON on standard output and nothing else there."""

    def note(self, text: str) -> None:
        """On standard error."""
        say(f"demo: {text}")

    def watch_hint(self, command: str) -> None:
        """On standard error."""
        say(f"demo: watch it with: {command}")

    def summary(self, seen: View) -> None:
        """The lines have said it."""


class PlainStage(PlainLines):
    """Lines of text."""

    def note(self, text: str) -> None:
        """A line beginning with the time, as the others do."""
        click.echo(f"{clock(now())}  demo      {text}")
        sys.stdout.flush()

    def watch_hint(self, command: str) -> None:
        """A line to copy."""
        click.echo(f"\nwatch it with any MQTT tool, for example:\n  {command}\n")
        sys.stdout.flush()

    def summary(self, seen: View) -> None:
        """A table."""
        put_summary(seen)


class TreeStage:
    """The live tree; the newest notes stand below it."""

    pause = LiveTree.pause
    estimates = False
    """Nothing is known yet of how long a demo takes."""

    def __init__(self) -> None:
        self._notes: list[str] = []
        self._hint = ""
        self._tree: LiveTree | None = None
        self._live = False

    def note(self, text: str) -> None:
        """Below the tree once there is one."""
        line = f"{clock(now())}  {text}"
        self._notes = [*self._notes[1 - NOTES_SHOWN :], line]
        if self._tree is None:
            click.echo(line)

    def watch_hint(self, command: str) -> None:
        """A line to copy, above the tree."""
        click.echo(f"\nwatch it with any MQTT tool, for example:\n  {command}\n")

    def line(self, *_: object, **__: object) -> None:
        """The tree says it."""

    def doubt(self, reason: str) -> None:
        """The tree says it."""

    def view(self, seen: View) -> None:
        """Draw the tree."""
        if self._tree is None:
            self._notes = []  # those before stand above the tree
            self._tree = LiveTree(hints=lambda: tuple(self._notes))
            self._tree.__enter__()
        self._tree.view(seen)

    def summary(self, seen: View) -> None:
        """The tree stays as it was last; below it a table."""
        self.close()
        put_summary(seen)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._tree is not None:
            self._tree.__exit__()
            self._tree = None


@contextmanager
def stage_for(*, as_json: bool) -> Iterator[Stage]:
    """The stage that fits what standard output is."""
    if as_json:
        yield JsonStage()
    elif not sys.stdout.isatty():
        yield PlainStage()
    else:
        stage = TreeStage()
        try:
            yield stage
        finally:
            stage.close()


def put_summary(seen: View) -> None:
    """Each job: status, duration, return code, attempts; and how the whole ended."""
    from rich.table import Table  # rich takes its time to load

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column, justify in (
        ("CONTEXT", "left"),
        ("JOB", "left"),
        ("STATUS", "left"),
        ("TOOK", "right"),
        ("CODE", "right"),
        ("TRIES", "right"),
    ):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]  # one of rich's words
    for job in seen.jobs:
        code = "" if job.return_code is None else str(job.return_code)
        status = f"[{job_style(job.status)}]{words(job.status)}[/]"
        table.add_row(job.context, job.name, status, lasted(job, seen.now), code, str(job.attempt or ""))
    one = seen.instance
    result = one.result if one.status is ContextStatus.ENDED and one.result is not None else one.status
    ending = f"\n[bold]{one.instance}[/]: [bold]{result.value}[/] after {span(seen.running_for)}"
    click.echo()
    put_rich(table)
    put_rich(f"{ending}, {seen.done}/{len(seen.jobs)} jobs done")
