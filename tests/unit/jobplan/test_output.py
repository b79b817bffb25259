"""How tables are laid out in terminals of all widths."""

from __future__ import annotations

import pytest

from jobplan.cli.output import widths

COLUMNS = (("AGENT", "north"), ("SINCE", "2026-11-27 17:45:06"), ("NOTE", "waits for something that is far away"))


@pytest.mark.parametrize(
    ("room", "found"),
    [
        (1000, [5, 19, 36]),
        (64, [5, 19, 36]),
        (60, [5, 19, 32]),
        (40, [5, 15, 16]),
        (28, [5, 10, 9]),
        (20, [5, 5, 6]),
    ],
)
def test_the_widest_columns_give_way_and_dates_stay_whole(room: int, found: list[int]) -> None:
    """Until there is no other room; then all give way."""
    assert widths(COLUMNS, room) == found
    assert sum(found) + 4 <= room


def test_a_terminal_too_narrow_for_anything_has_a_column_of_one() -> None:
    """It is not looked for for ever."""
    assert widths(COLUMNS, 3) == [1, 1, 1]
