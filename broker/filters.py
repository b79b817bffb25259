"""Which topics a subscription covers (MQTT 5 specification, section 4.7). Pure text; knows nothing of our own topics."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable


def is_filter(text: str) -> bool:
    """Whether ``text`` may be subscribed to: not empty, ``+`` and ``#`` alone in their level, ``#`` at the end only."""
    levels = text.split("/")
    wild = [level for level in levels if "+" in level or "#" in level]
    return text != "" and "\0" not in text and all(len(level) == 1 for level in wild) and "#" not in levels[:-1]


def matches(pattern: str, topic: str) -> bool:
    """Whether the filter ``pattern`` covers ``topic``.

    ``a/#`` covers ``a`` as well; a filter that begins with a wildcard covers no topic that begins with ``$``.
    """
    if topic.startswith("$") and pattern[:1] in {"+", "#"}:
        return False
    wanted, given = pattern.split("/"), topic.split("/")
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place == len(given) or level not in {"+", given[place]}:
            return False
    return len(wanted) == len(given)


def covering(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Tells of a topic whether one of the filters covers it, as ``matches`` does: compiled, for many topics."""
    any_of = re.compile("|".join(map(_expression, patterns)) or "(?!)", re.DOTALL)
    return lambda topic: any_of.fullmatch(topic) is not None


def _expression(pattern: str) -> str:
    above, slash, last = pattern.rpartition("/")
    not_dollar = r"(?!\$)" if pattern[:1] in {"+", "#"} else ""
    if last != "#":
        return not_dollar + _levels(pattern)
    return not_dollar + (f"{_levels(above)}(?:/.*)?" if slash else ".*")


def _levels(pattern: str) -> str:
    return "/".join("[^/]*" if level == "+" else re.escape(level) for level in pattern.split("/"))
