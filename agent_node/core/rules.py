"""What an operator may set for an agent's rules, and the fixed spans of time they use. Seconds throughout."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from msgspec import Struct, field

from schemas.names import NodeName

STOP_GRACE: Final = timedelta(seconds=10)
"""Between TERM and KILL, and between one KILL and the next."""
MISSING_INSTANCE_GRACE: Final = timedelta(seconds=60)
"""An assignment normally arrives together with its instance's publication; so long is waited for it.

A broker of several servers may pass on the one, and hold the other back for as long as these take to elect a leader.
"""
LET_GO_GRACE: Final = timedelta(minutes=5)
"""How long the end of a run that nobody assigns any more stays visible, for a dashboard that rebuilds itself."""
LATENESS: Final = timedelta(seconds=60)
"""A clock fire decided later than this counts as missed (Quartz' default misfire threshold)."""
SWEEP_EVERY: Final = timedelta(days=1)
MOST_FIRES: Final = 1_000
"""Untaken fires kept a watch; beyond, the newest one stands for those before it."""
MOST_FILES: Final = 1_000
"""Files a fire lists; the rest fires at the next look."""


PRETENDED: Final = "dryRun.txt"
"""What a file job fires with in a dry run that names no files (as Ikasan's)."""
CHOSEN: Final = "dry run: these files were chosen"
"""Why a file job fires in a dry run that names files."""


class DryRun(Struct, frozen=True, kw_only=True):
    """Commands are not run but pretended to, and file jobs fire without a look at their folders."""

    seconds: float = 0.0
    """How long each pretends to run."""
    error_percentage: int = 0
    """How many of a hundred runs pretend to fail; which ones follows from their ids."""
    return_code: int | None = None
    """What every one pretends to return; None: the percentage decides."""
    files: tuple[str, ...] = ()
    """What a file job has fired with."""


class Rules(Struct, frozen=True, kw_only=True):
    """Settings of one agent."""

    agent: NodeName
    zone: str
    """IANA name: days of the week and clock jobs without a zone of their own are read in it."""
    concurrency: int = 64
    """Processes at once."""
    label_concurrency: dict[str, int] = field(default_factory=dict)
    """Of runs whose job has a label, so many at once."""
    timeout_seconds: float = 4 * 3600.0
    """Limit of a run whose job names none; 0: no limit."""
    keep_days: int = 30
    """Age in days at which run folders of removed instances are removed."""
    dry_run: DryRun | None = None
    boot: str = ""
    """Which boot of the host this is."""
