"""Celery: one worker of 16 processes, late acknowledgments, one task fetched at a time; Redis that syncs each write."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, run

from benchmarks.peers.place import TOGETHER, Play, listens, process, program, python_of, until
from benchmarks.peers.plays import commands
from broker.ports import free_port
from tests.support.mosquitto import HOST

_HERE = Path(__file__).parent


class Celery:
    """Its chains and chords; tasks are messages, and nobody keeps a plan."""

    name = "Celery"
    setup = "Redis with appendfsync always, a worker of 16 processes, acks_late, prefetch 1"

    @contextmanager
    def running(self, folder: Path) -> Iterator[Play]:
        """Redis and a worker."""
        python, port = python_of("celery"), free_port()
        redis = [program("redis-server", "redis-server"), "--port", str(port), "--bind", HOST, "--dir", str(folder)]
        durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        environment = {**os.environ, "REDIS_PORT": str(port), "PYTHONPATH": str(_HERE), "TOGETHER": str(TOGETHER)}
        worker = [python, "-m", "celery", "-A", "celery_tasks", "worker", "-l", "WARNING"]
        lean = ["--without-gossip", "--without-mingle"]

        def play(kind: str, jobs: int, stamps: Path) -> None:
            words = [python, str(_HERE / "celery_tasks.py"), kind]
            said = "\n".join(commands(kind, jobs, stamps))
            run(words, input=said, text=True, env=environment, check=True, stderr=DEVNULL)  # noqa: S603  # ours

        with process([*redis, *durable], folder / "redis.log", environment):
            until(lambda: listens(port), "redis-server did not answer")
            with process([*worker, *lean], folder / "worker.log", environment):
                yield play
