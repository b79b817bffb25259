"""Prefect: its own server on SQLite, a flow in a process of its own, tasks submitted to 16 threads of that process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, run

from benchmarks.peers.place import TOGETHER, Play, UnavailableError, listens, process, python_of, until
from benchmarks.peers.plays import commands
from broker.ports import free_port
from tests.support.mosquitto import HOST

_FLOWS = Path(__file__).with_name("prefect_flows.py")


class Prefect:
    """Its flows run tasks in their own process and tell the server; no worker fetches them, no task is handed over."""

    name = "Prefect"
    setup = "prefect server on SQLite; tasks by submit() in 16 threads of the flow's process, which tells the server"

    @contextmanager
    def running(self, folder: Path) -> Iterator[Play]:
        """The server."""
        python, port = python_of("prefect"), free_port()
        environment = {
            **os.environ,
            "PREFECT_HOME": str(folder),
            "PREFECT_API_URL": f"http://{HOST}:{port}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_LOGGING_LEVEL": "WARNING",
            "DO_NOT_TRACK": "1",
            "TOGETHER": str(TOGETHER),
        }
        server = [python, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port), "--no-ui"]

        def play(kind: str, jobs: int, stamps: Path) -> None:
            said = "\n".join(commands(kind, jobs, stamps))
            done = run(  # noqa: S603  # ours
                [python, str(_FLOWS), kind],
                input=said,
                text=True,
                env=environment,
                stdout=DEVNULL,
                stderr=-1,
                check=False,
            )
            if done.returncode:
                raise UnavailableError(f"the flow failed: {done.stderr.strip().splitlines()[-1]}")

        with process(server, folder / "server.log", environment):
            until(lambda: listens(port), "prefect server did not answer")
            yield play
