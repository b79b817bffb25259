"""What waits for its moment: which is something that the broker takes, after which all that follows is under way."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation.cluster import Cluster, Machine
from tests.simulation.trace import Accepted, Fault

Moment = Callable[[Accepted], bool]
"""Whether this was the moment, and all that follows is under way."""


class Arming:
    """What is armed in one run."""

    def __init__(self, cluster: Cluster, until: float) -> None:
        self.cluster = cluster
        self.dashboard = cluster.machines[0]
        self.world = cluster.world
        self.until = until
        self._waiting: dict[str, Moment] = {}

    def wait(self, kind: str, moment: Moment) -> None:
        """Wait for a moment; who waited for one of this kind before does not any more."""
        self._waiting[kind] = moment

    def accepted(self, record: Accepted) -> None:
        """The broker has taken something."""
        if self._waiting and record.retain and self.world.seconds < self.until:
            for kind in [kind for kind, moment in self._waiting.items() if moment(record)]:
                del self._waiting[kind]

    def strike(self, seconds: float, kind: str, victim: Machine, action: Callable[[], None]) -> None:
        """Strike after so many seconds, unless all is healed by then."""

        def act() -> None:
            if self.world.seconds < self.until:
                self.cluster.trace.add(Fault(at=self.world.seconds, kind=kind, victim=victim.name))
                action()

        self.world.later(seconds, act)

    def named(self, name: str) -> Machine:
        """A machine, by the name of its node."""
        return next(machine for machine in self.cluster.machines if machine.name == name)
