"""How many of this node's documents are for each agent, and whom to tell so again.

Pure. An agent sees of the dashboard only what is for it, so it is told how much that is, on a topic of its own, and hears nothing
of the others' shares, however many there are. A share stands for each agent that has documents or a presence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from schemas.names import NodeName


class Shares:
    """The counts of one life, kept up with what comes to stand and goes."""

    def __init__(self, share_of: Callable[[str], NodeName | None]) -> None:
        """``share_of``: for which agent the document on a topic is; None: for everybody."""
        self._share_of = share_of
        self._counts: dict[NodeName, int] = {}
        self._here: set[NodeName] = set()
        self._told: set[NodeName] = set()
        self._waiting: dict[NodeName, None] = {}

    @property
    def waiting(self) -> bool:
        """Whether somebody is to be told."""
        return bool(self._waiting)

    def connecting(self) -> None:
        """A connection is about to be made: who is here is heard anew."""
        self._here = set()

    def replayed(self, topics: Iterable[str], told: Iterable[NodeName]) -> None:
        """These documents of ours stand, and the shares of these agents."""
        self._counts = {}
        for topic in topics:
            self.came(topic)
        self._told = set(told)

    def came(self, topic: str) -> None:
        """A document stands where none did."""
        self._count(topic, 1)

    def went(self, topic: str) -> None:
        """A document is cleared."""
        self._count(topic, -1)

    def meet(self, agent: NodeName) -> None:
        """The presence of an agent stands."""
        self._here.add(agent)

    def part(self, agent: NodeName) -> None:
        """The presence of an agent was cleared: it is not expected back."""
        self._here.discard(agent)
        self._waiting[agent] = None

    def tell(self, agent: NodeName) -> None:
        """An agent waits to hear its share."""
        self._waiting[agent] = None

    def tell_all(self) -> None:
        """Everything stands, as none of them can know yet."""
        self._waiting = dict.fromkeys((*self._counts, *sorted(self._here | self._told)))

    def take(self, most: int) -> dict[NodeName, int | None]:
        """What to tell the next of those that wait; None: its share is to be cleared."""
        agents = list(islice(self._waiting, most))
        taken: dict[NodeName, int | None] = {}
        for agent in agents:
            del self._waiting[agent]
            if agent in self._counts or agent in self._here:
                self._told.add(agent)
                taken[agent] = self._counts.get(agent, 0)
            elif agent in self._told:
                self._told.discard(agent)
                taken[agent] = None
        return taken

    def _count(self, topic: str, more: int) -> None:
        agent = self._share_of(topic)
        if agent is None:
            return
        count = self._counts.pop(agent, 0) + more
        if count:
            self._counts[agent] = count
        self._waiting[agent] = None
