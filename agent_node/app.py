"""The agent put together: the only place here that builds things, and the one that ends them."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from importlib.metadata import version
from random import Random
from typing import Final, assert_never

from msgspec.structs import replace

from agent_node.command import Host
from agent_node.config import AgentConfig
from agent_node.core import wishes
from agent_node.core.effects import (
    Effect,
    FindProcess,
    ReadLogFile,
    ReadTrail,
    StartProcess,
    StopProcess,
    SweepRuns,
    TakeFiles,
    UnwatchFolders,
    WatchFolders,
)
from agent_node.core.events import DiskSeen, OwnEvent
from agent_node.core.machine import AgentCore
from agent_node.folders import RunFolders, boot_id, free_bytes
from agent_node.housekeeping import sweep
from agent_node.logs import Logs
from agent_node.outputs import keep_bounded
from agent_node.process import Processes
from agent_node.secrets import Secrets
from agent_node.watch import FolderWatches
from broker.bus import Bus
from broker.errors import BusError
from broker.mqtt.bus import MqttBus
from broker.runtime.core import Reply
from broker.runtime.cycles import look_seldom
from broker.runtime.driver import Driver
from broker.runtime.ending import ended_by_signals, first_error
from broker.runtime.selfwatch import Identity
from broker.runtime.store import SqliteStore, Store
from broker.runtime.trail import answer_from_trail
from broker.runtime.world import World
from broker.topic_table import Role
from broker.topics import Topics
from schemas.names import RequestId, UserName
from schemas.requests import Answer
from schemas.tables import SettingError

_ENTERED: Final = 0o711
"""Of the data folder: jobs of other users have to get to their scripts, and nobody else has to look around."""
_MEASURED_EVERY: Final = 10
"""Seconds between two looks at load and disk."""
_ROUNDED: Final = 64 * 1_048_576

log = logging.getLogger(__name__)


async def serve(config: AgentConfig) -> int:
    """Run an agent until SIGTERM or SIGINT; the exit code. Its jobs' processes run on.

    Raises SettingError for bad settings, StoreError for a database that cannot be used or is in use, BusError when the broker
    refuses us for good, FencedError when another life of this agent has taken its place.
    """
    look_seldom()
    config = config.validated()
    config.data.mkdir(mode=_ENTERED, parents=True, exist_ok=True)
    async with SqliteStore.open(config.data / "agent.db") as store:
        agent = Agent(config, store, MqttBus(config.broker, ca_file=config.ca_file))
        async with _measured(config.table.metrics, agent):
            with ended_by_signals(agent.stop):
                log.info("agent %s starts: data in %s, broker %s", config.name, config.data, config.broker)
                await agent.run()
    log.info("agent %s ended: its jobs' processes go on, and are found again", config.name)
    return 0


class Agent:
    """One life of an agent: its driver, and the adapters that carry out what the core asks for."""

    def __init__(self, config: AgentConfig, store: Store, bus: Bus) -> None:
        self._config = config
        self._folders = RunFolders(config.data)
        rules = replace(config.rules(), boot=boot_id())
        identity = Identity(
            role=Role.AGENT,
            node=config.name,
            host=socket.gethostname(),
            version=version("jobplan"),
            zone=rules.zone,
            labels=config.table.labels,
            dry_run=rules.dry_run is not None,
            capacity=rules.concurrency,
        )
        self.world = World(
            store=store,
            bus=bus,
            topics=Topics(config.broker.prefix),
            perform=self._perform,
            random=Random(),  # noqa: S311  # spreads attempts to connect, guards nothing
        )
        self.core = AgentCore(rules)
        self.driver: Driver[OwnEvent, Effect] = Driver(self.core, identity, self.world)
        self._identity = identity

    async def run(self) -> None:
        """Live until stopped. The adapters' tasks end with the driver; processes do not."""
        config, driver = self._config, self.driver
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._processes = Processes(
                    self._folders,
                    emit=driver.offer,
                    clock=driver.now,
                    host=_host(config),
                )
                self._watches = FolderWatches(
                    emit=driver.offer, clock=driver.now, tasks=tasks, notify=config.table.notify
                )
                self._logs = Logs(
                    self._folders, respond=self._respond, is_attended=self._processes.is_attended, tasks=tasks
                )
                bounding = tasks.create_task(
                    keep_bounded(self._processes.written_to, config.table.output_bytes), name="outputs"
                )
                saying = tasks.create_task(self._keep_saying(), name="condition")
                try:
                    await driver.run()
                finally:
                    saying.cancel()
                    bounding.cancel()
                    self._watches.close()
                    self._logs.close()
                    self._processes.close()
        except BaseExceptionGroup as errors:
            raise first_error(errors) from errors

    def stop(self) -> None:
        """End after what is under way."""
        self.driver.stop()

    def _perform(self, effect: Effect) -> Awaitable[None] | None:
        """Carry out an effect, or begin to; how it went comes back as an event."""
        if isinstance(effect, ReadTrail):
            store, respond = self.world.store, self.driver.answer
            return answer_from_trail(effect.user, effect.request, effect.query, store, respond)
        self._carry_out(effect)
        return None

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case StartProcess():
                self._processes.start(effect.assignment)
            case FindProcess():
                self._processes.find(effect.run)
            case StopProcess():
                self._processes.stop(effect.run, force=effect.force)
            case WatchFolders():
                self._watches.watch(effect)
            case UnwatchFolders():
                self._watches.unwatch(effect)
            case TakeFiles():
                self._watches.take(effect)
            case ReadLogFile():
                self._logs.answer(effect)
            case SweepRuns():
                self._tasks.create_task(self._sweep(effect), name="sweep")
            case ReadTrail() | Reply():
                pass  # done by who called, or by the driver
            case _:
                assert_never(effect)

    async def _keep_saying(self) -> None:
        """Let the presence say how this agent is: what was switched within a second, the rest now and then."""
        while True:
            free = free_bytes(self._config.data)
            load = round(os.getloadavg()[0], 1)
            rounded = free // _ROUNDED * _ROUNDED if free is not None else None  # not said again for nothing
            for _ in range(_MEASURED_EVERY):
                self._look_at_disk()
                state = self.core.state
                condition = replace(wishes.condition(state), load=load, disk_free=rounded)
                self.driver.say(replace(self._identity, dry_run=wishes.pretends(state), condition=condition))
                await asyncio.sleep(1.0)

    def _look_at_disk(self) -> None:
        """Tell the core when there is too little space, and when there is enough again (a quarter more than that)."""
        least, known = self._config.table.least_disk_free, wishes.condition(self.core.state).disk_full
        free = free_bytes(self._config.data)
        full = free is not None and free < (least * 5 // 4 if known else least)
        if full != known:
            self.driver.offer(DiskSeen(now=self.driver.now(), full=full))

    async def _respond(self, user: UserName, request: RequestId, part: int, answer: Answer) -> None:
        try:
            await self.driver.answer(Reply(user, request, answer), part)
        except BusError as error:
            log.warning("part of an answer lost user=%s reason=%r: who asked will ask again", user, str(error))

    async def _sweep(self, effect: SweepRuns) -> None:
        rules = self._config.housekeeping
        removed = await asyncio.to_thread(sweep, self._folders, rules, effect.before, effect.keep)
        if removed:
            log.info("cleared away run folders of %d instances: %s", len(removed), ", ".join(removed[:10]))


def _host(config: AgentConfig) -> Host:
    """What commands get. They inherit all but our own settings, which may hold the broker's password."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JOBPLAN_")}
    secrets = Secrets(config.data / "secrets", config.table.secret_commands, environment)
    return Host(environment, secrets, config.table.run_as)


@asynccontextmanager
async def _measured(address: str, agent: Agent) -> AsyncIterator[None]:
    """Answer who asks how we are, if an address is given for that. Raises SettingError."""
    if not address:
        yield
        return
    from agent_node.measures import facts, of_turn  # noqa: PLC0415  # an HTTP server that most do not need
    from broker.metrics.measuring import measured  # noqa: PLC0415  # the same
    from broker.metrics.serving import MetricsError  # noqa: PLC0415  # the same

    life, state = agent.driver.life, agent.core.state
    try:
        async with measured(address, agent.driver, agent.world, lambda: facts(state, life.identity), of_turn):
            yield
    except MetricsError as error:
        raise SettingError(str(error)) from error
