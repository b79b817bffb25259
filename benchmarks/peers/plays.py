"""What everybody plays: a chain, and a fan from one job over many at once to one; and what their stamps tell."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from statistics import median

from benchmarks.peers.place import command

CHAIN, FAN = 20, 100


def names(kind: str, jobs: int) -> list[str]:
    """The jobs, the first one first and the last one last; in a fan ``jobs`` are those between."""
    return [f"j{number:04}" for number in range(jobs if kind == "chain" else jobs + 2)]


def commands(kind: str, jobs: int, stamps: Path | str) -> list[str]:
    """What each of them does."""
    return [command(stamps, name) for name in names(kind, jobs)]


def is_over(kind: str, jobs: int, stamps: Path) -> bool:
    """Whether the last job has ended."""
    return (stamps / names(kind, jobs)[-1]).exists()


def gap(stamps: Path, jobs: int) -> float:
    """Milliseconds from one job's act to the next one's, at the median."""
    moments = [float((stamps / name).read_text()) for name in names("chain", jobs)]
    return median(after - before for before, after in pairwise(moments)) * 1000


def rate(stamps: Path, jobs: int) -> float:
    """Jobs a second, from the first one's act to the last one's."""
    first, *_, last = names("fan", jobs)
    return jobs / (float((stamps / last).read_text()) - float((stamps / first).read_text()))
