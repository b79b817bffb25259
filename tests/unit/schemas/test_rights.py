"""Who may ask what: patterns, roles, and the table of what each request needs."""

from __future__ import annotations

import pytest

from schemas.asked import Asked
from schemas.grants import EVERYBODY, Extent, Grant, Granted, Right, UserRole, fits, told
from schemas.names import InstanceId, PlanName, RunId, UserName
from schemas.queries import ReadAudit, WhoAmI
from schemas.requests import (
    Act,
    Action,
    AgentRequest,
    Change,
    DashboardRequest,
    DeletePlan,
    Drain,
    GrantRole,
    Query,
    RaiseEvent,
    ReadLog,
    StartInstance,
    TestNotification,
)
from schemas.rights import refusal, rights

BOB = UserName("bob")
FINANCE = PlanName("Finance Close")
RUNNING = InstanceId("Finance%20Close-20260102T010000Z")
OPERATOR, VIEWER, ADMIN = UserRole.OPERATOR, UserRole.VIEWER, UserRole.ADMIN
SUBMIT = Act(action=Action.SUBMIT, instance=RUNNING, job="x")


def granted(*grants: Grant) -> Granted:
    """To bob; somebody else is the admin."""
    return {UserName("ann"): (Grant(ADMIN),), BOB: grants}


@pytest.mark.parametrize(
    ("pattern", "plan", "fit"),
    [
        ("*", "", True),
        ("*", "any\nthing", True),
        ("Finance*", "Finance Close", True),
        ("Finance*", "finance", False),
        ("Fin?nce", "Finance", True),
        ("Fin?nce", "Finnce", False),
        ("a.b", "axb", False),
        ("a[1]*", "a[1]x", True),
        ("*close", "Daily close", True),
        ("*close", "Daily close 2", False),
    ],
)
def test_pattern_fits_whole_names(pattern: str, plan: str, *, fit: bool) -> None:
    """Only ``*`` and ``?`` mean something."""
    assert fits(pattern, plan) is fit


@pytest.mark.parametrize(
    ("grants", "request_", "allowed"),
    [
        ((), ReadAudit(), False),
        ((), WhoAmI(), True),
        ((Grant(VIEWER),), ReadAudit(), True),
        ((Grant(VIEWER),), ReadLog(run=RunId("r")), True),
        ((Grant(VIEWER),), SUBMIT, False),
        ((Grant(VIEWER),), Act(action=Action.SUBMIT, instance=RUNNING, job="x", preview=True), True),
        ((Grant(OPERATOR, "Finance*"),), SUBMIT, True),
        ((Grant(OPERATOR, "Finance*"),), ReadAudit(), True),
        ((Grant(OPERATOR, "Finance*"),), StartInstance(plan=FINANCE), True),
        ((Grant(OPERATOR, "Finance*"),), StartInstance(plan=PlanName("Other")), False),
        ((Grant(OPERATOR, "Finance*"),), DeletePlan(plan=FINANCE), False),
        ((Grant(OPERATOR, "Finance*"),), Drain(), False),
        ((Grant(OPERATOR, "Finance*"),), TestNotification(plan=FINANCE), True),
        ((Grant(OPERATOR, "Finance*"),), TestNotification(), False),
        ((Grant(OPERATOR),), TestNotification(), True),
        ((Grant(OPERATOR),), Drain(), True),
        ((Grant(OPERATOR),), RaiseEvent(event="e"), True),
        ((Grant(ADMIN, "Finance*"),), DeletePlan(plan=FINANCE), True),
        ((Grant(ADMIN, "Finance*"),), SUBMIT, True),
        ((Grant(ADMIN, "Finance*"),), GrantRole(user=BOB, role=ADMIN), False),
        ((Grant(ADMIN),), GrantRole(user=BOB, role=ADMIN), True),
        ((Grant(OPERATOR),), Act(action=Action.HOLD, instance=InstanceId("nonsense")), True),
    ],
)
def test_request_is_allowed_by_a_role_of_its_plan(
    grants: tuple[Grant, ...], request_: DashboardRequest | AgentRequest, *, allowed: bool
) -> None:
    """A higher role includes the lower ones; what reaches beyond plans needs a grant of all of them."""
    assert (refusal(granted(*grants), BOB, request_) == "") is allowed


def test_refusal_says_what_is_missing_and_how_to_get_it() -> None:
    """In one line."""
    assert refusal(granted(Grant(VIEWER)), BOB, SUBMIT) == (
        "'act' needs the role operator of plan 'Finance Close', and bob has viewer: an admin can grant it"
        " (jobplan user grant bob operator --plan 'Finance Close')"
    )


def test_what_everybody_was_granted_counts_for_each() -> None:
    """The user ``*``."""
    everybody = {UserName("ann"): (Grant(ADMIN),), EVERYBODY: (Grant(OPERATOR, "Finance*"),)}

    assert refusal(everybody, BOB, SUBMIT) == ""
    assert refusal(everybody, BOB, StartInstance(plan=PlanName("Other"))) != ""


def test_as_long_as_nothing_was_granted_everybody_may() -> None:
    """The first admin closes the door."""
    assert refusal({}, BOB, DeletePlan(plan=FINANCE)) == ""


def test_every_request_has_its_line_in_the_table() -> None:
    """Only the question who one is needs nothing."""
    kinds: tuple[type[Asked], ...] = (*Query.__args__, *Change.__args__, *AgentRequest.__args__)
    known = rights()

    assert {str(kind.__struct_config__.tag) for kind in kinds} - set(known) == {"user.whoAmI", "time.read"}
    assert known["act"] == Right(OPERATOR, Extent.PLAN)


def test_grants_are_told_the_highest_first() -> None:
    """As a person would."""
    assert told([Grant(VIEWER), Grant(OPERATOR, "B"), Grant(ADMIN, "A*")]) == "admin of A*, operator of B, viewer"
    assert told([]) == "nothing"
