"""``python -m agent_node NAME [--broker URL] [--data DIR] [--config FILE]``: one agent, until it is told to end."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

from agent_node.app import serve
from agent_node.config import NOWHERE, load, read_table
from broker.errors import BusError
from broker.runtime.errors import FencedError
from broker.runtime.store import StoreError
from schemas.tables import SettingError

BAD_INPUT = 2


def main() -> int:
    """Run one agent; the exit code."""
    parser = argparse.ArgumentParser(
        prog="agent_node", description="Runs commands, watches files and clocks of job plans."
    )
    parser.add_argument("name", help="how plans call this agent")
    parser.add_argument("--broker", help="mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][/PREFIX]")
    parser.add_argument("--data", type=Path, help="folder of its database, runs and secrets")
    parser.add_argument("--config", type=Path, help="TOML file with a table [agent]")
    given = parser.parse_args()
    logging.basicConfig(
        level=os.environ.get("JOBPLAN_LOG_LEVEL", "info").upper(), format="%(asctime)s %(levelname)s %(message)s"
    )
    try:
        table = read_table(given.config) if given.config else NOWHERE
        config = load(given.name, environment=os.environ, broker=given.broker, data=given.data, table=table)
        return asyncio.run(serve(config))
    except SettingError as error:
        print(f"agent_node: {error}", file=sys.stderr)
        return BAD_INPUT
    except (BusError, StoreError) as error:
        print(f"agent_node: {error}", file=sys.stderr)
        return 1
    except FencedError as error:
        print(f"agent_node: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
