"""The instances of one plan, sorted out as they change."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from dashboard_node.core.of_plan import OfPlan
from dashboard_node.core.records import InstanceRecord
from schemas.documents import PlanStatus
from schemas.names import InstanceId, PlanName
from schemas.requests import EndInstance
from schemas.status import ContextStatus
from tests.support.office import Office, a_plan, at

NOON = at("01-31 12:00")
P = PlanName("P")


def an_instance(number: int, status: ContextStatus = ContextStatus.RUNNING, version: int = 1) -> InstanceRecord:
    """One that opened so many minutes after noon."""
    opens = NOON + timedelta(minutes=number)
    return InstanceRecord(
        id=InstanceId(f"P-{number}"), plan=P, version=version, status=status, created=NOON, opens=opens
    )


def test_active_ones_stand_in_the_order_in_which_they_opened() -> None:
    """Whenever they came; one that is prepared, or has ended, is none of them."""
    of_plan = OfPlan()
    for number in (3, 1, 2):
        of_plan.put(None, an_instance(number))
    of_plan.put(None, an_instance(4, ContextStatus.PREPARED))
    of_plan.put(an_instance(1), an_instance(1, ContextStatus.ENDED))

    assert of_plan.active == ["P-2", "P-3"]
    assert (of_plan.active_count, of_plan.newest_active(1)) == (2, ["P-3"])
    assert set(of_plan.kept) == {"P-1", "P-2", "P-3", "P-4"}


def test_prepared_one_opens_at_its_own_time() -> None:
    """Which may be another than it was prepared for."""
    of_plan, prepared = OfPlan(), an_instance(9, ContextStatus.PREPARED)
    of_plan.put(None, an_instance(5))
    of_plan.put(None, prepared)
    of_plan.put(prepared, replace(prepared, status=ContextStatus.WAITING, opens=NOON))

    assert of_plan.active == ["P-9", "P-5"]


def test_version_is_in_use_until_its_last_instance_has_ended() -> None:
    """That one is kept for a while is no use of its version."""
    of_plan = OfPlan()
    for number in (1, 2):
        of_plan.put(None, an_instance(number))
    of_plan.put(None, an_instance(3, version=2))
    of_plan.put(an_instance(1), an_instance(1, ContextStatus.ENDED))
    both = of_plan.versions
    of_plan.put(an_instance(2), an_instance(2, ContextStatus.ENDED))
    one = of_plan.versions
    of_plan.put(an_instance(2, ContextStatus.ENDED), None)

    assert (both, one, of_plan.versions) == ({1, 2}, {2}, {2})
    assert set(of_plan.kept) == {"P-1", "P-3"}


def test_document_of_a_plan_names_the_newest_instances_and_counts_all() -> None:
    """With thousands of them it stays short."""
    office = Office(NOON)
    office.imports(a_plan(ableToRunConcurrently=True))
    for number in range(11):
        office.now = NOON + timedelta(seconds=number)
        office.start("P")
    names = [instance.id for instance in office.instances]
    office.ask(EndInstance(instance=names[5]))
    [shown] = [document for document in office.shown.values() if isinstance(document, PlanStatus)]

    assert shown.running == (names[1], *names[2:5], *names[6:])
    assert shown.running_count == 11
