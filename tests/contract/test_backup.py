"""Copies of a node's database, with a real SQLite: while it is written to, put back, and before a migration."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from broker.runtime.backup import back_up, look_at, put_back
from broker.runtime.core import AuditRow, Key
from broker.runtime.reconciler import Mark
from broker.runtime.saved import MARK
from broker.runtime.store import SCHEMA, AuditQuery, SqliteStore, StoreError

ROW = AuditRow(at=datetime(2026, 1, 1, tzinfo=UTC), kind="job")


class Count(Struct):
    """A record."""

    value: int


async def a_database(folder: Path, value: int = 1) -> Path:
    """With one record and one audit row."""
    path = folder / "node.db"
    async with SqliteStore.open(path) as store:
        await store.save({Key("count", "x"): Count(value)}, [ROW])
    return path


async def the_record(path: Path) -> bytes:
    """What the record of a database says."""
    async with SqliteStore.open(path) as store:
        ((_, body),) = await store.load()
        return body


async def test_a_copy_of_a_database_in_use_is_of_one_commit(tmp_path: Path) -> None:
    """Two records that are always saved together are equal in every copy."""
    path = tmp_path / "node.db"
    async with SqliteStore.open(path) as store:

        async def write() -> None:
            for number in range(300):
                await asyncio.sleep(0)  # a save gives nobody else a turn
                await store.save({Key("a", "x"): Count(number), Key("b", "x"): Count(number)}, [ROW])

        async with asyncio.TaskGroup() as group:
            writing = group.create_task(write())
            copies = 0
            while not writing.done():
                await asyncio.to_thread(back_up, path, tmp_path / f"copy-{copies}.db")
                copies += 1

    assert copies > 1
    for number in range(copies):
        async with SqliteStore.open(tmp_path / f"copy-{number}.db") as copy:
            bodies = [body for _, body in await copy.load()]
            rows = await copy.audit(AuditQuery(limit=1000))
        assert len(set(bodies)) <= 1
        assert len(rows) == (int(bodies[0][len(b'{"value":') : -1]) + 1 if bodies else 0)


async def test_a_copy_that_is_put_back_is_the_database(tmp_path: Path) -> None:
    """And what stood there is kept."""
    path = await a_database(tmp_path, 1)
    back_up(path, tmp_path / "copy.db")
    await a_database(tmp_path, 2)

    found, kept = put_back(tmp_path / "copy.db", path)

    assert (found.records, found.audit_rows, found.schema) == (1, 1, SCHEMA)
    assert await the_record(path) == b'{"value":1}'
    assert kept is not None
    assert await the_record(kept) == b'{"value":2}'


async def test_a_copy_that_is_put_back_says_that_it_is_one(tmp_path: Path) -> None:
    """Its node leaves nothing standing that a broker may have gone back to; the copy itself stays as it was."""
    path = tmp_path / "node.db"
    async with SqliteStore.open(path) as store:
        await store.save({MARK: Mark(3, 9)}, [])
    back_up(path, tmp_path / "copy.db")
    put_back(tmp_path / "copy.db", path)

    assert msgspec.json.decode(await the_record(path), type=Mark) == Mark(3, 9, whole=False)
    assert msgspec.json.decode(await the_record(tmp_path / "copy.db"), type=Mark) == Mark(3, 9)


async def test_a_copy_is_put_where_nothing_was(tmp_path: Path) -> None:
    """On a new host."""
    back_up(await a_database(tmp_path), tmp_path / "copy.db")

    _, kept = put_back(tmp_path / "copy.db", tmp_path / "new" / "node.db")

    assert kept is None
    assert await the_record(tmp_path / "new" / "node.db") == b'{"value":1}'


async def test_nothing_is_put_back_under_a_node_that_runs(tmp_path: Path) -> None:
    """It says which process has it."""
    path = await a_database(tmp_path)
    back_up(path, tmp_path / "copy.db")
    async with SqliteStore.open(path):
        with pytest.raises(StoreError, match="in use by another node, process"):
            put_back(tmp_path / "copy.db", path)


async def test_what_was_kept_before_stays(tmp_path: Path) -> None:
    """Each copy that is put back keeps what stood there under the next number."""
    path = await a_database(tmp_path, 1)
    back_up(path, tmp_path / "copy.db")
    kept = [put_back(tmp_path / "copy.db", path)[1] for _ in range(2)]

    assert kept == [tmp_path / "node.db.before-1", tmp_path / "node.db.before-2"]
    assert [await the_record(one) for one in kept if one is not None] == [b'{"value":1}'] * 2


async def test_what_a_lost_database_left_beside_it_is_not_taken_for_the_copys(tmp_path: Path) -> None:
    """Somebody removed the database and not its log: that would be played into the one that is put there."""
    path = await a_database(tmp_path)
    back_up(path, tmp_path / "copy.db")
    path.unlink()
    for ending in ("-wal", "-shm"):
        (tmp_path / f"node.db{ending}").write_bytes(b"of the lost one")
    _, kept = put_back(tmp_path / "copy.db", path)

    assert kept is None
    assert await the_record(path) == b'{"value":1}'


@pytest.mark.parametrize("name", ["copy.db", "node.db.schema-1"])
async def test_a_copy_that_was_cut_off_is_in_nobodys_way(tmp_path: Path, name: str) -> None:
    """Killed while it copied: what is left does not bear the copy's name, and goes with the next copy."""
    path = await a_database(tmp_path)
    with sqlite3.connect(path) as database:
        for index in ("audit_kind", "audit_newest_of_kind"):
            database.execute(f"DROP INDEX {index}")
        database.execute("PRAGMA user_version = 1")
    database.close()
    left = tmp_path / f"{name}.part"
    left.write_bytes(b"half of it")

    back_up(path, tmp_path / "copy.db")
    assert await the_record(path) == b'{"value":1}'

    assert not left.exists()
    assert look_at(tmp_path / name).records == 1


async def test_a_damaged_database_leaves_no_copy(tmp_path: Path) -> None:
    """A copy that is not sound never gets its name."""
    path = await a_database(tmp_path)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 0")
    database.close()
    with pytest.raises(StoreError, match="no database of a node"):
        back_up(path, tmp_path / "copy.db")

    assert not (tmp_path / "copy.db").exists()
    assert not (tmp_path / "copy.db.part").exists()


async def test_no_file_is_written_over(tmp_path: Path) -> None:
    """A copy has a name of its own."""
    path = await a_database(tmp_path)
    with pytest.raises(StoreError, match="is there already"):
        back_up(path, path)


@pytest.mark.parametrize("spoil", [b"", b"no database" * 1000], ids=["empty", "garbage"])
def test_what_is_no_copy_is_refused(tmp_path: Path, spoil: bytes) -> None:
    """Before anything is moved."""
    (tmp_path / "copy.db").write_bytes(spoil)
    with pytest.raises(StoreError, match=r"copy\.db"):
        put_back(tmp_path / "copy.db", tmp_path / "node.db")
    assert [file.name for file in tmp_path.iterdir()] == ["copy.db"]


async def test_a_copy_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """As the database itself would be."""
    path = await a_database(tmp_path)
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    database.close()
    with pytest.raises(StoreError, match="newer version"):
        put_back(path, tmp_path / "other.db")


async def test_an_older_database_is_copied_before_it_is_migrated(tmp_path: Path) -> None:
    """So that the program it was made with can go on with it."""
    path = await a_database(tmp_path)
    with sqlite3.connect(path) as database:
        for index in ("audit_kind", "audit_newest_of_kind"):
            database.execute(f"DROP INDEX {index}")
        database.execute("PRAGMA user_version = 1")
    database.close()

    assert await the_record(path) == b'{"value":1}'
    assert look_at(path).schema == SCHEMA
    assert look_at(tmp_path / "node.db.schema-1").schema == 1


async def test_copies_are_nobody_elses_to_read(tmp_path: Path) -> None:
    """Neither a copy, nor what it is put back as, nor what is kept beside that."""
    path = await a_database(tmp_path)
    before = os.umask(0)
    try:
        back_up(path, tmp_path / "copy.db")
        _, kept = put_back(tmp_path / "copy.db", path)
    finally:
        os.umask(before)

    assert kept is not None
    assert {file.stat().st_mode & 0o777 for file in (path, tmp_path / "copy.db", kept)} == {0o600}
