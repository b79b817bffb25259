"""Setbacks of agents that begin, or end, when it matters: before anybody has heard of them, or when nobody can hear it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from broker.runtime.presence import writer_of
from schemas.addresses import AgentPresenceAt, AssignmentAt, RunReportAt
from schemas.names import NodeName, RunId
from tests.simulation.arming import Arming
from tests.simulation.checkers.shown import address_of
from tests.simulation.cluster import Cluster, Machine
from tests.simulation.session import TOPICS
from tests.simulation.trace import Accepted, CommandBegan, Restored

NEW = "new agent, its disk lost while it runs what had been there before it"
ANEW = "agent's host set up anew, its clock late, its presence cleared"
UNHEARD = "agent and broker dead at once, the agent for long"
OUTDATED = "broker with an old store between an agent's look and its connection"
GLANCE, MOST_GLANCES = 0.001, 1_000
"""Seconds between two glances at whether it looks, and how many there are."""
LATE = 400.0
"""Seconds that a host's clock is late until it is set: more than it has been up, perhaps."""


def new_agent(arming: Arming, agent: Machine, chance: Random) -> None:
    """From the beginning of the story: what was handed over before it was heard of, it starts, and then it loses its disk.

    On a slow line, so that nobody may have heard that it has started.
    """
    cluster, early = arming.cluster, set[RunId]()
    slow = cluster.network.slow_owners

    def accepted(record: Accepted) -> bool:
        if record.node != agent.name or not isinstance(address_of(record.topic), AgentPresenceAt):
            return False
        known = map(address_of, cluster.network.documents)
        early.update(at.run for at in known if isinstance(at, AssignmentAt) and at.agent == agent.name)
        return True

    def began(record: CommandBegan) -> None:
        if record.run in early:
            early.clear()
            slow.pop(agent.name, None)
            down = chance.choice([0.1, 5.0]) * chance.random()
            arming.strike(0.0, NEW, agent, lambda: cluster.lose_disk(agent, down))

    agent.node.crash()
    slow[agent.name] = 2.0
    cluster.start_later(agent, chance.uniform(20.0, 90.0))
    arming.wait(NEW, accepted)
    cluster.trace.listen({CommandBegan: began})


def set_up_anew(arming: Arming, agent: Machine, chance: Random) -> None:
    """Its documents stand, nothing says of which life they are, and its clock gives it an older number.

    Not where the broker loses them before it is back: then its clock alone could say which life is the newer one.
    """
    cluster = arming.cluster
    if not cluster.network.up or cluster.network.servers > 1:
        return
    late, is_late = LATE * chance.uniform(0.5, 1.0), [True]

    def strike() -> None:
        agent.node.crash()
        agent.node.clock.step(-late)
        down = 0.2 + chance.choice([0.0, 5.0]) * chance.random()
        cluster.world.later(0.1, lambda: _clear_presence(cluster, agent))
        cluster.world.later(down, look_around)
        cluster.trace.listen({Restored: lambda _record: look_around()})
        cluster.lose_disk(agent, down)
        cluster.world.later(60.0 * chance.random(), set_clock)

    def look_around() -> None:
        if not _has_documents(cluster, agent):
            set_clock()

    def set_clock() -> None:
        if is_late:
            is_late.clear()
            agent.node.clock.step(late)

    def moment(record: Accepted) -> bool:
        if record.node != agent.name or not record.payload or not isinstance(address_of(record.topic), RunReportAt):
            return False
        arming.strike(0.0, ANEW, agent, strike)
        return True

    arming.wait(ANEW, moment)


def _clear_presence(cluster: Cluster, agent: Machine) -> None:
    if cluster.network.up and not agent.node.up:
        cluster.network.clear_by_hand(TOPICS.topic_of(AgentPresenceAt(NodeName(agent.name))))


def _has_documents(cluster: Cluster, agent: Machine) -> bool:
    """Whether anything stands that an agent has reported."""
    reports = (topic for topic in cluster.network.documents if "/report/" in topic)
    return AgentPresenceAt(NodeName(agent.name)) in {writer_of(address_of(topic)) for topic in reports}


def die_unheard(arming: Arming, agent: Machine, chance: Random) -> None:
    """No broker reads its will out: what stands says that it is there. One at a time, for it takes minutes to be noticed."""
    if not all(machine.node.up for machine in arming.cluster.agents):
        return

    def strike() -> None:
        agent.node.crash()
        arming.cluster.restart_broker(chance.choice(["killed", "empty"]), chance.choice([0.0, 3.0]) * chance.random())
        arming.cluster.start_later(agent, chance.uniform(150.0, 400.0))

    arming.strike(0.0, UNHEARD, agent, strike)


def go_back_after_a_look(arming: Arming, agent: Machine, chance: Random) -> None:
    """It begins, and sees what stands of it; before it connects under its name, that is what stood some minutes ago."""
    cluster, network = arming.cluster, arming.cluster.network

    def strike() -> None:
        agent.node.crash(silent=20.0)  # what stands still says that all it has does
        cluster.start_later(agent, 0.1)
        cluster.world.later(0.1, lambda: watch(MOST_GLANCES))

    def watch(glances: int) -> None:
        look = next((line for line in network.lines_of(agent.name) if line.client != line.owner), None)
        if look is not None:
            look.lost.then(lambda: cluster.world.later(0.0, go_back))
        elif glances:
            cluster.world.later(GLANCE, lambda: watch(glances - 1))

    def go_back() -> None:
        if network.up:
            cluster.restart_broker("old", 0.0)

    arming.strike(chance.random(), OUTDATED, agent, strike)


ARMS: dict[str, Callable[[Arming, Machine, Random], None]] = {
    ANEW: set_up_anew,
    UNHEARD: die_unheard,
    OUTDATED: go_back_after_a_look,
}
