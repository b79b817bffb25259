"""The guards of the tests themselves: what is left behind is found, and waiting has a bound."""

from __future__ import annotations

import asyncio
import subprocess

import pytest

from tests.support.leaks import descendants, without_leaking_tasks
from tests.support.waiting import eventually, pass_time, until


async def test_task_left_behind_is_found() -> None:
    """A test that leaves a task behind fails, and the task's name is in the message."""
    with_task: list[asyncio.Task[bool]] = []

    async def careless() -> None:
        # What the house rules forbid, done through a variable.
        start = asyncio.create_task
        with_task.append(start(asyncio.Event().wait(), name="forgotten"))

    with pytest.raises(AssertionError, match="forgotten"):
        await without_leaking_tasks(careless)()
    with_task[0].cancel()


async def test_task_that_is_done_is_not_left_behind() -> None:
    """A test that awaits its tasks passes."""

    async def careful() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0), name="short")

    await without_leaking_tasks(careful)()


def test_process_left_behind_is_found() -> None:
    """A process that left its parent's session is found nevertheless, as long as it runs."""
    before = descendants()
    with subprocess.Popen(["setsid", "sleep", "60"]) as process:
        left = descendants() - before
        process.kill()

    assert process.pid in left
    assert process.pid not in descendants()


def test_waiting_in_vain_says_for_what() -> None:
    """Who waits in vain learns what for."""
    with pytest.raises(TimeoutError, match=r"not within 0\.02 s: pigs fly"):
        until(lambda: False, within=0.02, what="pigs fly")


@pytest.mark.looptime
async def test_virtual_time_passes_at_once() -> None:
    """An hour of virtual time is over in a moment."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await pass_time(3600)
    await eventually(lambda: loop.time() >= began + 3601, within=2, what="another second passes")


async def test_real_time_may_not_be_slept_away() -> None:
    """A test on real time cannot pass time."""
    with pytest.raises(AssertionError, match="looptime"):
        await pass_time(1)
