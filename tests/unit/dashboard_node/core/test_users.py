"""Roles on the dashboard: how the first admin comes to be, who may grant, what is refused, and what is shown of it."""

from __future__ import annotations

from dashboard_node.core.effects import LookUpAudit
from schemas.addresses import AgentGrantsAt, GrantsAt
from schemas.codec import decode
from schemas.documents import Grants
from schemas.grants import EVERYBODY, Grant, UserRole
from schemas.names import NodeName, PlanName, UserName
from schemas.queries import ListUsers, ReadAudit, UserList, WhoAmI, You
from schemas.requests import EnablePlan, GrantRole, ImportPlan, RevokeRole, StartInstance, UserGrants
from tests.support.office import ANN, Office, a_plan, at

BOB = UserName("bob")
OPERATOR, VIEWER, ADMIN = UserRole.OPERATOR, UserRole.VIEWER, UserRole.ADMIN
P = PlanName("P")
NORTH = NodeName("north")


def ruled() -> Office:
    """Ann is its admin by its settings; it has a plan."""
    office = Office(at("01-10 00:30"), admins=(ANN,))
    office.imports(a_plan())
    return office


def grants(office: Office) -> dict[UserName, tuple[Grant, ...]]:
    """What is shown of them."""
    shown = office.shown.get(GrantsAt())
    return shown.users if isinstance(shown, Grants) else {}


def test_without_an_admin_everybody_may_do_everything_but_grant() -> None:
    """Whoever came first would otherwise rule."""
    office = Office(at("01-10 00:30"))
    office.imports(a_plan())

    refused = office.ask(GrantRole(user=BOB, role=ADMIN))

    assert office.ask(EnablePlan(plan=P, enabled=False), user=BOB).ok
    assert "serve dashboard --admin NAME" in refused.reason
    assert GrantsAt() not in office.shown
    assert decode(bytes(office.ask(WhoAmI()).data), You).open


def test_settings_name_the_first_admin_at_a_start() -> None:
    """Audited as what it is, saved, and shown."""
    office = ruled()

    assert grants(office) == {ANN: (Grant(ADMIN),)}
    [row] = [row for row in office.audit if row.kind == "user"]
    assert (row.before, row.after, row.detail) == ("nothing", "admin", "ann: named by the dashboard's settings")
    assert (row.cause, row.user) == ("start of epoch 1", "")


def test_an_admin_named_once_stays_one_without_the_setting() -> None:
    """A forgotten option does not open the door."""
    office = ruled()
    office.admins = ()
    office.begin()

    assert grants(office) == {ANN: (Grant(ADMIN),)}
    assert not office.ask(EnablePlan(plan=P, enabled=False), user=BOB).ok


def test_grant_lets_a_person_act_and_revoke_takes_it_back() -> None:
    """Before and after stand in the audit, with who did it."""
    office = ruled()
    refused = office.ask(StartInstance(plan=P), user=BOB)
    granted = office.ask(GrantRole(user=BOB, role=OPERATOR, plans="P*"))
    started = office.ask(StartInstance(plan=P), user=BOB)
    revoked = office.ask(RevokeRole(user=BOB))
    again = office.ask(StartInstance(plan=P), user=BOB)

    assert [refused.ok, granted.ok, started.ok, revoked.ok, again.ok] == [False, True, True, True, False]
    changes = [(row.before, row.after, row.detail, row.user) for row in office.audit if row.kind == "user"][1:]
    assert changes == [("nothing", "operator of P*", "bob", "ann"), ("operator of P*", "nothing", "bob", "ann")]
    refusals = [row for row in office.audit if row.kind == "request" and row.after == "refused"]
    assert [row.user for row in refusals] == ["bob", "bob"]
    assert "needs the role operator of plan 'P'" in refusals[0].detail


def test_granting_what_is_there_changes_nothing() -> None:
    """Nor does it write to the audit trail."""
    office = ruled()
    office.ask(GrantRole(user=BOB, role=OPERATOR))
    rows = len(office.audit)

    answer = office.ask(GrantRole(user=BOB, role=OPERATOR))

    assert decode(bytes(answer.data), UserGrants) == UserGrants(user=BOB, grants=(Grant(OPERATOR),), changed=False)
    assert len(office.audit) == rows


def test_a_question_that_is_refused_is_audited_and_not_remembered() -> None:
    """So who is granted it meanwhile gets an answer to the same question."""
    office = ruled()

    refused = office.ask(ReadAudit(), "q1", user=BOB)
    office.ask(GrantRole(user=EVERYBODY, role=VIEWER))
    office.asks(ReadAudit(), "q1", user=BOB)

    assert not refused.ok
    assert [row.before for row in office.audit if row.after == "refused"] == ["q1"]
    assert isinstance(office.effects[-1], LookUpAudit)


def test_a_request_that_was_done_is_answered_the_same_after_the_grant_has_gone() -> None:
    """It was decided when it was asked."""
    office = ruled()
    office.ask(GrantRole(user=BOB, role=OPERATOR))
    first = office.ask(StartInstance(plan=P), "00000abc", user=BOB)
    office.ask(RevokeRole(user=BOB))

    assert office.ask(StartInstance(plan=P), "00000abc", user=BOB) == first
    assert first.ok


def test_the_last_admin_stays() -> None:
    """And so does one whom the settings name; an admin of some plans is none of all."""
    office = ruled()
    office.admins = ()
    office.begin()
    office.ask(GrantRole(user=BOB, role=ADMIN, plans="P*"))
    last = office.ask(RevokeRole(user=ANN))
    office.ask(GrantRole(user=BOB, role=ADMIN))
    second = office.ask(RevokeRole(user=ANN))
    office.admins = (ANN,)
    office.begin()
    named = office.ask(RevokeRole(user=ANN), user=BOB)

    assert "ann is the last admin" in last.reason
    assert second.ok
    assert "by the dashboard's settings" in named.reason
    assert set(grants(office)) == {ANN, BOB}


def test_an_admin_of_some_plans_imports_those_and_grants_nothing() -> None:
    """Authoring may be handed out by plan; ruling may not."""
    office = ruled()
    office.ask(GrantRole(user=BOB, role=ADMIN, plans="P"))

    assert not office.ask(GrantRole(user=BOB, role=ADMIN), user=BOB).ok
    assert "admin of plan 'Q'" in _imported_by(office, BOB, "Q")
    assert _imported_by(office, BOB, "P") == ""


def _imported_by(office: Office, user: UserName, name: str) -> str:
    return office.ask(ImportPlan(source=a_plan(name, description="new")), user=user).reason


def test_grant_that_means_nothing_is_refused() -> None:
    """In one line each."""
    office = ruled()

    assert "a viewer looks at all plans" in office.ask(GrantRole(user=BOB, role=VIEWER, plans="P*")).reason
    assert "user's name" in office.ask(GrantRole(user=UserName(" "), role=VIEWER)).reason
    assert "pattern" in office.ask(GrantRole(user=BOB, role=OPERATOR, plans="")).reason
    assert office.ask(RevokeRole(user=BOB)).reason == "bob was not granted anything"


def test_agents_are_shown_who_may_ask_as_soon_as_they_are_there() -> None:
    """And each change; an agent that is forgotten is shown nothing."""
    office = ruled()
    office.hears_presence("north")
    first = office.shown[AgentGrantsAt(NORTH)]
    office.ask(GrantRole(user=BOB, role=OPERATOR))

    assert first == Grants(users={ANN: (Grant(ADMIN),)})
    assert office.shown[AgentGrantsAt(NORTH)] == office.shown[GrantsAt()]
    assert grants(office)[BOB] == (Grant(OPERATOR),)


def test_grants_outlive_the_dashboard_and_its_disk() -> None:
    """Forgotten, they would let everybody do everything."""
    office = ruled()
    office.ask(GrantRole(user=BOB, role=OPERATOR, plans="P*"))
    before = grants(office)
    office.begin()
    restarted = grants(office)
    office.admins = ()
    office.lose_disk()

    assert restarted == before
    assert grants(office) == before


def test_list_and_whoami_say_who_may_do_what() -> None:
    """With who granted it, and what each request needs."""
    office = ruled()
    office.ask(GrantRole(user=BOB, role=OPERATOR, plans="P*"))

    users = decode(bytes(office.ask(ListUsers(), user=BOB).data), UserList).users
    you = decode(bytes(office.ask(WhoAmI(), user=BOB).data), You)

    assert [(one.user, one.by, one.named) for one in users] == [("ann", "", True), ("bob", "ann", False)]
    assert (you.user, you.open, you.grants) == ("bob", False, (Grant(OPERATOR, "P*"),))
    assert you.rights["plan.import"].role is ADMIN
