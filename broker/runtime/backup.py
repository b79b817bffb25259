"""Copies of a node's database: made while the node runs, put back while it does not, and made by itself before a migration.

A copy is one file, whole and checked, of the state at one commit; it appears under its name only when it is complete and on the
disk. It knows SQLite's files, and of what is in the tables only where a node remembers what it has published.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from broker.runtime.database import BESIDE, StoreError, copied, locked, one_line, reading
from broker.runtime.saved import MARK, of_a_copy
from broker.runtime.store import SCHEMA


class Copied(Struct, frozen=True, kw_only=True):
    """What is in a database, or in a copy of one."""

    size: int
    """In bytes."""
    schema: int
    records: int
    audit_rows: int


def back_up(database: Path, to: Path) -> Copied:
    """Copy a database, which may be in use, to a new file. Raises StoreError; then there is no such file."""
    if not database.is_file():
        raise StoreError(f"{database}: no such database; name the folder that the node was given with --data")
    if to.exists():
        raise StoreError(f"{to} is there already: name another file")
    with one_line(str(to)), reading(database) as source, copied(source, to) as part:
        return look_at(part)


def put_back(copy: Path, database: Path) -> tuple[Copied, Path | None]:
    """Let a copy be the database of a node that does not run; what stood there is kept beside it, under the name returned.

    The node will know that its records are a copy's, and publish all it has again. Raises StoreError when the copy is none, is
    damaged or of a newer version, or the node runs; then nothing was changed.
    """
    found = look_at(copy)
    if found.schema > SCHEMA:
        raise StoreError(f"{copy} was written by a newer version (schema {found.schema}, known here: {SCHEMA})")
    with locked(database), one_line(str(database)), reading(copy) as source, copied(source, database) as part:
        _say_so(part)
        kept = _set_aside(database)
    return found, kept


def look_at(database: Path) -> Copied:
    """What is in a database; it is checked on the way. Raises StoreError, also when it is damaged or not of a node of ours."""
    if not database.is_file():
        raise StoreError(f"{database}: no such file")
    with one_line(str(database)), reading(database) as reader:
        ((verdict,),) = reader.execute("PRAGMA quick_check(1)").fetchall()
        if verdict != "ok":
            raise StoreError(f"{database} is damaged: {verdict}")
        ((schema,),) = reader.execute("PRAGMA user_version").fetchall()
        if not schema:
            raise StoreError(f"{database} is no database of a node")
        ((records,),) = reader.execute("SELECT count(*) FROM record").fetchall()
        ((rows,),) = reader.execute("SELECT count(*) FROM audit").fetchall()
    return Copied(size=database.stat().st_size, schema=schema, records=records, audit_rows=rows)


def _say_so(copy: Path) -> None:
    """Say in a copy that it is one."""
    with closing(sqlite3.connect(copy)) as writer, writer:
        where = (MARK.table, MARK.key)
        found = writer.execute("SELECT body FROM record WHERE tbl = ? AND key = ?", where).fetchone()
        if found is not None:
            writer.execute("UPDATE record SET body = ? WHERE tbl = ? AND key = ?", (of_a_copy(found[0]), *where))


def _set_aside(database: Path) -> Path | None:
    """Give the files of a database another name, the same for each; None when there is none."""
    if not database.exists():
        for ending in BESIDE[1:]:  # of a database that is gone: they would be taken for the new one's
            Path(f"{database}{ending}").unlink(missing_ok=True)
        return None
    number = 1
    while (kept := Path(f"{database}.before-{number}")).exists():
        number += 1
    for ending in BESIDE:
        beside = Path(f"{database}{ending}")
        if beside.exists():
            beside.rename(f"{kept}{ending}")
    return kept
