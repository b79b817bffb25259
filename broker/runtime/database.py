"""The files of one database: whose they are, who may read them, and whole copies of them. Knows no table.

Below the store, which copies what it is about to migrate, and the backup, which copies because people ask for it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

BESIDE = ("", "-wal", "-shm")
"""What SQLite keeps of one database, by the endings of the files' names."""


class StoreError(Exception):
    """The records cannot be read or saved; the message is one line for an operator."""


def private(path: Path) -> None:
    """Let nobody but the node's user read a database, made empty when it is not there: it holds parameters and the audit.

    What SQLite keeps beside it takes the same mode, and so does a file that an older program made for everybody to read.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for ending in BESIDE:
        beside = Path(f"{path}{ending}")
        if beside.exists():
            beside.chmod(0o600)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the file beside the database that says whose it is; the kernel lets go when the process ends, however it ends."""
    with one_line(f"{path}.lock"):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 32).decode(errors="replace").strip() or "unknown"
            raise StoreError(f"{path} is in use by another node, process {holder}") from None
        with one_line(f"{path}.lock"):
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def one_line(what: str) -> Iterator[None]:
    """What SQLite or the file system complains of, as one line that names what was meant."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{what}: {error.strerror or error}") from error
    except (sqlite3.Error, ValueError) as error:  # ValueError: aiosqlite's, when the database is closed
        raise StoreError(f"{what}: {error}") from error


@contextlib.contextmanager
def reading(database: Path) -> Iterator[sqlite3.Connection]:
    """A connection that changes nothing."""
    reader = sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        yield reader
    finally:
        reader.close()


@contextlib.contextmanager
def copied(source: sqlite3.Connection, to: Path) -> Iterator[Path]:
    """A whole copy of a database, of one commit, that takes its name when the block ends well; until then it has the one given.

    Both are on the disk before anybody can find them: who looks sees no copy, or all of it.
    """
    part = Path(f"{to}.part")
    part.unlink(missing_ok=True)  # of one that was cut off
    try:
        private(part)
        source.execute("VACUUM INTO ?", (str(part),))
        _on_disk(part)
        yield part
        part.rename(to)
        _on_disk(to.parent)
    finally:
        part.unlink(missing_ok=True)


def _on_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
