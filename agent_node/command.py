"""What a run's process is started with: interpreter, environment, files; and what would keep it from starting."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from agent_node.folders import PRIVATE_FILE, RunFolder, boot_id
from agent_node.launchers import LauncherError, hand_over, identity, prefix, user_of
from agent_node.secrets import Secrets
from schemas.documents import Assignment
from schemas.plan import CommandJob

WRAPPER: Final = Path(__file__).with_name("wrapper.sh")


class StartError(Exception):
    """A command cannot be started; the message says why and what to do, in one line."""


class Shell(Struct, frozen=True):
    """What reads a script: a program with arguments, and the suffix it wants."""

    program: str
    arguments: tuple[str, ...] = ()
    suffix: str = ""
    blank: str = ""
    """What an empty parameter is exported as."""


_SHELLS: Final = {
    "CMD": Shell("cmd", ("/c",), ".cmd", " "),
    "POWERSHELL": Shell("pwsh", ("-NoProfile", "-File"), ".ps1"),
    "KSH": Shell("ksh"),
}
"""By what ``executionEnvironmentProperties`` contains, first match; without any it is bash."""
_BASH: Final = Shell("bash")


class Launch(Struct, frozen=True):
    """All that the start of a process takes."""

    program: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    folder: RunFolder


class Host(Struct, frozen=True):
    """What of the host commands get: what they inherit, whom they may run as, where secrets come from."""

    environment: Mapping[str, str]
    secrets: Secrets
    users: tuple[str, ...] = ()
    """Those a job may run as."""
    boot: str = field(default_factory=boot_id)
    """Which boot of it this is."""


def prepare(assignment: Assignment, folder: RunFolder, host: Host, parameters: Mapping[str, str]) -> Launch:
    """Write a run's script and put its launch together. ``parameters`` hold values in place of references to secrets.

    Raises StartError, and OSError of the disk.
    """
    command = assignment.command
    workdir = command.working_directory
    if workdir and not Path(workdir).is_dir():
        raise StartError(f"working directory '{workdir}' is not a folder on this host")
    if workdir and not os.access(workdir, os.X_OK):
        raise StartError(f"working directory '{workdir}' may not be entered by the agent's user")
    shell = shell_of(command)
    program = _program(command, shell, host.environment.get("PATH"))
    try:
        user = user_of(command.process, host.users)
        before = prefix(command.process, user, host.environment.get("PATH"))
        base = dict(host.environment) | identity(user)
        blank = "" if command.arguments else shell.blank
        environment = environment_of(assignment, folder, base, parameters, blank)
        folder.make()
        script = _written(command, folder, shell)
        hand_over(folder, script, user)
    except LauncherError as error:
        raise StartError(str(error)) from error
    words = command.arguments[1:] if command.arguments else (*shell.arguments, script)
    arguments = ("sh", str(WRAPPER), folder.place, host.boot, workdir, *before, program, *words)
    return Launch(_wrapper_interpreter(environment), arguments, environment, folder)


def _program(command: CommandJob, shell: Shell, path: str | None) -> str:
    """What is to be run: the first argument, or the shell. Raises StartError."""
    if not command.arguments:
        program = _found(shell.program, path)
        if not program:
            raise StartError(f"shell '{shell.program}' is not installed on this host, or not in the agent's PATH")
        return program
    if any("\0" in word for word in command.arguments):
        raise StartError("an argument holds the character NUL, which no program can be given")
    name = command.arguments[0]
    if "/" in name:
        return name  # perhaps relative to the working directory; the wrapper says 126 or 127 when it is none
    found = _found(name, path)
    if not found:
        raise StartError(f"program '{name}' is not installed on this host, or not in the agent's PATH")
    return found


def _found(program: str, path: str | None) -> str:
    """Where a program is, as a shell knows it: found once, and looked for again when it is not there any more; empty: nowhere."""
    found = _looked_up(program, path)
    if not os.access(found, os.X_OK):
        _looked_up.cache_clear()
        found = _looked_up(program, path)
    return found


@lru_cache
def _looked_up(program: str, path: str | None) -> str:
    """A tenth of an agent's share of a start, in a PATH of eleven folders."""
    return shutil.which(program, path=path) or ""


def _written(command: CommandJob, folder: RunFolder, shell: Shell) -> str:
    """The script on disk; of a list of arguments it is only there to be read by people, one a line."""
    text = "\n".join(command.arguments) if command.arguments else command.command_line
    _write(folder.script, text)
    if not shell.suffix or command.arguments:
        return folder.script
    script = folder.script + shell.suffix
    _write(script, text)
    return script


def _write(script: str, text: str) -> None:
    """Unchanged, for nobody else's eyes."""
    file, left = os.open(script, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), memoryview(text.encode())
    try:
        while left:
            left = left[os.write(file, left) :]
    finally:
        os.close(file)


def shell_of(command: CommandJob) -> Shell:
    """Which shell a job asks for."""
    wanted = command.execution_environment_properties
    return next((shell for word, shell in _SHELLS.items() if word in wanted), _BASH)


def environment_of(
    assignment: Assignment, folder: RunFolder, base: Mapping[str, str], parameters: Mapping[str, str], blank: str
) -> dict[str, str]:
    """The process's environment: the agent's own, ours, the log files, the parameters; the later wins over the earlier.

    Ours (``JOBPLAN_*``) name what runs; a parameter of the same name wins over them and over the log files. Raises StartError.
    """
    environment = dict(base)
    environment |= {
        "JOBPLAN_INSTANCE": assignment.instance,
        "JOBPLAN_RUN": assignment.run,
        "JOBPLAN_JOB": assignment.job,
        "JOBPLAN_PLAN": assignment.plan,
        "JOBPLAN_CONTEXT": assignment.context,
        "JOBPLAN_ATTEMPT": str(assignment.attempt),
        "LOG_FILE_PATH": folder.output,
        "ERROR_LOG_FILE_PATH": folder.errors,
    }
    for name, value in parameters.items():
        if not name or "=" in name or "\0" in name + value:
            raise StartError(f"parameter '{name}' cannot be an environment variable")
        environment[name] = value or blank
    return environment


def _wrapper_interpreter(environment: Mapping[str, str]) -> str:
    """Who reads the wrapper: sh. Small ones drop variables whose names are no identifiers; where there are such, bash."""
    names = "".join(environment)
    if names.isascii() and all(map(str.isidentifier, environment)):
        return "/bin/sh"
    return shutil.which("bash") or "/bin/sh"
