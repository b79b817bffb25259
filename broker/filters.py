"""Which topics a subscription covers (MQTT 5 specification, section 4.7). Pure text; knows nothing of our own topics."""

from __future__ import annotations


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
