"""Faults that set something back to a moment that matters: each draws from a stream of its own, and few runs know them."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation.cluster import Cluster
from tests.simulation.trace import Accepted, Fault

BEFORE_A_REPORT = "broker and dashboard back before a report"
FROM_A_COPY = "dashboard from an older copy"
SETBACKS = (BEFORE_A_REPORT, FROM_A_COPY)
EVERY = 240.0
"""Seconds between two of one kind, on average, where it happens."""


class Setbacks:
    """The setbacks of one run."""

    def __init__(self, cluster: Cluster, until: float) -> None:
        self._cluster = cluster
        self._dashboard = cluster.machines[0]
        self._world = cluster.world
        self._until = until
        self._awaits_report = False
        self._acts: dict[str, Callable[[], None]] = {BEFORE_A_REPORT: self._await_report, FROM_A_COPY: self._copy}
        self._chances = {kind: cluster.world.chance(kind) for kind in SETBACKS}

    def unleash(self) -> None:
        """Draw which of them this run knows."""
        for kind in SETBACKS:
            if self._chances[kind].random() < 0.15:
                self._again(kind)
        self._cluster.trace.listen({Accepted: self._accepted})

    def _again(self, kind: str) -> None:
        def happen() -> None:
            if self._world.seconds < self._until:
                self._acts[kind]()
                self._again(kind)

        self._world.later(self._chances[kind].expovariate(1 / EVERY), happen)

    def _later(self, seconds: float, kind: str, action: Callable[[], None]) -> None:
        def act() -> None:
            if self._world.seconds < self._until:
                self._cluster.trace.add(Fault(at=self._world.seconds, kind=kind, victim=self._dashboard.name))
                action()

        self._world.later(seconds, act)

    # ------------------------------------------------------------------ the broker, to before a report

    def _await_report(self) -> None:
        self._awaits_report = True

    def _accepted(self, record: Accepted) -> None:
        """The broker takes a run's first report: it will come back with what it retained just before.

        Soon after, so that the dashboard may have taken the report in; and its agent may be the last to come back.
        """
        if not self._awaits_report or "/report/" not in record.topic:
            return
        store, agent = dict(self._cluster.network.model.retained), record.node
        if record.topic in store:
            return
        self._awaits_report = False
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

        self._later(chance.choice([0.1, 1.0, 10.0]) * chance.random(), BEFORE_A_REPORT, go_back)

    # ------------------------------------------------------------------ the dashboard, to a copy

    def _copy(self) -> None:
        """Copied now, and put back after some time; agents go on meanwhile, and are not asked."""
        chance = self._chances[FROM_A_COPY]
        down = chance.choice([0.1, 5.0, 60.0]) * chance.random()
        self._dashboard.node.disk.copy()

        def put_back() -> None:
            self._dashboard.node.crash()
            self._dashboard.node.disk.put_back()
            self._cluster.start_later(self._dashboard, down)

        self._later(chance.choice([10.0, 60.0, 300.0]) * chance.random(), FROM_A_COPY, put_back)
