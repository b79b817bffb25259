"""Whether somebody waits to be shown everything again, and from when on it is done: asked often, done seldom.

Pure. Who asks has met a server of the broker that replays an old state, as have others perhaps: one answer is for all of them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

PAUSE = timedelta(seconds=10)
"""Between two times at which everything is shown again."""


class Again:
    """One life's answers to those who ask."""

    def __init__(self) -> None:
        self._asked = False
        self._next = datetime.min.replace(tzinfo=UTC)

    def ask(self) -> None:
        """Somebody does."""
        self._asked = True

    def due(self) -> datetime | None:
        """When it may be done; None: nobody has asked since it was."""
        return self._next if self._asked else None

    def take(self, now: datetime) -> bool:
        """Whether it is to be done now; then it counts as done."""
        if not self._asked or now < self._next:
            return False
        self._asked, self._next = False, now + PAUSE
        return True
