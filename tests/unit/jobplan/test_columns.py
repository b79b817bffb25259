"""Rows in columns: aligned, and cut where there is no room."""

from __future__ import annotations

import io

from rich.console import Console

from jobplan.cli.columns import EMPTY, Cell, Column, Columns

COLUMNS = (Column("NAME", width=6, narrowest=6), Column("N", right=True), Column("WHY", narrowest=0))


def drawn(*rows: tuple[Cell, ...], width: int = 80) -> list[str]:
    """The lines, without the blanks at their ends."""
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(Columns(COLUMNS, rows))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    return [line.rstrip() for line in lines]


def row(name: str, number: str, *why: str) -> tuple[Cell, ...]:
    """A row whose last cell is made of pieces."""
    return ((name, "bold"),), ((number, ""),), tuple((piece, "red") for piece in why)


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    """Numbers stand to the right, and wide characters count for two."""
    assert drawn(row("long name", "7", "because"), row("\u8868", "100"), (EMPTY, EMPTY, EMPTY)) == [
        "NAME         N  WHY",
        "long name    7  because",
        "\u8868         100",
        "",
    ]


def test_last_column_is_cut_first() -> None:
    """Where a cell is made of pieces, after those that fit."""
    assert drawn(row("name", "7", "so ", "and so ", "and so"), width=24) == [
        "NAME    N  WHY",
        "name    7  so and so \u2026",
    ]


def test_other_columns_are_cut_when_nothing_is_left_of_the_last() -> None:
    """But never below what they need."""
    assert drawn(row("a long name", "7", "because"), width=13) == ["NAME    N", "a lon\u2026  7"]
