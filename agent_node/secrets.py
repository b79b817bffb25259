"""Where secrets come from: files that only the agent's user may read, and the output of commands in its settings.

A value goes into a process's environment and nowhere else: no message here ever holds one.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

REFERENCE: Final = "secret:"
"""What a parameter's value begins with when it names a secret."""
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_LONGEST: Final = 65_536
"""Bytes of a value."""
_PATIENCE: Final = 30.0
"""Seconds a command may take to tell one."""


class SecretError(Exception):
    """A secret cannot be had; the message says which, why, and what to do."""


class Secrets(Struct, frozen=True):
    """All secrets of an agent: a file each in a folder, or a command each, by name."""

    folder: Path
    commands: Mapping[str, tuple[str, ...]]
    environment: Mapping[str, str]
    """Of the commands."""

    def takes_time(self, parameters: Mapping[str, str | None]) -> bool:
        """Whether a command has to be asked for one of these values: then ask in a thread."""
        return any(name in self.commands for name in map(_name_in, parameters.values()))

    def resolved(self, parameters: Mapping[str, str | None]) -> dict[str, str]:
        """Parameters with values in place of references; those without a value are left out. Raises SecretError. May block."""
        given = {name: value for name, value in parameters.items() if value is not None}
        return {name: self.value(value) if value.startswith(REFERENCE) else value for name, value in given.items()}

    def value(self, reference: str) -> str:
        """The value that a reference names, without the line's end. Raises SecretError. May block."""
        name = reference.removeprefix(REFERENCE)
        if _NAME.fullmatch(name) is None:
            raise SecretError(f"'{name}' is no name of a secret: letters, digits, '_', '-' and '.' are wanted")
        raw = self._told(name) if name in self.commands else self._read(name)
        if len(raw) > _LONGEST:
            raise SecretError(f"secret '{name}' is longer than {_LONGEST} bytes")
        try:
            return raw.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise SecretError(f"secret '{name}' is not text in UTF-8") from None  # the error would hold the value

    def _read(self, name: str) -> bytes:
        path = self.folder / name
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                if stat.S_IMODE(status.st_mode) & 0o077:
                    raise SecretError(f"secret '{name}' may be read by others on this host: chmod 600 {path}")
                return file.read(_LONGEST + 1)
        except OSError as error:
            raise SecretError(f"secret '{name}' cannot be read on this host; put it into {path}") from error

    def _told(self, name: str) -> bytes:
        """What the command of a secret writes."""
        command = self.commands[name]
        try:
            done = subprocess.run(  # noqa: S603  # the agent's own settings name it
                command,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise SecretError(f"secret '{name}': {command[0]} took longer than {_PATIENCE:g} s") from None
        except OSError as error:
            raise SecretError(f"secret '{name}': {command[0]} cannot be started: {error.strerror}") from None
        if done.returncode != 0:
            raise SecretError(f"secret '{name}': {command[0]} ended with code {done.returncode}")
        return done.stdout


def _name_in(value: str | None) -> str:
    """The name in a reference; empty: it is none."""
    return value.removeprefix(REFERENCE) if value is not None and value.startswith(REFERENCE) else ""
