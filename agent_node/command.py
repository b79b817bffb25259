"""What a run's process is started with: interpreter, environment, files; and what would keep it from starting."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from agent_node.folders import RunFolder
from schemas.documents import Assignment
from schemas.plan import CommandJob

WRAPPER: Final = Path(__file__).with_name("wrapper.sh")
SECRET: Final = "secret:"  # noqa: S105  # the prefix of a reference, not a secret
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


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


def prepare(assignment: Assignment, folder: RunFolder, base: Mapping[str, str], secrets: Path) -> Launch:
    """Write a run's script and put its launch together. Raises StartError, and OSError of the disk."""
    shell = shell_of(assignment.command)
    program = shutil.which(shell.program, path=base.get("PATH"))
    if program is None:
        raise StartError(f"shell '{shell.program}' is not installed on this host, or not in the agent's PATH")
    workdir = assignment.command.working_directory
    if workdir and not Path(workdir).is_dir():
        raise StartError(f"working directory '{workdir}' is not a folder on this host")
    if workdir and not os.access(workdir, os.X_OK):
        raise StartError(f"working directory '{workdir}' may not be entered by the agent's user")
    environment = environment_of(assignment, folder, base, secrets, shell.blank)
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.script.write_text(assignment.command.command_line, newline="")
    script = folder.script
    if shell.suffix:
        script = script.with_suffix(shell.suffix)
        script.write_text(assignment.command.command_line, newline="")
    interpreter = _wrapper_interpreter(environment)
    arguments = ("sh", str(WRAPPER), str(folder.path), workdir, program, *shell.arguments, str(script))
    return Launch(interpreter, arguments, environment, folder)


def shell_of(command: CommandJob) -> Shell:
    """Which shell a job asks for."""
    wanted = command.execution_environment_properties
    return next((shell for word, shell in _SHELLS.items() if word in wanted), _BASH)


def environment_of(
    assignment: Assignment, folder: RunFolder, base: Mapping[str, str], secrets: Path, blank: str
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
        "LOG_FILE_PATH": str(folder.output),
        "ERROR_LOG_FILE_PATH": str(folder.errors),
    }
    for name, value in assignment.parameters.items():
        if value is None:
            continue
        if not name or "=" in name or "\0" in name + value:
            raise StartError(f"parameter '{name}' cannot be an environment variable")
        environment[name] = (_secret(value, secrets) if value.startswith(SECRET) else value) or blank
    return environment


def _secret(reference: str, secrets: Path) -> str:
    """The value that a reference names: a file of the agent's, without the line's end. Raises StartError."""
    name = reference.removeprefix(SECRET)
    if _SECRET_NAME.fullmatch(name) is None:
        raise StartError(f"'{name}' is no name of a secret: letters, digits, '_', '-' and '.' are wanted")
    try:
        return (secrets / name).read_text().rstrip("\n")
    except OSError as error:
        raise StartError(f"secret '{name}' cannot be read on this host; put it into {secrets / name}") from error


def _wrapper_interpreter(environment: Mapping[str, str]) -> str:
    """Who reads the wrapper: sh. Small ones drop variables whose names are no identifiers; where there are such, bash."""
    if all(_IDENTIFIER.fullmatch(name) for name in environment):
        return "/bin/sh"
    return shutil.which("bash") or "/bin/sh"
