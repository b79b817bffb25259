"""Running a node in this process: settings of the command line to the node's own, its errors to ours."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from broker.address import BrokerUrl
from broker.errors import BusError
from jobplan.errors import BadInputError, BrokerError, JobplanError
from schemas.tables import SettingError, Table

if TYPE_CHECKING:
    from broker.server import RunningBroker
    from dashboard_node.config import DashboardConfig
    from jobplan.web.server import WebSettings


_OF_A_FOLDER: Final = {
    errno.EACCES,
    errno.EPERM,
    errno.EEXIST,
    errno.ENOTDIR,
    errno.ENOENT,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
}
"""Why a node's folder cannot be made or written."""


async def serve_broker(url: BrokerUrl, data: Path) -> int:
    """Run mosquitto until told to end: the deployment in the folder, if there is one, else on the port of ``url``.

    With ``passwords`` and ``rules`` in ``broker`` of its folder only who is in there may log in.
    """
    from broker.deployment import DeploymentError, Folder
    from broker.server import AccessFiles, running_broker

    deployed = Folder(data)
    if deployed.exists:
        try:
            made = deployed.read()
        except DeploymentError as error:
            raise BadInputError(str(error)) from error
        return await _until_told(
            running_broker(deployed.path, port=made.port, host=made.listen, access=deployed.access, prefix=made.prefix)
        )
    if url.tls:
        raise BadInputError("--broker: for mqtts:// a deployment is wanted: 'jobplan broker init DIR', then --data DIR")
    folder = data / "broker"
    files = AccessFiles(passwords=folder / "passwords", rules=folder / "rules")
    access = files if files.passwords.exists() else None
    return await _until_told(running_broker(folder, port=url.port, host=url.host, access=access, prefix=url.prefix))


async def _until_told(running: AbstractAsyncContextManager[RunningBroker]) -> int:
    """Run a broker until we are told to end, or it ends by itself, which is an error."""
    log = logging.getLogger(__name__)
    async with _one_line_errors(), running as broker:
        log.info("broker answers at %s, configuration %s, its own log %s", broker.url, broker.config, broker.log)
        with _told_to_end() as told, _tasks_end():
            async with asyncio.TaskGroup() as group:
                told_to_end = group.create_task(told.wait(), name="told to end")
                ended = group.create_task(broker.ended(), name="mosquitto")
                await asyncio.wait((told_to_end, ended), return_when=asyncio.FIRST_COMPLETED)
                if ended.done():
                    raise JobplanError(ended.result())
                ended.cancel()
    log.info("broker ended")
    return 0


async def serve_dashboard(config: DashboardConfig) -> int:
    """Run the dashboard until it is told to end."""
    from dashboard_node.app import serve

    async with _one_line_errors():
        return await serve(config)


async def serve_agent(name: str, broker: str, data: Path, table: Table, metrics: str = "") -> int:
    """Run an agent until it is told to end. ``metrics`` outranks what its settings say of that."""
    from agent_node.app import serve
    from agent_node.config import load

    async with _one_line_errors():
        config = load(name, environment=os.environ, broker=broker, data=data, table=table)
        if metrics:
            config = replace(config, table=replace(config.table, metrics=metrics))
        return await serve(config)


async def serve_web(settings: WebSettings) -> int:
    """Serve the page until told to end."""
    from jobplan.web.server import running_page

    async with running_page(settings) as address:
        _tell_of_page(address, settings)
        with _told_to_end() as told:
            await told.wait()
    logging.getLogger(__name__).info("the page is served no more")
    return 0


async def serve_dashboard_with_page(config: DashboardConfig, settings: WebSettings) -> int:
    """Run the dashboard, and serve the page beside it, until told to end. The page goes on being an MQTT client."""
    from jobplan.web.server import running_page

    async with running_page(settings) as address:
        _tell_of_page(address, settings)
        return await serve_dashboard(config)


def _tell_of_page(address: str, settings: WebSettings) -> None:
    broker = settings.websockets or settings.broker
    logging.getLogger(__name__).info("the page is at %s, its broker is %s", address, broker)


@asynccontextmanager
async def _one_line_errors() -> AsyncIterator[None]:
    """What ends a node becomes one line and an exit code."""
    from broker.runtime.errors import FencedError
    from broker.runtime.store import StoreError

    try:
        yield
    except SettingError as error:
        raise BadInputError(str(error)) from error
    except BusError as error:
        raise BrokerError(str(error)) from error
    except StoreError as error:
        raise JobplanError(str(error)) from error
    except FencedError as error:
        fenced = JobplanError(str(error))
        fenced.exit_code = error.exit_code
        raise fenced from error
    except OSError as error:
        if error.errno not in _OF_A_FOLDER:
            raise
        raise BadInputError(f"{error.filename}: {error.strerror}; give --data another folder") from error


@contextmanager
def _told_to_end() -> Iterator[asyncio.Event]:
    """Set by SIGTERM and SIGINT."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, told.set)
    try:
        yield told
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


@contextmanager
def _tasks_end() -> Iterator[None]:
    """The one error of a group of tasks, out of its wrapping."""
    try:
        yield
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
