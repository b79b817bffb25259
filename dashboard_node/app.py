"""The dashboard node put together: the only place here that builds things, and the one that ends them."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.metadata import version
from random import Random

from broker.mqtt.bus import MqttBus
from broker.runtime.cycles import look_seldom
from broker.runtime.driver import Driver
from broker.runtime.ending import ended_by_signals, first_error
from broker.runtime.selfwatch import Identity
from broker.runtime.store import SqliteStore
from broker.runtime.world import World, wall_clock
from broker.topic_table import Role
from broker.topics import Topics
from dashboard_node.config import DashboardConfig
from dashboard_node.core.effects import Deliver, Delivered, Effect, ForgetAudit, LookUpAudit
from dashboard_node.core.machine import DashboardCore, Event
from dashboard_node.core.state import State
from dashboard_node.delivering import Channel
from dashboard_node.lookups import forget_audit, look_up_audit
from dashboard_node.properties import read_folder
from dashboard_node.sending import Sender
from schemas.names import NodeName
from schemas.tables import SettingError

log = logging.getLogger(__name__)


async def serve(config: DashboardConfig) -> int:
    """Run a dashboard until SIGTERM or SIGINT; the exit code.

    Raises SettingError for bad settings, StoreError for a database that cannot be used or is in use, BusError when the
    broker refuses us for good, FencedError when another dashboard has taken our place.
    """
    look_seldom()
    config = config.validated()
    config.data.mkdir(parents=True, exist_ok=True)
    core = DashboardCore(timedelta(seconds=config.retention_seconds), config.channels.rules())
    core.state.audit_kept = timedelta(days=config.audit_days) if config.audit_days else None
    core.state.admins = config.admins
    core.state.properties = read_folder(config.data / "properties")
    async with SqliteStore.open(config.data / "dashboard.db") as store:

        async def perform(effect: Effect) -> None:
            if isinstance(effect, LookUpAudit):
                await look_up_audit(effect, store, driver.answer)
            elif isinstance(effect, ForgetAudit):
                await forget_audit(effect, store)
            elif isinstance(effect, Deliver):
                sender.take(effect)

        def report(delivery: Deliver, error: str, hopeless: bool) -> None:  # noqa: FBT001  # the sender's two words
            told = delivery.notification.id
            driver.offer(Delivered(driver.now(), told, delivery.channel, error, hopeless))

        world: World[Effect] = World(
            store=store,
            bus=MqttBus(config.broker, ca_file=config.ca_file),
            topics=Topics(config.broker.prefix),
            perform=perform,
            random=Random(),  # noqa: S311  # spreads attempts to connect, guards nothing
        )
        driver: Driver[Event, Effect] = Driver(
            core,
            Identity(
                role=Role.DASHBOARD,
                node=NodeName("dashboard"),
                host=socket.gethostname(),
                version=version("jobplan"),
            ),
            world,
        )
        channel = Channel(config.channels, config.data / "templates", core.state.properties)
        sender = Sender(channel.sender(Topics(config.broker.prefix), driver.publish, wall_clock), report)
        async with _measured(config.metrics, driver, world, core.state):
            with ended_by_signals(driver.stop):
                log.info("dashboard starts: data in %s, broker %s", config.data, config.broker)
                await _live(driver, sender)
    log.info("dashboard ended: agents go on, and what they report is taken later")
    return 0


async def _live(driver: Driver[Event, Effect], sender: Sender) -> None:
    """Run both until the driver ends; what is being sent then, the next life sends again."""
    try:
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(sender.run(), name="notifications")
            await driver.run()
            sending.cancel()
    except BaseExceptionGroup as errors:
        raise first_error(errors) from errors


@asynccontextmanager
async def _measured(
    address: str, driver: Driver[Event, Effect], world: World[Effect], state: State
) -> AsyncIterator[None]:
    """Answer who asks how we are, if an address is given for that. Raises SettingError."""
    if not address:
        yield
        return
    from broker.metrics.measuring import measured  # noqa: PLC0415  # an HTTP server that most do not need
    from broker.metrics.serving import MetricsError  # noqa: PLC0415  # the same
    from dashboard_node.measures import facts, of_turn  # noqa: PLC0415  # the same

    try:
        async with measured(address, driver, world, lambda: facts(state), of_turn):
            yield
    except MetricsError as error:
        raise SettingError(str(error)) from error
