"""What becomes of the folders of runs whose instances are long gone: removed, packed into an archive, or moved. Blocking work."""

from __future__ import annotations

import logging
import shutil
import tarfile
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from agent_node.folders import PRIVATE_FILE, RunFolders, newest_change
from schemas.names import InstanceId

log = logging.getLogger(__name__)


class Fate(StrEnum):
    """What becomes of old folders."""

    REMOVE = "remove"
    ARCHIVE = "archive"
    MOVE = "move"


class Housekeeping(Struct, frozen=True, kw_only=True):
    """The settings of it."""

    fate: Fate
    target: Path
    """Where archives and moved folders go; never looked into."""
    most: int
    """Of folders that are not needed, so many at most stay, whatever their age; 0: any number."""


def sweep(folders: RunFolders, rules: Housekeeping, before: datetime, keep: Collection[InstanceId]) -> list[str]:
    """Clear away instances not kept in which nothing happened since ``before``, and the oldest beyond the number; their names.

    One that cannot be cleared away stays, is told in the log, and is tried again the next time.
    """
    old = sorted(((newest_change(folder), folder) for folder in folders.without(keep)), reverse=True)
    cleared = []
    for number, (changed, folder) in enumerate(old, start=1):
        too_many = bool(rules.most) and number > rules.most
        if not (too_many or changed < before.timestamp()) or folder == rules.target:
            continue
        try:
            _clear(folder, rules)
        except (OSError, RecursionError) as error:  # a job may have left folders nested without end
            log.warning("run folder stays folder=%s reason=%s", folder, error)
        else:
            cleared.append(folder.name)
    return sorted(cleared)


def _clear(folder: Path, rules: Housekeeping) -> None:
    """One folder. Its contents are safe elsewhere before it goes; an empty one just goes."""
    holds_something = any(path.is_file() for path in folder.rglob("*"))
    if rules.fate is Fate.REMOVE or not holds_something:
        shutil.rmtree(folder)
        return
    rules.target.mkdir(parents=True, exist_ok=True)
    if rules.fate is Fate.MOVE:
        shutil.move(folder, rules.target / folder.name)
        return
    archive = rules.target / f"{folder.name}.tar.gz"
    part = archive.with_name(f".{archive.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=PRIVATE_FILE)
    with tarfile.open(part, "w:gz") as packed:
        packed.add(folder, arcname=folder.name)
    part.rename(archive)
    shutil.rmtree(folder)
