"""Rows in columns, drawn at once: rich's own tables take half a millisecond a row, and an instance may have ten thousand jobs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions
from rich.segment import Segment

Cell = tuple[tuple[str, str], ...]
"""Texts, each with its style."""
EMPTY: Final[Cell] = ()
_GAP: Final = 2
_CUT: Final = "…"


class Column(Struct, frozen=True):
    """How a column is laid out."""

    heading: str
    width: int = 0
    """At least so wide."""
    narrowest: int | None = None
    """Where there is no room its cells are cut down to this; None: never."""
    right: bool = False
    """Its cells stand at its right end."""


class Columns:
    """A renderable: a line of headings and one for each row. The columns that may be cut are, the last one first."""

    def __init__(self, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> None:
        self._columns = columns
        self._rows = [tuple(((column.heading, "dim"),) for column in columns), *rows]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """Draw it no wider than there is room."""
        widths = self._widths(options.max_width)
        for row in self._rows:
            for column, width, cell in zip(self._columns, widths, row, strict=True):
                free = width - _length(cell)
                if column.right and free > 0:
                    yield Segment(" " * free)
                for text, style in cell if free >= 0 else _cut(cell, width):
                    yield Segment(text, console.get_style(style))
                yield Segment(" " * (_GAP + (0 if column.right else max(0, free))))
            yield Segment.line()

    def _widths(self, room: int) -> list[int]:
        widths = [
            max(column.width, *(_length(row[place]) for row in self._rows))
            for place, column in enumerate(self._columns)
        ]
        excess = sum(widths) + _GAP * len(widths) - room
        for place in reversed(range(len(widths))):
            narrowest = self._columns[place].narrowest
            if excess > 0 and narrowest is not None:
                less = min(excess, max(0, widths[place] - narrowest))
                widths[place] -= less
                excess -= less
        return widths


def _length(cell: Cell) -> int:
    return sum(cell_len(text) for text, _ in cell)


def _cut(cell: Cell, width: int) -> Iterator[tuple[str, str]]:
    """The beginning of a cell that is too long."""
    left = width - 1
    for text, style in cell if width else ():
        size = cell_len(text)
        if size > left:
            yield set_cell_size(text, left) + _CUT, style
            return
        yield text, style
        left -= size
