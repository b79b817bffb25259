"""Output is bounded on disk while it is written: head and tail are kept, nobody waits, readers keep their place."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from agent_node import outputs
from agent_node.logs import read_chunk
from agent_node.outputs import bound, keep_bounded
from tests.support.agents import a_command, an_assignment
from tests.support.bench import RUN, a_bench, path_of
from tests.support.waiting import eventually

MOST = 65_536


def _taken(path: Path) -> int:
    return path.stat().st_blocks * 512


def test_middle_is_given_back_and_offsets_stay(tmp_path: Path) -> None:
    """The first quarter of the bound and half of it at the end are as they were written."""
    path = tmp_path / "out"
    lines = b"".join(b"%07d\n" % number for number in range(50_000))
    path.write_bytes(lines)

    assert bound(path, MOST)
    after = path.read_bytes()
    assert _taken(path) <= MOST
    assert len(after) == len(lines)
    assert after[: MOST // 4] == lines[: MOST // 4]
    assert after[-MOST // 2 :] == lines[-MOST // 2 :]
    assert not bound(path, MOST)


def test_what_is_small_or_gone_stays(tmp_path: Path) -> None:
    """No work for nothing."""
    path = tmp_path / "out"
    path.write_bytes(b"x" * MOST)

    assert not bound(path, MOST)
    assert not bound(tmp_path / "none", MOST)


def test_file_system_without_holes_cuts_back_to_the_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounded all the same; who appends goes on from there."""
    path = tmp_path / "out"
    monkeypatch.setattr(outputs, "_PUNCH_HOLE", 0x4000)  # no such mode: the kernel says that it is not supported
    with path.open("ab", buffering=0) as writer:
        writer.write(b"a" * 4 * MOST)
        cut = bound(path, MOST)
        writer.write(b"b")

    assert cut
    assert path.read_bytes() == b"a" * (MOST // 4) + b"b"


def test_reader_passes_over_what_was_given_back(tmp_path: Path) -> None:
    """Each byte that is there, once, at its own place; none that is not."""
    path = tmp_path / "out"
    content = os.urandom(10 * MOST).replace(b"\0", b"1")
    path.write_bytes(content)
    bound(path, MOST)
    position, kept = 0, 0
    while (chunk := read_chunk(path, position, 10_000)) is not None and chunk.content:
        assert chunk.content == content[chunk.offset : chunk.offset + len(chunk.content)]
        position = chunk.offset + len(chunk.content)
        kept += len(chunk.content)

    assert position == len(content)
    assert MOST // 2 <= kept <= MOST


async def test_job_that_writes_without_end_is_never_blocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes many times the bound in peace; meanwhile and afterwards its files stay small."""
    monkeypatch.setattr(outputs, "EVERY", 0.05)
    async with a_bench(tmp_path) as bench, asyncio.TaskGroup() as tasks:
        bounding = tasks.create_task(keep_bounded(bench.processes.written_to, MOST))
        script = "for i in $(seq 20); do head -c 400000 /dev/zero | tr '\\0' x; sleep 0.02; done; echo; echo end"
        end = await bench.runs(an_assignment(a_command(script)))
        output = path_of(bench.folder.output)
        await eventually(lambda: _taken(output) <= MOST, within=5, what="bounded after its end")
        bounding.cancel()

    assert end.code == 0
    assert output.stat().st_size == 20 * 400_000 + 5
    assert output.read_bytes().endswith(b"x\nend\n")


async def test_job_that_is_over_before_anybody_looks_is_bounded_too(tmp_path: Path) -> None:
    """It ended between two looks, or while no agent ran: the next look still is at its files, once."""
    async with a_bench(tmp_path) as bench:
        await bench.runs(an_assignment(a_command("head -c 400000 /dev/zero | tr '\\0' x")))
        first, again = bench.processes.written_to(), bench.processes.written_to()
        later = bench.another_life()
        later.find(RUN)
        found = later.written_to()

    assert first == found == [bench.folder]
    assert again == []
