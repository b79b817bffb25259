"""An agent's driver with a toy core on a fake broker, on virtual time; and a dashboard that only shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random

from broker.bus import Bus, Publication
from broker.runtime.driver import Driver
from broker.runtime.selfwatch import Identity
from broker.runtime.world import Signal, World
from broker.topic_table import Role
from broker.topics import Topics
from schemas.addresses import Address, AgentInstanceAt, AgentPresenceAt, DashboardPresenceAt, FireReportAt, ShareAt
from schemas.codec import decode, decode_header, encode_body, stamp
from schemas.documents import AgentInstance, Document, Presence, Share
from schemas.names import InstanceId, NodeName, PlanName, instance_id
from schemas.status import NodeState
from tests.fakes.broker import FakeBroker
from tests.fakes.memory_store import MemoryStore
from tests.fakes.signals import Signals
from tests.fakes.toy_core import JOB, ME, Bell, Bump, Effect, Event, ToyCore

START = datetime(2026, 3, 1, 1, tzinfo=UTC)
TOPICS = Topics("test")
PLAN = PlanName("nightly")
PRESENCE = TOPICS.topic_of(AgentPresenceAt(ME))


def an_instance(day: int = 1) -> InstanceId:
    """The id of an instance of the plan."""
    return instance_id(PLAN, START.replace(day=day))


def a_publication(instance: InstanceId, *, version: int = 1) -> AgentInstance:
    """What a dashboard shows an agent of an instance."""
    return AgentInstance(instance=instance, plan=PLAN, version=version, opens=START)


FIRST, SECOND = an_instance(1), an_instance(2)
REPORT = TOPICS.topic_of(FireReportAt(ME, FIRST, JOB))
"""Where the count of the first instance is shown."""


class FakeDashboard:
    """Writes a dashboard's documents straight into the broker."""

    def __init__(self, broker: FakeBroker, *, epoch: int = 100) -> None:
        self.broker = broker
        self.epoch = epoch
        self.connection = 1
        self.revision = 0

    def show(self, address: Address, document: Document) -> None:
        """Publish a document."""
        self.revision += 1
        payload = stamp(encode_body(document), epoch=self.epoch, revision=self.revision, at=START)
        self.broker.tell(Publication(TOPICS.topic_of(address), payload))

    def publish(self, instance: InstanceId, *, version: int = 1) -> None:
        """Publish an instance to the agent."""
        self.show(AgentInstanceAt(ME, instance), a_publication(instance, version=version))

    def remove(self, instance: InstanceId) -> None:
        """Clear an instance."""
        self.broker.tell(Publication(TOPICS.topic_of(AgentInstanceAt(ME, instance)), b""))

    def presence(self, state: NodeState = NodeState.ALIVE, *, complete: bool = True) -> None:
        """Say how it is."""
        word = Presence(
            node=NodeName("dashboard"), state=state, connection=self.connection, since=START, complete=complete
        )
        if complete:
            self.share()
        self.show(DashboardPresenceAt(), word)

    def share(self, documents: int = 0) -> None:
        """Say how much is for the agent; 0: as much as it has met, or more."""
        self.show(ShareAt(ME), Share(connection=self.connection, documents=documents))


class ToyNode:
    """One life of the agent ``north``."""

    def __init__(
        self, broker: FakeBroker, store: MemoryStore | None = None, *, host: str = "here", bus: Bus | None = None
    ) -> None:
        """``bus``: a real one, instead of the fake broker's."""
        self.broker = broker
        self.store = store or MemoryStore()
        self.core = ToyCore()
        self.signals = Signals()
        self.bells: list[Bell] = []
        self.shift = timedelta()
        """How far the wall clock has been set."""
        self.driver: Driver[Event, Effect] = Driver(
            self.core,
            Identity(role=Role.AGENT, node=ME, host=host),
            World(
                store=self.store,
                bus=bus or broker.bus(),
                topics=TOPICS,
                perform=self._perform,
                clock=self.wall_clock,
                random=Random(1),  # noqa: S311  # the same in each test
                signal=self.signals,
            ),
        )

    def wall_clock(self) -> datetime:
        """Virtual time of day."""
        return START + timedelta(seconds=asyncio.get_running_loop().time()) + self.shift

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ToyNode]:
        """Run it until the block ends; it comes up to being complete, unless there is no broker."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.driver.run(), name="node")
            await self.signals.reached(Signal.COMPLETE if self.broker.up else Signal.WAITING, 1)
            yield self
            self.driver.stop()

    def presence(self) -> Presence:
        """What stands at its presence."""
        return decode(self.broker.retained[PRESENCE], Presence)

    def epoch_shown(self) -> int:
        """The epoch that stands at its presence."""
        return decode_header(self.broker.retained[PRESENCE]).epoch

    def reports(self) -> dict[str, str]:
        """What it shows, by topic without its root: the counts."""
        root = "test/agent/north/report/"
        return {
            topic.removeprefix(root): payload.decode().partition('"problem":"')[2].partition('"')[0]
            for topic, payload in sorted(self.broker.retained.items())
            if topic.startswith(root)
        }

    async def _perform(self, effect: Effect) -> None:
        await asyncio.sleep(0)
        assert isinstance(effect, Bell)
        self.bells.append(effect)
        self.signals.trail.append(f"bell {effect.count}")


def a_broker() -> FakeBroker:
    """An empty broker."""
    return FakeBroker(prefix=TOPICS.prefix)


async def bump(node: ToyNode, times: int = 1) -> None:
    """Count, and wait until it rang."""
    for _ in range(times):
        node.driver.offer(Bump(START, FIRST))
        await node.signals.next(Signal.PERFORMED)


async def unwrapped(node: ToyNode) -> Exception | None:
    """Run a node that is expected to fail; TaskGroup would wrap what it raises."""
    try:
        await node.driver.run()
    except Exception as error:  # noqa: BLE001  # the edge of the node's task
        return error
    return None
