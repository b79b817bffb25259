"""How a test waits: for something that becomes true, with a bound; or by moving virtual time.

The only file of the tests that may sleep.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import looptime

STEP = 0.01
"""Seconds between two looks. What has its own signal is awaited directly; this is for what has none."""

What = str | Callable[[], str]
"""What is waited for: a sentence, or what makes one when the waiting was in vain."""


def until(condition: Callable[[], bool], *, within: float, what: What) -> None:
    """Come back as soon as the condition holds; fail, saying what was waited for, when it does not in time."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(_in_vain(what, within))
        time.sleep(STEP)


async def eventually(condition: Callable[[], bool], *, within: float, what: What) -> None:
    """Do as `until`, and let the loop's other tasks go on. On virtual time the seconds are virtual."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not condition():
        if loop.time() > deadline:
            raise TimeoutError(_in_vain(what, within))
        await asyncio.sleep(STEP)


async def pass_time(seconds: float) -> None:
    """Let virtual time go by. A test that is not on virtual time may not do this."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, looptime.LoopTimeEventLoop), "mark the test with looptime"
    assert loop.looptime_on, "mark the test with looptime"
    await asyncio.sleep(seconds)


def _in_vain(what: What, seconds: float) -> str:
    return f"not within {seconds} s: {what if isinstance(what, str) else what()}"
