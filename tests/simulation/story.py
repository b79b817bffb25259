"""One seed, told from beginning to end: faults, healing, and what must hold afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from tests.simulation.checkers import every_checker
from tests.simulation.cluster import Cluster
from tests.simulation.faults import Faults
from tests.simulation.setbacks import Setbacks
from tests.simulation.trace import PromiseBrokenError, Record, Trace
from tests.simulation.world import World

FAULTS_UNTIL = 16 * 60.0
"""Seconds of virtual time in which things go wrong."""
SETTLED_BY = 6 * 60.0
"""Seconds after healing at which everything has to be in order again (L1 to L3)."""
LENGTH = 40 * 60.0
"""Seconds: all windows have closed and been forgotten; quiet is expected (L4)."""


SERVERS = 3
"""Of which the broker is made in every fifth story."""


class Ending(Struct, kw_only=True):
    """How a story ended."""

    seed: int
    digest: str
    records: int
    deliveries: int
    promise: str = ""
    """The one that broke; empty: none did."""
    broken: str = ""
    """What broke it."""
    at: float = 0.0
    """When a promise broke."""


def tell(seed: int, listeners: Sequence[Callable[[Record], None]] = ()) -> Ending:
    """Live through a seed. A broken promise ends it at once."""
    world, trace = World(seed), Trace()
    for listener in listeners:
        trace.listen_to_all(listener)
    for checker in every_checker():
        trace.listen(checker)
    broken: PromiseBrokenError | None = None
    cluster = Cluster(world, trace, SERVERS if seed % 5 == 4 else 1)
    try:
        _live(world, cluster)
    except PromiseBrokenError as error:
        broken = error
    finally:
        cluster.bury()
    return Ending(
        seed=seed,
        digest=trace.digest,
        records=trace.count,
        deliveries=trace.accepted,
        promise=broken.promise if broken is not None else "",
        broken=str(broken or ""),
        at=world.seconds,
    )


def _live(world: World, cluster: Cluster) -> None:
    cluster.start()
    Faults(cluster, FAULTS_UNTIL).unleash()
    Setbacks(cluster, FAULTS_UNTIL).unleash()
    world.run(FAULTS_UNTIL)
    cluster.heal()
    world.run(FAULTS_UNTIL + SETTLED_BY)
    _rest(world, cluster)
    cluster.look(last=False)
    world.run(LENGTH)
    cluster.look(last=True)


def _rest(world: World, cluster: Cluster) -> None:
    """Let what is under way arrive: judge a moment at which nothing is."""
    for _ in range(MOST_LOOKS):
        if cluster.at_rest:
            return
        world.run(world.seconds + 0.25)


MOST_LOOKS = 400
