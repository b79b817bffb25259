"""At rest: memory and processor time of a dashboard and an agent with nothing to do, and how soon the command line answers."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from benchmarks.figures import Figure
from benchmarks.memory import resident
from benchmarks.site import a_site, cpu_seconds
from tests.e2e.nodes import JOBPLAN, environment

_PACKAGES = (
    "import asyncio, sqlite3, aiomqtt, aiosqlite, croniter, msgspec; from benchmarks.memory import peak; print(peak())"
)


async def measure(rounds: int, seconds: float = 4.0) -> list[Figure]:
    """So many looks, ``seconds`` apart."""
    cpu: dict[str, list[float]] = {"dashboard": [], "agent": []}
    memory: dict[str, list[float]] = {"dashboard": [], "agent": []}
    command, floor, packages = [], [], []
    with tempfile.TemporaryDirectory() as name:
        async with a_site(Path(name), "a") as site:
            pids = {"dashboard": site.dashboard.pid, "agent": site.agents["a"].pid}
            await asyncio.sleep(2.0)
            for _ in range(rounds):
                before = {node: cpu_seconds(pid) for node, pid in pids.items()}
                await asyncio.sleep(seconds)
                for node, pid in pids.items():
                    cpu[node].append((cpu_seconds(pid) - before[node]) / seconds * 100)
                    memory[node].append(resident(pid))
                floor.append(_took([sys.executable, "-c", "pass"]))
                command.append(_took([*JOBPLAN, "--version"]))
                packages.append(float(_said([sys.executable, "-c", _PACKAGES])))
    most = {"dashboard": 100.0, "agent": 60.0}
    return [
        *(
            Figure(part="rest", name=f"{node}, processor", unit="%", values=tuple(values), target=1.0)
            for node, values in cpu.items()
        ),
        *(
            Figure(part="rest", name=f"{node}, memory", unit="MiB", values=tuple(values), target=most[node])
            for node, values in memory.items()
        ),
        Figure(part="rest", name="Python with the packages of both, memory", unit="MiB", values=tuple(packages)),
        Figure(
            part="rest",
            name="jobplan --version",
            unit="ms",
            values=tuple(command),
            floor="python -c pass",
            floors=tuple(floor),
        ),
    ]


def _took(command: list[str]) -> float:
    begun = perf_counter()
    _said(command)
    return (perf_counter() - begun) * 1000


def _said(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment()).stdout  # noqa: S603  # ours
