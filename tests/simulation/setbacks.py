"""Faults aimed at a moment that matters: each draws from a stream of its own, and few runs know them.

One that is armed waits for its moment, which is something that the broker takes; all strike once more just before everything is
healed, so that no later fault puts right by chance what they did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from schemas.addresses import AssignmentAt, DashboardPresenceAt, InstanceAt, RunReportAt
from schemas.codec import decode
from schemas.documents import InstanceStatus, Presence, RunReport
from schemas.names import escape, instance_of
from schemas.status import NodeState, RunPhase
from tests.simulation import beginners
from tests.simulation.arming import Arming
from tests.simulation.checkers.shown import address_of
from tests.simulation.cluster import Cluster
from tests.simulation.network import HALF
from tests.simulation.plans import POOL
from tests.simulation.session import TOPICS
from tests.simulation.trace import Accepted, Shown

BEFORE_A_REPORT = "broker and dashboard back before a report"
FROM_A_COPY = "dashboard from an older copy"
WITHOUT_A_RUN = "dashboard from a copy without a run"
WITHOUT_A_JOB = "dashboard's disk lost between an assignment and its job"
GREETED = "broker with an old store, node dead after its greeting"
WITH_AN_ASSIGNMENT = "server killed with an assignment on its way"
SLOWLY = "broker without its store, dashboard slow to show all again"
LOSSES = (BEFORE_A_REPORT, FROM_A_COPY, WITHOUT_A_RUN, WITHOUT_A_JOB, GREETED)
"""They take memories away: a run knows one of them, for two leave nobody who remembers."""
FURTHER_LOSSES = (SLOWLY, beginners.NEW, beginners.ANEW)
"""One of these where it knows none of those."""
OTHERS = {WITH_AN_ASSIGNMENT: 0.8, beginners.UNHEARD: 0.1, beginners.OUTDATED: 0.1}
"""So many of the runs know each of these (of those with several servers, where it takes several)."""
SETBACKS = (*LOSSES, *FURTHER_LOSSES, *OTHERS)
SELDOM, LESS_SELDOM = 0.15, 0.25
"""Of each of the losses, and of the further ones."""
EVERY = 240.0
"""Seconds between two of one kind, on average, where it happens."""
LAST = 60.0
"""Seconds before the healing, at most, when each is armed for the last time."""


class Setbacks:
    """The setbacks of one run."""

    def __init__(self, cluster: Cluster, until: float) -> None:
        self._arming = arming = Arming(cluster, until)
        self._cluster = cluster
        self._dashboard = cluster.machines[0]
        self._world = cluster.world
        self._until = until
        self._arm: dict[str, Callable[[], None]] = {
            BEFORE_A_REPORT: lambda: arming.wait(BEFORE_A_REPORT, self._reported),
            FROM_A_COPY: self._copy,
            WITHOUT_A_RUN: self._copy_before_a_run,
            WITHOUT_A_JOB: lambda: arming.wait(WITHOUT_A_JOB, self._assigned),
            GREETED: self._go_back_and_greet,
            SLOWLY: self._show_slowly,
            beginners.NEW: lambda: None,  # it happens once
            **{kind: partial(self._arm_agent, kind) for kind in beginners.ARMS},
        }
        if cluster.network.servers > 1:
            self._arm[WITH_AN_ASSIGNMENT] = self._await_assignment
        self._awaits_assignment = self._of_readers = False
        self._chances = {kind: cluster.world.chance(kind) for kind in SETBACKS}

    def unleash(self) -> None:
        """Draw which of them this run knows."""
        losses = self._drawn(LOSSES, SELDOM) or self._drawn(FURTHER_LOSSES, LESS_SELDOM)
        others = [kind for kind, often in OTHERS.items() if kind in self._arm and self._drawn((kind,), often)]
        for kind in (*losses[self._world.seed % max(1, len(losses)) :][:1], *others):
            self._again(kind)
            self._world.later(self._until - LAST * self._chances[kind].random(), self._arm[kind])
            if kind == beginners.NEW:
                beginners.new_agent(self._arming, self._chances[kind].choice(self._cluster.agents), self._chances[kind])
        self._cluster.trace.listen({Accepted: self._arming.accepted, Shown: self._shown})

    def _drawn(self, kinds: tuple[str, ...], often: float) -> list[str]:
        return [kind for kind in kinds if self._chances[kind].random() < often]

    def _again(self, kind: str) -> None:
        def happen() -> None:
            if self._world.seconds < self._until:
                self._arm[kind]()
                self._again(kind)

        self._world.later(self._chances[kind].expovariate(1 / EVERY), happen)

    def _arm_agent(self, kind: str) -> None:
        chance = self._chances[kind]
        beginners.ARMS[kind](self._arming, chance.choice(self._cluster.agents), chance)

    # ------------------------------------------------------------------ the broker, to before a report

    def _reported(self, record: Accepted) -> bool:
        """The broker takes a run's first report: it will come back with what it retained just before.

        Soon after, so that the dashboard may have taken the report in; and its agent may be the last to come back.
        """
        store, agent = self._cluster.network.model.retained, record.node
        if "/report/" not in record.topic or record.topic in store:
            return False
        chance = self._chances[BEFORE_A_REPORT]
        away = chance.choice([0.0, 5.0, 15.0]) * chance.random()
        seconds = chance.choice([0.0, 2.0]) * chance.random()

        def go_back() -> None:
            network = self._cluster.network
            self._dashboard.node.crash()
            self._cluster.set_broker_back(store, seconds)
            self._cluster.start_later(self._dashboard, seconds + chance.choice([0.0, 1.0]) * chance.random())
            if away and not network.is_cut_off(agent):
                network.cut_off(agent)
                self._world.later(seconds + away, lambda: network.rejoin(agent))

        self._arming.strike(
            chance.choice([0.1, 1.0, 10.0]) * chance.random(), BEFORE_A_REPORT, self._dashboard, go_back
        )
        return True

    # ------------------------------------------------------------------ the dashboard, to a copy

    def _copy(self) -> None:
        """Copied now, and put back after some time; agents go on meanwhile, and are not asked."""
        chance = self._chances[FROM_A_COPY]
        down = chance.choice([0.1, 5.0, 60.0]) * chance.random()
        self._dashboard.node.disk.copy()
        self._arming.strike(
            chance.choice([10.0, 60.0, 300.0]) * chance.random(),
            FROM_A_COPY,
            self._dashboard,
            lambda: self._put_back(down),
        )

    def _put_back(self, down: float) -> None:
        """Not while no server proves what it shows: what the copy does not know of would stand on, which is a known limit."""
        if not self._cluster.network.proving:
            return
        self._dashboard.node.crash()
        self._dashboard.node.disk.put_back()
        self._cluster.start_later(self._dashboard, down)

    def _copy_before_a_run(self) -> None:
        """Copied now, and put back when a run that it does not know of has begun, or ended.

        Half of the time it is a run of a group for which nobody had been chosen, and whose agent is away when the dashboard comes
        back: another one might be chosen.
        """
        chance, before = self._chances[WITHOUT_A_RUN], self._cluster.network.documents
        of_a_group, phase = chance.random() < 0.5, chance.choice([RunPhase.RUNNING, RunPhase.ENDED])
        placed = {
            at.instance for at in map(address_of, before) if isinstance(at, InstanceAt) and _is_placed(before, at)
        }
        self._dashboard.node.disk.copy()

        def moment(record: Accepted) -> bool:
            address = address_of(record.topic)
            if not isinstance(address, RunReportAt):
                return False
            if TOPICS.topic_of(AssignmentAt(address.agent, address.run)) in before:
                return False
            if of_a_group and (escape(POOL) not in address.run or instance_of(address.run) in placed):
                return False
            if not record.payload or decode(record.payload, RunReport).phase is not phase:
                return False
            agent = self._arming.named(record.node)

            def put_back() -> None:
                if of_a_group:
                    agent.node.crash()
                    self._cluster.start_later(agent, chance.choice([5.0, 60.0]) * chance.random())
                self._put_back(chance.choice([0.1, 2.0]) * chance.random())

            self._arming.strike(chance.choice([0.1, 2.0]) * chance.random(), WITHOUT_A_RUN, self._dashboard, put_back)
            return True

        self._arming.wait(WITHOUT_A_RUN, moment)

    # ------------------------------------------------------------------ the dashboard, to what it has shown

    def _assigned(self, record: Accepted) -> bool:
        """The broker takes a run's assignment, and perhaps not any more what the dashboard says of its job; its disk is lost.

        Not while it still shows everything, or no server proves what it shows: a disk and a broker's memory that are lost
        together leave nothing to go on from.
        """
        if not record.payload or not isinstance(address_of(record.topic), AssignmentAt):
            return False
        if not self._cluster.network.proving:
            return False
        retained = self._cluster.network.documents
        presence = retained.get(TOPICS.topic_of(DashboardPresenceAt()))
        if record.topic in retained or presence is None or not decode(presence, Presence).complete:
            return False
        chance = self._chances[WITHOUT_A_JOB]

        down = chance.choice([0.1, 5.0]) * chance.random()
        lose = partial(self._cluster.lose_disk, self._dashboard, down)
        self._arming.strike(0.0, WITHOUT_A_JOB, self._dashboard, lose)
        return True

    # ------------------------------------------------------------------ the broker, to an old store, and a node

    def _go_back_and_greet(self) -> None:
        """The broker comes back with an old store; a node greets, and dies before, or while, it puts right what stands.

        What it had sent by then may still arrive.
        """
        chance = self._chances[GREETED]
        victim = self._dashboard if chance.random() < 0.7 else chance.choice(self._cluster.agents)
        documents, silent = chance.choice([0, 0, 5, 60]) * chance.random(), chance.choice([0.0, 1.0])
        greeted: list[str] = []

        def die() -> None:
            victim.node.crash(silent=silent)
            self._cluster.start_later(victim, chance.random())

        def moment(record: Accepted) -> bool:
            if record.node != victim.name:
                return False
            if record.topic.endswith("/presence"):
                said = decode(record.payload, Presence)
                greeted[:] = [] if said.complete or said.state is NodeState.GONE else [record.topic]
            elif greeted:
                greeted.append(record.topic)
            if not greeted or len(greeted) <= documents:
                return False
            self._arming.strike(chance.choice([0.0, 0.01, 0.03]) * chance.random(), GREETED, victim, die)
            return True

        self._cluster.restart_broker("old", chance.random())
        self._arming.wait(GREETED, moment)

    def _show_slowly(self) -> None:
        """The broker has lost all; while the dashboard shows it again, a document at a time, much happens."""
        chance, pace = self._chances[SLOWLY], self._dashboard.node.pace

        def recover() -> None:
            pace.slow = 0.0

        def strike() -> None:
            pace.slow, self._dashboard.node.life.part = 1.0, 1
            self._cluster.restart_broker("empty", chance.random())
            self._world.later(60.0, recover)

        self._arming.strike(0.0, SLOWLY, self._dashboard, strike)

    # ------------------------------------------------------------------ one of the broker's servers, and who hears by it

    def _await_assignment(self) -> None:
        """Half of the time it is the server of those that read it: that may be everybody's."""
        self._awaits_assignment = True
        self._of_readers = self._chances[WITH_AN_ASSIGNMENT].random() < 0.5

    def _shown(self, record: Shown) -> None:
        """The dashboard shows an agent a run: the server of one of them dies before it has passed that on.

        The dashboard's may have stored it, and told nobody; the dashboard may die with it, and know nothing of that any more. The
        agent's takes it along, and the others may replay an old state.
        """
        if not self._awaits_assignment or self._world.seconds >= self._until:
            return
        retained = self._cluster.network.documents
        shown = [address_of(topic) for topic, payload in record.publications if payload and topic not in retained]
        agent = next((address.agent for address in shown if isinstance(address, AssignmentAt)), None)
        servers = {line.owner: line.server for line in self._cluster.network.lines_of()}
        here, there = servers.get(self._dashboard.name), servers.get(agent or "")
        network, chance = self._cluster.network, self._chances[WITH_AN_ASSIGNMENT]
        readers = self._of_readers
        if here is None or there is None or (here == there and not readers) or network.down is not None:
            return
        self._awaits_assignment = False
        both = chance.random() < 0.5
        seconds = chance.uniform(30.0, 300.0) if readers else chance.choice([5.0, 30.0, 300.0]) * chance.random()

        def die() -> None:
            if network.down is None and network.up:
                with_it = (
                    both and not readers
                )  # then all is stored: what its next life finds is the newest it had shown
                fed, stores = 1.0 if readers else None, 1.0 if with_it else HALF
                self._cluster.kill_server(there if readers else here, seconds, fed=fed, stores=stores)
                if with_it:
                    self._dashboard.node.crash()
                    self._cluster.start_later(self._dashboard, chance.choice([0.1, 5.0]) * chance.random())

        self._arming.strike(0.0, WITH_AN_ASSIGNMENT, self._dashboard, die)


def _is_placed(retained: Mapping[str, bytes], at: InstanceAt) -> bool:
    """Whether agents have been chosen for an instance's groups."""
    return bool(decode(retained[TOPICS.topic_of(at)], InstanceStatus).placed)
