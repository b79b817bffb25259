"""The processes: a broker, a dashboard, three agents. Any of them may be killed at any time.

The broker is a mosquitto with the repository's configuration unless another one is given: whatever can be started and killed, in
one process or several that act as one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from broker.address import BrokerUrl
from tests.e2e.nodes import Node
from tests.support.mosquitto import Mosquitto

AGENTS = ("north", "south", "west")
DASHBOARD = "dashboard"
NODES = (DASHBOARD, *AGENTS)
RETENTION = 86_400


class Server(Protocol):
    """A process of the broker. It keeps its port, and what it retains on disk, over all its lives."""

    port: int

    @property
    def host(self) -> str:
        """Where it listens."""

    def start(self) -> None:
        """Start it, and come back when it accepts connections."""

    def kill(self) -> None:
        """Kill it as a power cut would."""

    def close(self) -> None:
        """End it, whatever state it is in."""


@dataclass
class Site:
    """All of it, in one folder."""

    folder: Path
    brokers: Mapping[str, Server] = field(default_factory=dict)
    """By name; nodes are spread over them. None: one mosquitto."""
    nodes: dict[str, Node] = field(init=False)
    window: int = 90
    """Seconds a window stays open: longer than everybody needs to come back."""
    noticed_within: float = 0.0
    """Seconds in which who is connected notices that something was kept from it, and has it."""
    down: set[str] = field(default_factory=set)
    """Who was killed and not started again yet."""

    def __post_init__(self) -> None:
        self.brokers = self.brokers or {"broker": Mosquitto(self.folder / "mosquitto")}
        self.nodes = {
            name: Node(name, self._arguments(name), self.folder / f"{name}.log") for name in (DASHBOARD, *AGENTS)
        }

    @property
    def url(self) -> BrokerUrl:
        """Where somebody who looks on connects."""
        return self.url_of(DASHBOARD)

    @property
    def servers_alone(self) -> list[BrokerUrl]:
        """The broker, by each of its servers: all of them have to show the same."""
        return [BrokerUrl(host=server.host, port=server.port) for server in self.brokers.values()]

    def url_of(self, node: str) -> BrokerUrl:
        """Where a node connects."""
        server = self.brokers[self.broker_of(node)]
        return BrokerUrl(host=server.host, port=server.port)

    def broker_of(self, node: str) -> str:
        """The broker's process that a node is connected to."""
        return [*self.brokers][NODES.index(node) % len(self.brokers)]

    @property
    def everybody(self) -> tuple[str, ...]:
        """Who can be killed."""
        return (*NODES, *self.brokers)

    def together(self, victims: Sequence[str]) -> list[str]:
        """Who of these may be killed together: all."""
        return list(victims)

    def losing(self, victims: Sequence[str]) -> list[str]:
        """The nodes that lose their life or their connection with these."""
        return [node for node in NODES if node in victims or self.broker_of(node) in victims]

    @property
    def runs_file(self) -> Path:
        """Where commands write their run's id."""
        return self.folder / "runs"

    def database(self, node: str) -> Path:
        """Where a node keeps what it knows."""
        name = DASHBOARD if node == DASHBOARD else f"agent-{node}"
        kind = DASHBOARD if node == DASHBOARD else "agent"
        return self.folder / "data" / name / f"{kind}.db"

    def start(self) -> None:
        """Start everything."""
        for server in self.brokers.values():
            server.start()
        for node in self.nodes.values():
            node.start()

    def kill(self, name: str) -> None:
        """Kill -9, unless it is down already."""
        if name in self.down:
            return
        self.down.add(name)
        if name in self.brokers:
            self.brokers[name].kill()
        else:
            self.nodes[name].kill()

    def revive(self, name: str) -> None:
        """Start it again."""
        if name not in self.down:
            return
        self.down.discard(name)
        if name in self.brokers:
            self.brokers[name].start()
        else:
            self.nodes[name].start()

    def died(self) -> list[str]:
        """Nodes that ended though nobody killed them, with the end of what they said."""
        return [
            f"{name} ended by itself: {node.log.read_text()[-800:]}"
            for name, node in self.nodes.items()
            if name not in self.down and not node.runs
        ]

    def close(self) -> None:
        """End everything, the broker last."""
        for node in self.nodes.values():
            node.close()
        for server in self.brokers.values():
            server.close()

    def _arguments(self, name: str) -> tuple[str, ...]:
        options = ("--broker", self.url_of(name).full(), "--data", str(self.folder / "data"))
        if name == DASHBOARD:
            return ("dashboard", "--retention", str(RETENTION), *options)
        return ("agent", name, *options)
