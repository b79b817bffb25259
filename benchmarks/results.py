"""What was measured last, of each part: kept in the repository, so that the pages can be made again from it by anybody."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks.figures import Figure
from benchmarks.folders import a_new_file

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.json"


class Run(Struct, frozen=True, kw_only=True):
    """One run of one part."""

    at: datetime
    machine: str
    figures: tuple[Figure, ...]


def machine() -> str:
    """Where it is measured, how busy it is before, and how long a new file takes."""
    cores = os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return (
        f"{cores} cores, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, load {load:.1f} before, "
        f"a new file in {a_new_file():.0f} µs"
    )


def kept() -> dict[str, Run]:
    """The newest run of each part that was ever measured."""
    return msgspec.json.decode(RESULTS.read_bytes(), type=dict[str, Run]) if RESULTS.exists() else {}


def keep(part: str, figures: list[Figure], where: str) -> None:
    """Write a run down, in the place of the one before of the same part."""
    now = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251  # when it was
    runs = kept() | {part: Run(at=now, machine=where, figures=tuple(figures))}
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(dict(sorted(runs.items())))) + b"\n")
