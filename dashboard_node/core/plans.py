"""Plans: versions are added, never changed; running instances keep the version they started with."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from dashboard_node.core import history, windows
from dashboard_node.core.instances import remove_instance
from dashboard_node.core.plan_rules import faults
from dashboard_node.core.plan_rules.groups import Seen, groups
from dashboard_node.core.plan_rules.survey import survey
from dashboard_node.core.records import PlanRecord, VersionRecord
from dashboard_node.core.schedules import open_since
from dashboard_node.core.step import Step
from schemas.names import PlanName, UserName
from schemas.plan import Plan
from schemas.requests import Answer, DeletePlan, EnablePlan, Fault, ImportPlan, PlanImported
from schemas.schedule import MOMENT
from schemas.status import ContextStatus


def import_plan(step: Step, request: ImportPlan) -> Answer:
    """Store a plan as its next version and register its window. Refused with every fault; then nothing is stored."""
    found = faults(request.source, step.state.calendars)
    if any(not fault.warning for fault in found):
        wrong = sum(not fault.warning for fault in found)
        return Answer(ok=False, reason=f"the plan has {wrong} fault{'s' * (wrong > 1)}", faults=found)
    name = PlanName(request.source.plan.name)
    record = step.state.plans.get(name)
    newest = step.state.versions[name, record.version] if record is not None else None
    if record is not None and newest is not None and newest.source == request.source:
        return _imported(name, record.version, changed=False)
    version = record.version + 1 if record is not None else 1
    step.put_version(
        VersionRecord(
            plan=name,
            version=version,
            source=request.source,
            bundle=Raw(bytes(request.bundle)),
            imported=step.now,
            by=UserName(step.user),
        )
    )
    step.put_plan(
        replace(record, version=version)
        if record is not None
        else PlanRecord(
            name=name,
            version=version,
            enabled=not request.source.plan.disabled,
            decided=_nothing_decided_yet(step, request.source.plan),
        )
    )
    step.put_deleted(name, None)
    history.forget_what_is_gone(step, name)
    before = f"version {record.version}" if record is not None else ""
    step.note("plan", detail=name, before=before, after=f"version {version}")
    windows.due(step, name)
    return _imported(
        name, version, changed=True, warnings=tuple(groups(survey(request.source), Seen.among(step.state.presences)))
    )


def _nothing_decided_yet(step: Step, plan: Plan) -> datetime:
    """Up to when starts of a plan that is new here count as decided: a window that is open now is still to be decided.

    Unless it was decided before the plan was deleted.
    """
    opened = open_since(step.state, plan, step.now)
    deleted = step.state.deleted.get(PlanName(plan.name))
    decided = step.now if opened is None else opened - MOMENT
    return decided if deleted is None else max(decided, deleted.decided)


def enable(step: Step, request: EnablePlan) -> Answer:
    """Let windows open, or not. Starts that come due while it is disabled are decided all the same: skipped."""
    record = step.state.plans[request.plan]
    if record.enabled is request.enabled:
        return Answer(
            ok=False, reason=f"plan '{request.plan}' is {'enabled' if record.enabled else 'disabled'} already"
        )
    step.put_plan(replace(record, enabled=request.enabled))
    before, after = ("disabled", "enabled") if request.enabled else ("enabled", "disabled")
    step.note("plan", detail=request.plan, before=before, after=after)
    windows.catch_up(step, request.plan)
    return Answer(ok=True)


def delete(step: Step, request: DeletePlan) -> Answer:
    """Forget a plan and everything kept of its ended instances."""
    kept = step.state.instances_of(request.plan)
    going = [
        instance.id
        for instance in kept
        if instance.status is not ContextStatus.ENDED or step.state.live.get(instance.id)
    ]
    if going:
        return Answer(ok=False, reason=f"{going[0]} has not ended yet, or a run of it has not; end it first")
    for instance in kept:
        remove_instance(step, instance.id)
    before = f"version {step.state.plans[request.plan].version}"
    windows.drop_backlog(step, request.plan, "the plan was deleted before it was caught up with")
    step.forget_plan(request.plan)
    step.note("plan", detail=request.plan, before=before, after="deleted")
    return Answer(ok=True)


def _imported(name: PlanName, version: int, *, changed: bool, warnings: tuple[Fault, ...] = ()) -> Answer:
    data = PlanImported(plan=name, version=version, changed=changed, warnings=warnings)
    return Answer(ok=True, data=Raw(msgspec.json.encode(data)))
