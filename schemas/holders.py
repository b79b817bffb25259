"""Who holds a lock, in words: the same on a job's topic and in the tools. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from schemas.blockers import LockClaim
from schemas.names import InstanceId

SHOWN: Final = 3
"""How many holders are named."""


def held_by(holders: Sequence[LockClaim], own: InstanceId, *, more: int = 0) -> str:
    """What follows "waits for lock X", for a job of the instance ``own``. ``more``: how many hold it besides."""
    if not holders:
        return ", which nobody holds now"
    named = ", ".join(_named(claim, own) for claim in holders[:SHOWN])
    unnamed = len(holders[SHOWN:]) + more
    return f", held by {named}" + (f" and {unnamed} more" if unnamed else "")


def _named(claim: LockClaim, own: InstanceId) -> str:
    where = claim.called if claim.instance == own else f"{claim.called} of {claim.instance}"
    return where + (f" since {claim.since:%Y-%m-%dT%H:%M:%SZ}" if claim.since is not None else "")
