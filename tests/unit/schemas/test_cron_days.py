"""Which days of a month each rule means."""

from __future__ import annotations

import pytest

from schemas.cron import parse
from schemas.cron.days import days_in


@pytest.mark.parametrize(
    ("text", "year", "month", "days"),
    [
        ("L * ?", 2024, 2, (29,)),
        ("L-3 * ?", 2025, 4, (27,)),
        ("L-28 * ?", 2025, 2, ()),
        ("L-28 * ?", 2024, 2, (1,)),
        ("L-30 * ?", 2025, 4, ()),
        ("31 * ?", 2025, 4, ()),
        ("29,30 * ?", 2025, 2, ()),
        ("LW * ?", 2025, 5, (30,)),
        ("LW * ?", 2025, 8, (29,)),
        ("L-1W * ?", 2025, 8, (29,)),
        ("L-2W * ?", 2025, 8, (29,)),
        ("L-29W * ?", 2025, 6, (2,)),
        ("L-30W * ?", 2025, 2, ()),
        ("L-30W * ?", 2025, 3, (3,)),
        ("15W * ?", 2025, 2, (14,)),
        ("15W * ?", 2025, 6, (16,)),
        ("15W * ?", 2025, 7, (15,)),
        ("1W * ?", 2025, 2, (3,)),
        ("1W * ?", 2025, 6, (2,)),
        ("31W * ?", 2025, 8, (29,)),
        ("31W * ?", 2025, 4, ()),
        ("29W * ?", 2025, 2, ()),
    ],
)
def test_days_of_month(text: str, year: int, month: int, days: tuple[int, ...]) -> None:
    """L counts back, W stays inside the month, and days a month lacks are left out."""
    assert days_in(parse(f"0 0 12 {text}").days, year, month) == days


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2", (3, 10, 17, 24, 31)),
        ("SUN,SAT", (1, 2, 8, 9, 15, 16, 22, 23, 29, 30)),
        ("L", (1, 8, 15, 22, 29)),
        ("6L", (28,)),
        ("2L", (31,)),
        ("6#3", (21,)),
        ("7#1", (1,)),
        ("7#5", (29,)),
        ("3#5", ()),
    ],
)
def test_days_of_week_in_march_2025(text: str, days: tuple[int, ...]) -> None:
    """March 2025 begins on a Saturday and has 31 days; there is no fifth Tuesday."""
    assert days_in(parse(f"0 0 12 ? * {text}").days, 2025, 3) == days


@pytest.mark.parametrize(("text", "days"), [("1W", (1,)), ("3W", (3,)), ("5W", (7,)), ("22W", (30,)), ("23W", ())])
def test_counted_weekdays_in_september_2026(text: str, days: tuple[int, ...]) -> None:
    """Scenario 180: September 2026 begins on a Tuesday, so its third weekday is Thursday the 3rd."""
    assert days_in(parse(f"0 0 1 {text} * ?", custom_weekday_of_month=True).days, 2026, 9) == days
