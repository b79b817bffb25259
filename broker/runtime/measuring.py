"""What one turn of a node was and took, for whoever measures it. Values only; nothing here counts or shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from broker.runtime.turn import Turn


class Measured(Struct, frozen=True, kw_only=True):
    """One turn, carried out. Seconds."""

    turn: Turn[Any]
    save: float
    """Until everything was on the disk; 0.0 when there was nothing to save."""
    show: float
    """Until the broker had acknowledged what was to be shown; 0.0 when there was nothing."""
    since_news: float
    """From the arrival of the first event of the batch until all of it was saved and shown."""


Measure = Callable[[Measured], None]


def unmeasured(_measured: Measured) -> None:
    """Nobody wants to know."""
