"""Plans: versions are added, never changed; running instances keep the version they started with."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from dashboard_node.core import windows
from dashboard_node.core.plan_rules import faults
from dashboard_node.core.records import PlanRecord, VersionRecord
from dashboard_node.core.step import Step
from schemas.names import PlanName, UserName
from schemas.plan import Plan
from schemas.requests import Answer, ImportPlan, PlanImported


def import_plan(step: Step, request: ImportPlan) -> Answer:
    """Store a plan as its next version and register its window. Refused with every fault; then nothing is stored."""
    found = faults(request.source)
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
    step.note("plan", detail=name, after=f"version {version}")
    windows.due(step, name)
    return _imported(name, version, changed=True)


def _nothing_decided_yet(step: Step, plan: Plan) -> datetime:
    """Up to when starts of a plan that is new here count as decided: a window that is open now is still to be decided."""
    opened = windows.open_since(plan, step.now)
    return step.now if opened is None else opened - windows.MOMENT


def _imported(name: PlanName, version: int, *, changed: bool) -> Answer:
    data = PlanImported(plan=name, version=version, changed=changed)
    return Answer(ok=True, data=Raw(msgspec.json.encode(data)))
