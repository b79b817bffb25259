"""The command as a task of Celery, as a Celery user would write it. Imports nothing of ours: it runs where Celery is."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from celery import Celery, chain, chord  # type: ignore[import-not-found]  # only in the place where this runs

address = f"redis://127.0.0.1:{os.environ['REDIS_PORT']}/0"
app = Celery("peers", broker=address, backend=address)
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1, worker_concurrency=16)


@app.task(name="stamp")  # type: ignore[untyped-decorator]  # Celery's
def stamp(*_: object) -> str:
    """Run the command; what it wrote."""
    command = ["/bin/bash", "-c", "echo $EPOCHREALTIME"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603  # a constant


def main(kind: str, jobs: int) -> None:
    """Play a chain or a fan, and print its stamps, or its seconds."""
    if kind == "chain":
        last = chain(*(stamp.s() for _ in range(jobs)))()
        last.get()
        stamps = []
        while last is not None:
            stamps.append(last.get())
            last = last.parent
        print(" ".join(reversed(stamps)))  # noqa: T201  # who started us reads it
    else:
        begun = time.perf_counter()
        chord((stamp.s() for _ in range(jobs)), stamp.s())().get()
        print(time.perf_counter() - begun)  # noqa: T201  # likewise


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
