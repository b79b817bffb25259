"""The commands as tasks of a Prefect flow. Imports nothing of ours: it runs where Prefect is."""

from __future__ import annotations

import os
import subprocess
import sys

from prefect import flow, task  # type: ignore[import-not-found]  # only in the place where this runs
from prefect.task_runners import ThreadPoolTaskRunner  # type: ignore[import-not-found]  # likewise


@task  # type: ignore[untyped-decorator]  # Prefect's
def run(command: str) -> None:
    """Run a command."""
    subprocess.run(["/bin/bash", "-c", command], check=True)  # noqa: S603  # a job


@flow(task_runner=ThreadPoolTaskRunner(max_workers=int(os.environ["TOGETHER"])))  # type: ignore[untyped-decorator]  # Prefect's
def play(kind: str, commands: list[str]) -> None:
    """A chain of submitted tasks, each after the one before; or a fan."""
    first, *middle, last = commands
    before = [run.submit(first)]
    for command in middle:
        if kind == "chain":
            before = [run.submit(command, wait_for=before)]
        else:
            before.append(run.submit(command, wait_for=before[:1]))
    run.submit(last, wait_for=before).wait()


if __name__ == "__main__":
    play(sys.argv[1], sys.stdin.read().splitlines())
