"""Everything that can happen to an agent. ``now`` is when it reached the core; ``at`` when it happened."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from broker.runtime.core import Heard, Recovered, Requested, Tick
from schemas.names import InstanceId, JobId, RunId

Instant = Annotated[datetime, Meta(tz=True)]


class ProcessStarted(Struct, frozen=True, kw_only=True):
    """A run's process lives: it was just started, or it was found again after a restart of the agent."""

    now: Instant
    run: RunId
    pid: int
    at: Instant
    output: str
    errors: str


class ProcessEnded(Struct, frozen=True, kw_only=True):
    """A run's process has ended. ``code`` None: it left none behind."""

    now: Instant
    run: RunId
    at: Instant
    code: int | None
    reason: str = ""
    started: Instant | None = None
    """When it began, if it ended before it was ever seen alive."""
    output: str = ""
    errors: str = ""


class StartFailed(Struct, frozen=True, kw_only=True):
    """The command could not be started; ``reason`` says why and what to do."""

    now: Instant
    run: RunId
    reason: str


class NeverClaimed(Struct, frozen=True, kw_only=True):
    """Nothing ever claimed the run's folder: its command provably did not begin."""

    now: Instant
    run: RunId


class ProcessLost(Struct, frozen=True, kw_only=True):
    """It began, and how it ended cannot be known."""

    now: Instant
    run: RunId
    reason: str


class FoundFile(Struct, frozen=True, kw_only=True):
    """A file that matches a pattern."""

    path: str
    modified: Instant
    size: int = 0


class FilesSeen(Struct, frozen=True, kw_only=True):
    """A look at the folders of a file job: matching files not yet taken, and what kept the look from being whole."""

    now: Instant
    instance: InstanceId
    job: JobId
    files: tuple[FoundFile, ...] = ()
    problem: str = ""


class FilesMoved(Struct, frozen=True, kw_only=True):
    """Taken files are where their job wants them (or are no longer there)."""

    now: Instant
    instance: InstanceId
    job: JobId
    paths: tuple[str, ...]


class DiskSeen(Struct, frozen=True, kw_only=True):
    """Whether there is enough space where runs leave their traces has changed."""

    now: Instant
    full: bool


ProcessEvent = ProcessStarted | ProcessEnded | StartFailed | NeverClaimed | ProcessLost
FileEvent = FilesSeen | FilesMoved
OwnEvent = ProcessEvent | FileEvent | DiskSeen
"""What the agent's own world tells."""
Event = Heard | Requested | Tick | Recovered | OwnEvent
