"""Reads business calendars: the all-day events of an iCalendar file (RFC 5545), or a CSV of dates. Pure.

Of iCalendar it knows what calendars of holidays are made of: VEVENTs with DTSTART, DTEND or DURATION in days, SUMMARY, EXDATE,
cancelled ones left out, and events that come again each year on the same date or each week. Any other RRULE is refused rather
than half understood.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from msgspec import Struct, field

from jobplan.errors import BadInputError

DAY: Final = timedelta(days=1)
_YEARS_AHEAD: Final = 20
"""So far beyond the first does an event that never ends come again."""
_MOST_DAYS: Final = 20_000
_ESCAPED: Final = re.compile(r"\\([\\;,nN])")
_ALL_DAY: Final = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?")
_EVERY: Final = {"YEARLY", "WEEKLY"}
_KNOWN_PARTS: Final = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"}
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class _Event(Struct):
    """A VEVENT while it is read: each property's line number and value, in order."""

    line: int
    properties: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The value of a property; empty: it has none."""
        found = self.properties.get(name)
        return found[0][1] if found else ""


def read_calendar(name: str, text: str) -> dict[date, str]:
    """The days of a file, each with its name. Raises BadInputError, saying where."""
    is_ics = name.lower().endswith((".ics", ".ical")) or text.lstrip("\ufeff \r\n").upper().startswith(
        "BEGIN:VCALENDAR"
    )
    days = read_ics(text) if is_ics else read_csv(text)
    if not days:
        raise BadInputError(f"{name}: no day is in it")
    if len(days) > _MOST_DAYS:
        raise BadInputError(f"{name}: {len(days)} days; a calendar has {_MOST_DAYS} at most")
    return dict(sorted(days.items()))


# CSV


def read_csv(text: str) -> dict[date, str]:
    """``2026-12-25,Christmas Day`` a line; the name may be left out; a first line without a date is a heading."""
    days: dict[date, str] = {}
    for number, row in enumerate(csv.reader(io.StringIO(text.removeprefix("\ufeff"))), start=1):
        if not row or not row[0].strip() or row[0].lstrip().startswith("#"):
            continue
        try:
            day = date.fromisoformat(row[0].strip())
        except ValueError:
            if not days and number == 1:
                continue
            raise BadInputError(f"line {number}: '{row[0].strip()}' is no date; write it as 2026-12-25") from None
        days[day] = row[1].strip() if len(row) > 1 else ""
    return days


# iCalendar


def read_ics(text: str) -> dict[date, str]:
    """The days of all events, the first name winning where two meet."""
    days: dict[date, str] = {}
    for event in _events(text):
        if event.text("STATUS").upper() == "CANCELLED":
            continue
        for day in _days_of(event):
            days.setdefault(day, _plain(event.text("SUMMARY")))
    return days


def _events(text: str) -> Iterator[_Event]:
    """The VEVENTs of a file; what stands inside of them (alarms) is left out."""
    event: _Event | None = None
    inside: list[str] = []
    for number, line in _unfolded(text):
        name, value = _property(line)
        if name == "BEGIN":
            inside.append(value.upper())
            if value.upper() == "VEVENT":
                event = _Event(number)
        elif name == "END":
            if not inside or inside.pop() != value.upper():
                raise BadInputError(f"line {number}: END:{value} ends nothing that was begun")
            if value.upper() == "VEVENT" and event is not None:
                yield event
                event = None
        elif event is not None and inside[-1] == "VEVENT":
            event.properties.setdefault(name, []).append((number, value))
    if inside:
        raise BadInputError(f"the file ends inside of {inside[-1]}: it is not whole")


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Each line with its number; a line that begins with a blank continues the one before."""
    number, whole = 0, ""
    for at, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        if line[:1] in {" ", "\t"}:
            whole += line[1:]
            continue
        if whole:
            yield number, whole
        number, whole = at, line
    if whole:
        yield number, whole


def _property(line: str) -> tuple[str, str]:
    """Name and value of a line, its parameters dropped: they may hold a colon only between quotes."""
    quoted = False
    for at, sign in enumerate(line):
        if sign == '"':
            quoted = not quoted
        elif sign == ":" and not quoted:
            return line[:at].partition(";")[0].strip().upper(), line[at + 1 :].strip()
    return line.strip().upper(), ""


def _days_of(event: _Event) -> Iterator[date]:
    if "DTSTART" not in event.properties:
        raise BadInputError(f"line {event.line}: an event without DTSTART; when is it?")
    ((number, value),) = event.properties["DTSTART"][:1]
    start = _date(number, value)
    length = _length(event, start)
    left_out = {_date(at, one) for at, values in event.properties.get("EXDATE", []) for one in values.split(",")}
    for begin in _begins(event, start):
        if begin not in left_out:
            yield from (begin + DAY * ahead for ahead in range(length))


def _length(event: _Event, start: date) -> int:
    """In days; DTEND is the day after the last."""
    if "DTEND" in event.properties:
        number, value = event.properties["DTEND"][0]
        end = _date(number, value)
        if end < start:
            raise BadInputError(f"line {number}: the event ends before it begins")
        return max(1, (end - start) // DAY)
    match = _ALL_DAY.fullmatch(event.text("DURATION"))
    return max(1, int(match[1] or 0) * 7 + int(match[2] or 0)) if match else 1


def _begins(event: _Event, start: date) -> Iterator[date]:
    """When the event begins, each time it comes again."""
    yield start
    if "RRULE" not in event.properties:
        return
    number, value = event.properties["RRULE"][0]
    rule = _rule(number, value, start)
    every, count = int(rule.get("INTERVAL", "1")), int(rule.get("COUNT", "0"))
    last = _date(number, rule["UNTIL"]) if "UNTIL" in rule else start.replace(year=start.year + _YEARS_AHEAD, day=1)
    for times in range(1, count or _MOST_DAYS):
        if rule["FREQ"] == "WEEKLY":
            day: date | None = start + DAY * 7 * every * times
        else:
            day = _in_year(start, start.year + every * times)
        if (day or date(start.year + every * times, 1, 1)) > last:
            return
        if day is not None:
            yield day


def _in_year(day: date, year: int) -> date | None:
    try:
        return day.replace(year=year)
    except ValueError:  # 29 February
        return None


def _rule(number: int, value: str, start: date) -> Mapping[str, str]:
    """What an RRULE says, when it is one of those known here."""
    rule = {name.upper(): said.upper() for name, _, said in (part.partition("=") for part in value.split(";") if part)}
    same = {"BYMONTH": str(start.month), "BYMONTHDAY": str(start.day), "BYDAY": _WEEKDAYS[start.weekday()]}
    if rule.get("FREQ") == "YEARLY":
        same.pop("BYDAY")
    rest = {name for name, said in rule.items() if name not in _KNOWN_PARTS and same.get(name) != said}
    numbers = all(rule.get(name, "1").isdecimal() and int(rule.get(name, "1")) for name in ("INTERVAL", "COUNT"))
    if rule.get("FREQ") not in _EVERY or rest or not numbers:
        raise BadInputError(
            f"line {number}: RRULE '{value}' is not understood: only the same date each year, or the same day each week; "
            "list the dates one by one, or import them as CSV"
        )
    return rule


def _date(number: int, value: str) -> date:
    """The date a value begins with; a time of day behind it is left out."""
    try:
        return datetime.strptime(value[:8], "%Y%m%d").date()  # noqa: DTZ007  # a date has no zone
    except ValueError:
        raise BadInputError(f"line {number}: '{value}' is no date; 20261225 is one") from None


def _plain(text: str) -> str:
    """A text without its escapes, on one line."""
    return " ".join(_ESCAPED.sub(lambda match: " " if match[1] in "nN" else match[1], text).split())
