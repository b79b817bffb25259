"""The parsed cron: a frozen value that says which wall times match. It cannot be wrong."""

from __future__ import annotations

from msgspec import Struct

from schemas.cron.days import DayRule

FIRST_YEAR = 1970
"""Quartz' first year: nothing fires earlier, and `*/n` in the year field counts from here."""

LAST_YEAR = 2126
"""Nothing fires later. Quartz' limit is the current year + 100, which would make the answer
depend on a clock; this is that limit as it stood when the rules were measured."""


class Cron(Struct, frozen=True):
    """One Quartz schedule. Build it with `parse`; numbers are sorted and in range.

    `text` is normalised (upper case, single blanks) and `str(cron)` gives it back.
    `years` is None when every year matches. Equal values mean the same schedule text, read
    the same way.
    """

    text: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: DayRule
    months: tuple[int, ...]
    years: tuple[int, ...] | None

    def __str__(self) -> str:
        """The normalised expression."""
        return self.text

    def __hash__(self) -> int:
        """Of the text alone: it decides nearly everything, and its hash is kept by Python."""
        return hash(self.text)
