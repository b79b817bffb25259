"""Properties and date expressions."""

from __future__ import annotations

from datetime import date

import pytest

from dashboard_node.core.parameters import of_instance, of_run, read_properties
from schemas.dates import business_day, evaluate, is_expression
from schemas.plan import Parameter

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


P = Parameter(name="p", default_value="1")


def test_values_of_an_instance() -> None:
    """Properties first, evaluated; then what the plan says; a name without a value is left out."""
    declared = (P, Parameter(name="q", value="2", default_value="3"), Parameter(name="r"))

    assert of_instance(declared, {}, FRIDAY) == {"p": "1", "q": "2"}
    assert of_instance(declared, {"p": "today", "r": "x", "z": "y"}, FRIDAY) == {"p": "2026-01-02", "q": "2", "r": "x"}


@pytest.mark.parametrize(
    ("given", "known", "properties", "value"),
    [
        ({"p": "4"}, {"p": "3"}, {"p": "2"}, "4"),
        ({"p": ""}, {"p": "3"}, {"p": "2"}, ""),
        ({}, {"p": "3"}, {"p": "2"}, "3"),
        ({}, {"p": ""}, {"p": "today"}, "2026-01-02"),
        ({}, {}, {}, "1"),
    ],
)
def test_values_of_a_run(
    given: dict[str, str], known: dict[str, str | None], properties: dict[str, str], value: str
) -> None:
    """What was given for it, else what is known, else a property, else the job's default."""
    assert of_run((P,), given=given, known=known, properties=properties, day=FRIDAY) == {"p": value}


def test_a_value_nobody_has() -> None:
    """It is none; an empty one is empty."""
    name = Parameter(name="p")

    assert of_run((name,), given={}, known={}, properties={}, day=FRIDAY) == {"p": None}
    assert of_run((name,), given={}, known={"p": ""}, properties={}, day=FRIDAY) == {"p": ""}


@pytest.mark.parametrize(("text", "is_one"), [
    ("today", True), (" businessDay - 1 : yyyyMMdd", True), ("today:", True), ("todays", False), ("REGION", False), ("", False),
])  # fmt: skip
def test_date_expression_is_told_from_a_name(text: str, is_one: bool) -> None:  # noqa: FBT001 - the table's
    """So that file patterns may hold both."""
    assert is_expression(text) is is_one
