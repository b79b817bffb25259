"""How a process is started where its job has wishes: arguments, another user, patience, umask, limits. Real processes."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from agent_node.core.events import ProcessStarted, StartFailed
from agent_node.folders import RunFolder
from agent_node.launchers import LauncherError, hand_over, prefix
from schemas.processes import HIGHEST_NICE, ProcessWish
from tests.support.agents import a_command, a_run, an_assignment
from tests.support.bench import a_bench, path_of

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts processes of other users")


async def test_list_of_arguments_reaches_the_program_as_it_is(tmp_path: Path) -> None:
    """No shell reads it: blanks, quotes and dollars are plain."""
    arguments = ["printf", "%s|", "a b", "$HOME", "'", ";", ""]
    async with a_bench(tmp_path) as bench:
        end = await bench.runs(an_assignment(a_command("", arguments=arguments)))

    assert end.code == 0
    assert bench.output() == "a b|$HOME|'|;||"


@pytest.mark.parametrize(("arguments", "word"), [
    (["no-such-program"], "'no-such-program' is not installed"),
    (["echo", "a\0b"], "NUL"),
])  # fmt: skip
async def test_arguments_that_cannot_run_say_why(tmp_path: Path, arguments: list[str], word: str) -> None:
    """Before anything is started."""
    async with a_bench(tmp_path) as bench:
        bench.processes.start(an_assignment(a_command("", arguments=arguments)))
        failed = await bench.tells(StartFailed)

    assert word in failed.reason


async def test_program_relative_to_the_working_directory(tmp_path: Path) -> None:
    """A path with a slash is taken as it is; one that is missing is the shell's 127."""
    program = tmp_path / "tool"
    program.write_text("#!/bin/sh\necho $1\n")
    program.chmod(0o755)
    async with a_bench(tmp_path / "data") as bench:
        command = a_command("", arguments=["./tool", "x"], workingDirectory=str(tmp_path))
        await bench.runs(an_assignment(command))
        missing = await bench.runs(an_assignment(a_command("", arguments=["./gone"]), attempt=2))

    assert bench.output() == "x\n"
    assert missing.code == 127


async def test_program_is_looked_for_again_when_it_is_gone(tmp_path: Path) -> None:
    """Where it was found is remembered only as long as it is there; that it was missing is not remembered."""
    folders = [tmp_path / "second", tmp_path / "first"]
    said = []
    async with a_bench(tmp_path / "data", {"PATH": f"{folders[1]}:{folders[0]}:{os.environ['PATH']}"}) as bench:
        bench.processes.start(an_assignment(a_command("", arguments=["tool"])))
        missing = await bench.tells(StartFailed)
        for attempt, (here, elsewhere) in enumerate((folders, folders[::-1]), start=2):
            here.mkdir()
            (here / "tool").write_text(f"#!/bin/sh\necho {here.name}\n")
            (here / "tool").chmod(0o700)
            (elsewhere / "tool").unlink(missing_ok=True)
            await bench.runs(an_assignment(a_command("", arguments=["tool"]), attempt=attempt))
            said.append(path_of(bench.folders.of(a_run(attempt)).output).read_text().strip())

    assert "'tool' is not installed" in missing.reason
    assert said == ["second", "first"]


async def test_nice_umask_and_limits(tmp_path: Path) -> None:
    """As the command sees them itself; the process that is attended to is still the leader of the group."""
    wish = {"nice": 5, "umask": "027", "openFiles": 64, "cpuSeconds": 9, "fileBytes": 1_048_576, "coreBytes": 0}
    script = "nice; umask; ulimit -n; ulimit -t; ulimit -f; ulimit -c; ps -o pgid= -p $$ | tr -d ' '"
    async with a_bench(tmp_path) as bench:
        await bench.runs(an_assignment(a_command(script, process=wish)))
        started = await bench.tells(ProcessStarted)

    nice = min(os.nice(0) + 5, HIGHEST_NICE)  # whoever runs the tests may be nice already
    expected = [str(nice), "0027", "64", "9", "1024", "0", str(started.pid)]
    assert bench.output().split() == expected


async def test_limit_that_is_reached_ends_the_command_and_is_reported(tmp_path: Path) -> None:
    """The wrapper is not limited: it lives to tell."""
    async with a_bench(tmp_path) as bench:
        command = a_command(
            "head -c 100000 /dev/zero >big", workingDirectory=str(tmp_path), process={"fileBytes": 4096}
        )
        end = await bench.runs(an_assignment(command))

    assert end.code == 153  # 128 + SIGXFSZ
    assert (tmp_path / "big").stat().st_size == 4096


@needs_root
async def test_runs_as_another_user(tmp_path: Path) -> None:
    """Its ids, its groups and its HOME; script and output are within its reach, and the wrapper tells the end as ever."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    user = pwd.getpwnam("nobody")
    async with a_bench(tmp_path) as bench:
        bench.users = ("nobody",)
        bench.processes = bench.another_life()
        script = "id -u; id -g; echo $HOME $USER >>$LOG_FILE_PATH; grep -c $HOME $LOG_FILE_PATH; exit 4"
        end = await bench.runs(an_assignment(a_command(script, process={"runAs": "nobody"})))
        left = bench.folder

    assert end.code == 4
    assert bench.output().split() == [str(user.pw_uid), str(user.pw_gid), user.pw_dir, "nobody", "1"]
    assert (path_of(left.output).stat().st_uid, left.path.stat().st_uid) == (user.pw_uid, 0)
    assert {path_of(file).stat().st_mode & 0o077 for file in (left.script, left.output, left.errors)} == {0}


@pytest.mark.parametrize(("allowed", "name", "word"), [
    ((), "nobody", "setting run-as"),
    (("no-such-user",), "no-such-user", "not known on this host"),
])  # fmt: skip
async def test_other_users_have_to_be_allowed_and_known(
    tmp_path: Path, allowed: tuple[str, ...], name: str, word: str
) -> None:
    """The agent's settings name them; nobody is allowed by himself."""
    async with a_bench(tmp_path) as bench:
        bench.users = allowed
        bench.processes = bench.another_life()
        bench.processes.start(an_assignment(a_command("true", process={"runAs": name})))
        failed = await bench.tells(StartFailed)

    assert word in failed.reason


async def test_the_agents_own_user_needs_no_change(tmp_path: Path) -> None:
    """Root or not."""
    me = pwd.getpwuid(os.geteuid()).pw_name
    async with a_bench(tmp_path) as bench:
        bench.users = (me,)
        bench.processes = bench.another_life()
        await bench.runs(an_assignment(a_command("id -un", process={"runAs": me})))

    assert bench.output().strip() == me


def test_closed_folder_is_named(tmp_path: Path) -> None:
    """A user who could not read the script is told apart from a command that fails."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    run = RunFolder(str(closed / "run"))
    run.make()
    other = pwd.struct_passwd(("other", "x", 4_000_000, 4_000_000, "", "/", "/bin/sh"))

    with pytest.raises(LauncherError, match="closed"):
        hand_over(run, run.script, other)


def test_wish_that_cannot_be_is_refused() -> None:
    """Whatever the plan rules let pass."""
    with pytest.raises(LauncherError, match="umask"):
        prefix(ProcessWish(umask="999"), None, None)
    with pytest.raises(LauncherError, match="'nice' is not installed"):
        prefix(ProcessWish(nice=3), None, "/nowhere")
