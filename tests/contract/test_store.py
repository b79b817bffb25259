"""One suite for every store: the fake tells the truth about SQLite. Below it, what only a disk can promise."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import Struct

from broker.runtime.core import AuditRow, Key
from broker.runtime.store import SCHEMA, AuditQuery, SqliteStore, Store, StoreError, selection
from tests.fakes.memory_store import MemoryStore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Count(Struct, frozen=True):
    """A record."""

    value: int


def a_row(at: datetime = NOON, **fields: str) -> AuditRow:
    """An audit row, at noon unless said otherwise."""
    return AuditRow(at=at, kind=fields.pop("kind", "job"), **fields)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Each store in turn."""
    if request.param == "memory":
        yield MemoryStore()
        return
    async with SqliteStore.open(tmp_path / "node" / "node.db") as opened:
        yield opened


async def test_load_of_a_new_store(store: Store) -> None:
    """A new store has no records."""
    assert await store.load() == []


async def test_save_inserts_replaces_and_deletes(store: Store) -> None:
    """A record is what it was saved as last; None takes it away; the order is that of table and key."""
    await store.save({Key("b", "x"): Count(1), Key("a", "y"): Count(2), Key("a", "x"): Count(3)}, ())
    await store.save({Key("b", "x"): Count(9), Key("a", "y"): None, Key("a", "never"): None}, ())

    assert await store.load() == [(Key("a", "x"), b'{"value":3}'), (Key("b", "x"), b'{"value":9}')]


async def test_save_of_nothing(store: Store) -> None:
    """Nothing is a fine thing to save."""
    await store.save({}, ())

    assert await store.load() == []


async def test_next_epoch_rises(store: Store) -> None:
    """It counts up, jumps to the floor, and never falls back below what it gave."""
    assert [await store.next_epoch(floor) for floor in (0, 0, 1_000, 5)] == [1, 2, 1_000, 1_001]


async def test_audit_newest_first(store: Store) -> None:
    """The newest rows come first, and the number of the last leads to the next page."""
    await store.save({}, [a_row(job=f"job{number}") for number in range(5)])
    first = await store.audit(AuditQuery(limit=2))
    second = await store.audit(AuditQuery(limit=2, before=first[-1].number))

    assert [entry.row.job for entry in first + second] == ["job4", "job3", "job2", "job1"]


async def test_audit_oldest_first(store: Store) -> None:
    """Asked for so, the oldest rows come first, and the number of the last leads to the next page."""
    await store.save({}, [a_row(job=f"job{number}") for number in range(5)])
    first = await store.audit(AuditQuery(limit=2, oldest_first=True))
    second = await store.audit(AuditQuery(limit=2, oldest_first=True, after=first[-1].number))

    assert [entry.row.job for entry in first + second] == ["job0", "job1", "job2", "job3"]


@pytest.mark.parametrize(
    ("query", "jobs"),
    [
        (AuditQuery(instance="i1"), ["b", "a"]),
        (AuditQuery(instance="i1", job="a"), ["a"]),
        (AuditQuery(user="mary"), ["c"]),
        (AuditQuery(kind="run"), ["c"]),
        (AuditQuery(run="r1"), ["b"]),
        (AuditQuery(context="c1"), ["a"]),
        (AuditQuery(since=NOON + timedelta(hours=1)), ["c", "b"]),
        (AuditQuery(until=NOON + timedelta(hours=2)), ["b", "a"]),
        (AuditQuery(since=NOON + timedelta(hours=1), until=NOON + timedelta(hours=2)), ["b"]),
        (AuditQuery(instance="i9"), []),
    ],
)
async def test_audit_filters(store: Store, query: AuditQuery, jobs: list[str]) -> None:
    """Each field narrows the answer; ``until`` is exclusive."""
    rows = [
        AuditRow(at=NOON, kind="job", instance="i1", context="c1", job="a"),
        AuditRow(at=NOON + timedelta(hours=1), kind="job", instance="i1", job="b", run="r1"),
        AuditRow(at=NOON + timedelta(hours=2), kind="run", instance="i2", job="c", user="mary"),
    ]
    await store.save({}, rows)

    assert [entry.row.job for entry in await store.audit(query)] == jobs


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (AuditQuery(kind="job"), "audit_newest_of_kind"),
        (AuditQuery(kind="job", oldest_first=True), "audit_newest_of_kind"),
        (AuditQuery(kind="tick", context="P"), "audit_kind"),
        (AuditQuery(kind="job", since=NOON, until=NOON + timedelta(hours=1)), "audit_at"),
        (AuditQuery(instance="i1"), "audit_instance"),
        (AuditQuery(user="mary"), "audit_user"),
    ],
)
async def test_a_look_up_takes_the_index_that_narrows_most(tmp_path: Path, query: AuditQuery, index: str) -> None:
    """Of a million rows a page is found in milliseconds."""
    async with SqliteStore.open(tmp_path / "node.db"):
        pass
    text, values = selection(query)
    with contextlib.closing(sqlite3.connect(tmp_path / "node.db")) as database:
        plan = " ".join(str(row[3]) for row in database.execute(f"EXPLAIN QUERY PLAN {text}", values))

    assert f"USING INDEX {index} " in plan


async def test_old_audit_rows_are_forgotten_the_oldest_first(store: Store) -> None:
    """But for those of some instances, and of some kinds; so many at most."""
    old = [a_row(at=NOON - timedelta(days=days), job=str(days)) for days in (5, 4, 3, 2)]
    kept = [a_row(at=NOON - timedelta(days=9), instance="runs"), a_row(at=NOON - timedelta(days=9), kind="tick")]
    await store.save({}, [*kept, *reversed(old)])

    some = await store.forget_audit(NOON - timedelta(days=2), instances=["runs"], kinds=["tick"], most=2)
    left = [one.row.job for one in await store.audit(AuditQuery())]
    rest = await store.forget_audit(NOON - timedelta(days=2), instances=["runs"], kinds=["tick"], most=10)

    assert (some, rest) == (2, 1)
    assert left == ["3", "2", "", ""]
    assert len(await store.audit(AuditQuery())) == 3


async def test_audit_row_comes_back_whole(store: Store) -> None:
    """Every column survives, and so do microseconds."""
    row = AuditRow(
        at=NOON.replace(microsecond=1),
        kind="job",
        instance="i",
        context="c",
        job="j",
        run="r",
        before="WAITING",
        after="RUNNING",
        cause="tick",
        user="u",
        detail="d",
    )
    await store.save({}, [row])

    assert (await store.audit(AuditQuery()))[0].row == row


async def test_sqlite_survives_a_restart(tmp_path: Path) -> None:
    """Records, epochs and audit rows are there after opening again."""
    path = tmp_path / "node.db"
    async with SqliteStore.open(path) as store:
        await store.save({Key("a", "x"): Count(1)}, [a_row(job="j")])
        await store.next_epoch(7)
    async with SqliteStore.open(path) as store:
        found = await store.load(), await store.next_epoch(0), len(await store.audit(AuditQuery()))

    assert found == ([(Key("a", "x"), b'{"value":1}')], 8, 1)


async def test_sqlite_refuses_a_second_node(tmp_path: Path) -> None:
    """Two nodes on one folder are refused; the line names the process that has it."""
    async with SqliteStore.open(tmp_path / "node.db"):
        with pytest.raises(StoreError, match=f"in use by another node, process {os.getpid()}$"):
            async with SqliteStore.open(tmp_path / "node.db"):
                pass


async def test_sqlite_refuses_a_newer_database(tmp_path: Path) -> None:
    """What a later version wrote is not touched, and let go of."""
    path = tmp_path / "node.db"
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    database.close()
    for _ in range(2):  # the second time proves that the lock was given back
        with pytest.raises(StoreError, match="newer version"):
            async with SqliteStore.open(path):
                pass


async def test_sqlite_refuses_a_file_that_is_none(tmp_path: Path) -> None:
    """Garbage in the place of the database is one line, not a traceback."""
    (tmp_path / "node.db").write_bytes(b"not a database at all, though long enough to look at" * 100)
    with pytest.raises(StoreError, match=r"node\.db: file is not a database"):
        async with SqliteStore.open(tmp_path / "node.db"):
            pass


async def test_sqlite_save_is_one_transaction(tmp_path: Path) -> None:
    """A save that cannot be completed leaves nothing of itself."""
    path = tmp_path / "node.db"
    async with SqliteStore.open(path) as store:
        with sqlite3.connect(path) as other:
            other.execute("DROP TABLE audit")
        other.close()
        with pytest.raises(StoreError, match="no such table: audit"):
            await store.save({Key("a", "x"): Count(1)}, [a_row()])
        await store.save({Key("a", "y"): Count(2)}, ())
        records = await store.load()

    assert records == [(Key("a", "y"), b'{"value":2}')]


async def test_sqlite_saves_while_something_is_read(tmp_path: Path) -> None:
    """Nobody's look at the audit trail, however long it takes, keeps a turn from being saved."""
    looked = threading.Event()
    async with SqliteStore.open(tmp_path / "node.db") as store:
        await store._database.create_function("looked", 0, looked.wait)  # the only way to make it last
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(store._database.execute_fetchall("SELECT looked()"), name="look")
            await asyncio.sleep(0)
            await store.save({Key("a", "x"): Count(1)}, ())
            over = looking.done()
            looked.set()
        records = await store.load()

    assert not over
    assert records == [(Key("a", "x"), b'{"value":1}')]


async def test_sqlite_is_durable_when_save_returns(tmp_path: Path) -> None:
    """What a process was told is saved is there after kill -9, and nothing is there by halves."""
    path = tmp_path / "node.db"
    child = subprocess.Popen(  # noqa: ASYNC220  # nothing else is to happen on this loop meanwhile
        [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        told = [int(child.stdout.readline()) for _ in range(200)]
        os.kill(child.pid, signal.SIGKILL)
        told += [int(line) for line in child.stdout if line.endswith("\n")]
    async with SqliteStore.open(path) as store:
        records = dict(await store.load())
        rows = await store.audit(AuditQuery(limit=1_000_000))

    last = int(records[Key("count", "last")][len(b'{"value":') : -1])
    assert last >= told[-1]
    assert len(rows) == last
    assert len(records) == last + 1


_WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from msgspec import Struct
from broker.runtime.core import AuditRow, Key
from broker.runtime.store import SqliteStore

class Count(Struct):
    value: int

async def main():
    async with SqliteStore.open(Path(sys.argv[1])) as store:
        for number in count(1):
            row = AuditRow(at=datetime(2026, 1, 1, tzinfo=UTC), kind="job", detail=str(number))
            await store.save({Key("count", "last"): Count(number), Key("each", str(number)): Count(number)}, [row])
            print(number, flush=True)

asyncio.run(main())
"""


async def test_sqlite_files_are_the_nodes_alone(tmp_path: Path) -> None:
    """Parameters and the audit stand in it: the database is nobody else's to read, nor is one that was once."""
    path = tmp_path / "node.db"
    before = os.umask(0)
    try:
        async with SqliteStore.open(path) as store:
            await store.save({Key("a", "x"): Count(1)}, [])
            made = {ending: _mode(Path(f"{path}{ending}")) for ending in ("", "-wal", "-shm")}
        path.chmod(0o644)
        async with SqliteStore.open(path):
            later = _mode(path)
    finally:
        os.umask(before)

    assert made == {"": 0o600, "-wal": 0o600, "-shm": 0o600}
    assert later == 0o600


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777
