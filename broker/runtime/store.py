"""The port to a node's durable records, and SQLite behind it; the only importer of aiosqlite.

It knows tables, keys and bytes, not what they mean. One transaction a turn: the records that changed and the audit rows that
say why are saved together or not at all (S4, S5, S6). A save that fails stops the node: nothing is shown that was not saved.

A turn is saved on the event loop, where nothing can go on before it is; what is read, and what may take long, is done in
aiosqlite's thread, over a connection of its own: nobody's look at the audit trail keeps a turn from being saved.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import aiosqlite
import msgspec
from msgspec import Struct

from broker.runtime.core import AuditRow, Changes, Key
from broker.runtime.database import StoreError, copied, locked, one_line, private, reading

__all__ = ["SCHEMA", "AuditQuery", "Audited", "SqliteStore", "Store", "StoreError", "selection"]

SCHEMA = 3
"""Of the database, kept in ``PRAGMA user_version``; one migration leads to each."""

_MIGRATIONS = (
    """
    CREATE TABLE record (tbl TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (tbl, key)) WITHOUT ROWID;
    CREATE TABLE life (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE audit (
        number INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, instance TEXT NOT NULL, context TEXT NOT NULL,
        job TEXT NOT NULL, run TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, cause TEXT NOT NULL,
        user TEXT NOT NULL, detail TEXT NOT NULL
    );
    CREATE INDEX audit_at ON audit (at);
    CREATE INDEX audit_instance ON audit (instance) WHERE instance <> '';
    CREATE INDEX audit_user ON audit (user) WHERE user <> '';
    """,
    "CREATE INDEX audit_kind ON audit (kind, context);",
    "CREATE INDEX audit_newest_of_kind ON audit (kind);",  # in the order of the numbers: nothing has to be sorted
)
_UPSERT = (
    "INSERT INTO record (tbl, key, body) VALUES (?, ?, ?) ON CONFLICT (tbl, key) DO UPDATE SET body = excluded.body"
)
_DELETE = "DELETE FROM record WHERE tbl = ? AND key = ?"
_NAMES = ("at", "kind", "instance", "context", "job", "run", "before", "after", "cause", "user", "detail")
_COLUMNS = ", ".join(_NAMES)
_AUDIT = f"INSERT INTO audit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # constants only
_FORGET = (
    "DELETE FROM audit WHERE number IN (SELECT number FROM audit WHERE at < ? "
    "AND instance NOT IN (SELECT value FROM json_each(?)) AND kind NOT IN (SELECT value FROM json_each(?)) ORDER BY at LIMIT ?)"
)
_EPOCH = (
    "INSERT INTO life (name, value) VALUES ('epoch', max(1, ?)) "
    "ON CONFLICT (name) DO UPDATE SET value = max(life.value + 1, excluded.value) RETURNING value"
)

_SYNCED = "PRAGMA synchronous = FULL"
"""Of each connection; the journal's mode is the file's."""
_encoder = msgspec.json.Encoder()


class AuditQuery(Struct, frozen=True, kw_only=True):
    """Which audit rows are wanted; an empty field asks for nothing in particular."""

    kind: str = ""
    instance: str = ""
    context: str = ""
    job: str = ""
    run: str = ""
    user: str = ""
    since: datetime | None = None
    """At or after this instant."""
    until: datetime | None = None
    """Before this instant."""
    before: int = 0
    """Only rows numbered lower, to page on from the last answer; 0: from the newest."""
    oldest_first: bool = False
    after: int = 0
    """Only rows numbered higher, to page on when the oldest come first; 0: from the oldest."""
    limit: int = 100


class Audited(Struct, frozen=True):
    """An audit row as it was saved; later ones have higher numbers."""

    number: int
    row: AuditRow


class Store(Protocol):
    """Durable tables of records, one life counter, and an audit trail. Every method raises StoreError."""

    async def load(self) -> list[tuple[Key, bytes]]:
        """All records (msgspec JSON), ordered by table and key."""

    async def next_epoch(self, floor: int) -> int:
        """A number higher than all it gave before and at least ``floor``; durable when it returns."""

    async def save(self, changes: Changes, audit: Sequence[AuditRow]) -> None:
        """Make all of it durable in one transaction, or none of it."""

    async def audit(self, query: AuditQuery) -> list[Audited]:
        """The newest rows that match, newest first; or the oldest ones, oldest first."""

    async def forget_audit(self, before: datetime, *, instances: Sequence[str], kinds: Sequence[str], most: int) -> int:
        """Remove audit rows from before a time, the oldest first; so many at most. Those of these instances and kinds stay."""


class SqliteStore:
    """A node's records in one SQLite file: write-ahead log, and each commit synced to the disk before ``save`` returns."""

    def __init__(self, saving: sqlite3.Connection, database: aiosqlite.Connection) -> None:
        """``saving`` commits turns, on the loop; ``database`` does the rest, a statement a transaction."""
        self._saving = saving
        self._database = database

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[SqliteStore]:
        """The store in the given file, made or migrated as needed, and ours alone until the block ends."""
        with locked(path):
            with one_line(str(path)):
                _keep_older(path)
                private(path)
                database = await aiosqlite.connect(path, isolation_level=None)
            try:
                with one_line(str(path)):
                    await _prepare(database, path)
                    saving = sqlite3.connect(path)
                    saving.execute(_SYNCED)
                with contextlib.closing(saving):
                    yield cls(saving, database)
            finally:
                await database.close()

    async def load(self) -> list[tuple[Key, bytes]]:
        """All records, ordered by table and key."""
        with one_line("records"):
            rows = await self._database.execute_fetchall("SELECT tbl, key, body FROM record ORDER BY tbl, key")
            return [(Key(table, key), body) for table, key, body in rows]

    async def next_epoch(self, floor: int) -> int:
        """Count up the node's life: rises even after the clock went back, and, thanks to ``floor``, after the disk was lost."""
        with one_line("the life counter"):
            ((epoch,),) = await self._database.execute_fetchall(_EPOCH, (floor,))
            return int(epoch)

    async def save(self, changes: Changes, audit: Sequence[AuditRow]) -> None:
        """One transaction. It takes less than two hops to a thread and back, which each turn would wait for."""
        kept = [(*key, _encoder.encode(record)) for key, record in changes.items() if record is not None]
        gone = [tuple(key) for key, record in changes.items() if record is None]
        batch = ((_UPSERT, kept), (_DELETE, gone), (_AUDIT, [_row(entry) for entry in audit]))
        with one_line("records"), self._saving:
            for statement, rows in batch:
                if rows:
                    self._saving.executemany(statement, rows)

    async def audit(self, query: AuditQuery) -> list[Audited]:
        """The newest rows that match, newest first; or the oldest ones, oldest first."""
        text, values = selection(query)
        with one_line("the audit trail"):
            rows = await self._database.execute_fetchall(text, values)
            return [_audited(tuple(row)) for row in rows]

    async def forget_audit(self, before: datetime, *, instances: Sequence[str], kinds: Sequence[str], most: int) -> int:
        """Remove audit rows from before a time, the oldest first; so many at most. Those of these instances and kinds stay."""
        kept = [msgspec.json.encode(list(names)).decode() for names in (instances, kinds)]
        with one_line("the audit trail"):
            removed = await self._database.execute(_FORGET, (_text(before), *kept, most))
            return removed.rowcount


async def _prepare(database: aiosqlite.Connection, path: Path) -> None:
    """Bring the file to this program's schema; refuse one from the future."""
    for pragma in ("PRAGMA journal_mode = WAL", _SYNCED):
        await database.execute(pragma)
    ((version,),) = await database.execute_fetchall("PRAGMA user_version")
    if version > SCHEMA:
        raise StoreError(
            f"{path} was written by a newer version (schema {version}, known here: {SCHEMA}): upgrade first"
        )
    for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
        await database.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")


def _keep_older(path: Path) -> None:
    """Copy a database that is about to be migrated, so that the program it was made with can go on with the copy."""
    if not path.exists():
        return
    with reading(path) as database:
        ((version,),) = database.execute("PRAGMA user_version").fetchall()
        kept = Path(f"{path}.schema-{version}")
        if 0 < version < SCHEMA and not kept.exists():
            with copied(database, kept):
                pass


@lru_cache(maxsize=1)
def _text(at: datetime) -> str:
    """Of fixed width in UTC, so that its order is the order in time; all rows of a turn have the same."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _row(entry: AuditRow) -> tuple[str, ...]:
    rest = (entry.instance, entry.context, entry.job, entry.run, entry.before, entry.after, entry.cause, entry.user)
    return (_text(entry.at), entry.kind, *rest, entry.detail)


def _audited(row: Sequence[Any]) -> Audited:
    return Audited(row[0], msgspec.convert(dict(zip(_NAMES, row[1:], strict=True)), AuditRow))


def selection(query: AuditQuery) -> tuple[str, list[str | int]]:
    """The statement that finds the rows, and its values."""
    where, values = _conditions(query)
    order = "ASC" if query.oldest_first else "DESC"
    text = f"SELECT number, {_COLUMNS} FROM audit{where} ORDER BY number {order} LIMIT ?"  # noqa: S608  # own column names
    return text, [*values, query.limit]


def _conditions(query: AuditQuery) -> tuple[str, list[str | int]]:
    """The WHERE clause and its values.

    Between two instants there are fewer rows than of a kind, which SQLite cannot know: the plus keeps it from the kind's index.
    """
    between = query.since is not None and query.until is not None
    found: list[tuple[str, str | int]] = [
        # the second half lets SQLite take the partial index
        (f"+{name} = ?" if between and name == "kind" else f"{name} = ? AND {name} <> ''", value)
        for name in ("kind", "instance", "context", "job", "run", "user")
        if (value := getattr(query, name))
    ]
    if query.since is not None:
        found.append(("at >= ?", _text(query.since)))
    if query.until is not None:
        found.append(("at < ?", _text(query.until)))
    if query.before:
        found.append(("number < ?", query.before))
    if query.after:
        found.append(("number > ?", query.after))
    where = " AND ".join(text for text, _ in found)
    return (f" WHERE {where}" if where else ""), [value for _, value in found]
