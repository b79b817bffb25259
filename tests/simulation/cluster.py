"""One dashboard and three agents on four hosts, a broker between them, a person, and the story of one seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, assert_never

from msgspec import Struct

from agent_node.core.effects import (
    Effect,
    FindProcess,
    ReadLogFile,
    ReadTrail,
    StartProcess,
    StopProcess,
    SweepRuns,
    TakeFiles,
    UnwatchFolders,
    WatchFolders,
)
from agent_node.core.events import DiskSeen
from agent_node.core.machine import AgentCore
from agent_node.core.rules import Rules
from broker.mqtt.tombstones import is_tombstone
from broker.runtime.core import Core, Reply
from broker.runtime.selfwatch import Identity
from broker.topic_table import Role
from dashboard_node.core.effects import Deliver, Delivered, ForgetAudit, LookUpAudit
from dashboard_node.core.effects import Effect as DashboardEffect
from dashboard_node.core.machine import DashboardCore
from schemas.names import NodeName
from schemas.requests import Answer
from tests.simulation.hands import Hands
from tests.simulation.host import Host
from tests.simulation.network import HALF, Network
from tests.simulation.node import Node, Pace
from tests.simulation.people import USER, People
from tests.simulation.plans import AGENTS, LABEL, PLANS
from tests.simulation.trace import Healed, PromiseBrokenError, Standing, Trace
from tests.simulation.weather import Weather
from tests.simulation.world import World

DASHBOARD = "dashboard"
RETENTION = timedelta(minutes=4)
AUDIT_KEPT = timedelta(days=30)
"""Longer than any story: it is asked to forget, and there is nothing to forget."""
AUTOSAVE = 30.0
"""Seconds between two times that the broker writes what it retains to its disk."""
OLDEST = 300.0
"""Seconds by which an old store is behind at most."""


MakeCore = Callable[[], Core[Any, Any]]


class Machine(Struct):
    """A host with the node on it."""

    name: str
    node: Node
    host: Host

    def fill_disk(self, *, full: bool) -> None:
        """There is no space any more, or again."""
        if full is not self.host.full:
            self.host.full = full
            if self.node.up:
                self.node.offer(DiskSeen(now=self.node.now(), full=full))


class Cluster:
    """Everything there is."""

    def __init__(self, world: World, trace: Trace, servers: int = 1) -> None:
        """``servers``: of how many the broker is made."""
        self.world = world
        self.trace = trace
        self.network = Network(world, trace, servers)
        self.healed = False
        self.machines = [self._dashboard(), *(self._agent(name) for name in AGENTS)]
        self.agents = self.machines[1:]
        self.people = People(world, self.network, trace)
        self._stores: list[tuple[float, dict[str, bytes]]] = [(0.0, {})]
        self._coming: dict[str, int] = {}
        self._broker_lives = 0
        self._autosave()

    def start(self) -> None:
        """All begin, and the plans are imported."""
        for machine in self.machines:
            machine.node.start()
        for index in range(len(PLANS)):
            self.people.import_next(index)

    def start_later(self, machine: Machine, seconds: float) -> None:
        """A node that died comes back, unless somebody has started it, or has other plans, by then."""
        order = self._coming[machine.name] = self._coming.get(machine.name, 0) + 1

        def come() -> None:
            if self._coming[machine.name] == order and not machine.node.up:
                machine.node.start()

        self.world.later(seconds, come)

    def lose_disk(self, machine: Machine, seconds: float) -> None:
        """A node dies with its disk, and comes back."""
        machine.node.crash()
        machine.node.disk.lose()
        machine.host.lose_disk()
        self.start_later(machine, seconds)

    def restart_broker(self, how: str, seconds: float) -> None:
        """The broker ends, and comes back with its store: the last one written, none, an old one, or (politely) all of it."""
        self.network.stop_broker(politely=how == "politely")
        if how == "politely":
            self._stores.append((self.world.seconds, self.network.model.retained))
        self._broker_comes(self._store(how), seconds)

    def set_broker_back(self, store: dict[str, bytes], seconds: float) -> None:
        """The broker is killed, and comes back with what it retained at some moment."""
        self.network.stop_broker(politely=False)
        self._broker_comes(store, seconds)

    def _broker_comes(self, store: dict[str, bytes], seconds: float) -> None:
        """It starts after so many seconds, unless it is ended again, or the story healed, before."""
        self._broker_lives += 1
        life = self._broker_lives

        def come() -> None:
            if self._broker_lives == life:
                self._stores.append((self.world.seconds, store))
                self.network.start_broker(store)

        self.world.later(seconds, come)

    def kill_server(self, server: int, seconds: float, *, fed: float | None = None, stores: float = HALF) -> None:
        """One of the broker's servers dies, and comes back unless the whole broker has been started anew meanwhile.

        ``fed``: how likely the list of each other one stands still meanwhile; None: who feeds it is drawn by lot. ``stores``: how
        likely it has stored each publication that was on its way to it.
        """
        life = self._broker_lives
        self.network.kill_server(server, fed=1 / self.network.servers if fed is None else fed, stores=stores)

        def come() -> None:
            if self._broker_lives == life and not self.healed:
                self.network.start_server()

        self.world.later(seconds, come)

    def heal(self) -> None:
        """Nothing fails any more: whoever is down comes back, but for a server among others; commands end by themselves."""
        self.healed = True
        self.trace.add(Healed(at=self.world.seconds))
        self.network.weather = Weather()
        self.network.slow_owners.clear()
        self.people.stop_asking()
        if not self.network.up:
            self.network.start_broker(self._store("killed"))
            self._broker_lives += 1
        for machine in self.machines:
            self.network.rejoin(machine.name)
            machine.node.pace = Pace()
            machine.host.calm()
            machine.fill_disk(full=False)
            if not machine.node.up:
                machine.node.start()

    def look(self, *, last: bool) -> None:
        """Put how everything stands into the trace."""
        self.trace.add(
            Standing(
                at=self.world.seconds,
                retained=_documents(self.network.documents),
                wanted={machine.name: machine.node.wanted() for machine in self.machines},
                newcomers={f"server {number}": _documents(shown) for number, shown in self.network.shown().items()},
                processes={
                    machine.name: tuple(process.run for process in machine.host.processes.values() if process.claimed)
                    for machine in self.agents
                },
                clocks={machine.name: machine.node.now() for machine in self.machines},
                last=last,
            )
        )

    def bury(self) -> None:
        """The story is over: what is left of coroutines does nothing any more."""
        for machine in self.machines:
            machine.node.bury()

    @property
    def at_rest(self) -> bool:
        """Whether nothing is under way: every node is connected and idle, every packet has arrived."""
        return not self.network.flying and all(machine.node.at_rest for machine in self.machines)

    # ------------------------------------------------------------------ parts

    def _dashboard(self) -> Machine:
        identity = Identity(role=Role.DASHBOARD, node=NodeName(DASHBOARD), host=DASHBOARD)

        def make_core() -> DashboardCore:
            core = DashboardCore(RETENTION)
            core.state.admins = (USER,)
            core.state.audit_kept = AUDIT_KEPT
            return core

        node = self._node(DASHBOARD, identity, make_core)
        node.perform = lambda effect: self._look_up(node, effect)
        return Machine(DASHBOARD, node, Host(DASHBOARD, self.world, self.trace))

    def _agent(self, name: NodeName) -> Machine:
        concurrency = 2 if name == AGENTS[1] else 64
        labels = () if name == AGENTS[-1] else (LABEL,)
        identity = Identity(role=Role.AGENT, node=name, host=name, zone="UTC", labels=labels, capacity=concurrency)
        host = Host(name, self.world, self.trace)

        def make_core() -> AgentCore:
            return AgentCore(Rules(agent=name, zone="UTC", concurrency=concurrency, boot=str(host.boot)))

        node = self._node(name, identity, make_core)
        hands: list[Hands] = []

        def began() -> None:
            hands[:] = [Hands(host, emit=node.offer, clock=node.now, time_of=node.clock.at, later=node.later)]
            node.perform = lambda effect: self._carry_out(node, hands[0], effect)
            node.offer(DiskSeen(now=node.now(), full=host.full))  # it looks as soon as it lives

        def died() -> None:
            for dead in hands:
                dead.close()

        def synced() -> None:
            host.synced = self.world.seconds

        node.began, node.died, node.disk.synced = began, died, synced
        node.silent = lambda: any(those.silent for those in hands)
        return Machine(name, node, host)

    def _node(self, name: str, identity: Identity, make_core: MakeCore) -> Node:
        node = Node(
            name,
            identity,
            make_core,
            world=self.world,
            network=self.network,
            trace=self.trace,
            broken=_broken,
        )
        node.died_by_itself = lambda: self.start_later(self._machine(name), 5.0)
        return node

    def _machine(self, name: str) -> Machine:
        return next(machine for machine in self.machines if machine.name == name)

    def _look_up(self, node: Node, effect: DashboardEffect) -> None:
        match effect:
            case LookUpAudit():
                node.answer_later(Reply(effect.user, effect.request, Answer(ok=True)))
            case Deliver():  # whether it is heard of depends on how long this life lasts
                node.offer(Delivered(node.now(), effect.notification.id, effect.channel))
            case Reply() | ForgetAudit():
                pass
            case _:
                assert_never(effect)

    def _carry_out(self, node: Node, hands: Hands, effect: Effect) -> None:  # noqa: C901  # one branch an effect
        match effect:
            case StartProcess():
                hands.start(effect.assignment)
            case FindProcess():
                hands.find(effect.run)
            case StopProcess():
                hands.stop(effect.run, force=effect.force)
            case WatchFolders():
                hands.watch(effect)
            case UnwatchFolders():
                hands.unwatch(effect)
            case TakeFiles():
                hands.take(effect)
            case ReadTrail():
                node.answer_later(Reply(effect.user, effect.request, Answer(ok=True)))
            case ReadLogFile():
                node.answer_later(Reply(effect.user, effect.request, Answer(ok=True)))
            case SweepRuns():
                pass
            case Reply():
                pass
            case _:
                assert_never(effect)

    # ------------------------------------------------------------------ the broker's disk

    def _autosave(self) -> None:
        if self.network.up:
            self._stores.append((self.world.seconds, self.network.model.retained))
            self._stores = [store for store in self._stores if store[0] >= self.world.seconds - OLDEST]
        self.world.later(AUTOSAVE, self._autosave)

    def _store(self, how: str) -> dict[str, bytes]:
        match how:
            case "empty":
                return {}
            case "old":
                return dict(self._stores[0][1])
            case _:
                return dict(self._stores[-1][1])


def _documents(retained: Mapping[str, bytes]) -> dict[str, bytes]:
    """What a reader makes of it."""
    return {topic: payload for topic, payload in sorted(retained.items()) if not is_tombstone(payload)}


def _broken(node: str, error: Exception) -> None:
    """A node ended by its own mistake: the promises checked in production are promises too."""
    if isinstance(error, PromiseBrokenError):
        raise error
    raise PromiseBrokenError("check", f"{node} ended with {error!r}") from error
