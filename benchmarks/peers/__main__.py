"""``make bench-peers``: the same chain and fan through Celery (Redis that syncs each write) and through jobplan, in turn."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import sleep

from rich.console import Console

from benchmarks import fan, hop
from benchmarks.figures import Figure, table
from benchmarks.results import keep, machine
from tests.support.mosquitto import HOST, free_port

_PLACE = Path(".cache/peers").absolute()
_ROUNDS = 5
_TASKS = Path(__file__).with_name("celery_tasks.py")


def main() -> None:
    """Measure, print, keep."""
    if shutil.which("redis-server") is None:
        raise SystemExit("redis-server is missing: apt-get install redis-server")
    if not (_PLACE / "bin" / "celery").exists():
        venv.create(_PLACE, with_pip=True)
        pip = [str(_PLACE / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes", "-r"]
        subprocess.run([*pip, "requirements-peers.lock"], check=True)  # noqa: S603  # ours
    where = machine()
    gaps: list[float] = []
    rates: list[float] = []
    ours: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder, _celery(Path(folder)) as environment:
        for _ in range(_ROUNDS):
            stamps = [float(one) for one in _play("chain", hop.JOBS, environment).split()]
            gaps.append(median(after - before for before, after in pairwise(stamps)) * 1000)
            rates.append(fan.JOBS / float(_play("fan", fan.JOBS, environment)))
            ours += [*asyncio.run(hop.measure(1)), *asyncio.run(fan.one_agent(1))]
    figure = partial(Figure, part="peers", floor="Celery with Redis, synced")
    gap = tuple(one.values[0] for one in ours if one.name == "gap, median")
    rate = tuple(one.values[0] for one in ours if one.name == "1 agent")
    figures = [
        figure(name="gap in a chain, median", unit="ms", values=gap, floors=tuple(gaps)),
        figure(name="fan, 1 agent", unit="jobs/s", values=rate, floors=tuple(rates), better="more"),
    ]
    Console(width=200).print(table(figures, where))
    keep("peers", figures, where)


@contextmanager
def _celery(folder: Path) -> Iterator[dict[str, str]]:
    """Redis and a worker, as long as the block lasts; the environment of who asks them."""
    port = free_port()
    environment = {**os.environ, "REDIS_PORT": str(port), "PYTHONPATH": str(_TASKS.parent)}
    redis = ["redis-server", "--port", str(port), "--bind", HOST, "--dir", str(folder)]
    durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = [subprocess.Popen([*redis, *durable], **quiet)]  # type: ignore[call-overload]  # noqa: S603  # ours
    try:
        _until_it_answers(port)
        worker = [str(_PLACE / "bin" / "celery"), "-A", "celery_tasks", "worker", "-l", "WARNING"]
        lean = ["--without-gossip", "--without-mingle"]
        started.append(subprocess.Popen([*worker, *lean], env=environment, **quiet))  # type: ignore[call-overload]  # noqa: S603  # ours
        _play("chain", 20, environment)  # nothing is cold afterwards
        yield environment
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


def _until_it_answers(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            sleep(0.1)
        else:
            return
    raise SystemExit("redis-server does not answer")


def _play(kind: str, jobs: int, environment: dict[str, str]) -> str:
    command = [str(_PLACE / "bin" / "python"), str(_TASKS), kind, str(jobs)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)  # noqa: S603  # ours
    return done.stdout


if __name__ == "__main__":
    main()
