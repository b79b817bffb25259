"""Running a node in this process: settings of the command line to the node's own, its errors to ours."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import agent_node.app
import agent_node.config
import dashboard_node.app
import dashboard_node.config
from broker.address import BrokerUrl
from broker.errors import BusError
from broker.runtime.errors import FencedError
from broker.runtime.store import StoreError
from jobplan.errors import BadInputError, BrokerError, JobplanError


@asynccontextmanager
async def _one_line_errors() -> AsyncIterator[None]:
    """What ends a node becomes one line and an exit code."""
    try:
        yield
    except (agent_node.config.ConfigError, dashboard_node.config.ConfigError) as error:
        raise BadInputError(str(error)) from error
    except BusError as error:
        raise BrokerError(str(error)) from error
    except StoreError as error:
        raise JobplanError(str(error)) from error
    except FencedError as error:
        fenced = JobplanError(str(error))
        fenced.exit_code = error.exit_code
        raise fenced from error
    except (PermissionError, FileExistsError, NotADirectoryError) as error:
        raise BadInputError(f"{error.filename}: {error.strerror}; give --data another folder") from error


async def serve_dashboard(broker: BrokerUrl, data: Path, retention: float) -> int:
    """Run the dashboard until it is told to end."""
    config = dashboard_node.config.DashboardConfig(broker=broker, data=data, retention_seconds=retention)
    async with _one_line_errors():
        return await dashboard_node.app.serve(config)


async def serve_agent(name: str, broker: str, data: Path, table: Mapping[str, object]) -> int:
    """Run an agent until it is told to end."""
    async with _one_line_errors():
        config = agent_node.config.load(name, environment=os.environ, broker=broker, data=data, table=table)
        return await agent_node.app.serve(config)
