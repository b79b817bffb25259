"""Processes of runs: real ones, with their folders."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent_node.command import WRAPPER
from agent_node.core.events import NeverClaimed, ProcessEnded, ProcessLost, ProcessStarted, StartFailed
from agent_node.folders import LONGEST_NAME, RunFolder, RunFolders, boot_id, component
from schemas.names import RunId
from tests.support.agents import a_command, a_run, an_assignment
from tests.support.bench import RUN, SOON, a_bench, path_of
from tests.support.waiting import eventually, until


@pytest.mark.parametrize(("command", "code"), [
    ("true", 0),
    ("exit 3", 3),
    ("false\ntrue", 0),
    ("true\nfalse", 1),
    ("kill -9 $$", 137),
    ("no-such-command-here", 127),
])  # fmt: skip
async def test_scenario_196_code_is_the_last_commands(tmp_path: Path, command: str, code: int) -> None:
    """A script does not stop at a line that fails; the shell's own status counts."""
    async with a_bench(tmp_path) as bench:
        end = await bench.runs(an_assignment(a_command(command)))

    assert (end.code, end.reason) == (code, "")


async def test_script_is_kept_unchanged(tmp_path: Path) -> None:
    """What ran can be read afterwards, with its line ends."""
    text = "echo 'ä $HOME'\r\n\techo x\n"
    async with a_bench(tmp_path) as bench:
        await bench.runs(an_assignment(a_command(text)))

    assert path_of(bench.folder.script).read_bytes() == text.encode()


async def test_scenario_136_to_144_environment(tmp_path: Path) -> None:
    """The agent's own, ours, the log files, the parameters; what is null is left out, what is empty is empty."""
    parameters = {"p": "1", "empty": "", "none": None, "dotted.name": "d", "OWN": "mine"}
    command = a_command('env >&2; echo "$LOG_FILE_PATH|$ERROR_LOG_FILE_PATH"')
    async with a_bench(tmp_path, {"PATH": os.environ["PATH"], "OWN": "agent's", "none": "agent's"}) as bench:
        await bench.runs(an_assignment(command, parameters=parameters))
    lines = path_of(bench.folder.errors).read_text().splitlines()

    wanted = {"p=1", "empty=", "none=agent's", "dotted.name=d", "OWN=mine", "JOBPLAN_ATTEMPT=1", f"JOBPLAN_RUN={RUN}"}
    assert wanted <= set(lines)
    assert bench.output() == f"{bench.folder.output}|{bench.folder.errors}\n"
    assert not [line for line in lines if line.startswith("_jobplan")]


async def test_scenario_144_parameter_outranks_log_path(tmp_path: Path) -> None:
    """A parameter of the same name wins, over ours too."""
    parameters = {"LOG_FILE_PATH": "x", "JOBPLAN_JOB": "y"}
    async with a_bench(tmp_path) as bench:
        await bench.runs(an_assignment(a_command("echo $LOG_FILE_PATH $JOBPLAN_JOB"), parameters=parameters))

    assert bench.output() == "x y\n"


async def test_secret_is_read_on_the_agent(tmp_path: Path) -> None:
    """A reference becomes the value of a file here; one that is missing is a reason not to start."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "db").write_text("hush\n")
    (tmp_path / "secrets" / "db").chmod(0o600)
    async with a_bench(tmp_path) as bench:
        await bench.runs(an_assignment(a_command("echo $P"), parameters={"P": "secret:db"}))
        bench.processes.start(an_assignment(a_command("true"), attempt=2, parameters={"P": "secret:../db"}))
        bench.processes.start(an_assignment(a_command("true"), attempt=3, parameters={"P": "secret:other"}))
        escaped, missing = await bench.tells(StartFailed, a_run(2)), await bench.tells(StartFailed, a_run(3))

    assert bench.output() == "hush\n"
    assert "no name of a secret" in escaped.reason
    assert str(tmp_path / "secrets" / "other") in missing.reason


async def test_working_directory(tmp_path: Path) -> None:
    """The command begins there."""
    (tmp_path / "a b").mkdir()
    async with a_bench(tmp_path / "data") as bench:
        await bench.runs(an_assignment(a_command("pwd", workingDirectory=str(tmp_path / "a b"))))

    assert bench.output() == f"{tmp_path / 'a b'}\n"


@pytest.mark.parametrize(("fields", "word"), [
    ({"workingDirectory": "/no/such/folder"}, "/no/such/folder"),
    ({"executionEnvironmentProperties": "x|KSH|y"}, "'ksh' is not installed"),
    ({"executionEnvironmentProperties": "POWERSHELL"}, "'pwsh' is not installed"),
    ({"executionEnvironmentProperties": "CMD"}, "'cmd' is not installed"),
])  # fmt: skip
async def test_scenario_200_what_cannot_start_says_why(tmp_path: Path, fields: dict[str, str], word: str) -> None:
    """At once, and nothing claims the folder."""
    async with a_bench(tmp_path) as bench:
        bench.processes.start(an_assignment(a_command("true", **fields)))
        failed = await bench.tells(StartFailed)

    assert word in failed.reason
    assert not bench.folder.is_claimed


async def test_environment_too_large_says_why(tmp_path: Path) -> None:
    """The kernel's limit is a reason, no crash."""
    async with a_bench(tmp_path) as bench:
        bench.processes.start(an_assignment(parameters={f"P{number}": "x" * 100_000 for number in range(100)}))
        failed = await bench.tells(StartFailed)

    assert "environment is too large" in failed.reason


async def test_run_is_started_once(tmp_path: Path) -> None:
    """Asked for again, at once, or by a later life: the folder was claimed, so it is found instead (S1)."""
    assignment = an_assignment(a_command(f"echo ran >>{tmp_path}/log; exit 3"))
    async with a_bench(tmp_path / "data") as bench:
        bench.processes.start(assignment)
        bench.processes.start(assignment)
        await bench.tells(ProcessEnded)
        bench.told.clear()
        later = bench.another_life()
        later.start(assignment)
        again = await bench.tells(ProcessEnded)

    assert (tmp_path / "log").read_text() == "ran\n"
    assert again.code == 3
    assert again.started is not None


async def test_start_is_told_later_or_with_the_end(tmp_path: Path) -> None:
    """Of a command that takes its time while it runs, of a quick one just before its end: in this order either way."""
    go = tmp_path / "go"
    slow, quick = an_assignment(a_command(f"until [ -e {go} ]; do sleep 0.02; done")), an_assignment(attempt=2)
    async with a_bench(tmp_path / "data") as bench:
        bench.processes.start(slow)
        at_first = list(bench.told)
        await bench.tells(ProcessStarted, slow.run)
        go.touch()
        await bench.tells(ProcessEnded, slow.run)
        await bench.runs(quick)
        told = [(type(event), event.run) for event in bench.told]

    assert at_first == []
    assert told == [(kind, run) for run in (slow.run, quick.run) for kind in (ProcessStarted, ProcessEnded)]


async def test_start_that_is_not_told_yet_is_found_by_the_next_life(tmp_path: Path) -> None:
    """An agent that ends in that moment says nothing more of it."""
    async with a_bench(tmp_path) as bench:
        life = bench.another_life()
        life.start(an_assignment(a_command("sleep 60")))
        life.close()
        told = list(bench.told)
        bench.processes.find(RUN)
        found = await bench.tells(ProcessStarted)
        claim = bench.folder.claim()

    assert told == []
    assert claim is not None
    assert found.pid == claim.pid


async def test_command_finds_no_signal_ignored_or_blocked(tmp_path: Path) -> None:
    """Python ignores some; a command expects all as usual, and its session to be its own."""
    async with a_bench(tmp_path) as bench:
        await bench.runs(an_assignment(a_command("grep -E 'SigIgn|SigBlk' /proc/self/status; ps -o sid= -p $$")))
        started = await bench.tells(ProcessStarted)
    *masks, session = bench.output().split("\n")[:-1]

    assert {int(mask.split()[1], 16) & _CLASSIC for mask in masks} == {0}
    assert int(session) == started.pid


async def test_only_one_of_twenty_wrappers_becomes_the_command(tmp_path: Path) -> None:
    """Whatever starts them: the claim lets one through, the others leave with 75 and have done nothing."""
    folder = RunFolder(str(tmp_path))
    path_of(folder.script).write_text(f"echo ran >>{tmp_path}/log")
    command = ["/bin/sh", str(WRAPPER), str(tmp_path), boot_id(), "", "/bin/sh", folder.script]

    wrappers = [await asyncio.create_subprocess_exec(*command) for _ in range(20)]
    codes = sorted([await wrapper.wait() for wrapper in wrappers])

    assert codes == [0] + [75] * 19
    assert (tmp_path / "log").read_text() == "ran\n"


_CLASSIC = 0x7FFFFFFF
"""Signals 1 to 31; what the C library uses for itself is above."""


class BlindFolder(RunFolder, frozen=True):
    """The folder as somebody saw it just before it was claimed."""

    @property
    def is_claimed(self) -> bool:
        """Not when we looked."""
        return False


class BlindFolders(RunFolders):
    """Folders of which each is claimed just after we looked."""

    def of(self, run: RunId) -> RunFolder:
        """The folder of a run."""
        return BlindFolder(super().of(run).place)


async def test_start_that_another_wrapper_wins_is_attended_to(tmp_path: Path) -> None:
    """A wrapper of an earlier life claims between our look and our start: its process is the run's."""
    go = tmp_path / "go"
    assignment = an_assignment(a_command(f"until [ -e {go} ]; do sleep 0.02; done; exit 6"))
    async with a_bench(tmp_path / "data") as earlier, a_bench(tmp_path / "data") as bench:
        earlier.processes.start(assignment)
        first = await earlier.tells(ProcessStarted)
        await eventually(lambda: bench.folder.claim() is not None, within=SOON, what="it is claimed")
        bench.folders = BlindFolders(tmp_path / "data")
        bench.processes = bench.another_life()
        bench.processes.start(assignment)
        attended = await bench.tells(ProcessStarted)
        go.touch()
        await earlier.tells(ProcessEnded)
        end = await bench.tells(ProcessEnded)

    assert attended.pid == first.pid
    assert end.code == 6


async def test_scenario_208_no_log_is_ever_in_the_way(tmp_path: Path) -> None:
    """Every attempt has a folder of its own; what an earlier one wrote stays as it was."""
    async with a_bench(tmp_path) as bench:
        await bench.runs(an_assignment(a_command("echo first")))
        await bench.runs(an_assignment(a_command("echo second"), attempt=2))
        second = path_of(bench.folders.of(a_run(2)).output).read_text()

    assert (bench.output(), second) == ("first\n", "second\n")


async def test_scenario_204_process_of_an_earlier_life_is_found(tmp_path: Path) -> None:
    """By pid, boot and command line; its end is reported with the code that its wrapper wrote."""
    go = tmp_path / "go"
    script = (
        "import asyncio, os, sys; from pathlib import Path; from datetime import UTC, datetime;"
        "from agent_node.command import Host; from agent_node.secrets import Secrets;"
        "from agent_node.folders import RunFolders; from agent_node.process import Processes;"
        "from tests.support.agents import a_command, an_assignment\n"
        "async def main():\n"
        "    p = Processes(RunFolders(Path(sys.argv[1])), emit=print, clock=lambda: datetime.now(UTC),"
        " host=Host(dict(os.environ), Secrets(Path(), {}, {})))\n"
        "    p.start(an_assignment(a_command(sys.argv[2])))\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    command = f"until [ -e {go} ]; do sleep 0.02; done; exit 7"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(tmp_path / "data"), command)
    async with a_bench(tmp_path / "data") as bench:
        killed = await process.wait()
        bench.processes.find(RUN)
        started = await bench.tells(ProcessStarted)
        go.touch()
        end = await bench.tells(ProcessEnded)

    assert killed == -signal.SIGKILL
    assert started.pid == bench.folder.claim().pid  # type: ignore[union-attr]  # claimed
    assert end.code == 7


async def test_scenario_205_without_a_code_it_has_failed(tmp_path: Path) -> None:
    """The process is gone and its wrapper wrote nothing: no code, and a reason."""
    async with a_bench(tmp_path) as bench:
        bench.processes.start(an_assignment(a_command("sleep 600")))
        started = await bench.tells(ProcessStarted)
        await eventually(lambda: bench.folder.claim() is not None, within=SOON, what="it is claimed")
        os.kill(started.pid, signal.SIGKILL)
        end = await bench.tells(ProcessEnded)
        bench.told.clear()
        bench.another_life().find(RUN)
        again = await bench.tells(ProcessEnded)

    assert (end.code, again.code) == (None, None)
    assert "SIGKILL" in end.reason
    assert "before it could write a return code" in again.reason


async def test_claim_of_another_boot_is_lost(tmp_path: Path) -> None:
    """The host was restarted: whatever has that number now is somebody else."""
    async with a_bench(tmp_path) as bench:
        bench.folder.path.mkdir(parents=True)
        (bench.folder.path / "claim").write_text(f"{os.getpid()} 00000000-0000-0000-0000-000000000000\n")
        bench.processes.find(RUN)
        lost = await bench.tells(ProcessLost)

    assert "restarted" in lost.reason


async def test_claim_of_another_process_with_the_same_number_is_not_ours(tmp_path: Path) -> None:
    """Same pid, same boot, another command line: ours is gone, and the other is left alone."""
    async with a_bench(tmp_path) as bench:
        bench.folder.path.mkdir(parents=True)
        (bench.folder.path / "claim").write_text(f"{os.getpid()} {boot_id()}\n")
        bench.processes.find(RUN)
        end = await bench.tells(ProcessEnded)

    assert end.code is None


async def test_unclaimed_folder_never_began(tmp_path: Path) -> None:
    """No folder at all, or one whose script is old."""
    async with a_bench(tmp_path) as bench:
        bench.processes.find(RUN)
        await bench.tells(NeverClaimed)
        other = bench.folders.of(a_run(2))
        other.path.mkdir(parents=True)
        path_of(other.script).write_text("true")
        os.utime(other.script, (0, 0))
        bench.processes.find(a_run(2))

        await bench.tells(NeverClaimed, a_run(2))


async def test_scenario_207_stop_ends_the_whole_group(tmp_path: Path) -> None:
    """The shell's children too; the wrapper outlives them and writes the code."""
    async with a_bench(tmp_path) as bench:
        bench.processes.start(an_assignment(a_command("sleep 600 & echo $!; wait; sleep 600")))
        await eventually(
            lambda: Path(bench.folder.output).exists() and bench.output() != "", within=SOON, what="it runs"
        )
        child = int(bench.output())
        bench.processes.stop(RUN, force=False)
        end = await bench.tells(ProcessEnded)
        await eventually(lambda: not _lives(child), within=SOON, what="the child has ended")

    assert end.code == 128 + signal.SIGTERM


async def test_scenario_207_what_its_shell_leaves_behind_is_waited_for_and_killed(tmp_path: Path) -> None:
    """A shell that dies of TERM may leave a child that does not: the run is over only when that is gone, too."""
    child = f"trap '' TERM; echo $BASHPID >{tmp_path}/child; while :; do sleep 0.1; done"
    async with a_bench(tmp_path / "data") as bench:
        bench.processes.start(an_assignment(a_command(f"( {child} ) & sleep 1000")))
        await eventually((tmp_path / "child").exists, within=SOON, what="the child runs")
        await eventually(lambda: (tmp_path / "child").read_text() != "", within=SOON, what="the child says who it is")
        pid = int((tmp_path / "child").read_text())
        bench.processes.stop(RUN, force=False)
        asyncio.get_running_loop().call_later(1.0, lambda: bench.processes.stop(RUN, force=True))
        end = await bench.tells(ProcessEnded)
        lives = _lives(pid)

    assert (end.code, lives) == (128 + signal.SIGTERM, False)


async def test_scenario_207_what_ignores_term_is_killed(tmp_path: Path) -> None:
    """KILL leaves no code."""
    async with a_bench(tmp_path) as bench:
        bench.processes.start(an_assignment(a_command("trap '' TERM; echo ready; while true; do sleep 0.05; done")))
        await eventually(
            lambda: Path(bench.folder.output).exists() and bench.output() != "", within=SOON, what="it runs"
        )
        bench.processes.stop(RUN, force=False)
        bench.processes.stop(RUN, force=True)
        end = await bench.tells(ProcessEnded)

    assert end.code is None


async def test_long_names_become_short_folders(tmp_path: Path) -> None:
    """Names beyond what a file system takes still run, each in its own folder."""
    long = a_command("exit 8", job="j" * 300)
    async with a_bench(tmp_path) as bench:
        end = await bench.runs(an_assignment(long))

    assert end.code == 8
    assert len(component("x" * 500)) <= LONGEST_NAME
    assert component("x" * 500) != component("x" * 501)


def test_wrapper_is_plain_sh() -> None:
    """It parses, and needs no more than POSIX."""
    checked = subprocess.run(["/bin/sh", "-n", str(WRAPPER)], check=False, capture_output=True, text=True)

    until(lambda: checked.returncode == 0, within=0, what=checked.stderr)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
