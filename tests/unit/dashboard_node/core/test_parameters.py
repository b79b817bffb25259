"""Properties and date expressions."""

from __future__ import annotations

from datetime import date

import pytest

from dashboard_node.core.parameters import business_day, evaluate, read_properties

FRIDAY = date(2026, 1, 2)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("today", "2026-01-02"),
        (" today ", "2026-01-02"),
        ("today-2", "2025-12-31"),
        ("today + 3 : dd.MM.yy", "05.01.26"),
        ("businessDay", "2026-01-02"),
        ("businessDay+1", "2026-01-05"),
        ("businessDay-1:yyyyMMdd", "20260101"),
        ("today:EEE dd MMM yyyy", "Fri 02 Jan 2026"),
        ("today:DDD", "002"),
        ("today:D", "2"),
        ("today+9999999", "today+9999999"),
        ("todays", "todays"),
        ("__import__('os')", "__import__('os')"),
        ("", ""),
    ],
)
def test_an_expression(text: str, value: str) -> None:
    """Dates by name, with an offset and a format; anything else is itself."""
    assert evaluate(text, FRIDAY) == value


def test_an_expression_beyond_the_calendar() -> None:
    """It stays as it is written."""
    assert evaluate("today+9999", date(9999, 12, 31)) == "today+9999"


@pytest.mark.parametrize(
    ("day", "offset", "found"),
    [
        (date(2026, 1, 3), 0, date(2026, 1, 2)),
        (date(2026, 1, 4), 0, date(2026, 1, 2)),
        (date(2026, 1, 4), 1, date(2026, 1, 5)),
        (date(2026, 1, 4), -1, date(2026, 1, 2)),
        (date(2026, 1, 5), -1, date(2026, 1, 2)),
        (date(2026, 1, 2), 5, date(2026, 1, 9)),
        (date(2026, 1, 2), -5, date(2025, 12, 26)),
    ],
)
def test_business_days(day: date, offset: int, found: date) -> None:
    """Monday to Friday; none of the weekend is counted."""
    assert business_day(day, offset) == found


def test_a_file_of_properties() -> None:
    """Names and values, without comments and empty lines."""
    text = "# of the night\n\n p = 2 \nq=a=b\n=x\nnothing\nr=\n"

    assert read_properties(text) == {"p": "2", "q": "a=b", "r": ""}
