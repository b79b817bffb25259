"""Which of a broker's servers is connected to next, and whether any of them can prove what it shows.

Pure. A broker of several servers keeps one set of retained topics, but each server replays from a list of its own, which may
stand still while another server is down. Who meets such a list tries the other servers; when none is better, it makes do, as who
knows but one server does at once.
"""

from __future__ import annotations


class Servers:
    """One client's choice among the servers of a broker."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.number = 0
        """The one to try now; after the last comes the first again."""
        self._still = 0
        """How often in a row a list stood still."""

    @property
    def several(self) -> bool:
        """Whether there is more than one."""
        return self.count > 1

    def refused(self) -> None:
        """It did not let us in."""
        self.number += 1

    def moves(self) -> None:
        """Its list does: what it shows is all that stands."""
        self._still = 0

    def stands_still(self) -> bool:
        """Its list does; whether another one is worth trying, which then is the one to try now."""
        self._still += 1
        if self._still >= self.count:
            return False
        self.number += 1
        return True
