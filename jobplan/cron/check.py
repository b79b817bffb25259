"""`jobplan cron check`: compare our fire times with those a file of cases expects of Quartz.

A file has one JSON object a line: `id`, `expression`, `timezone`, `start`, then `fires` (up to
8 instants, fewer when the schedule ends) or `error` (only that there is one counts), and
perhaps `tags`. Nothing is printed here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct

from schemas.cron import CronError, next_fire, parse

FIRES_A_CASE = 8

_Instant = Annotated[datetime, Meta(tz=True)]


class CheckInputError(ValueError):
    """The file of cases cannot be used; one line saying where and why."""


class Case(Struct, frozen=True):
    """One line of the file."""

    id: str | int
    expression: str
    timezone: str | None = None
    start: _Instant | None = None
    fires: tuple[_Instant, ...] | None = None
    error: str | bool | None = None
    tags: tuple[str, ...] = ()

    @property
    def must_be_rejected(self) -> bool:
        """Whether the case expects that the expression is refused."""
        return self.fires is None


class Disagreement(Struct, frozen=True):
    """A case where we answer otherwise: UTC instants, `never fires`, or `rejected: ...`."""

    id: str | int
    expression: str
    expected: str
    got: str


class CheckResult(Struct, frozen=True):
    """What a check found. `left_out` counts the cases dropped by their tags."""

    agree: int
    left_out: int
    disagreements: tuple[Disagreement, ...]

    @property
    def differ(self) -> int:
        """How many cases disagree."""
        return len(self.disagreements)


def check_file(path: Path, without: Collection[str] = ()) -> CheckResult:
    """Check every case of the file that carries none of the tags in `without`.

    Raises CheckInputError for a file that cannot be read or a line that is not a case.
    """
    agree, left_out = 0, 0
    disagreements: list[Disagreement] = []
    for case in read_cases(path):
        if not set(without).isdisjoint(case.tags):
            left_out += 1
        elif found := check_case(case):
            disagreements.append(found)
        else:
            agree += 1
    return CheckResult(agree=agree, left_out=left_out, disagreements=tuple(disagreements))


def read_cases(path: Path) -> Iterator[Case]:
    """The cases of the file in order; empty lines are skipped."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise CheckInputError(f"{path}: {error.strerror}; name a readable file") from error
    except UnicodeDecodeError as error:
        raise CheckInputError(f"{path}: not UTF-8 text; name a JSON-lines file") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _case(line, f"{path}, line {number}")


def check_case(case: Case) -> Disagreement | None:
    """The disagreement between the case and us, if any."""
    got, words = _answer(case)
    if got == case.fires:
        return None
    expected = "rejected" if case.fires is None else _words(case.fires)
    return Disagreement(id=case.id, expression=case.expression, expected=expected, got=words)


def _case(line: str, where: str) -> Case:
    """The case of one line, usable as it is."""
    try:
        case = msgspec.json.decode(line, type=Case)
    except msgspec.ValidationError as error:
        raise CheckInputError(f"{where}: {error}") from error
    except msgspec.DecodeError as error:
        raise CheckInputError(f"{where}: not JSON: {error}") from error
    if (case.fires is None) == (case.error is None or case.error is False):
        raise CheckInputError(f"{where}: exactly one of `fires` and `error` must be given")
    if case.fires is not None:
        if case.timezone is None or case.start is None:
            raise CheckInputError(f"{where}: `timezone` and `start` must be given with `fires`")
        try:
            ZoneInfo(case.timezone)
        except (KeyError, ValueError, OSError) as error:
            raise CheckInputError(f"{where}: unknown time zone {case.timezone!r}") from error
    return case


def _answer(case: Case) -> tuple[tuple[datetime, ...] | None, str]:
    """Our fires, or None when we reject the expression; and the same in words."""
    try:
        cron = parse(case.expression)
    except CronError as error:
        return None, f"rejected: {error}"
    if case.timezone is None or case.start is None:
        return (), "accepted"
    zone, fire, found = ZoneInfo(case.timezone), case.start, list[datetime]()
    for _ in range(max(FIRES_A_CASE, len(case.fires or ()))):
        following = next_fire(cron, fire, zone)
        if following is None:
            break
        found.append(following)
        fire = following
    return tuple(found), _words(tuple(found))


def _words(fires: tuple[datetime, ...]) -> str:
    """The instants as ISO-8601 UTC."""
    if not fires:
        return "never fires"
    return " ".join(fire.isoformat().replace("+00:00", "Z") for fire in fires)
