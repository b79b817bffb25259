"""What a million rows of the audit trail cost: to write, to keep, and to look up; beside bare SQLite without an index.

Rows are those of a day with twelve changes of jobs a second, of 500 instances; one in a hundred was asked for by a person, one in
twenty is a tick. Look-ups ask for a page of a hundred, as `jobplan audit list` does.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from msgspec.structs import astuple

from benchmarks.figures import Figure
from broker.runtime.core import AuditRow
from broker.runtime.store import AuditQuery, SqliteStore

ROWS = 1_000_000
BATCH = 1_000
"""Rows of one transaction."""
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(seconds=1) / 12
_TIMES = 20
"""So often is each look-up made in a run."""


def a_row(number: int) -> AuditRow:
    """One of many."""
    return AuditRow(
        at=BEGIN + number * STEP,
        kind="job" if number % 20 else "tick",
        instance=f"Plan{number // 1000 % 500}-20260101T000000Z",
        context="Load",
        job=f"agent-job{number % 1000}",
        before="WAITING",
        after="RUNNING",
        cause=f"report {number}",
        user="anna" if number % 100 == 0 else "",
    )


def batches(rows: int) -> Iterator[list[AuditRow]]:
    """All rows, as they are saved."""
    for first in range(0, rows, BATCH):
        yield [a_row(number) for number in range(first, min(first + BATCH, rows))]


async def written(store: SqliteStore, rows: int) -> float:
    """Seconds that saving takes, each transaction synced."""
    seconds = 0.0
    for batch in batches(rows):
        begun = perf_counter()
        await store.save({}, batch)
        seconds += perf_counter() - begun
    return seconds


def bare(file: Path, rows: int) -> float:
    """Seconds that sqlite3 takes for the same rows, in a table without an index."""
    seconds = 0.0
    names = AuditRow.__struct_fields__
    insert = f"INSERT INTO audit ({', '.join(names)}) VALUES ({', '.join('?' for _ in names)})"  # noqa: S608  # our own names
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(f"CREATE TABLE audit (number INTEGER PRIMARY KEY, {', '.join(names)})")
        for batch in batches(rows):
            texts = [tuple(str(value) for value in astuple(row)) for row in batch]
            begun = perf_counter()
            database.execute("BEGIN")
            database.executemany(insert, texts)
            database.execute("COMMIT")
            seconds += perf_counter() - begun
    return seconds


async def looked_up(store: SqliteStore, query: AuditQuery) -> tuple[float, ...]:
    """Milliseconds of each look-up."""
    found = []
    for _ in range(_TIMES):
        begun = perf_counter()
        await store.audit(query)
        found.append((perf_counter() - begun) * 1000)
    return tuple(found)


def queries(rows: int) -> dict[str, AuditQuery]:
    """What people ask, by what it is called."""
    middle = BEGIN + rows // 2 * STEP
    return {
        "the newest": AuditQuery(),
        "of an instance": AuditQuery(instance=a_row(7_000 % rows).instance),
        "of a person": AuditQuery(user="anna"),
        "of a rare kind": AuditQuery(kind="tick"),
        "of a kind in an hour": AuditQuery(kind="job", since=middle, until=middle + timedelta(hours=1)),
        "the oldest of a kind": AuditQuery(kind="job", oldest_first=True),
    }


async def measure(rounds: int, rows: int = ROWS) -> list[Figure]:
    """Write them all so many times, look up in the last."""
    saves: list[float] = []
    floors: list[float] = []
    sizes: list[float] = []
    found: dict[str, Sequence[float]] = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            async with SqliteStore.open(Path(folder) / "own" / "node.db") as store:
                saves.append(await written(store, rows))
                found = {name: await looked_up(store, query) for name, query in queries(rows).items()}
            sizes.append(sum(file.stat().st_size for file in (Path(folder) / "own").iterdir()) / 1e6)
            floors.append(bare(Path(folder) / "bare.db", rows))
    save = Figure(
        part="audit",
        name=f"save {rows:,} rows, {BATCH:,} a transaction",
        unit="s",
        values=tuple(saves),
        floor="bare sqlite3, no index",
        floors=tuple(floors),
    )
    size = Figure(part="audit", name="size of the database", unit="MB", values=tuple(sizes))
    looks = [
        Figure(part="audit", name=f"a page of 100: {name}", unit="ms", values=tuple(values))
        for name, values in found.items()
    ]
    return [save, size, *looks]
