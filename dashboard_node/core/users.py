"""Who may do what: roles granted and taken back by admins. There is always one left, once there was one."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from dashboard_node.core.records import UserRecord
from dashboard_node.core.state import State
from dashboard_node.core.step import Step
from schemas.grants import EVERYBODY, EVERYTHING, Grant, UserRole, may, told
from schemas.names import UserName
from schemas.near import nearest
from schemas.requests import Answer, GrantRole, RevokeRole, UserGrants

_ADMIN = Grant(UserRole.ADMIN)
_NOBODY = (
    "no admin is named here: whoever runs the dashboard names the first one ('jobplan serve dashboard --admin NAME', "
    'or admins = ["NAME"] below [dashboard] in its settings)'
)


def name_admins(step: Step) -> None:
    """Those whom the settings name are admins, from this start on."""
    for user in step.state.admins:
        before = _of(step.state, user)
        if _ADMIN not in before:
            _put(step, user, (*before, _ADMIN), "named by the dashboard's settings")


def grant(step: Step, request: GrantRole) -> Answer:
    """Add a grant. What a higher role of the same plans covers already may be granted all the same."""
    wrong = _wrong(step.state, request)
    if wrong:
        return Answer(ok=False, reason=wrong)
    before, wanted = _of(step.state, request.user), Grant(request.role, request.plans)
    if wanted in before:
        return _done(step.state, request.user, changed=False)
    _put(step, request.user, (*before, wanted))
    return _done(step.state, request.user, changed=True)


def revoke(step: Step, request: RevokeRole) -> Answer:
    """Take grants back."""
    if not _has_admin(step.state):
        return Answer(ok=False, reason=_NOBODY)
    before = _of(step.state, request.user)
    if not before:
        near = nearest(request.user, sorted(step.state.users))
        hint = f"; did you mean '{near}'?" if near else ""
        return Answer(ok=False, unknown=True, reason=f"{request.user} was not granted anything{hint}")
    going = [one for one in before if request.role in {None, one.role} and request.plans in {None, one.plans}]
    if not going:
        return Answer(ok=False, reason=f"{request.user} was not granted that: there is {told(before)}")
    if _ADMIN in going and request.user in step.state.admins:
        return Answer(
            ok=False,
            reason=f"{request.user} is an admin by the dashboard's settings: whoever runs it takes that out first",
        )
    others = (one for user, record in step.state.users.items() if user != request.user for one in record.grants)
    staying = tuple(one for one in before if one not in going)
    if _ADMIN in going and not may((*staying, *others), UserRole.ADMIN, None):
        return Answer(ok=False, reason=f"{request.user} is the last admin: make somebody else one first")
    _put(step, request.user, staying)
    return _done(step.state, request.user, changed=True)


def _wrong(state: State, request: GrantRole) -> str:
    """Why a grant cannot be; empty: it can."""
    if not _has_admin(state):
        return _NOBODY
    if not request.user.strip() or not request.user.isprintable():
        return f"a user's name is wanted as the broker knows it, or {EVERYBODY} for everybody"
    if not request.plans.strip():
        return f"a plan's name or a pattern is wanted; {EVERYTHING} for all plans"
    if request.role is UserRole.VIEWER and request.plans != EVERYTHING:
        return "a viewer looks at all plans: what may be seen is the broker's access rules, not the dashboard's"
    return ""


def _has_admin(state: State) -> bool:
    return may((one for record in state.users.values() for one in record.grants), UserRole.ADMIN, None)


def _of(state: State, user: UserName) -> tuple[Grant, ...]:
    record = state.users.get(user)
    return () if record is None else record.grants


def _put(step: Step, user: UserName, grants: tuple[Grant, ...], why: str = "") -> None:
    before, after = _of(step.state, user), tuple(sorted(set(grants)))
    record = UserRecord(user=user, grants=after, changed=step.now, by=UserName(step.user)) if after else None
    step.put_user(user, record)
    step.note("user", before=told(before), after=told(after), detail=f"{user}: {why}" if why else user)


def _done(state: State, user: UserName, *, changed: bool) -> Answer:
    data = UserGrants(user=user, grants=_of(state, user), changed=changed)
    return Answer(ok=True, data=Raw(msgspec.json.encode(data)))
