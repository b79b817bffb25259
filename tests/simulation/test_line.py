"""A modelled connection keeps the order, as TCP does."""

from __future__ import annotations

from tests.simulation.line import Line
from tests.simulation.network import Network
from tests.simulation.trace import Trace
from tests.simulation.world import World


def test_what_stalled_arrives_before_what_was_sent_later_and_is_under_way() -> None:
    """The first packet meets the cut; the second, slower, comes when it is over."""
    world = World(1)
    network = Network(world, Trace(), servers=1)
    line, arrived = Line(network, "north", "client", lambda _: None), list[int]()
    network.cut_off("north")
    line.to_broker(lambda: arrived.append(1))
    world.run(1.0)
    network.slow_owners["north"] = 5.0
    line.to_broker(lambda: arrived.append(2))
    network.rejoin("north")
    line.release()
    world.run(20.0)

    assert arrived == [1, 2]
