"""Who may do what: roles that are granted to people, for all plans or for those whose names fit a pattern. Pure.

A later role may do all that an earlier one may. Which request needs which role is written in ``schemas.rights``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from schemas.names import PlanName, UserName

EVERYBODY: Final = UserName("*")
"""In the place of a user: everybody whom the broker lets ask."""
EVERYTHING: Final = "*"
"""The pattern that every plan's name fits; only a grant with exactly this one reaches beyond plans."""


class UserRole(StrEnum):
    """What a person may do, the least first."""

    VIEWER = "viewer"
    """Look things up: the audit trail, what is coming, what jobs wrote."""
    OPERATOR = "operator"
    """Act on instances and jobs, and on agents, locks and events."""
    ADMIN = "admin"
    """Import and delete plans; with all plans: calendars, and who may do what."""


RANK: Final = {role: rank for rank, role in enumerate(UserRole)}


class Grant(Struct, frozen=True, omit_defaults=True, rename="camel", order=True):
    """A role for the plans whose names fit ``plans``: ``*`` stands for any letters, ``?`` for one, all else for itself."""

    role: UserRole
    plans: str = EVERYTHING

    def __str__(self) -> str:
        return str(self.role) if self.plans == EVERYTHING else f"{self.role} of {self.plans}"


Granted = Mapping[UserName, tuple[Grant, ...]]
"""All grants, by user. Empty: nobody was ever granted anything, and everybody may do everything but grant."""


def fits(pattern: str, plan: str) -> bool:
    """Whether a plan's name fits a grant's pattern, letter by letter, upper and lower case apart."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, plan, re.DOTALL) is not None


def grants_of(granted: Granted, user: UserName) -> tuple[Grant, ...]:
    """What a user was granted, and what everybody was."""
    return tuple(dict.fromkeys((*granted.get(user, ()), *granted.get(EVERYBODY, ()))))


def may(grants: Iterable[Grant], role: UserRole, plan: PlanName | None) -> bool:
    """Whether one of the grants is for ``role`` or a later one, of this plan; ``plan`` None: of all plans at once."""
    return any(
        RANK[grant.role] >= RANK[role] and (grant.plans == EVERYTHING if plan is None else fits(grant.plans, plan))
        for grant in grants
    )


def told(grants: Iterable[Grant]) -> str:
    """Grants in words, the highest role first: ``admin of Finance*, operator``."""
    ordered = sorted(grants, key=lambda grant: (-RANK[grant.role], grant.plans))
    return ", ".join(map(str, ordered)) or "nothing"


class Extent(StrEnum):
    """Of which plans a role is needed."""

    ANY = "any"
    """Of any plan: who has a role at all may do it."""
    PLAN = "plan"
    """Of the plan that is named."""
    ALL = "all"
    """Of all plans: it reaches beyond any one."""


class Right(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What a kind of request needs."""

    role: UserRole
    of: Extent
