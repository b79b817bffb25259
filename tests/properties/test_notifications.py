"""Notifications under crashes and failing channels: none is lost, none is told under a second id, none goes on for ever."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from msgspec.structs import replace

from dashboard_node.core.effects import Deliver, Delivered
from schemas.notifications import DeliveryState, Monitor
from schemas.requests import Action
from tests.support.notified import EVERYTHING, Desk, a_desk


def _outcomes(desk: Desk, chance: Random, seen: int) -> int:
    """Whatever was asked for arrives, fails, or nobody ever hears how it went; how many have been looked at."""
    for effect in desk.effects[seen:]:
        if isinstance(effect, Deliver) and chance.random() < 0.7:
            error = chance.choice(["", "", "away"])
            desk.step(Delivered(desk.now, effect.notification.id, effect.channel, error, chance.random() < 0.1))
    return len(desk.effects)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_each_failure_is_told_of_under_one_id(seed: int) -> None:
    """Crashes at random, answers lost at random: in the end every delivery is over, and there is one record a failure."""
    chance = Random(seed)  # noqa: S311  # a test's dice
    desk = a_desk("P[a]", replace(EVERYTHING, monitor_types=(Monitor.ERROR,)))
    seen, failures = 0, 0
    for _ in range(30):
        if chance.random() < 0.4:
            desk.act(Action.SUBMIT if not failures else Action.RESUBMIT, "a")
            desk.starts("a")
            desk.ends("a", code=1)
            failures += 1
        if chance.random() < 0.3:
            desk.down_until(desk.now + timedelta(seconds=chance.randrange(120)))
        seen = _outcomes(desk, chance, seen)
        desk.until(desk.now + timedelta(seconds=chance.randrange(90)))
    for _ in range(24):
        seen = _outcomes(desk, chance, seen)
        desk.until(desk.now + timedelta(minutes=30))

    records = list(desk.core.state.notifications.values())
    states = {one.state for record in records for one in record.deliveries.values()}
    assert len(records) == len(desk.told()) == failures
    assert states <= {DeliveryState.SENT, DeliveryState.FAILED}
    assert not desk.core.state.undelivered
