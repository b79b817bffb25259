"""How commands write: tables for people, JSON for programs, notes on standard error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


def console(*, error: bool = False) -> Console:
    """A console on standard output (or error), for what needs colours and columns."""
    from rich.console import Console  # rich takes its time to load

    return Console(stderr=error, highlight=False, soft_wrap=False)


def put_json(value: object) -> None:
    """One JSON document, indented for a terminal."""
    text = msgspec.json.encode(value)
    if sys.stdout.isatty():
        text = msgspec.json.format(text, indent=2)
    click.echo(text)


def put_line(value: object) -> None:
    """One JSON object on a line of its own, at once."""
    click.echo(msgspec.json.encode(value))
    sys.stdout.flush()


def say(text: str) -> None:
    """A note to the person, beside the output."""
    click.echo(text, err=True)


def put_table(columns: Sequence[str], rows: Sequence[Sequence[RenderableType]], *, empty: str) -> None:
    """Rows in columns; ``empty`` is said when there are none. Not cut to any width unless written to a terminal."""
    if not rows:
        say(empty)
        return
    from rich.table import Table  # rich takes its time to load

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    out = console()
    if not out.is_terminal:
        out.width = 10_000
    out.print(table)


def put_fields(fields: Sequence[tuple[str, RenderableType]]) -> None:
    """Names and values, one a line."""
    from rich.table import Table  # rich takes its time to load

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields:
        if value not in {"", None}:
            table.add_row(name, value)
    out = console()
    if not out.is_terminal:
        out.width = 10_000
    out.print(table)
