"""Spans of time out of numbers that people write: whatever they write, adding one to a moment gives a moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

LONGEST: Final = timedelta(days=36_525)
"""A hundred years: whatever is longer counts as this."""


def span(*, seconds: float = 0.0, milliseconds: float = 0.0) -> timedelta:
    """So long, between nothing and a hundred years."""
    total = seconds + milliseconds / 1000
    return timedelta(seconds=max(0.0, min(total, LONGEST.total_seconds())))
