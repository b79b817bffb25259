"""Times and durations as people write them on a command line. Pure but for what ``now`` is given."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo
from typing import Final

from jobplan.errors import BadInputError

_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([dhms])")
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def moment(text: str, zone: tzinfo | None = None) -> datetime:
    """An ISO 8601 time; without an offset it is of ``zone``, this machine's own without one. Raises BadInputError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInputError(f"time '{text}' is not ISO 8601: write it as 2026-03-29T02:30") from None
    if found.tzinfo is not None:
        return found
    return found.astimezone() if zone is None else found.replace(tzinfo=zone)


def duration(text: str) -> timedelta:
    """``90m``, ``1h30m``, ``2d``, ``45s``. Raises BadInputError."""
    whole = text.strip().lower()
    parts = _PART.findall(whole)
    if not parts or _PART.sub("", whole).strip():
        raise BadInputError(f"duration '{text}' is not understood: write it as 90m, 1h30m or 2d")
    try:
        found = sum((timedelta(**{_UNITS[unit]: float(count)}) for count, unit in parts), timedelta())
    except OverflowError:
        raise BadInputError(f"duration '{text}' is longer than any instance lives") from None
    if not found:
        raise BadInputError(f"duration '{text}' is nothing: write it as 90m, 1h30m or 2d")
    return found
