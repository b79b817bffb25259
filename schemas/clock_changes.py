"""What becomes of a schedule's times where the clock of its zone is changed: the words, no rules (``schemas.cron`` has those)."""

from __future__ import annotations

from enum import StrEnum


class Gap(StrEnum):
    """What happens to wall times the clock skips."""

    SKIP = "skip"
    """They do not fire: Quartz' rule."""
    AFTER = "after"
    """They fire once, all together, at the first moment after the gap."""


class Overlap(StrEnum):
    """Which of the two passes fires for wall times the clock shows twice."""

    FIRST = "first"
    SECOND = "second"
    """Quartz' rule."""
    BOTH = "both"
