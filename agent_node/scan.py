"""Looking into folders and moving files: plain blocking work on the file system, for a thread."""

from __future__ import annotations

import errno
import gzip
import os
import re
import shutil
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

from agent_node.core.effects import FolderPattern, PendingMove
from agent_node.core.events import FoundFile

MOST_ENTRIES: Final = 100_000
"""Directory entries read in one look; what is beyond waits until some of the others are gone."""
_MOST_COPIES: Final = 1_000


class Look(Struct, frozen=True):
    """What one look has found, and what kept it from being whole."""

    files: tuple[FoundFile, ...]
    problem: str = ""


class _Walk:
    """One look's bounds and complaints."""

    def __init__(self) -> None:
        self.entries = 0
        self.problems: dict[str, None] = {}

    def complain(self, text: str) -> None:
        self.problems[text] = None


def look(patterns: tuple[FolderPattern, ...], depth: int, known: AbstractSet[str]) -> Look:
    """The files that match a pattern and are not known, each once. A folder that is missing or closed is a problem."""
    walk = _Walk()
    found: dict[str, FoundFile] = {}
    for pattern in patterns:
        whole = re.compile(pattern.expression)
        for entry in _entries(pattern.directory, depth, walk):
            if entry.path in known or entry.path in found or whole.fullmatch(entry.name) is None:
                continue
            file = _file(entry, walk)
            if file is not None:
                found[file.path] = file
    return Look(tuple(found.values()), "; ".join(walk.problems))


def _entries(directory: str, depth: int, walk: _Walk) -> Iterator[os.DirEntry[str]]:
    """Everything in a folder, and in those below it down to ``depth`` (1: only the folder itself)."""
    open_folders = [iter(_inside(directory, walk))]
    while open_folders:  # depth first, however deep
        entry = next(open_folders[-1], None)
        if entry is None:
            open_folders.pop()
            continue
        walk.entries += 1
        if walk.entries > MOST_ENTRIES:
            walk.complain(f"more than {MOST_ENTRIES} entries: the rest is not looked at")
            return
        yield entry
        if len(open_folders) < depth and entry.is_dir(follow_symlinks=False):
            open_folders.append(iter(_inside(entry.path, walk)))


def _inside(directory: str, walk: _Walk) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return list(entries)
    except FileNotFoundError:
        walk.complain(f"folder '{directory}' is missing")
    except (OSError, ValueError) as error:  # ValueError: a NUL in its name
        walk.complain(f"folder '{directory}' cannot be read: {getattr(error, 'strerror', None) or error}")
    return []


def _file(entry: os.DirEntry[str], walk: _Walk) -> FoundFile | None:
    """A regular file; None: it is something else, has vanished meanwhile, or cannot be named in a document."""
    try:
        if not entry.is_file():
            return None
        status = entry.stat()
        modified = datetime.fromtimestamp(status.st_mtime, UTC)
        entry.path.encode()
    except UnicodeEncodeError:
        walk.complain(f"a file name is not UTF-8 and is left out: {entry.name!a}")
        return None
    except (OSError, ValueError, OverflowError):
        return None
    return FoundFile(path=entry.path, modified=modified, size=status.st_size)


def move(pending: PendingMove, stamp: str) -> None:
    """Move a file to its folder as ``<name>_<stamp>``; one that is no longer there counts as moved. Raises OSError.

    A folder that is not absolute lies below the file's own. Nothing is ever overwritten; across file systems the file is copied
    beside its target first, so that whoever looks there never sees half of it.
    """
    source = Path(pending.path)
    if not os.path.lexists(source):
        return
    folder = source.parent / pending.directory
    folder.mkdir(parents=True, exist_ok=True)
    target = _free(folder, f"{source.name}_{stamp}{'.gz' if pending.compress else ''}")
    if pending.compress:
        _pack(source, target)
        return
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        part = folder / f".{target.name}.part"
        shutil.copy2(source, part)
        part.rename(target)
        source.unlink()


def _pack(source: Path, target: Path) -> None:
    """Write a file packed beside its target, put it there whole, and only then remove the source."""
    part = target.with_name(f".{target.name}.part")
    with source.open("rb") as plain, gzip.open(part, "wb") as packed:
        shutil.copyfileobj(plain, packed)
    shutil.copystat(source, part)
    part.rename(target)
    source.unlink()


def _free(folder: Path, name: str) -> Path:
    """A path in a folder that nothing stands at."""
    names = [name, *(f"{name}_{number}" for number in range(2, _MOST_COPIES))]
    for candidate in names:
        if not os.path.lexists(folder / candidate):
            return folder / candidate
    raise FileExistsError(errno.EEXIST, f"{_MOST_COPIES} files of this name stand there", str(folder / name))
