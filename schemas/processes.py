"""*Ours*: what a command's process may be and may use on its host. Knows nothing of jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

LOWEST_NICE: Final = -20
HIGHEST_NICE: Final = 19
_UMASK: Final = re.compile(r"0?[0-7]{1,3}")


class ProcessWish(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """How a process is to be started. What is left out stays as the agent has it; a limit is one for each process."""

    run_as: str = ""
    """A user of the host, if the agent's settings allow it."""
    nice: int = 0
    """Added to the agent's own: 19 is the most patient."""
    umask: str = ""
    """Octal, such as ``027``."""
    cpu_seconds: int | None = None
    memory_bytes: int | None = None
    """Of address space."""
    open_files: int | None = None
    processes: int | None = None
    """Of the user, not of the run."""
    file_bytes: int | None = None
    """Of each file it writes, its output included."""
    core_bytes: int | None = None

    @property
    def limits(self) -> dict[str, int]:
        """The limits that are set, by the names that ``prlimit`` has for them."""
        wanted = {
            "cpu": self.cpu_seconds,
            "as": self.memory_bytes,
            "nofile": self.open_files,
            "nproc": self.processes,
            "fsize": self.file_bytes,
            "core": self.core_bytes,
        }
        return {name: value for name, value in wanted.items() if value is not None}

    def faults(self) -> Iterator[tuple[str, str]]:
        """What cannot be: its key, and what to write instead."""
        if not LOWEST_NICE <= self.nice <= HIGHEST_NICE:
            yield "nice", f"{self.nice}: write {LOWEST_NICE} to {HIGHEST_NICE}"
        if self.umask and _UMASK.fullmatch(self.umask) is None:
            yield "umask", f"'{self.umask}': write three octal digits, such as 027"
        for key, value in (
            ("cpuSeconds", self.cpu_seconds),
            ("memoryBytes", self.memory_bytes),
            ("openFiles", self.open_files),
            ("processes", self.processes),
            ("fileBytes", self.file_bytes),
        ):
            if value is not None and value < 1:
                yield key, f"{value}: write 1 or more, or leave it out"
        if self.core_bytes is not None and self.core_bytes < 0:
            yield "coreBytes", f"{self.core_bytes}: write 0 or more, or leave it out"
