"""What people look up: plan versions out of the state, the audit trail out of the store; nothing is remembered of it."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Raw

from dashboard_node.core.effects import ForgetAudit, LookUpAudit
from schemas.codec import decode
from schemas.names import PlanName
from schemas.queries import ListVersions, ReadAudit, ReadVersion, Version, Versions
from schemas.requests import CheckPlan, EnablePlan, ImportPlan, PlanChecked
from tests.support.office import Office, a_plan, at

P = PlanName("P")


def an_office() -> Office:
    """With two versions of P; the first one runs."""
    office = Office(at("01-10 02:00"))
    office.ask(ImportPlan(source=a_plan(), bundle=Raw(b'{"kept":1}')))
    office.imports(a_plan(description="changed"))
    return office


def test_versions_are_listed_with_who_brought_them() -> None:
    """The oldest first, with how many instances stand on each."""
    answer = an_office().ask(ListVersions(plan=P))

    found = decode(bytes(answer.data), Versions).versions
    assert [(one.version, one.by, one.jobs, one.instances) for one in found] == [(1, "ann", 2, 1), (2, "ann", 2, 0)]


def test_the_newest_version_is_read_unless_another_is_named() -> None:
    """As it is understood; with ``bundle`` as it was written."""
    office = an_office()

    newest = decode(bytes(office.ask(ReadVersion(plan=P)).data), Version)
    written = decode(bytes(office.ask(ReadVersion(plan=P, version=1, bundle=True)).data), Version)

    assert (newest.version, newest.source) == (2, a_plan(description="changed"))
    assert (written.source, bytes(written.bundle)) == (None, b'{"kept":1}')


def test_a_version_without_a_bundle_is_given_as_it_is_understood() -> None:
    """It was imported by a program, not from files."""
    answer = an_office().ask(ReadVersion(plan=P, version=2, bundle=True))

    assert decode(bytes(answer.data), Version).source == a_plan(description="changed")


def test_what_is_not_there_is_refused_with_what_is() -> None:
    """Plans and versions."""
    office = an_office()

    assert office.ask(ReadVersion(plan=P, version=3)).reason == "plan 'P' has no version 3; there are 2, 1"
    assert office.ask(ReadVersion(plan=PlanName("Q"))).reason == "plan 'Q' is unknown; there is P"
    assert office.ask(ListVersions(plan=PlanName("Q"))).reason == "plan 'Q' is unknown; there is P"


def test_a_look_into_the_audit_trail_is_the_stores_to_answer() -> None:
    """The core only says who asked what; nothing is saved for it."""
    office = an_office()
    before = dict(office.rows)

    answers = office.asks(ReadAudit(kind="tick"), "00000abc")

    effect = office.effects[-1]
    assert isinstance(effect, LookUpAudit)
    assert (answers, effect.request, effect.query.kind) == ([], "00000abc", "tick")
    assert office.rows == before


def test_the_same_question_asked_again_is_looked_up_again() -> None:
    """Under the same id: its answer is not kept."""
    office = an_office()

    first = office.ask(ListVersions(plan=P), "00000abc")
    office.imports(a_plan(description="once more"))
    second = office.ask(ListVersions(plan=P), "00000abc")

    assert first != second
    assert not office.ask(EnablePlan(plan=P)).ok  # what changes something is remembered as before


def test_clock_fires_stand_in_the_ledger_beside_the_plans_starts() -> None:
    """With the plan, the job and the time they were due."""
    office = an_office()

    office.fires("q")

    tick = [row for row in office.audit if row.kind == "tick" and row.job][-1]
    assert (tick.context, tick.job, tick.before, tick.after) == ("P", "a-q", office.now.isoformat(), "ran")


def test_a_plan_is_checked_as_an_import_would_and_nothing_is_stored() -> None:
    """Its faults at their paths; without errors, whether it differs and when it would start."""
    office = an_office()
    before = dict(office.rows)

    def check(**fields: object) -> PlanChecked:
        source = a_plan(**fields)  # type: ignore[arg-type]  # the builder's own words
        return decode(bytes(office.ask(CheckPlan(source=source)).data), PlanChecked)

    same = check(description="changed")
    other = check(timeWindowStart="0 0 6 * * ?", timezone="Europe/London")
    wrong = check(timeWindowStart="0 0 25 * * ?")
    never = check(timeWindowStart="0 0 6 * * ?", blackoutWindowCronExpressions=["* * * * * ?"])

    assert (same.faults, same.changed) == ((), False)
    assert (other.changed, other.next_starts[:2]) == (True, (at("01-10 06:00"), at("01-11 06:00")))
    assert len(other.next_starts) == 5
    assert not wrong.faults[0].warning
    assert "timeWindowStart" in wrong.faults[0].path
    assert (wrong.next_starts, never.next_starts) == ((), ())
    assert office.rows == before


def test_old_audit_rows_are_looked_for_each_hour_and_those_of_kept_instances_stay() -> None:
    """Only if the settings say so."""
    office = an_office()
    before = [effect for effect in office.effects if isinstance(effect, ForgetAudit)]
    office.audit_kept = timedelta(days=30)
    office.begin()
    office.until(at("01-10 04:30"))

    found = [effect for effect in office.effects if isinstance(effect, ForgetAudit)]
    assert before == []
    assert [effect.before for effect in found] == [
        at("01-10 02:00") - timedelta(days=30),
        at("01-10 03:00") - timedelta(days=30),
        at("01-10 04:00") - timedelta(days=30),
    ]
    assert found[0].instances == (office.only.id,)
