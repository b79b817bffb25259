"""Secrets: files that only the agent reads, programs that tell them; and nobody else ever sees a value."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec
import pytest

from agent_node.core.events import ProcessStarted, StartFailed
from agent_node.secrets import SecretError, Secrets
from tests.support.agents import a_command, a_run, an_assignment
from tests.support.bench import Bench, a_bench
from tests.support.waiting import eventually

HUSH = "hush-7319"


def a_secret(data: Path, name: str = "db", *, mode: int = 0o600) -> None:
    """A secret in a file."""
    folder = data / "secrets"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"{HUSH}\n")
    (folder / name).chmod(mode)


def told_by(bench: Bench, *command: str) -> None:
    """Let a program tell the secret ``vault``."""
    bench.secrets = Secrets(bench.data / "secrets", {"vault": command}, bench.environment)
    bench.processes = bench.another_life()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """The reason says what to do, and does not hold the value."""
    a_secret(tmp_path, mode=mode)

    with pytest.raises(SecretError, match="chmod 600") as error:
        Secrets(tmp_path / "secrets", {}, {}).value("secret:db")
    assert HUSH not in str(error.value)


async def test_program_tells_a_secret(tmp_path: Path) -> None:
    """Asked at each start; the line's end is cut off; what has no reference is as ever."""
    async with a_bench(tmp_path) as bench:
        told_by(bench, "printf", f"{HUSH}\\n")
        parameters = {"P": "secret:vault", "Q": "plain", "N": None}
        end = await bench.runs(an_assignment(a_command('echo "$P" "$Q" "${N-none}"'), parameters=parameters))

    assert end.code == 0
    assert bench.output() == f"{HUSH} plain none\n"


@pytest.mark.parametrize(("command", "word"), [
    (("sh", "-c", f"echo {HUSH}; echo {HUSH} >&2; exit 3"), "ended with code 3"),
    (("no-such-program",), "cannot be started"),
    (("printf", "\\377"), "not text"),
    (("sh", "-c", "head -c 70000 /dev/zero"), "longer than"),
])  # fmt: skip
async def test_program_that_fails_is_a_reason_not_to_start(tmp_path: Path, command: tuple[str, ...], word: str) -> None:
    """Said without the value, whatever the program wrote."""
    async with a_bench(tmp_path) as bench:
        told_by(bench, *command)
        bench.processes.start(an_assignment(parameters={"P": "secret:vault"}))
        failed = await bench.tells(StartFailed)

    assert word in failed.reason
    assert HUSH not in failed.reason


async def test_run_is_started_once_while_its_secret_is_being_told(tmp_path: Path) -> None:
    """Asked for twice; the program takes its time."""
    assignment = an_assignment(a_command(f"echo ran >>{tmp_path}/log"), parameters={"P": "secret:vault"})
    async with a_bench(tmp_path / "data") as bench:
        told_by(bench, "sh", "-c", "sleep 0.2; echo x")
        bench.processes.start(assignment)
        attended = bench.processes.is_attended(a_run())
        await bench.runs(assignment)

    assert attended
    assert (tmp_path / "log").read_text() == "ran\n"


async def test_value_is_nowhere_but_in_the_environment_of_the_process(tmp_path: Path) -> None:
    """Not in what ``ps`` shows of any process, not in an event, not in a file of the run's folder."""
    a_secret(tmp_path)
    go = tmp_path / "go"
    async with a_bench(tmp_path) as bench:
        command = a_command(f'until [ -e {go} ]; do sleep 0.02; done; test "$P" = {HUSH[:4]}"-"{HUSH[5:]}')
        bench.processes.start(an_assignment(command, parameters={"P": "secret:db"}))
        await bench.tells(ProcessStarted)
        await eventually(lambda: bench.folder.claim() is not None, within=5, what="it is claimed")
        lines = _command_lines()
        go.touch()
        end = await bench.runs(an_assignment(command, parameters={"P": "secret:db"}))
        files = [path.read_bytes() for path in bench.folder.path.iterdir()]

    assert end.code == 0  # the process had it
    assert not any(HUSH.encode() in text for text in (*lines, *files))
    assert HUSH not in msgspec.json.encode(bench.told).decode()


def _command_lines() -> list[bytes]:
    """Of every process but our own; other people's may end while we look."""
    found: list[bytes] = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit() and path.name != str(os.getpid()):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found.append((path / "cmdline").read_bytes())
    return found
