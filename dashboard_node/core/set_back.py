"""Records that are those of a copy: what was shown since then tells which agents were chosen for groups, and they stay so.

Else a run of the same id might be handed to another agent, which cannot know that it has begun elsewhere (S1). All else that
happened since is decided again, and comes to the same: ids are derived, and agents remember.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from dashboard_node.core import placement
from dashboard_node.core.step import Step
from schemas.addresses import Address, AssignmentAt
from schemas.documents import Assignment, Document, InstanceStatus
from schemas.names import group_label


def take_in(step: Step, newer: Mapping[Address, Document]) -> None:
    """``newer``: what was shown after these records were saved. An instance that they do not know may open again.

    Whoever has a run may have been told since to start it, and may have lost its disk since: it counts as told, and is of the
    journal to which it was handed last (S1).
    """
    if newer:
        for run in [step.state.runs[name] for name in step.state.standing.runs]:
            if not group_label(run.agent):
                shown = newer.get(AssignmentAt(run.agent, run.id))
                journal = shown.journal if isinstance(shown, Assignment) else 0
                step.put_run(replace(run, granted=True, journal=journal or run.journal))
    for document in newer.values():
        if isinstance(document, InstanceStatus) and document.placed:
            step.state.chosen_before[document.instance] = document.placed
            if document.instance in step.state.instances:
                placement.as_before(step, document.instance)
