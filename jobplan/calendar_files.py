"""Reads business calendars: the all-day events of an iCalendar file (RFC 5545), or a CSV of dates. Pure.

Of iCalendar it knows what calendars of holidays are made of: VEVENTs with DTSTART, DTEND or DURATION in days, SUMMARY, EXDATE,
cancelled ones left out, RDATE, and RRULE by the day (what comes again is python-dateutil's to say).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice, takewhile
from typing import Final

from msgspec import Struct, field

from jobplan.errors import BadInputError

DAY: Final = timedelta(days=1)
_YEARS_AHEAD: Final = 20
"""So far beyond the first does an event that never ends come again."""
_MOST_DAYS: Final = 20_000
_ESCAPED: Final = re.compile(r"\\([\\;,nN])")
_ALL_DAY: Final = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?")
_DATE: Final = re.compile(r"\d{8}(?!\d)", re.ASCII)
_EVERY: Final = {"YEARLY", "MONTHLY", "WEEKLY", "DAILY"}
_BY_THE_CLOCK: Final = {"BYHOUR", "BYMINUTE", "BYSECOND"}


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
    try:
        days = read_ics(text) if is_ics else read_csv(text)
    except BadInputError as error:
        raise BadInputError(f"{name}: {error}") from error
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
    """When the event begins, each time it comes again, each once."""
    listed = (_date(at, one) for at, values in event.properties.get("RDATE", []) for one in values.split(","))
    ruled = (day for at, rule in event.properties.get("RRULE", []) for day in _again(at, rule, start))
    yield from dict.fromkeys((start, *listed, *ruled))


def _again(number: int, rule: str, start: date) -> list[date]:
    """The days of a recurrence rule, so many years ahead."""
    from dateutil.rrule import rrulestr  # loaded when needed

    first = datetime.combine(start, time())
    last = first.replace(year=start.year + _YEARS_AHEAD, day=1)
    try:
        again = rrulestr(_daily(number, rule, last), dtstart=first).xafter(first, inc=True)
        return [at.date() for at in islice(takewhile(lambda at: at <= last, again), _MOST_DAYS)]
    except (ValueError, TypeError, OverflowError) as error:
        raise BadInputError(
            f"line {number}: RRULE '{rule}' is not understood: {error}; list the dates one by one, or import them as CSV"
        ) from None


def _daily(number: int, rule: str, last: datetime) -> str:
    """A rule that comes again by whole days, with an end. Raises ValueError for any other."""
    said = dict(part.upper().partition("=")[::2] for part in rule.split(";") if part)
    if said.get("FREQ") not in _EVERY or said.keys() & _BY_THE_CLOCK:
        raise ValueError("only what comes again by the day, week, month or year is")
    if int(said.get("INTERVAL", "1")) < 1 or int(said.get("COUNT", "1")) < 1:
        raise ValueError("INTERVAL and COUNT are 1 or more")
    if "UNTIL" in said:
        said["UNTIL"] = min(_date(number, said["UNTIL"]), last.date()).strftime("%Y%m%d")
    elif "COUNT" not in said:
        said["UNTIL"] = last.strftime("%Y%m%d")
    return ";".join(f"{name}={value}" for name, value in said.items())


def _date(number: int, value: str) -> date:
    """The date a value begins with; a time of day behind it is left out."""
    try:
        return date.fromisoformat(value[:8] if _DATE.match(value) else "")
    except ValueError:
        raise BadInputError(f"line {number}: '{value}' is no date; 20261225 is one") from None


def _plain(text: str) -> str:
    """A text without its escapes, on one line."""
    return " ".join(_ESCAPED.sub(lambda match: " " if match[1] in "nN" else match[1], text).split())
