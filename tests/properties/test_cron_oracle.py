"""Schedules against the dumb second version of the language: valid and invalid ones, across every kind of clock change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random
from zoneinfo import ZoneInfo

import pytest

from schemas.cron import CronError, next_fire, parse
from tests.oracle.cron import DAYS, MONTHS, InvalidError, Naive

ZONES = [
    "UTC",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/Havana",
    "America/Sao_Paulo",
    "America/Caracas",
    "America/Scoresbysund",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Antarctica/Troll",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
]
FIELDS = [(0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (1, 7)]
NOT_VALUES = [
    "",
    "?",
    "60",
    "-1",
    "x",
    "1-",
    "/0",
    "*/99",
    "1//2",
    "L",
    "W",
    "#",
    "1,,2",
    "1.5",
    "99",
    "MON-5",
    "JAN-3",
]
AHEAD = 800
"""Days that the dumb version looks at; a schedule that fires more seldom is only parsed."""


@lru_cache
def changes(name: str) -> tuple[datetime, ...]:
    """The instants from 1990 to 2037 by which a zone's offset has changed, to the day."""
    zone, found = ZoneInfo(name), []
    day = datetime(1990, 1, 1, tzinfo=UTC)
    before = day.astimezone(zone).utcoffset()
    while day.year < 2037:
        day += timedelta(days=1)
        offset = day.astimezone(zone).utcoffset()
        if offset != before:
            found.append(day)
        before = offset
    return tuple(found)


def moment(chance: Random, name: str) -> datetime:
    """Mostly near a change of the clock."""
    known = changes(name)
    if known and chance.random() < 0.8:
        return chance.choice(known) - timedelta(seconds=chance.randrange(30 * 3600))
    return datetime(1990, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(45 * 365 * 86_400))


def member(chance: Random, field: int) -> str:
    """One value, range or step of a field."""
    low, high = FIELDS[field]
    names = {4: MONTHS, 5: DAYS}.get(field)
    one, other, step = chance.randint(low, high), chance.randint(low, high), chance.randint(1, high)
    if names and chance.random() < 0.3:
        first, last = names[one - 1], names[other - 1]
        return chance.choice([first, f"{first}-{last}", first.lower()])
    forms = [
        "*",
        f"{one}",
        f"{one}",
        f"{one}-{other}",
        f"{one}/{step}",
        f"*/{step}",
        f"/{step}",
        f"{one}-{other}/{step}",
    ]
    return chance.choice(forms)


def plain(chance: Random, field: int) -> str:
    """A list of them, sometimes with something in it that is none."""
    members = [member(chance, field) for _ in range(chance.choice([1, 1, 1, 2, 3]))]
    if chance.random() < 0.02:
        members[0] = chance.choice(NOT_VALUES)
    return ",".join(members)


def expression(chance: Random) -> str:
    """A schedule: now and then none."""
    special = [
        "L ?", "LW ?", f"L-{chance.randint(0, 31)} ?", f"L-{chance.randint(0, 27)}W ?", f"{chance.randint(0, 32)}W ?",
        "? L", f"? {chance.randint(0, 8)}L", f"? {chance.choice(DAYS)}L", f"? {chance.randint(1, 7)}#{chance.randint(0, 6)}",
        f"? {chance.choice(DAYS)}#{chance.randint(1, 5)}", "? ?", "* *", "1,L ?", "L3 ?", "W15 ?", "? 6L,2L",
    ]  # fmt: skip
    days = chance.choice([f"{plain(chance, 3)} ?", f"? {plain(chance, 5)}", chance.choice(special)])
    of_month, _, of_week = days.partition(" ")
    clock = " ".join(chance.choice([plain(chance, field), "0"]) for field in range(3))
    years = ["", "", "", " *", " 2024-2030", " 2011", " 1990-2040/3", " 2000/4", " 2030-2025", " 25"]
    return f"{clock} {of_month} {plain(chance, 4)} {of_week}{chance.choice(years)}"


@pytest.mark.parametrize("seed", range(8))
def test_schedules_are_those_of_the_dumb_second_version(seed: int) -> None:
    """The same are refused, and the others fire at the same instants."""
    chance, fired, refused = Random(seed), 0, 0  # noqa: S311  # examples, no secrets
    for _ in range(400):
        text, name = expression(chance), chance.choice(ZONES)
        try:
            naive = Naive(text)
        except InvalidError:
            refused += 1
            with pytest.raises(CronError):
                parse(text)
            continue
        zone, at, cron = ZoneInfo(name), moment(chance, name), parse(text)
        for _ in range(4):
            wanted, found = naive.next(at, zone, AHEAD), next_fire(cron, at, zone)
            if wanted is None:
                assert found is None or found - at > timedelta(days=AHEAD - 3), (text, name, at)
                break
            assert found == wanted, (text, name, at)
            fired += 1
            at = wanted

    assert fired > 500
    assert refused > 20
