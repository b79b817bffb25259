"""Parameters: where a value comes from, and the few date expressions that a property may be written as.

An instance's values are found when it opens: a plan's properties first, then the plan's own defaults. A run's values are found
when it is handed over: what was given for this run, else the values of its context or instance, else the properties, else the
job's default.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from schemas.dates import evaluate
from schemas.plan import Parameter


def read_properties(text: str) -> dict[str, str]:
    """The properties of a file: a ``name=value`` a line; empty lines, and those that begin with ``#``, do not count."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and name.strip() and not name.lstrip().startswith("#"):
            found[name.strip()] = value.strip()
    return found


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
