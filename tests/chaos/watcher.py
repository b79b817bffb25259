"""Somebody who only looks: all that the broker retains, and when each node was last seen complete."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from broker.address import BrokerUrl
from broker.bus import Delivery
from broker.errors import BusError
from broker.mqtt.bus import MqttBus
from broker.runtime.again import PAUSE
from broker.topics import Topics
from schemas.codec import SchemaError, decode, decode_header
from schemas.documents import Presence
from schemas.status import NodeState
from tests.support.waiting import STEP, eventually

TOPICS = Topics()
Connection = tuple[int, int]
"""Epoch and connection of a node: each one it makes is higher than those before."""


class Watcher:
    """One person's view, over as many connections as it takes."""

    def __init__(self, url: BrokerUrl) -> None:
        self.retained: dict[str, bytes] = {}
        """What stands on the broker, as far as the present connection has shown."""
        self.complete: dict[str, Connection] = {}
        """The newest connection in which each node has shown all it has; by the topic of its presence."""
        self.heard = 0.0
        """When the last message came, presences aside, by the loop's clock."""
        self.replayed = False
        """Whether a first replay is in."""
        self.proved = True
        """Whether that was all; else all is shown again."""
        self._newest: dict[str, tuple[int, int]] = {}
        self._gone: dict[str, tuple[int, int]] = {}
        """What was cleared, and how new it had been."""
        self._url = url

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Watcher]:
        """Look until the end of the block."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._watch(), name="watch")
            try:
                yield self
            finally:
                task.cancel()

    async def _watch(self) -> None:
        while True:
            self.retained = {}
            try:
                async with MqttBus(self._url).connect(
                    client=f"watcher-{id(self)}", will=None, on_delivery=self._hear
                ) as session:
                    self.proved = await session.subscribe([f"{TOPICS.prefix}/#"])
                    self.replayed = True
                    await session.lost()
            except BusError:
                await _a_moment()

    def _hear(self, delivery: Delivery) -> None:
        if not delivery.topic.endswith("/presence"):  # an agent says there how busy its host is
            self.heard = asyncio.get_running_loop().time()
        if not delivery.payload:
            if not delivery.retained:
                self.retained.pop(delivery.topic, None)
                self._gone[delivery.topic] = self._newest.get(delivery.topic, (0, 0))
            return
        if delivery.topic.startswith(tuple(f"{TOPICS.prefix}/{level}" for level in ("_", "re", "notification"))):
            return  # nonces and the like, requests, responses, what people are told: nothing that ought to stand
        if self._old(delivery):
            return
        self.retained[delivery.topic] = delivery.payload
        if delivery.topic.endswith("/presence"):
            self._see(delivery)

    def _old(self, delivery: Delivery) -> bool:
        """Whether something newer was heard here, or that it is gone.

        NATS may pass on again what it passed on before that, and one of several servers replay what is older. A server that is
        alone shows what stands, also what rose again and its writer took up.
        """
        try:
            order = decode_header(delivery.payload).order
        except SchemaError:
            return False
        newest = self._newest.get(delivery.topic, (0, 0))
        self._newest[delivery.topic] = max(order, newest)
        stands = delivery.retained and len(self._url.servers) == 1
        return order < newest or (not stands and order <= self._gone.get(delivery.topic, (0, 0)))

    def _see(self, delivery: Delivery) -> None:
        try:
            header, said = decode_header(delivery.payload), decode(delivery.payload, Presence)
        except SchemaError:
            return
        if said.complete and said.state is NodeState.ALIVE:
            self.complete[delivery.topic] = (header.epoch, said.connection)


async def standing(url: BrokerUrl) -> dict[str, bytes]:
    """What somebody is shown who comes now."""
    newcomer = Watcher(url)
    loop = asyncio.get_running_loop()
    async with newcomer.watching():
        await eventually(lambda: newcomer.replayed, within=60.0, what=f"all that {url} retains")
        shown_again = max(loop.time(), newcomer.heard) + (0.0 if newcomer.proved else PAUSE.total_seconds() + 5.0)
        await eventually(lambda: loop.time() >= shown_again, within=60.0, what="everything is shown again")
        return newcomer.retained


async def _a_moment() -> None:
    """Give others the time to come back."""
    loop = asyncio.get_running_loop()
    then = loop.time() + 10 * STEP
    await eventually(lambda: loop.time() >= then, within=1.0, what="a moment has passed")
