"""Where a peer lives while it is measured: its own venv, a folder, free ports of the loopback address, processes ended by id."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import perf_counter, sleep
from typing import Protocol

from tests.support.mosquitto import HOST

ROOT = Path(__file__).resolve().parents[2]
VENVS = ROOT / ".cache" / "peers"
TOGETHER = 16
"""So many commands does everybody run at once."""

Play = Callable[[str, int, Path], None]
"""Have a ``chain`` or a ``fan`` of so many jobs run, each of which writes its stamp into this folder, and come back any time."""


class UnavailableError(Exception):
    """A peer cannot be measured here; the message says why."""


class Peer(Protocol):
    """A scheduler: what it is called, how it is set up, and how it is asked to play."""

    name: str
    setup: str

    def running(self, folder: Path) -> AbstractContextManager[Play]:
        """Everything it needs, as long as the block lasts. Raises UnavailableError."""


def command(stamps: Path | str, job: str) -> str:
    """What every job of every peer does: its moment, into a file of its own, at once and whole."""
    return f"echo $EPOCHREALTIME > {stamps}/.{job} && mv {stamps}/.{job} {stamps}/{job}"


def python_of(peer: str) -> str:
    """The interpreter of a peer's venv, installed from its lock file if it is not yet. Raises UnavailableError."""
    place, lock = VENVS / peer, ROOT / f"requirements-peer-{peer}.lock"
    python, mark = place / "bin" / "python", place / "installed"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text() != wanted:
        venv.create(place, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", str(lock)]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)  # noqa: S603  # ours
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
            raise UnavailableError(f"cannot be installed: {said[0]}")
        mark.write_text(wanted)
    return str(python)


def program(name: str, package: str) -> str:
    """A program of the machine. Raises UnavailableError."""
    folders = [os.environ.get("PATH", os.defpath), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin")))]
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None:
        raise UnavailableError(f"{name} is missing: apt-get install {package}")
    return found


def until(holds: Callable[[], bool], what: str, patience: float = 300.0) -> None:
    """Return when it holds. Raises UnavailableError."""
    end = perf_counter() + patience
    while not holds():
        if perf_counter() > end:
            raise UnavailableError(f"{what} within {patience:.0f} s")
        sleep(0.05)


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def process(
    words: Sequence[str], log: Path, environment: Mapping[str, str], user: str | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process, as long as the block lasts; afterwards neither it nor what it started is there."""
    with log.open("ab") as out:
        started = subprocess.Popen(  # noqa: S603  # ours
            words, stdout=out, stderr=out, env=dict(environment), cwd=log.parent, user=user, start_new_session=True
        )
    try:
        yield started
    finally:
        family = [started.pid, *_descendants(started.pid)]
        started.terminate()
        try:
            started.wait(timeout=30)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()
        for pid in family[1:]:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    """Whether a process is there."""
    return _parent_of(pid) is not None


def _descendants(pid: int) -> list[int]:
    """Processes that it started, and that those started."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parent = _parent_of(int(entry.name))
            if parent is not None:
                children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        theirs = children.get(waiting.pop(), [])
        found += theirs
        waiting += theirs
    return found


def _parent_of(pid: int) -> int | None:
    """The parent of a process that lives; None: it does not."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None
    return int(fields[1]) if fields[0] != "Z" else None
