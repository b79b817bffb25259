"""The command as a task of Celery, as a Celery user would write it. Imports nothing of ours: it runs where Celery is."""

from __future__ import annotations

import os
import subprocess
import sys

from celery import Celery, chain, group  # type: ignore[import-not-found]  # only in the place where this runs

address = f"redis://127.0.0.1:{os.environ['REDIS_PORT']}/0"
app = Celery("peers", broker=address, backend=address)
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1, worker_concurrency=int(os.environ["TOGETHER"]))


@app.task(name="run")  # type: ignore[untyped-decorator]  # Celery's
def run(command: str) -> None:
    """Run a command."""
    subprocess.run(["/bin/bash", "-c", command], check=True)  # noqa: S603  # a job


def main(kind: str, commands: list[str]) -> None:
    """Send a chain or a fan, and go."""
    first, *middle, last = [run.si(command) for command in commands]
    if kind == "chain":
        chain(first, *middle, last)()
    else:
        chain(first, group(middle), last)()


if __name__ == "__main__":
    main(sys.argv[1], sys.stdin.read().splitlines())
