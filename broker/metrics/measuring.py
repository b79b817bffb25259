"""A node whose metrics are asked for: put together once for both kinds, and only when an address was given."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from broker.metrics.node import Also, NodeMetrics
from broker.metrics.serving import answering
from broker.metrics.table import Fact
from broker.runtime.driver import Driver
from broker.runtime.world import Signal, World

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def measured(
    address: str, driver: Driver[Any, Any], world: World[Any], own: Callable[[], Iterable[Fact]], also: Also
) -> AsyncIterator[None]:
    """Measure a driver that does not run yet, and answer at the address until the block ends. Raises MetricsError."""
    metrics = NodeMetrics(own, also)
    registry = metrics.attend(driver.life)
    before = world.signal

    def signal(kind: Signal) -> None:
        before(kind)
        metrics.signal(kind)

    world.signal, world.measure = signal, metrics.measure
    async with answering(address, metrics, registry) as url:
        log.info("metrics at %s/metrics, health at %s/healthz, readiness at %s/readyz", url, url, url)
        yield
