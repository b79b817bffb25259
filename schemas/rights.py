"""Which role each request needs, and of which plans: one table, by which both nodes judge and tools know beforehand. Pure."""

from __future__ import annotations

from typing import Final

from schemas.asked import Asked
from schemas.estimates import EstimateEnd, ReadDurations, ReadJobHistory
from schemas.grants import Extent, Granted, Right, UserRole, grants_of, may, told
from schemas.names import NameFormatError, PlanName, UserName, plan_of
from schemas.queries import (
    Forecast,
    ListCalendars,
    ListNotifications,
    ListUsers,
    ListVersions,
    ReadAudit,
    ReadCalendar,
    ReadTime,
    ReadVersion,
    WhoAmI,
)
from schemas.requests import (
    Act,
    CheckPlan,
    DeleteCalendar,
    DeletePlan,
    Drain,
    EnablePlan,
    EndInstance,
    GrantRole,
    ImportCalendar,
    ImportPlan,
    MoveEnd,
    MuteNotifications,
    PrepareInstance,
    RaiseEvent,
    ReadLog,
    ResetInstance,
    RevokeRole,
    SetDryRun,
    SetParameters,
    StartInstance,
    SwitchWatch,
    TestNotification,
    UnmuteNotifications,
)

_LOOK: Final = Right(UserRole.VIEWER, Extent.ANY)
_ACT: Final = Right(UserRole.OPERATOR, Extent.PLAN)
_ACT_ON_ALL: Final = Right(UserRole.OPERATOR, Extent.ALL)
_AUTHOR: Final = Right(UserRole.ADMIN, Extent.PLAN)
_RULE: Final = Right(UserRole.ADMIN, Extent.ALL)

_BY_REQUEST: Final[dict[type[Asked], Right | None]] = {
    WhoAmI: None,
    ReadTime: None,
    ReadAudit: _LOOK,
    ListVersions: _LOOK,
    ReadVersion: _LOOK,
    ListCalendars: _LOOK,
    ReadCalendar: _LOOK,
    ListUsers: _LOOK,
    Forecast: _LOOK,
    CheckPlan: _LOOK,
    ReadJobHistory: _LOOK,
    ReadDurations: _LOOK,
    EstimateEnd: _LOOK,
    ListNotifications: _LOOK,
    ReadLog: _LOOK,
    StartInstance: _ACT,
    PrepareInstance: _ACT,
    EndInstance: _ACT,
    MoveEnd: _ACT,
    SetParameters: _ACT,
    ResetInstance: _ACT,
    EnablePlan: _ACT,
    Act: _ACT,
    SwitchWatch: _ACT,
    MuteNotifications: _ACT,
    UnmuteNotifications: _ACT,
    TestNotification: _ACT,
    RaiseEvent: _ACT_ON_ALL,
    Drain: _ACT_ON_ALL,
    SetDryRun: _ACT_ON_ALL,
    ImportPlan: _AUTHOR,
    DeletePlan: _AUTHOR,
    ImportCalendar: _RULE,
    DeleteCalendar: _RULE,
    GrantRole: _RULE,
    RevokeRole: _RULE,
}


def rights() -> dict[str, Right]:
    """What each kind of request needs, by its ``ask``; what is not in here needs nothing."""
    found = {str(kind.__struct_config__.tag): right for kind, right in _BY_REQUEST.items() if right is not None}
    return dict(sorted(found.items()))


def refusal(granted: Granted, user: UserName, request: Asked) -> str:
    """Why a user may not ask this, in one line that says what to do; empty: may.

    As long as nothing was granted to anybody, everybody may.
    """
    right = _BY_REQUEST[type(request)]
    if right is None or not granted:
        return ""
    if isinstance(request, Act) and request.preview:
        right = _LOOK  # what would follow is only looked at
    if isinstance(request, MuteNotifications | UnmuteNotifications | TestNotification) and request.plan is None:
        right = _ACT_ON_ALL
    grants = grants_of(granted, user)
    plan = _plan_of(request) if right.of is Extent.PLAN else None
    if grants if right.of is Extent.ANY else may(grants, right.role, plan):
        return ""
    whose = {Extent.ANY: "", Extent.ALL: " of all plans"}.get(right.of, f" of plan '{plan}'")
    needed = f"'{request.__struct_config__.tag}' needs the role {right.role}{whose}"
    return f"{needed}, and {user} has {told(grants)}: an admin can grant it ({_how(user, right, plan)})"


def _how(user: UserName, right: Right, plan: PlanName | None) -> str:
    only = f" --plan '{plan}'" if plan is not None else ""
    return f"jobplan user grant {user} {right.role}{only}"


def _plan_of(request: Asked) -> PlanName:
    """The plan that a request names, itself or by an instance."""
    match request:
        case ImportPlan():
            return PlanName(request.source.plan.name)
        case StartInstance() | PrepareInstance() | EnablePlan() | DeletePlan():
            return request.plan
        case MuteNotifications() | UnmuteNotifications() | TestNotification() if request.plan is not None:
            return request.plan
        case EndInstance() | MoveEnd() | SetParameters() | ResetInstance() | Act() | SwitchWatch():
            try:
                return plan_of(request.instance)
            except NameFormatError:  # there is no such instance: whoever may act on all plans is told so
                return PlanName(str(request.instance))
        case _:
            raise AssertionError(f"{type(request).__name__} names no plan")
