"""Running a command's work against a broker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from jobplan.settings import Settings

if TYPE_CHECKING:
    from jobplan.client import Client

T = TypeVar("T")

Work = Callable[["Client"], Awaitable[T]]


def with_client(settings: Settings, work: Work[T], *, patience: timedelta | None = timedelta(seconds=10)) -> T:
    """Connect, do the work, disconnect. ``patience``: how long to wait for a broker; None: for ever."""
    from jobplan.client import connect  # help and completion need no client

    done: list[T] = []  # not the task's result: asyncio.run spells that out, twice, and nobody reads it

    async def doing() -> None:
        async with connect(settings.broker, ca_file=settings.ca_file, patience=patience) as client:
            done.append(await work(client))

    asyncio.run(doing())
    return done[0]
