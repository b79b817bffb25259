"""Folders of runs: whose they are, and what is read from them. Real processes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from agent_node.core.events import ProcessEnded, ProcessStarted
from agent_node.folders import boot_id
from tests.support.agents import a_command, an_assignment
from tests.support.bench import RUN, SOON, a_bench
from tests.support.waiting import eventually


async def test_traces_of_a_run_are_the_agents_alone(tmp_path: Path) -> None:
    """Its folder and all that is in it; the folders above can be passed, and not listed. What the command makes is as ever."""
    umask = os.umask(0)
    os.umask(umask)
    async with a_bench(tmp_path) as bench:
        await bench.runs(an_assignment(a_command("umask")))
        folder = bench.folder.path

    assert {file.name: _mode(file) for file in (folder / "script", folder / "out", folder / "err")} == {
        "script": 0o600,
        "out": 0o600,
        "err": 0o600,
    }
    assert [_mode(above) for above in (folder, *folder.parents[:2])] == [0o700, 0o711, 0o711]
    assert bench.output() == f"{umask:04o}\n"


async def test_process_is_found_by_another_path(tmp_path: Path) -> None:
    """Its command line names the folder as its data were called then; run and instance are what counts."""
    go = tmp_path / "go"
    async with a_bench(tmp_path / "old") as bench:
        bench.processes.start(an_assignment(a_command(f"until [ -e {go} ]; do sleep 0.02; done; exit 5")))
        started = await bench.tells(ProcessStarted)
        await eventually(lambda: bench.folder.claim() is not None, within=SOON, what="it is claimed")
        (tmp_path / "new").symlink_to("old")
        async with a_bench(tmp_path / "new") as later:
            later.processes.find(RUN)
            found = await later.tells(ProcessStarted)
            go.touch()
            end = await later.tells(ProcessEnded)

    assert (found.pid, end.code) == (started.pid, 5)


@pytest.mark.parametrize(
    ("text", "code"), [("{pid} {boot}\n7\n", 7), ("{pid} {boot}\n7", None), ("{pid} {boot}\n", None)]
)
async def test_code_counts_when_its_line_is_complete(tmp_path: Path, text: str, code: int | None) -> None:
    """Whoever reads while it is being written, or after the power went, does not take a part of it for the whole."""
    async with a_bench(tmp_path) as bench:
        bench.folder.make()
        (bench.folder.path / "claim").write_text(text.format(pid=os.getpid(), boot=boot_id()))
        bench.processes.find(RUN)
        end = await bench.tells(ProcessEnded)

    assert end.code == code


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
