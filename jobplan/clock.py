"""Where the front door reads the clock: everywhere else the time is an argument."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present, aware and in UTC."""
    return datetime.now(UTC)  # noqa: TID251  # the one place
