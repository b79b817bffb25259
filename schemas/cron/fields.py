"""One cron field of plain numbers and names -> the sorted numbers it means.

Lists, ranges (which may wrap), steps and names. It knows nothing of L, W, # and ?, which
belong to the day fields and are read in `parser`.
"""

from __future__ import annotations

import re

from msgspec import Struct

from schemas.cron.errors import CronError, quoted
from schemas.cron.value import FIRST_YEAR, LAST_YEAR

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class Field(Struct, frozen=True):
    """What one field may hold. `low`..`high` is one cycle; ranges wrap round it.

    `widest_step` bounds n in `a/n` and `*/n` (Quartz 2.3 does not bound it in `a-b/n`).
    `alone` names the special values, read elsewhere, that may not be part of a list.
    """

    title: str
    low: int
    high: int
    widest_step: int
    names: tuple[str, ...] = ()
    example: str = "5, 5-9 or 0/5"
    alone: str = ""


SECOND = Field("seconds", 0, 59, 59)
MINUTE = Field("minutes", 0, 59, 59)
HOUR = Field("hours", 0, 23, 23)
DAY = Field("day of month", 1, 31, 31, example="5, 5-9 or 1/5", alone="L, L-n, LW, L-nW and nW")
MONTH = Field("month", 1, 12, 12, _MONTHS, "3, MAR, 3-5 or 1/2")
WEEKDAY = Field("day of week", 1, 7, 7, _WEEKDAYS, "2, MON, MON-FRI or 2-6/2 (1 is SUN)", "L, nL and n#k")
YEAR = Field("year", FIRST_YEAR, LAST_YEAR, 9999, example="2030 or 2030-2035")

_YEAR_DIGITS = 4
_NUMBER = "[0-9]{1,6}"
_MEMBER = re.compile(
    rf"""(?: (?P<every>\*?) (?: (?P<slash>/) (?P<every_step>{_NUMBER}) )?
        | (?P<first>{_NUMBER}) (?: -(?P<last>{_NUMBER}) )? (?: /(?P<step>{_NUMBER}) )?
        | (?P<name>[A-Z]+) (?: -(?P<last_name>[A-Z]+) )? )""",
    re.VERBOSE,
)
_NAME_STEP = re.compile(r"[A-Z]{3}(-[A-Z]{3})?/.*")


def numbers(field: Field, text: str) -> tuple[int, ...]:
    """The sorted numbers a list such as `1,3,5-9,20/10` or `MON-FRI` means.

    Raises CronError. Years outside FIRST_YEAR..LAST_YEAR are dropped: they never fire.
    """
    found: set[int] = set()
    for member in text.split(","):
        found.update(_member(field, member))
    return tuple(sorted(value for value in found if field.low <= value <= field.high))


def number(field: Field, text: str) -> int:
    """One number or name of the field, in range."""
    if text in field.names:
        return field.names.index(text) + field.low
    if not re.fullmatch(_NUMBER, text):
        raise wrong(field, f"{quoted(text)} is not a value; {_remedy(field)}")
    return _in_range(field, int(text))


def wrong(field: Field, what: str) -> CronError:
    """The error for this field; `what` says what is wrong and what to do."""
    return CronError(f"{field.title}: {what}")


def _remedy(field: Field) -> str:
    """What to write in place of something that cannot be read."""
    alone = f"; {field.alone} must stand alone" if field.alone else ""
    return f"write for instance {field.example}{alone}"


def _member(field: Field, text: str) -> range | list[int]:
    """The numbers of one member of a list."""
    if not text:
        raise wrong(field, "there is an empty member in the list; remove the extra comma")
    if field.names and _NAME_STEP.fullmatch(text):
        raise wrong(
            field,
            f"Quartz ignores the step after a name in {quoted(text)}; write numbers, or list the names you mean",
        )
    found = _MEMBER.fullmatch(text)
    if found is None:
        raise wrong(field, f"{quoted(text)} is neither a value, a range nor a step; {_remedy(field)}")
    if found["name"]:
        first = number(field, found["name"])
        return _cycle(field, first, number(field, found["last_name"] or found["name"]), 1)
    if found["first"] is None:
        step = _step(field, found["every_step"] or "1", field.widest_step)
        return range(field.low, field.high + 1, step)
    first = _in_range(field, int(found["first"]))
    if found["last"]:
        last = _in_range(field, int(found["last"]))
        return _cycle(field, first, last, _step(field, found["step"] or "1", None))
    if found["step"]:
        return range(first, field.high + 1, _step(field, found["step"], field.widest_step))
    return [first]


def _cycle(field: Field, first: int, last: int, step: int) -> range | list[int]:
    """first, first + step ... up to last, round the end of the cycle when last < first.

    The step's phase runs on through the wrap: hours 20-4/3 are 20, 23, 2.
    """
    if first <= last:
        return range(first, last + 1, step)
    if field is YEAR:
        raise wrong(field, f"{first}-{last} goes backwards; write {last}-{first}")
    size = field.high - field.low + 1
    return [(v - field.low) % size + field.low for v in range(first, last + size + 1, step)]


def _step(field: Field, text: str, widest: int | None) -> int:
    """The n of `/n`: at least 1, and at most `widest` where there is a bound."""
    step = int(text)
    if step < 1:
        raise wrong(field, "a step of 0 repeats nothing; leave it out or write 1 or more")
    if widest is not None and step > widest:
        raise wrong(field, f"the step {step} is too wide; write 1 to {widest}")
    return step


def _in_range(field: Field, value: int) -> int:
    """The value, when the field may hold it."""
    if field is YEAR:
        if len(str(value)) != _YEAR_DIGITS:
            raise wrong(field, f"{value} is not a year of four digits; write for instance 2030")
        return value
    if not field.low <= value <= field.high:
        raise wrong(field, f"{value} is out of range; write {field.low} to {field.high}")
    return value
