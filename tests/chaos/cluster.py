"""The same site on a broker of three servers: NATS, which keeps what is retained as long as two of the three are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from broker.address import BrokerUrl
from tests.chaos.site import DASHBOARD, NODES, Site
from tests.support.nats import Nats, all_healthy, nats_cluster, start_cluster

CLIENTS = {node: f"jobplan-v1-dashboard-{node}" if node == DASHBOARD else f"jobplan-v1-agent-{node}" for node in NODES}
"""Under which client ids the nodes connect."""


WINDOW = 300
NOTICED_WITHIN = 60.0
"""Two looks at what the server lists, and a new connection."""


class ClusterSite(Site):
    """All of it, with the nodes spread over the servers: each begins with another one."""

    def __init__(self, folder: Path) -> None:
        self.servers: Mapping[str, Nats] = nats_cluster(folder)
        super().__init__(folder, self.servers, window=WINDOW, noticed_within=NOTICED_WITHIN)

    def url_of(self, node: str) -> BrokerUrl:
        """All servers, each node in another order."""
        first = NODES.index(node) % len(self.servers)
        addresses = [(server.host, server.port) for server in self.servers.values()]
        (host, port), *others = addresses[first:] + addresses[:first]
        return BrokerUrl(host=host, port=port, others=tuple(others))

    @property
    def servers_alone(self) -> list[BrokerUrl]:
        """Each by itself, twice: so that what it replays is proved, or shown again."""
        addresses = [(server.host, server.port) for server in self.servers.values()]
        return [BrokerUrl(host=host, port=port, others=((host, port),)) for host, port in addresses]

    def together(self, victims: Sequence[str]) -> list[str]:
        """No more than one server at a time, which the two others can do without."""
        servers = [victim for victim in victims if victim in self.servers]
        return [victim for victim in victims if victim not in servers[1:]]

    def losing(self, victims: Sequence[str]) -> list[str]:
        """Those that are connected to a victim, wherever they began; ask before it is killed."""
        clients = {client for name in victims if name in self.servers for client in self.servers[name].clients}
        return [node for node in NODES if node in victims or CLIENTS[node] in clients]

    def start(self) -> None:
        """Start everything: the servers find each other first."""
        start_cluster(self.servers)
        for node in self.nodes.values():
            node.start()

    def revive(self, name: str) -> None:
        """Start it again; a server has caught up with the others then, so that the next one may be killed."""
        super().revive(name)
        if name in self.servers:
            all_healthy(self.servers)
