"""Everything shown again: whether somebody waits for it, and from when on it is done; and whether we have to ask for it anew.

Pure. Who asks has met a server of the broker that replays an old state, as have others perhaps: one answer is for all of them,
asked for often and given seldom.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from broker.runtime.presence import Writer
from schemas.codec import Header
from schemas.documents import Presence
from schemas.status import NodeState

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


class Asking:
    """What one connection has to ask when its replay was not proved.

    The session asked once, and who was there heard it. Who comes later shows what it thinks is missing, and takes the rest for
    seen: it is asked as well, as soon as it says that all it has is shown, for by then it hears. Once for each connection of it.
    """

    def __init__(self) -> None:
        self._unproved = False
        self._met: dict[Writer, tuple[int, int]] = {}
        self._late = False

    def begin(self) -> None:
        """A connection begins."""
        self._unproved, self._met, self._late = False, {}, False

    def replayed(self, *, proved: bool) -> None:
        """The replay is over, and if it is not proved the session has asked."""
        self._unproved = not proved

    def heard(self, writer: Writer, header: Header, presence: Presence, *, retained: bool) -> None:
        """A presence arrived; what stood there was said before we asked."""
        connection = (header.epoch, presence.connection)
        if (
            presence.state is not NodeState.ALIVE
            or not presence.complete
            or connection <= self._met.get(writer, (0, 0))
        ):
            return
        self._met[writer] = connection
        self._late |= not retained

    @property
    def due(self) -> bool:
        """Whether somebody has come who has not been asked."""
        return self._unproved and self._late

    def take(self) -> bool:
        """Whether to ask now; then it counts as done."""
        due = self.due
        self._late &= not due
        return due
