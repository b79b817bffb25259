"""How long to wait before the next attempt. Chance is an argument, so that a test or a simulation can repeat it."""

from __future__ import annotations

from random import Random

FIRST_SECONDS = 0.2
CEILING_SECONDS = 30.0


def delay(attempt: int, random: Random, *, first: float = FIRST_SECONDS, ceiling: float = CEILING_SECONDS) -> float:
    """Seconds to wait before attempt 1, 2, ...: doubled each time up to ``ceiling``, of which half is drawn by lot.

    The lot keeps many agents from coming back to a restarted broker in step.
    """
    whole = min(ceiling, first * 2.0 ** min(max(attempt - 1, 0), 60))
    return whole * (0.5 + 0.5 * random.random())
