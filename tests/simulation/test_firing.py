"""The checker of S8 knows that what a turn writes down may have happened before what the same turn heard."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from broker.runtime.core import AuditRow
from schemas.addresses import AgentInstanceAt
from schemas.documents import AgentInstance
from schemas.names import InstanceId, NodeName, PlanName
from tests.simulation.checkers.reading import Ledger
from tests.simulation.checkers.work import Firing
from tests.simulation.trace import PromiseBrokenError, Record, Saved, Stepped
from tests.simulation.world import BEGINNING

NORTH = NodeName("north")
INSTANCE = InstanceId("pool-20260101T001500Z")
FIRED_AT = BEGINNING + timedelta(minutes=19)


def heard(minutes: float | None) -> Stepped:
    """The agent hears that the instance closes so many minutes after the beginning; None: that it is gone."""
    closes = None if minutes is None else BEGINNING + timedelta(minutes=minutes)
    document = AgentInstance(instance=INSTANCE, plan=PlanName("pool"), version=1, opens=BEGINNING, closes=closes)
    return Stepped(
        at=1.0,
        node=NORTH,
        event="Heard",
        now=FIRED_AT,
        address=AgentInstanceAt(NORTH, INSTANCE),
        document=document if minutes is not None else None,
    )


def saved(*, fired: bool) -> Saved:
    """The agent saves, and writes down a fire or nothing."""
    row = AuditRow(at=FIRED_AT, kind="tick", instance=INSTANCE, job="any:pool-landed", after="fired")
    return Saved(at=1.0, node=NORTH, rows=(), audit=(row,) if fired else ())


def judge(records: Iterable[Record]) -> None:
    """Tell the checker of them."""
    checker = Firing(Ledger())
    for record in records:
        checker.hears[type(record)](record)


@pytest.mark.parametrize("change", [heard(16), heard(None)])
def test_a_fire_of_the_turn_that_hears_of_the_end_may_be_older(change: Stepped) -> None:
    """Earlier closing, or removal."""
    judge([heard(20), saved(fired=False), change, saved(fired=True)])


@pytest.mark.parametrize("change", [heard(16), heard(None)])
def test_a_fire_of_a_later_turn_is_too_late(change: Stepped) -> None:
    """The end was known then."""
    with pytest.raises(PromiseBrokenError, match="S8"):
        judge([heard(20), saved(fired=False), change, saved(fired=False), saved(fired=True)])
