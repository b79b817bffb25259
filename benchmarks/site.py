"""A whole installation for measuring: mosquitto with the repository's configuration, the nodes as `jobplan serve` runs them.

Every process is started here and ended here by its id. What is watched is one topic at a time, over a connection of our own, so
that looking costs next to nothing beside what is looked at.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path

from broker.address import BrokerUrl, parse_url
from broker.bus import Delivery, Publication, Session
from broker.mqtt.bus import MqttBus
from broker.topics import Topics
from jobplan.client.client import Client, connect
from schemas.codec import decode
from schemas.documents import JobState, Presence
from schemas.names import InstanceId, JobId, PlanName, escape
from schemas.requests import Act, Action
from schemas.status import JobStatus, NodeState
from tests.e2e.nodes import JOBPLAN, environment
from tests.support.mosquitto import Mosquitto

PATIENCE = 300.0
"""Seconds after which a measurement that has not ended is given up."""
_CLIENT = timedelta(seconds=PATIENCE)
_DAY = "86400"


class Node:
    """A node's process, over all its lives."""

    def __init__(self, name: str, command: list[str], folder: Path) -> None:
        self.name = name
        self._command = command
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin a life, in a session of its own, as a service has: by sessions Linux shares out processor time (autogroup)."""
        with (self._folder / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # ours
                self._command, stdout=log, stderr=log, cwd=self._folder, env=environment(), start_new_session=True
            )

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it, and wait until it has."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=60)
            self._process = None

    @property
    def pid(self) -> int:
        """The process that runs now."""
        if self._process is None:
            raise AssertionError(f"{self.name} does not run")
        return self._process.pid


class Watcher:
    """One connection that waits for documents to say something."""

    def __init__(self, session: Session, topics: Topics) -> None:
        self._session = session
        self.topics = topics
        self._waiting: dict[str, tuple[Callable[[bytes], bool], asyncio.Future[None]]] = {}

    def deliver(self, delivery: Delivery) -> None:
        """Something arrived."""
        waiting = self._waiting.get(delivery.topic)
        if waiting is not None and not waiting[1].done() and waiting[0](delivery.payload):
            waiting[1].set_result(None)

    async def say(self, publication: Publication) -> None:
        """Publish something in somebody else's name."""
        await self._session.publish([publication])

    async def until(self, topic: str, says: Callable[[bytes], bool]) -> None:
        """Return when what stands on the topic is as wanted."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[topic] = (says, done)
        try:
            await self._session.subscribe([topic])
            async with asyncio.timeout(PATIENCE):
                await done
            await self._session.unsubscribe([topic])
        finally:
            del self._waiting[topic]


class Site:
    """Broker, dashboard and agents in one folder."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.folder = folder
        self.broker = broker
        self.url: BrokerUrl = parse_url(f"mqtt://{broker.host}:{broker.port}")
        self.topics = Topics(self.url.prefix)
        self.dashboard = self.node("dashboard", "dashboard", "--retention", _DAY)
        self.agents: dict[str, Node] = {}

    def node(self, name: str, *arguments: str, data: str = "data") -> Node:
        """A node that is not started yet."""
        options = ["--broker", str(self.url), "--data", str(self.folder / data)]
        return Node(name, [*JOBPLAN, "serve", *arguments, *options], self.folder)

    def agent(self, name: str, *arguments: str) -> Node:
        """An agent that is not started yet."""
        node = self.agents[name] = self.node(f"agent-{name}", "agent", name, *arguments)
        return node

    def close(self) -> None:
        """End everything, the broker last."""
        for node in (self.dashboard, *self.agents.values()):
            node.end()
        self.broker.close()

    def output(self, agent: str, instance: InstanceId, leaf: str) -> str:
        """What a run wrote."""
        folder = self.folder / "data" / f"agent-{escape(agent)}" / "runs" / instance / leaf
        return (folder / "out").read_text()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Watcher]:
        """A watcher of this broker."""
        made: list[Watcher] = []
        bus = MqttBus(self.url)
        connecting = bus.connect(client="benchmark", will=None, on_delivery=lambda one: made[0].deliver(one))  # noqa: PLW0108  # it is made later
        async with connecting as session:
            made.append(Watcher(session, self.topics))
            yield made[0]

    @property
    def presence(self) -> str:
        """Where the dashboard says whether it is there."""
        return f"{self.url.prefix}/dashboard/presence"

    def presence_of(self, agent: str) -> str:
        """Where an agent does."""
        return f"{self.url.prefix}/agent/{escape(agent)}/presence"

    async def up(self) -> None:
        """Return when the dashboard and every agent show themselves alive and complete."""
        async with self.watching() as watcher:
            await watcher.until(self.presence, is_up)
            for name in self.agents:
                await watcher.until(self.presence_of(name), is_up)

    def client(self) -> AbstractAsyncContextManager[Client]:
        """A person's client."""
        return connect(self.url, patience=_CLIENT, program="benchmark")

    async def play(self, client: Client, watcher: Watcher, plan: PlanName, first: str, last: str) -> InstanceId:
        """Start an instance, submit its first job, return when its last one is complete. Names are job ids."""
        instance = await client.start_instance(plan)
        await client.act(Act(action=Action.SUBMIT, instance=instance, job=JobId(first)))
        topic = f"{self.url.prefix}/instance/{instance}/job/{escape(plan)}/{escape(last)}"
        await watcher.until(topic, is_complete)
        return instance


@asynccontextmanager
async def a_site(folder: Path, *agents: str, arguments: tuple[str, ...] = ()) -> AsyncIterator[Site]:
    """An installation that runs; ended afterwards. ``arguments`` go to every agent."""
    broker = Mosquitto(folder / "broker")
    site = Site(folder, broker)
    try:
        broker.start()
        site.dashboard.start()
        for name in agents:
            site.agent(name, *arguments).start()
        await site.up()
        yield site
    finally:
        site.close()


def is_up(payload: bytes) -> bool:
    """Whether a presence says that its node is there and has shown all it has to show."""
    if not payload:
        return False
    presence = decode(payload, Presence)
    return presence.state is NodeState.ALIVE and presence.complete


def is_complete(payload: bytes) -> bool:
    """Whether a job is."""
    return bool(payload) and decode(payload, JobState).status is JobStatus.COMPLETE


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
