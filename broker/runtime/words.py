"""What a node says of itself besides its documents, and when it has to be said again: its presence, and each agent's share.

Pure. What an agent shows, its readers see all of: its presence says how many documents that is. Of what the dashboard shows an
agent sees a part, and is told how much in its share; so the dashboard's presence, which everybody reads, is not said again while
documents come and go. Both are said at most once a second, after what they count, and only while all there is to show stands.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import Struct

from broker.bus import Publication
from broker.runtime.aside import Aside
from broker.runtime.errors import FencedError
from broker.runtime.presence import Writer
from broker.runtime.reconciler import Reconciler
from broker.runtime.selfwatch import Identity, SelfWatch, Verdict, fenced
from broker.runtime.shares import Shares
from broker.runtime.wire import Wire
from schemas.addresses import AgentPresenceAt, ShareAt
from schemas.codec import SchemaError
from schemas.documents import Share
from schemas.status import NodeState

REFRESH = timedelta(seconds=1)
"""A presence is said again, and an agent told its share, at most once in this time."""
LOT = 1_000
"""So many agents are told their share in one turn."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class _Facts(Struct, frozen=True):
    """What a presence says that may change: as long as it is the same, there is no need to say it again."""

    identity: Identity
    aside: int
    moved: int


class Words:
    """One life's."""

    def __init__(self, watch: SelfWatch, wire: Wire, reconciler: Reconciler, shares: Shares, aside: Aside) -> None:
        self.watch = watch
        self.complete = False
        """Whether everything this node has to show stands on the broker."""
        self._wire = wire
        self._reconciler = reconciler
        self._shares = shares
        self._aside = aside
        self._said: _Facts | None = None
        """None: whatever was said has to be said again."""
        self._next = _LONG_AGO
        """When something may be said again."""

    def connecting(self, now: datetime) -> None:
        """A connection is about to be made: what is said on it outranks what was said before."""
        self.complete = False
        self.watch.connecting(now)

    def shown(self) -> None:
        """All there is to show stands: that is said at once."""
        self.complete = True
        self._said = None
        self._next = _LONG_AGO
        self._shares.tell_all()

    def answer(self, newcomer: Writer) -> None:
        """A new connection of another node waits to hear that we live."""
        if isinstance(newcomer, AgentPresenceAt):
            self._shares.tell(newcomer.agent)
        else:
            self._said = None

    def hear(self, payload: bytes) -> FencedError | str | None:
        """What stands at our presence is ours, or is put right; or it is returned why this connection must end."""
        try:
            header, said = self._wire.read_presence(payload)
        except SchemaError:  # or somebody cleared it
            self._said = None
            return None
        match self.watch.judge(header, said):
            case Verdict.OURS:
                return None
            case Verdict.OLDER:
                self._said = None
                return None
            case Verdict.BURIED:
                return Verdict.BURIED.value
            case Verdict.NEWER:
                return FencedError(fenced(header.epoch, said))

    def due(self) -> datetime | None:
        """When something may be said again; None: nothing has to be."""
        outdated = self._shares.waiting or self._said != self._facts()
        return self._next if self.complete and outdated else None

    def take(self, now: datetime) -> list[Publication]:
        """What is due: shares, and our presence, after what both count."""
        due = self.due()
        if due is None or due > now:
            return []
        said = self._told(now)
        if self._said != self._facts():
            said.append(self.presence(NodeState.ALIVE, now))
            self._said = self._facts()
        self._next = now if self._shares.waiting else now + REFRESH
        return said

    def presence(self, state: NodeState, now: datetime) -> Publication:
        """Our presence as it is now; gone: as our will, or our farewell."""
        complete = self.complete and state is NodeState.ALIVE
        word = self.watch.word(
            state,
            now,
            complete=complete,
            documents=self._reconciler.count if complete else 0,
            aside=len(self._aside.topics) if complete else 0,
        )
        return self._reconciler.stamped(self._wire.me, word, now)

    def _told(self, now: datetime) -> list[Publication]:
        connection = self.watch.connection
        return [
            self._reconciler.stamped(ShareAt(agent), Share(connection=connection, documents=documents), now)
            if documents is not None
            else Publication(self._wire.topic_of(ShareAt(agent)), b"")
            for agent, documents in self._shares.take(LOT).items()
        ]

    def _facts(self) -> _Facts:
        everybody_counts = isinstance(self._wire.me, AgentPresenceAt)
        moved = self._reconciler.moved if everybody_counts else 0
        return _Facts(self.watch.identity, len(self._aside.topics), moved)
