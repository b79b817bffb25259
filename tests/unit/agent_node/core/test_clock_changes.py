"""What a clock or file job wants where the clock of its zone is changed, as its agent fires it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agent_node.core.effects import WatchFolders
from schemas.clock_changes import Gap, Overlap
from tests.support.agents import HOUR, HandDriven, a_clock, a_file_job, a_publication

JOB = a_clock().id
HALF_PAST_ONE = "0 30 1 * * ?"


@pytest.mark.parametrize(
    ("day", "fields", "fires"),
    [
        ((3, 29), {}, []),
        ((3, 29), {"onGap": "after"}, ["01:00"]),
        ((10, 25), {}, ["01:30"]),
        ((10, 25), {"onOverlap": "first"}, ["00:30"]),
        ((10, 25), {"onOverlap": "both"}, ["00:30", "01:30"]),
    ],
)
def test_a_clock_job_at_a_clock_change(day: tuple[int, int], fields: dict[str, str], fires: list[str]) -> None:
    """01:30 in London is skipped in March and happens twice in October; the times are UTC."""
    midnight = datetime(2026, *day, tzinfo=UTC)
    agent = HandDriven(now=midnight - HOUR)
    agent.provision(a_clock(HALF_PAST_ONE, timeZone="Europe/London", **fields))
    agent.publish(a_publication(opens=midnight - HOUR, closes=midnight + 6 * HOUR))

    agent.wait_until(midnight + 5 * HOUR)

    assert [f"{fire.due:%H:%M}" for fire in agent.fires(JOB) if fire.due is not None] == fires


def test_a_file_job_looks_at_the_times_it_wants() -> None:
    """The shell is told with the cron."""
    agent = HandDriven()
    effects = agent.provision(a_file_job(timeZone="Europe/London", onGap="after", onOverlap="both"))
    effects += agent.publish()

    (asked,) = [effect for effect in effects if isinstance(effect, WatchFolders)]

    assert (asked.policy.gap, asked.policy.overlap) == (Gap.AFTER, Overlap.BOTH)
