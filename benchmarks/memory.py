"""What processes weigh, in MiB."""

from __future__ import annotations

import os
from pathlib import Path


def resident(pid: int) -> float:
    """Memory that a process has now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_048_576


def peak() -> float:
    """The most that this program has had so far; getrusage(2) would count what stood in its place before it was loaded."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
