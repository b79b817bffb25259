"""The Quartz cron language: parse an expression, ask when it fires. Pure; docs/cron.md.

The public names, nothing else.
"""

from schemas.clock_changes import Gap, Overlap
from schemas.cron.errors import CronError
from schemas.cron.fires import (
    LOSSLESS,
    QUARTZ,
    DstPolicy,
    FirstPass,
    fires,
    instants_of,
    next_fire,
    previous_fire,
)
from schemas.cron.parser import parse
from schemas.cron.value import FIRST_YEAR, LAST_YEAR, Cron
from schemas.cron.windows import blackout_end, matches
from schemas.cron.zones import instant_of

__all__ = [
    "FIRST_YEAR",
    "LAST_YEAR",
    "LOSSLESS",
    "QUARTZ",
    "Cron",
    "CronError",
    "DstPolicy",
    "FirstPass",
    "Gap",
    "Overlap",
    "blackout_end",
    "fires",
    "instant_of",
    "instants_of",
    "matches",
    "next_fire",
    "parse",
    "previous_fire",
]
