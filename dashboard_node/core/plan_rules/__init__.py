"""What must hold of a plan before it is taken: every error and warning at once, each at its JSON path. Pure.

Some of the rules are Ikasan's own; the others name what its scheduler would stumble over later. Warnings are for
what works, but perhaps not as meant.
"""

from __future__ import annotations

from collections.abc import Collection

from dashboard_node.core.plan_rules.calendars import calendars
from dashboard_node.core.plan_rules.commands import commands
from dashboard_node.core.plan_rules.cycles import cycles
from dashboard_node.core.plan_rules.dependencies import dependencies
from dashboard_node.core.plan_rules.groups import Seen, groups
from dashboard_node.core.plan_rules.locks import locks
from dashboard_node.core.plan_rules.notifications import notifications
from dashboard_node.core.plan_rules.secrets import secrets
from dashboard_node.core.plan_rules.spans import spans
from dashboard_node.core.plan_rules.structure import structure, without_artefact
from dashboard_node.core.plan_rules.survey import survey
from dashboard_node.core.plan_rules.times import times
from schemas.plan import PlanSource
from schemas.requests import Fault

__all__ = ["faults", "without_artefact"]


def faults(
    source: PlanSource,
    known_calendars: Collection[str] | None = None,
    seen: Seen | None = None,
    *,
    refuse_secrets: bool = False,
) -> tuple[Fault, ...]:
    """Everything that is wrong with a plan; what has no error among it may be imported.

    Literals that look secret are warnings, or errors with ``refuse_secrets``. Without the names of the
    business calendars that are there, those a plan names are not judged; nor are agents without those that were ``seen``.
    Paths are ``$.contexts[1].jobDependencies[0]...`` in the plan, and ``jobs/internal/NAME $.key`` in its jobs. Takes time in
    proportion to the plan, and any plan that decodes.
    """
    found = survey(source)
    return (
        *structure(found),
        *dependencies(found),
        *cycles(found),
        *locks(found),
        *times(found),
        *calendars(found, known_calendars),
        *groups(found, seen),
        *spans(found),
        *commands(found),
        *secrets(found, refuse=refuse_secrets),
        *notifications(found),
    )
