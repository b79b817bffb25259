"""Which lines of a mosquitto.conf let a broker drop what it should deliver, and what they should say. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

LEAST_QUEUED: Final = 100_000
"""So many messages have to find room in a client's queue: what is retained is queued at once for whoever subscribes to it."""
LARGEST_PACKET: Final = 8_500_000
"""Bytes: a request of 8 MiB, and what is round it."""


class Limit(Struct, frozen=True, kw_only=True):
    """A setting that drops something."""

    setting: str
    value: str
    """As it stands; or what counts where it does not."""
    wanted: str
    """What jobplan's own mosquitto.conf says."""
    why: str


class _Rule(Struct, frozen=True):
    """A setting, what it is where nobody sets it, which values drop nothing, and what the others do."""

    setting: str
    default: int
    is_well: Callable[[int], bool]
    wanted: str
    why: str


_RULES: Final = (
    _Rule(
        "max_queued_messages",
        1000,
        lambda value: value >= LEAST_QUEUED,
        "1000000",
        "who subscribes to more retained topics gets the first of them only (0, no limit, is mishandled by 2.0.2 to 2.0.21)",
    ),
    _Rule("max_queued_bytes", 0, lambda value: value == 0, "0", "what does not fit is dropped without a word"),
    _Rule(
        "max_packet_size",
        0,
        lambda value: value == 0 or value >= LARGEST_PACKET,
        "9000000",
        "who imports a large plan, or exports it, is cut off",
    ),
    _Rule(
        "message_size_limit",
        0,
        lambda value: value == 0 or value >= LARGEST_PACKET,
        "0",
        "larger documents are refused",
    ),
    _Rule("memory_limit", 0, lambda value: value == 0, "0", "the broker refuses messages once it is that large"),
)


def limits(conf: str) -> Iterator[Limit]:
    """What is wrong in the text of a configuration; files that it includes are not looked at."""
    said: dict[str, str] = {}
    for line in conf.splitlines():
        setting, _, value = line.strip().partition(" ")
        said[setting] = value.strip()
    for rule in _RULES:
        value = said.get(rule.setting, "")
        number = int(value) if value.isdigit() else rule.default
        if not rule.is_well(number):
            shown = value or f"not set, so {rule.default}"
            yield Limit(setting=rule.setting, value=shown, wanted=rule.wanted, why=rule.why)
