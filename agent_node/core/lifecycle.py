"""Where a run stands on its agent: the one table, and the only function that changes a stage.

An instance's phase on the agent (pending, open, closed) follows from its window and the time; it is derived here too.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from schemas.status import RunPhase


class Stage(StrEnum):
    """How far a run has come. ``phase`` is how that looks from outside."""

    WAITING = "waiting"
    """Accepted; not yet asked to start (its instance, a place or its predecessor is missing)."""
    STARTING = "starting"
    """Journaled as started: whether a process exists is known only from the run's claim file."""
    RUNNING = "running"
    ENDED = "ended"

    @property
    def phase(self) -> RunPhase:
        """The word that is shown."""
        return _PHASES[self]

    @property
    def active(self) -> bool:
        """Whether a process may exist for it."""
        return self in {Stage.STARTING, Stage.RUNNING}


_PHASES: Final = {
    Stage.WAITING: RunPhase.ACCEPTED,
    Stage.STARTING: RunPhase.ACCEPTED,
    Stage.RUNNING: RunPhase.RUNNING,
    Stage.ENDED: RunPhase.ENDED,
}


class Trigger(StrEnum):
    """What moves a run on."""

    LAUNCH = "launch"
    """It is asked to start: for the first time, or again because it provably never claimed its folder."""
    SEEN = "seen"
    """Its process is known to live: just started, or found again."""
    END = "end"


TRANSITIONS: Final[dict[tuple[Stage, Trigger], Stage]] = {
    (Stage.WAITING, Trigger.LAUNCH): Stage.STARTING,
    (Stage.STARTING, Trigger.LAUNCH): Stage.STARTING,
    (Stage.STARTING, Trigger.SEEN): Stage.RUNNING,
    (Stage.RUNNING, Trigger.SEEN): Stage.RUNNING,
    (Stage.WAITING, Trigger.END): Stage.ENDED,
    (Stage.STARTING, Trigger.END): Stage.ENDED,
    (Stage.RUNNING, Trigger.END): Stage.ENDED,
}
"""Every allowed change; ENDED has no way out."""


class TransitionError(AssertionError):
    """Our own mistake: a change that the table does not have."""


def advance(stage: Stage, trigger: Trigger) -> Stage:
    """The stage after ``trigger``. Raises TransitionError, naming both, when the table has no such change."""
    following = TRANSITIONS.get((stage, trigger))
    if following is None:
        raise TransitionError(f"a run that is {stage} cannot take '{trigger}'")
    return following


class Window(StrEnum):
    """Where an instance stands in its window, as its agent sees it."""

    PENDING = "pending"
    OPEN = "open"
    CLOSED = "closed"


def window_at(opens: datetime, closes: datetime | None, now: datetime) -> Window:
    """Open from ``opens`` (included) to ``closes`` (excluded; None: without end)."""
    if now < opens:
        return Window.PENDING
    return Window.OPEN if closes is None or now < closes else Window.CLOSED
