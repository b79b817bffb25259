"""Parameters: where a value comes from, and the few date expressions that a property may be written as.

An instance's values are found when it opens: a plan's properties first, then the plan's own defaults. A run's values are found
when it is handed over: what was given for this run, else the values of its context or instance, else the properties, else the
job's default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from schemas.plan import Parameter

_EXPRESSION = re.compile(
    r"(?P<what>today|businessDay)\s*(?P<offset>[+-]\s*\d{1,4})?\s*(?::\s*(?P<form>.*))?", re.DOTALL
)
_FIELDS = re.compile(r"yyyy|yy|MMM|MM|dd|EEE|D+")
_STRFTIME = {"yyyy": "%Y", "yy": "%y", "MM": "%m", "MMM": "%b", "dd": "%d", "EEE": "%a"}
_SATURDAY = 5


def read_properties(text: str) -> dict[str, str]:
    """The properties of a file: a ``name=value`` a line; empty lines, and those that begin with ``#``, do not count."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and name.strip() and not name.lstrip().startswith("#"):
            found[name.strip()] = value.strip()
    return found


def evaluate(text: str, day: date) -> str:
    """What a property says on a day: ``today-1``, ``businessDay+2:yyyyMMdd``, or any other text as it is.

    Business days are Monday to Friday; ``businessDay`` alone is the day itself, or the Friday before it. Without a format a date
    is written ``yyyy-MM-dd``; a format knows yyyy, yy, MMM, MM, dd, EEE and D (the day's number in the year).
    """
    match = _EXPRESSION.fullmatch(text.strip())
    if match is None:
        return text
    offset = int((match["offset"] or "0").replace(" ", ""))
    try:
        found = day + timedelta(days=offset) if match["what"] == "today" else business_day(day, offset)
    except OverflowError:
        return text
    return _written(found, (match["form"] or "yyyy-MM-dd").strip())


def business_day(day: date, offset: int) -> date:
    """The n-th business day after (before, when negative) a day; 0: the day itself, or the last business day before it."""
    step = timedelta(days=1 if offset > 0 else -1)
    left = abs(offset)
    while left or day.weekday() >= _SATURDAY:
        day += step
        if left and day.weekday() < _SATURDAY:
            left -= 1
    return day


def _written(day: date, form: str) -> str:
    def field(match: re.Match[str]) -> str:
        name = match.group()
        if name in _STRFTIME:
            return day.strftime(_STRFTIME[name]).zfill(4) if name == "yyyy" else day.strftime(_STRFTIME[name])
        return str(day.timetuple().tm_yday).zfill(len(name))

    return _FIELDS.sub(field, form)


def of_instance(declared: Iterable[Parameter], properties: Mapping[str, str], day: date) -> dict[str, str]:
    """The values an instance opens with. A name for which nobody has a value is left out."""
    found: dict[str, str] = {}
    for parameter in declared:
        property_ = properties.get(parameter.name)
        value = own(parameter) if property_ is None else evaluate(property_, day)
        if value is not None:
            found[parameter.name] = value
    return found


def of_run(
    declared: Iterable[Parameter],
    *,
    given: Mapping[str, str],
    known: Mapping[str, str | None],
    properties: Mapping[str, str],
    day: date,
) -> dict[str, str | None]:
    """The values a run gets: of the names its job declares, and of those given for this run alone. None: nobody has a value."""
    found: dict[str, str | None] = {}
    for parameter in declared:
        value = known.get(parameter.name)
        if not value and parameter.name in properties:
            value = evaluate(properties[parameter.name], day)
        if not value and own(parameter) is not None:
            value = own(parameter)
        found[parameter.name] = value
    return found | dict(given)


def own(parameter: Parameter) -> str | None:
    """The value a parameter has by itself."""
    return parameter.value if parameter.value is not None else parameter.default_value
