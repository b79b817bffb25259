"""Everything an agent's core may ask of the world. All are idempotent: asked twice, done once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from broker.runtime.core import Reply
from schemas.cron import LOSSLESS, DstPolicy
from schemas.documents import Assignment
from schemas.names import InstanceId, JobId, RequestId, RunId, UserName
from schemas.queries import ReadAudit
from schemas.requests import ReadLog

Instant = Annotated[datetime, Meta(tz=True)]


class StartProcess(Struct, frozen=True, kw_only=True):
    """Begin a run's command, unless its folder was claimed already: then find it."""

    assignment: Assignment


class FindProcess(Struct, frozen=True, kw_only=True):
    """Find out from a run's folder what became of it, and attend to its process if it lives."""

    run: RunId


class StopProcess(Struct, frozen=True, kw_only=True):
    """End a run's whole process group: TERM, or KILL with ``force``."""

    run: RunId
    force: bool


class FolderPattern(Struct, frozen=True, kw_only=True):
    """Files below ``directory`` whose whole name matches ``expression`` (Python's syntax)."""

    directory: str
    expression: str


class PendingMove(Struct, frozen=True, kw_only=True):
    """A taken file that is to be moved to a folder."""

    path: str
    directory: str
    compress: bool = False
    """Pack it with gzip on the way."""


class WatchFolders(Struct, frozen=True, kw_only=True):
    """Look for files at the times of ``cron``, or ``every`` so many seconds, instead of what was asked before."""

    instance: InstanceId
    job: JobId
    patterns: tuple[FolderPattern, ...]
    depth: int
    cron: str
    zone: str
    policy: DstPolicy = LOSSLESS
    every: float = 0.0
    stable: float = 0.0
    """Tell of a file only after it has stayed the same for so many seconds."""
    known: tuple[str, ...]
    """Paths taken already: not reported again."""
    moves: tuple[PendingMove, ...]
    problem: str
    """What was last reported to be wrong."""


class UnwatchFolders(Struct, frozen=True, kw_only=True):
    """Look no more."""

    instance: InstanceId
    job: JobId


class TakeFiles(Struct, frozen=True, kw_only=True):
    """These files have fired: do not report them again, and carry out the moves, again and again until done."""

    instance: InstanceId
    job: JobId
    paths: tuple[str, ...]
    moves: tuple[PendingMove, ...]


class ReadLogFile(Struct, frozen=True, kw_only=True):
    """Answer a person's request for a run's output."""

    user: UserName
    request: RequestId
    ask: ReadLog


class ReadTrail(Struct, frozen=True, kw_only=True):
    """Answer a person's request with rows of the audit trail, which the store has and the core has not."""

    user: UserName
    request: RequestId
    query: ReadAudit


class SweepRuns(Struct, frozen=True, kw_only=True):
    """Remove run folders not touched since ``before``, except those of the instances kept."""

    before: Instant
    keep: tuple[InstanceId, ...]


Effect = (
    StartProcess
    | FindProcess
    | StopProcess
    | WatchFolders
    | UnwatchFolders
    | TakeFiles
    | ReadLogFile
    | ReadTrail
    | SweepRuns
    | Reply
)
