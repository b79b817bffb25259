"""How long the tests that could go on for ever may go on. `make test` says so, in environment variables."""

from __future__ import annotations

import os
from datetime import timedelta


def simulation() -> timedelta:
    """For fresh seeds of the simulation, after the fixed ones."""
    return _seconds("SIMULATION_SECONDS", default=10)


def chaos() -> timedelta:
    """For killing real processes at random."""
    return _seconds("CHAOS_SECONDS", default=20)


def _seconds(variable: str, *, default: float) -> timedelta:
    return timedelta(seconds=float(os.environ.get(variable) or default))
