"""Bounds what the output of runs takes on disk, while they write: a file keeps its head and its tail, the middle is given back.

The middle becomes a hole (``fallocate`` with PUNCH_HOLE): nothing moves, so a job never waits, never notices and never writes
into a file that was taken from it, and whoever reads or follows keeps their place. Where a file system has no holes, the file
is cut back to its head, again and again.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import logging
import os
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import Final

from agent_node.folders import RunFolder

EVERY: Final = 1.0
"""Seconds between two looks at the files of runs that live."""
_BLOCK: Final = 4096
_SECTOR: Final = 512
"""What ``st_blocks`` counts in."""
_KEEP_SIZE: Final = 0x01
_PUNCH_HOLE: Final = 0x02
_NO_HOLES: Final = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.ENODEV})

log = logging.getLogger(__name__)

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


async def keep_bounded(folders: Callable[[], Iterable[RunFolder]], most: int) -> None:
    """Look at the output of runs that live, and of those that have ended since the last look; for ever.

    ``most``: bytes a file; 0: no bound.
    """
    while True:
        await asyncio.sleep(EVERY)
        written = list(folders())
        if most:
            await asyncio.to_thread(_bound_all, written, most)


def _bound_all(written: Iterable[RunFolder], most: int) -> None:
    for path in chain.from_iterable((folder.output, folder.errors) for folder in written):
        try:
            bound(Path(path), most)
        except OSError as error:
            log.warning("output cannot be bounded file=%s reason=%s", path, error.strerror)


def bound(path: Path, most: int) -> bool:
    """Give back the middle of a file that takes more than so many bytes; True: something was given back. Raises OSError.

    What stays is its first quarter of the bound, and of its end half of the bound: so that this is not done all the time.
    """
    with contextlib.suppress(FileNotFoundError):
        status = path.stat()
        if min(status.st_size, status.st_blocks * _SECTOR) <= most:
            return False
        head = _up(most // 4)
        until = (status.st_size - most // 2) // _BLOCK * _BLOCK
        if until <= head:
            return False
        _give_back(path, head, until)
        return True
    return False


def _give_back(path: Path, start: int, until: int) -> None:
    file = os.open(path, os.O_RDWR)
    try:
        if _libc.fallocate(file, _KEEP_SIZE | _PUNCH_HOLE, start, until - start) == 0:
            return
        number = ctypes.get_errno()
        if number not in _NO_HOLES:
            raise OSError(number, os.strerror(number), str(path))
        os.ftruncate(file, start)  # its writers append: they go on from here
    finally:
        os.close(file)


def next_data(file: int, offset: int) -> tuple[int, int]:
    """Where the next bytes that were kept begin, and where they end; at the end of the file, both are its size."""
    size = os.fstat(file).st_size
    try:
        start = os.lseek(file, offset, os.SEEK_DATA)
        return start, os.lseek(file, start, os.SEEK_HOLE)
    except OSError:  # nothing but a hole from there on, or a file system that knows none
        return (offset, size) if offset < size and _has_no_holes(file) else (size, size)


def _has_no_holes(file: int) -> bool:
    status = os.fstat(file)
    return status.st_blocks * _SECTOR >= status.st_size


def _up(size: int) -> int:
    """To whole blocks, at least one."""
    return max(1, -(-size // _BLOCK)) * _BLOCK
