"""Where runs leave their traces on disk: one folder a run, and what its files say.

``<data>/runs/<instance>/<context~job~attempt>/`` holds ``script`` (the command text, unchanged), ``claim`` (written by
the run's own wrapper: who became the command, and its return code), ``out`` and ``err``; nobody but the agent's user may
look into it. A folder belongs to one run for ever, so files of an earlier one are never in the way (Ikasan renames an
existing log of the same name; here there can be none).
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
_LONGEST_CLAIM = 4096
"""Bytes of a claim: a number, a boot's id and a return code have fewer than a hundred."""
PRIVATE_FILE = 0o600
_ENTERED = 0o711
"""Of the folders above those of runs: jobs of other users have to get to their own, and nobody else has to look around."""
_PRIVATE = 0o700
_STAT_STATE = 0
_STAT_GROUP = 2
_FOLDER_ARGUMENT = 2
"""Where a wrapper's command line names its folder."""


class Claim(Struct, frozen=True):
    """Which process became a run's command, and what it has left behind."""

    pid: int
    boot: str
    """Which boot of the host that was."""
    code: int | None
    """The return code; None: it has not ended, or left no word."""
    at: datetime
    """When it ended; before that, when it claimed."""


class RunFolder(Struct, frozen=True):
    """The folder of one run, and its files, as texts: ``Path`` takes as long to make and to ask as a start has to spare."""

    place: str

    @property
    def path(self) -> Path:
        """The folder."""
        return Path(self.place)

    @property
    def script(self) -> str:
        """The command text."""
        return f"{self.place}/script"

    @property
    def output(self) -> str:
        """Standard output."""
        return f"{self.place}/out"

    @property
    def errors(self) -> str:
        """Standard error."""
        return f"{self.place}/err"

    @property
    def claimed(self) -> str:
        """What its wrapper writes."""
        return f"{self.place}/claim"

    @property
    def is_claimed(self) -> bool:
        """Whether some process became the command, or was about to."""
        return os.path.exists(self.claimed)  # noqa: PTH110  # see above

    def claim(self) -> Claim | None:
        """Who became the command, and how it ended; None: nobody did, or the claim is still being written."""
        with contextlib.suppress(OSError, ValueError):
            text, at = _read(self.claimed)
            who, *code = text.split("\n")[:-1]  # a line counts when it is complete
            pid, boot = who.split()
            return Claim(int(pid), boot, int(code[0]) if code else None, datetime.fromtimestamp(at, UTC))
        return None

    def started_at(self) -> datetime | None:
        """When its start was last tried; None: never."""
        try:
            return datetime.fromtimestamp(os.stat(self.script).st_mtime, UTC)  # noqa: PTH116  # see above
        except OSError:
            return None

    def make(self) -> None:
        """Make it where it is missing. Raises OSError."""
        try:
            os.mkdir(self.place, _PRIVATE)  # noqa: PTH102  # see above
        except FileExistsError:
            pass
        except FileNotFoundError:
            path = self.path
            path.parents[1].mkdir(mode=_ENTERED, parents=True, exist_ok=True)
            path.parents[0].mkdir(mode=_ENTERED, exist_ok=True)
            path.mkdir(mode=_PRIVATE, exist_ok=True)

    def hand_over(self, script: str, uid: int, gid: int) -> None:
        """Give its files to the user whose run it is; the folder stays ours, and lets them in. Raises OSError."""
        self.path.chmod(_ENTERED)
        for file in (script, self.output, self.errors):
            Path(file).touch(mode=PRIVATE_FILE)
            os.chown(file, uid, gid)


class RunFolders:
    """All folders of runs below one place."""

    def __init__(self, data: Path) -> None:
        self._root = data / "runs"

    def of(self, run: RunId) -> RunFolder:
        """The folder of a run, there or not."""
        return RunFolder(f"{self._root}/{component(instance_of(run))}/{component(run_leaf(run))}")

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


def _read(claim: str) -> tuple[str, float]:
    """A claim's text, and when it was last written to. Raises OSError and ValueError."""
    file = os.open(claim, os.O_RDONLY)
    try:
        return os.read(file, _LONGEST_CLAIM).decode(), os.fstat(file).st_mtime
    finally:
        os.close(file)


def free_bytes(folder: Path) -> int | None:
    """What its file system still has for us; None: nobody knows."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def boot_id() -> str:
    """Which boot of the host this is."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def is_alive(claim: Claim, folder: RunFolder) -> bool:
    """Whether the process that claimed this folder lives: a later one under its number does not run it, a zombie says nothing.

    Compared are the names of instance and run, so that it is found again when the data of the agent are under another path.
    """
    try:
        words = Path(f"/proc/{claim.pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    named = words[_FOLDER_ARGUMENT] if len(words) > _FOLDER_ARGUMENT else b""
    return Path(os.fsdecode(named)).parts[-2:] == folder.path.parts[-2:]


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
