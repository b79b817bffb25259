"""How commands write: tables for people, JSON for programs, notes on standard error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
import msgspec

ROOMY = 1000
"""Columns when nobody's terminal says how many."""

_GAP = 2
"""Blanks behind a column."""
_UNBROKEN = len("2026-12-31")
"""Words up to this length stay whole if they can."""

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


def console(*, error: bool = False) -> Console:
    """A console on standard output (or error), for what needs colours and columns."""
    from rich.console import Console  # rich takes its time to load

    out = Console(stderr=error, highlight=False, soft_wrap=False)
    if not out.is_terminal:
        out.width = ROOMY
    return out


def put_rich(what: RenderableType) -> None:
    """Write something of rich's to standard output; to a file without the blanks at the ends of its lines."""
    out = console()
    if out.is_terminal:
        out.print(what)
        return
    with out.capture() as written:
        out.print(what)
    click.echo("\n".join(line.rstrip() for line in written.get().splitlines()))


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


def counted(count: int, thing: str) -> str:
    """``1 day``, ``2 days``."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def put_table(columns: Sequence[str], rows: Sequence[Sequence[RenderableType]], *, empty: str) -> None:
    """Rows in columns; ``empty`` is said when there are none. Not cut to any width unless written to a terminal."""
    if not rows:
        say(empty)
        return
    from rich.table import Table  # rich takes its time to load

    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="dim")
    out = console()
    fitting = widths(_plain(columns, rows), out.width) if out.is_terminal else [None] * len(columns)
    for column, width in zip(columns, fitting, strict=True):
        table.add_column(column, overflow="fold", width=width)
    for row in rows:
        table.add_row(*row)
    put_rich(table)


def _plain(columns: Sequence[str], rows: Sequence[Sequence[RenderableType]]) -> list[list[str]]:
    """The texts of each column, its heading first, without their markup."""
    from rich.text import Text  # rich takes its time to load

    texts = [[Text.from_markup(cell).plain if isinstance(cell, str) else str(cell) for cell in row] for row in rows]
    return [[heading, *cells] for heading, *cells in zip(columns, *texts, strict=True)]


def widths(columns: Sequence[Sequence[str]], room: int) -> list[int]:
    """How wide each column is, by the texts in it.

    Where there is no room for all of them the widest give way, but no short word (a date, say) is broken while others can.
    """
    from rich.cells import cell_len  # rich takes its time to load

    found = [max(map(cell_len, texts)) for texts in columns]
    whole = [max(cell_len(word) for text in texts for word in text.split() or [""]) for texts in columns]
    for least in (_UNBROKEN, 1):
        floors = [min(width, longest, least) for width, longest in zip(found, whole, strict=True)]
        while sum(found) + _GAP * (len(found) - 1) > room and found != floors:
            widest = max(range(len(found)), key=lambda one: (found[one] > floors[one], found[one]))
            found[widest] -= 1
    return found


def put_fields(fields: Sequence[tuple[str, RenderableType]]) -> None:
    """Names and values, one a line."""
    from rich.table import Table  # rich takes its time to load

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields:
        if value not in {"", None}:
            table.add_row(name, value)
    put_rich(table)
