"""What is taken away, when, and how often: drawn from the seed, swarm style, so that each run knows some faults and not others.

A fault that a run does not know at all is as telling as one that never stops: half of the rates are zero.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.simulation.cluster import Cluster, Machine
from tests.simulation.host import Habits
from tests.simulation.node import Pace
from tests.simulation.plans import FOLDER
from tests.simulation.trace import Fault
from tests.simulation.weather import Weather

KINDS = (
    "dropped connection",
    "partition",
    "broker restarted",
    "broker killed",
    "broker without its store",
    "broker with an old store",
    "crash",
    "crash of all",
    "clock step",
    "clock drift",
    "disk lost",
    "dashboard's disk lost",
    "host rebooted",
    "power cut",
    "disk full",
    "slow node",
    "slow network",
)
"""Faults that have a moment. The others (delay, repetitions, deaths between two steps, lost writes, commands that hang) are
properties of a run."""

SELDOM = {"dashboard's disk lost": 0.5}
"""What happens less often: all that it has decided and not shown is gone with it."""
DAY = 90_000.0
"""Seconds: more than one, so that what is done once a day is done."""
LEAP = "clock a day ahead"
SERVER_KILLED = "server killed"
"""Where the broker is several."""
EVERY = 300.0
"""Seconds between two of one kind, on average, where it happens often."""


class Faults:
    """The faults of one run."""

    def __init__(self, cluster: Cluster, until: float) -> None:
        self._cluster = cluster
        self._world = cluster.world
        self._until = until
        self._chance: Random = cluster.world.chance("faults")
        self._acts: dict[str, Callable[[], str]] = {
            "dropped connection": self._drop,
            "partition": self._partition,
            "broker restarted": lambda: self._restart_broker("politely"),
            "broker killed": lambda: self._restart_broker("killed"),
            "broker without its store": lambda: self._restart_broker("empty"),
            "broker with an old store": lambda: self._restart_broker("old"),
            "crash": self._crash,
            "crash of all": self._crash_all,
            "clock step": self._step_clock,
            "clock drift": self._drift,
            "disk lost": lambda: self._lose_disk(self._agent()),
            "dashboard's disk lost": lambda: self._lose_disk(self._cluster.machines[0]),
            "host rebooted": lambda: self._reboot(power_cut=False),
            "power cut": lambda: self._reboot(power_cut=True),
            "disk full": self._fill_disk,
            "slow node": self._slow_node,
            "slow network": self._slow_network,
            SERVER_KILLED: self._kill_server,
        }

    def unleash(self) -> None:
        """Draw the run's faults and let them loose."""
        for kind in KINDS:
            rate = self._rate() * SELDOM.get(kind, 1.0)
            if rate:
                self._again(kind, rate)
        if self._cluster.network.servers > 1:
            self._again(SERVER_KILLED, self._world.chance("servers").choice([0.5, 1.0]) / EVERY)
        chance = self._chance
        self._cluster.network.weather = Weather(
            slow=chance.choice([0.0, 0.0, 0.005, 0.03]),
            slowest=chance.choice([0.2, 2.0, 12.0]),
            repeat=chance.choice([0.0, 0.0, 0.01, 0.1]),
        )
        fatal = chance.choice([0.0, 0.0, 0.0005, 0.002])
        for machine in self._cluster.machines:
            machine.node.pace = Pace(fatal=fatal, slow=chance.choice([0.0, 0.0, 0.0, 0.3, 2.0]))
            machine.host.habits = Habits(
                at_once=chance.choice([0.1, 0.5, 0.9]),
                long=chance.choice([0.0, 0.1, 0.3]),
                stubborn=chance.choice([0.0, 0.0, 0.2, 0.5]),
                endless=chance.choice([0.0, 0.0, 0.05]),
                late=chance.choice([0.0, 0.5]),
                slow_claim=chance.choice([0.0, 0.0, 0.3]),
                unstartable=chance.choice([0.0, 0.0, 0.03]),
                unclaimed=chance.choice([0.0, 0.0, 0.03]),
                failing=chance.choice([0.0, 0.1, 0.4]),
            )
        if chance.random() < 0.1:
            self._world.later(chance.uniform(0.0, self._until), self._leap)
        self._keep_asking()
        self._keep_sending_files()

    def _rate(self) -> float:
        """Happenings a second: none, seldom, or often."""
        return self._chance.choice([0.0, 0.0, 0.25, 1.0]) / EVERY

    def _again(self, kind: str, rate: float) -> None:
        def happen() -> None:
            if self._world.seconds >= self._until:
                return
            victim = self._acts[kind]()
            self._cluster.trace.add(Fault(at=self._world.seconds, kind=kind, victim=victim))
            self._again(kind, rate)

        self._world.later(self._chance.expovariate(rate), happen)

    def _anybody(self) -> Machine:
        return self._chance.choice(self._cluster.machines)

    def _agent(self) -> Machine:
        return self._chance.choice(self._cluster.agents)

    # ------------------------------------------------------------------ the network and the broker

    def _drop(self) -> str:
        chance, network = self._chance, self._cluster.network
        lines = network.lines_of()
        if not lines:
            return ""
        line = chance.choice(lines)
        late = chance.choice([0.0, 0.0, 20.0])
        here, there = chance.choice([(0.0, 0.0), (0.0, late), (late, 0.0)])
        network.drop(line, here=here, there=there)
        return line.owner

    def _partition(self) -> str:
        machine, network = self._anybody(), self._cluster.network
        if not network.is_cut_off(machine.name):
            network.cut_off(machine.name)
            seconds = self._chance.choice([2.0, 20.0, 90.0]) * self._chance.random()
            self._world.later(seconds, lambda: network.rejoin(machine.name))
        return machine.name

    def _restart_broker(self, how: str) -> str:
        self._cluster.restart_broker(how, self._chance.choice([0.0, 3.0, 40.0]) * self._chance.random())
        return "broker"

    def _kill_server(self) -> str:
        """One of several, and no other before it is back."""
        chance, network = self._chance, self._cluster.network
        if network.down is not None or not network.up:
            return ""
        server, seconds = chance.randrange(network.servers), chance.choice([2.0, 30.0, 300.0]) * chance.random()
        busy = self._anybody().name
        network.slow_owners[busy] = 3.0  # so that something of it is likely to be on its way to the server

        def die() -> None:
            network.slow_owners.pop(busy, None)
            if network.down is None and network.up:
                self._cluster.kill_server(server, seconds)

        self._world.later(3.0, die)
        return f"server {server}"

    def _slow_network(self) -> str:
        machine, network = self._anybody(), self._cluster.network
        network.slow_owners[machine.name] = self._chance.choice([0.5, 3.0])

        def recover() -> None:
            network.slow_owners.pop(machine.name, None)

        self._world.later(60.0 * self._chance.random(), recover)
        return machine.name

    # ------------------------------------------------------------------ nodes and hosts

    def _down(self) -> float:
        return self._chance.choice([0.1, 0.1, 5.0, 5.0, 120.0, 120.0, 800.0]) * self._chance.random()

    def _crash(self) -> str:
        machine = self._anybody()
        machine.node.crash(silent=self._chance.choice([0.0, 0.0, 20.0]))
        self._cluster.start_later(machine, self._down())
        return machine.name

    def _crash_all(self) -> str:
        for machine in self._cluster.machines:
            machine.node.crash()
            self._cluster.start_later(machine, self._down())
        if self._chance.random() < 0.5:
            self._cluster.restart_broker("killed", 1.0)
        return "all"

    def _step_clock(self) -> str:
        machine = self._anybody()
        step = self._chance.choice([-60.0, -5.0, -1.0, 1.0, 5.0, 60.0, 300.0]) * self._chance.random()
        machine.node.clock.step(step)
        return machine.name

    def _leap(self) -> None:
        machine = self._agent()
        machine.node.clock.step(DAY)
        self._cluster.trace.add(Fault(at=self._world.seconds, kind=LEAP, victim=machine.name))

    def _drift(self) -> str:
        machine = self._anybody()
        machine.node.clock.drift(self._chance.uniform(-0.002, 0.002))
        return machine.name

    def _slow_node(self) -> str:
        machine = self._anybody()
        machine.node.pace.slow = self._chance.choice([0.0, 1.0, 4.0])
        return machine.name

    def _fill_disk(self) -> str:
        machine = self._agent()
        machine.fill_disk(full=True)
        self._world.later(200.0 * self._chance.random(), lambda: machine.fill_disk(full=False))
        return machine.name

    def _lose_disk(self, machine: Machine) -> str:
        if not self._cluster.network.proving:  # then nothing would be left from which it could know what it has shown
            return ""
        self._cluster.lose_disk(machine, self._down())
        return machine.name

    def _reboot(self, *, power_cut: bool) -> str:
        machine = self._anybody()
        machine.node.crash(silent=20.0 * self._chance.random() if power_cut else 0.0)
        machine.host.reboot(power_cut=power_cut)
        self._cluster.start_later(machine, 5.0 + self._down())
        return machine.name

    # ------------------------------------------------------------------ people and files

    def _keep_asking(self) -> None:
        pause = self._chance.choice([5.0, 20.0, 100.0, 0.0])

        def ask() -> None:
            if self._world.seconds < self._until:
                self._cluster.people.ask_anything()
                self._world.later(self._chance.expovariate(1 / pause), ask)

        if pause:
            self._world.later(20.0, ask)

    def _keep_sending_files(self) -> None:
        pause = self._chance.choice([10.0, 60.0])

        def arrive() -> None:
            if self._world.seconds < self._until:
                host = self._agent().host
                name = self._chance.choice(["order", "bill", "other"])
                host.files[f"{FOLDER}/{name}_{int(self._world.seconds)}"] = self._world.seconds
                self._world.later(self._chance.expovariate(1 / pause), arrive)

        self._world.later(10.0, arrive)
