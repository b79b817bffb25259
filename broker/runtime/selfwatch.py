"""A node's own presence: what it says of itself, and whether somebody else says it in its name.

Pure. The will, the greeting, the refreshed word and the farewell of one connection carry one epoch and one connection number.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from msgspec import Struct

from broker.topic_table import Role
from schemas.codec import Header
from schemas.documents import Condition, Presence
from schemas.names import NodeName
from schemas.status import NodeState


class Identity(Struct, frozen=True, kw_only=True):
    """Who a node is: what its presence says besides whether it is there."""

    role: Role
    """DASHBOARD or AGENT."""
    node: NodeName
    host: str = ""
    version: str = ""
    zone: str = ""
    labels: tuple[str, ...] = ()
    dry_run: bool = False
    capacity: int = 0
    condition: Condition = Condition()


class Journal(Struct, frozen=True, array_like=True):
    """The first of the lives that this node's records tell of; what was said to earlier ones, it cannot know."""

    epoch: int


class Verdict(Enum):
    """What somebody's word at our own address means."""

    OURS = "it is our own, as we last said it"
    OLDER = "it is older than ours: say ours again"
    BURIED = "our will was read out while we live: only another connection outranks it"
    NEWER = "a newer life of this node speaks: we are fenced"


class SelfWatch:
    """One life's presence."""

    def __init__(self, identity: Identity, epoch: int, journal: int = 0) -> None:
        self.identity = identity
        self._epoch = epoch
        self._journal = journal
        self.connection = 0
        self._since: datetime | None = None

    def connecting(self, now: datetime) -> None:
        """A new connection is about to be made; it outranks the earlier ones, and their wills."""
        self.connection += 1
        self._since = now

    def word(
        self,
        state: NodeState,
        now: datetime,
        *,
        complete: bool = False,
        documents: int = 0,
        aside: int = 0,
    ) -> Presence:
        """What to say of ourselves."""
        identity = self.identity
        return Presence(
            node=identity.node,
            state=state,
            connection=self.connection,
            since=now if self._since is None else self._since,
            complete=complete,
            documents=documents,
            host=identity.host,
            version=identity.version,
            zone=identity.zone,
            labels=identity.labels,
            dry_run=identity.dry_run,
            capacity=identity.capacity,
            condition=identity.condition,
            aside=aside,
            journal=self._journal,
        )

    def judge(self, header: Header, said: Presence) -> Verdict:
        """Whose word it is that stands, or arrives, at our address."""
        theirs, ours = (header.epoch, said.connection), (self._epoch, self.connection)
        if theirs != ours:
            return Verdict.NEWER if theirs > ours else Verdict.OLDER
        if (
            self._since is not None and said.since != self._since
        ):  # two lives drew one epoch: the later connection stays
            return Verdict.NEWER if said.since > self._since else Verdict.OLDER
        return Verdict.OURS if said.state is NodeState.ALIVE else Verdict.BURIED


def fenced(epoch: int, said: Presence) -> str:
    """What a node says that finds a newer life of itself."""
    where = f" on {said.host}" if said.host else ""
    return f"another life of node '{said.node}' (epoch {epoch}{where}) has taken over: this one stops"
