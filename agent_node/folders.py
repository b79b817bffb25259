"""Where runs leave their traces on disk: one folder a run, and what its files say.

``<data>/runs/<instance>/<context~job~attempt>/`` holds ``script`` (the command text, unchanged), ``claim`` (written by
the run's own wrapper: who became the command), ``exit`` (its return code), ``out`` and ``err``. A folder belongs to one
run for ever, so files of an earlier one are never in the way (Ikasan renames an existing log of the same name; here
there can be none).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from schemas.names import InstanceId, RunId, instance_of, run_leaf

LONGEST_NAME = 200
"""Bytes of a path component; file systems take 255, and we append to some."""
_KEPT = 160
_CLAIM_PARTS = 3
_STAT_START = 19
_STAT_STATE = 0
_STAT_GROUP = 2


class Claim(Struct, frozen=True):
    """Which process became a run's command: its id, its start in clock ticks since boot, and which boot that was."""

    pid: int
    start: int
    boot: str


class Exit(Struct, frozen=True):
    """How a run's command ended, as its wrapper wrote it."""

    code: int
    at: datetime


class RunFolder(Struct, frozen=True):
    """The folder of one run."""

    path: Path

    @property
    def script(self) -> Path:
        """The command text."""
        return self.path / "script"

    @property
    def output(self) -> Path:
        """Standard output."""
        return self.path / "out"

    @property
    def errors(self) -> Path:
        """Standard error."""
        return self.path / "err"

    @property
    def is_claimed(self) -> bool:
        """Whether some process became the command, or was about to."""
        return (self.path / "claim").exists()

    def claim(self) -> Claim | None:
        """Who became the command; None: nobody, or the claim is still being written."""
        with contextlib.suppress(OSError, ValueError):
            parts = (self.path / "claim").read_text().split()
            if len(parts) == _CLAIM_PARTS:
                return Claim(int(parts[0]), int(parts[1]), parts[2])
        return None

    def claimed_at(self) -> datetime | None:
        """When the command began."""
        return modified_at(self.path / "claim")

    def scripted_at(self) -> datetime | None:
        """When the start was last tried."""
        return modified_at(self.script)

    def exit(self) -> Exit | None:
        """How the command ended; None: it has not, or left no word."""
        path = self.path / "exit"
        with contextlib.suppress(OSError, ValueError):
            text = path.read_text()
            at = modified_at(path)
            if text.endswith("\n") and at is not None:
                return Exit(int(text), at)
        return None


class RunFolders:
    """All folders of runs below one place."""

    def __init__(self, data: Path) -> None:
        self._root = data / "runs"

    def of(self, run: RunId) -> RunFolder:
        """The folder of a run, there or not."""
        return RunFolder(self._root / component(instance_of(run)) / component(run_leaf(run)))

    def without(self, keep: Collection[InstanceId]) -> list[Path]:
        """The folders of instances that are not kept."""
        kept = {component(instance) for instance in keep}
        return [folder for folder in self._instances() if folder.name not in kept]

    def _instances(self) -> list[Path]:
        try:
            return sorted(path for path in self._root.iterdir() if path.is_dir())
        except FileNotFoundError:
            return []


def component(name: str) -> str:
    """One path component for an id; what is too long keeps its beginning and ends in a digest of the whole."""
    if len(name.encode()) <= LONGEST_NAME:
        return name
    return f"{name[:_KEPT]}-{sha256(name.encode()).hexdigest()[:32]}"


def modified_at(path: Path) -> datetime | None:
    """When a file was changed last; None: it is not there."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return None


def free_bytes(folder: Path) -> int | None:
    """What its file system still has for us; None: nobody knows."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def boot_id() -> str:
    """Which boot of the host this is."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def is_alive(claim: Claim) -> bool:
    """Whether exactly this process lives: a later one under the same number has another start, a zombie has ended."""
    try:
        stat = Path(f"/proc/{claim.pid}/stat").read_text()
    except OSError:
        return False
    fields = stat.rpartition(") ")[2].split()
    return int(fields[_STAT_START]) == claim.start and fields[_STAT_STATE] not in {"Z", "X"}


def has_others(leader: int) -> bool:
    """Whether a process group has living members besides its leader. Looks at all of /proc: for rare occasions."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == leader:
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (entry / "stat").read_text(errors="replace").rpartition(") ")[2].split()
            if int(fields[_STAT_GROUP]) == leader and fields[_STAT_STATE] not in {"Z", "X"}:
                return True
    return False


def signal_group(leader: int, number: signal.Signals) -> None:
    """Send a signal to a whole process group; one that is gone, or not ours any more, gets none."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def newest_change(folder: Path) -> float:
    """When something last happened in an instance's folder, in seconds since 1970."""

    def times() -> Iterator[float]:
        for path in (folder, *folder.iterdir()):
            with contextlib.suppress(OSError):
                yield path.stat().st_mtime

    return max(times(), default=0.0)
