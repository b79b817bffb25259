"""L1 and L3: who is taken to be there. Who has died unheard is not for long, and who lives is."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.addresses import AgentPresenceAt, DashboardPresenceAt
from schemas.documents import Presence
from schemas.names import NodeName
from schemas.status import NodeState
from tests.simulation.checkers.readers import AGAIN, is_complete
from tests.simulation.checkers.reading import DASHBOARD
from tests.simulation.trace import (
    Accepted,
    Crashed,
    Fault,
    Listener,
    Lodged,
    PromiseBrokenError,
    Record,
    Restored,
    ServerDied,
    Standing,
    Started,
    Stepped,
)

PATIENCE = 120.0
"""Seconds after which the dashboard has to take a silent agent for gone: it doubts after 90, and its host may be slow."""


BESIDE_ITSELF = frozenset({"clock step", "partition"})
"""Faults after which the dashboard may count anew."""


class Doubted:
    """L1: an agent that died unheard, with the broker that was to read its will out, is taken for gone.

    By the dashboard's first turn after so long: one may take long, where answers are acknowledged late.
    """

    def __init__(self) -> None:
        self._late: float | None = None
        """When the first turn began that ought to take somebody for gone."""
        self._dead: dict[str, float] = {}
        """Since when each node has been."""
        self._since: float | None = None
        """Since when the dashboard has shown all it has, on the connection it has."""
        self._alive: set[str] = set()
        """Who is alive, for all that the dashboard's core has heard."""
        self.hears: Mapping[type[Record], Listener] = {
            Started: self._started,
            Crashed: self._crashed,
            Accepted: self._accepted,
            Restored: self._interrupted,
            Fault: self._fault,
            Stepped: self._stepped,
        }

    def _started(self, record: Started) -> None:
        self._dead.pop(record.node, None)

    def _crashed(self, record: Crashed) -> None:
        self._dead[record.node] = record.at
        if record.node == DASHBOARD:
            self._since = None
            self._alive.clear()

    def _interrupted(self, _record: Restored) -> None:
        self._since = None

    def _fault(self, record: Fault) -> None:
        if self._since is not None and record.victim == DASHBOARD and record.kind in BESIDE_ITSELF:
            self._since = record.at

    def _accepted(self, record: Accepted) -> None:
        if record.node == DASHBOARD and record.topic.endswith("/presence"):
            if not is_complete(record.payload):
                self._since = None
            elif self._since is None:
                self._since = record.at

    def _stepped(self, record: Stepped) -> None:
        if record.node != DASHBOARD:
            return
        if self._late is not None and record.at > self._late:
            for name in self._overdue(self._late):
                raise PromiseBrokenError(
                    "L1", f"{name} has been dead since {self._dead[name]:.3f}, and the dashboard takes it to be there"
                )
            self._late = None
        if self._late is None and self._overdue(record.at):
            self._late = record.at
        self._hear(record)

    def _overdue(self, at: float) -> list[str]:
        """Who ought to be taken for gone by a turn that begins now."""
        since = self._since
        if since is None:
            return []
        dead = sorted(self._alive & self._dead.keys())
        return [name for name in dead if at - max(since, self._dead[name]) > PATIENCE]

    def _hear(self, record: Stepped) -> None:
        if not isinstance(record.address, AgentPresenceAt):
            return
        said = record.document
        if isinstance(said, Presence) and said.state is NodeState.ALIVE:
            self._alive.add(record.address.agent)
        else:
            self._alive.discard(record.address.agent)


BROKER = "broker"
"""Who is the victim of faults that end all connections."""
STEADY = 60.0
"""Seconds after which both of two that stay connected have heard of each other."""
UNSTEADY = BESIDE_ITSELF | {"dropped connection", "slow node", "slow network"}
"""Faults after which a node may hear late, be heard late, or count anew."""


class TakenToBeThere:
    """L3: whoever stays connected is taken to be there by who does, too; when faults have stopped, by everybody.

    An agent keeps what it has to say to a dashboard that is gone; and a dashboard moves what it can to other agents.
    """

    def __init__(self) -> None:
        self._alive: dict[str, set[str]] = {}
        """By node, who is there for all that its core has heard in this life."""
        self._steady: dict[str, float] = {}
        """Since when each node has shown all it has, on the connection it has."""
        self.hears: Mapping[type[Record], Listener] = {
            Started: self._started,
            Crashed: self._crashed,
            Fault: self._fault,
            Restored: self._interrupted,
            ServerDied: self._interrupted,
            Accepted: self._accepted,
            Lodged: self._lodged,
            Stepped: self._stepped,
            Standing: self._stand,
        }

    def _started(self, record: Started) -> None:
        self._alive[record.node] = set()

    def _crashed(self, record: Crashed) -> None:
        self._steady.pop(record.node, None)

    def _fault(self, record: Fault) -> None:
        if record.victim == BROKER:  # which reads out wills when it ends in order
            self._steady.clear()
        elif record.kind in UNSTEADY:
            self._steady.pop(record.victim, None)

    def _interrupted(self, _record: Restored | ServerDied) -> None:
        self._steady.clear()

    def _accepted(self, record: Accepted) -> None:
        if record.topic.startswith(AGAIN):  # who shows everything again says nothing before it has
            self._steady.clear()
        elif record.topic.endswith("/presence") and is_complete(record.payload):
            self._steady.setdefault(record.node, record.at)
        elif record.topic.endswith("/presence"):
            self._steady.pop(record.node, None)

    def _lodged(self, record: Lodged) -> None:
        """Who connects anew has a will read out that it had left before."""
        if not is_complete(record.payload):
            self._steady.pop(record.node, None)

    def _stepped(self, record: Stepped) -> None:
        match record.address:
            case AgentPresenceAt(agent=name):
                self._hear(record, name)
            case DashboardPresenceAt():
                self._hear(record, DASHBOARD)
            case _:
                pass

    def _hear(self, record: Stepped, name: NodeName | str) -> None:
        said, alive = record.document, self._alive.setdefault(record.node, set())
        if isinstance(said, Presence) and said.state is NodeState.ALIVE:
            alive.add(name)
            return
        alive.discard(name)
        since = [self._steady.get(who, record.at) for who in (record.node, name)]
        if said is not None and record.at - max(since) > STEADY:
            raise PromiseBrokenError(
                "L3", f"{name} has been connected since {since[1]:.3f}, and {record.node} takes it to be gone"
            )

    def _stand(self, record: Standing) -> None:
        agents = record.wanted.keys() - {DASHBOARD}
        for reader in sorted(record.wanted):
            others = agents if reader == DASHBOARD else {DASHBOARD}
            for name in sorted(others - self._alive.get(reader, set())):
                raise PromiseBrokenError("L3", f"{name} lives, and {reader} takes it to be gone")
