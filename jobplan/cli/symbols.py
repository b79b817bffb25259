"""How statuses look in a terminal: one symbol of one column and one style each."""

from __future__ import annotations

from typing import Final

from schemas.status import ContextStatus, JobStatus, NodeState

JOB: Final[dict[JobStatus, tuple[str, str, str]]] = {
    JobStatus.WAITING: ("○", ".", "bright_black"),
    JobStatus.ON_HOLD: ("‖", "=", "magenta"),
    JobStatus.SKIPPED: ("»", ">", "cyan"),
    JobStatus.DISABLED: ("⊘", "-", "bright_black"),
    JobStatus.LOCK_QUEUED: ("◷", "L", "yellow"),
    JobStatus.RUNNING: ("▶", ">", "bold blue"),
    JobStatus.SKIPPED_RUNNING: ("▷", ">", "cyan"),
    JobStatus.COMPLETE: ("✔", "+", "green"),
    JobStatus.SKIPPED_COMPLETE: ("»", "+", "cyan"),
    JobStatus.ERROR: ("✘", "X", "bold red"),
    JobStatus.ERROR_ACKNOWLEDGED: ("✘", "x", "yellow"),
    JobStatus.KILLED: ("✖", "K", "bold red"),
    JobStatus.RELEASED: ("○", ".", "bright_black"),
    JobStatus.ENDED: ("■", "#", "bright_black"),
    JobStatus.PREPARED: ("◌", ".", "bright_black"),
}
"""Symbol, what stands for it where only ASCII can be written, and rich style."""

CONTEXT: Final[dict[ContextStatus, str]] = {
    ContextStatus.PREPARED: "bright_black",
    ContextStatus.WAITING: "bright_black",
    ContextStatus.RUNNING: "bold blue",
    ContextStatus.COMPLETE: "bold green",
    ContextStatus.ERROR: "bold red",
    ContextStatus.ENDED: "bold",
}

NODE: Final[dict[NodeState, str]] = {NodeState.ALIVE: "green", NodeState.GONE: "bold red"}


def symbol(status: JobStatus, *, ascii_only: bool = False) -> str:
    """The symbol of a job's status."""
    return JOB[status][1 if ascii_only else 0]


def job_style(status: JobStatus) -> str:
    """The rich style of a job's status."""
    return JOB[status][2]


def words(status: JobStatus | ContextStatus) -> str:
    """A status as a person reads it: ``lock queued``."""
    return status.value.replace("_", " ").lower()
