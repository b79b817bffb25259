"""Blackouts of clock jobs, and definitions that cannot be read."""

from __future__ import annotations

from datetime import datetime

import pytest

from schemas.documents import Fire
from schemas.names import InstanceId, PlanName, instance_id
from schemas.plan import ClockJob
from schemas.status import FireOutcome
from tests.support.agents import HOUR, INSTANCE, NOON, SECOND, Fields, HandDriven, a_clock, a_publication

MINUTE = 60 * SECOND
JOB = a_clock().id
TOMORROW = instance_id(PlanName("nightly"), NOON + 24 * HOUR)


def an_agent(job: ClockJob | None = None, **publication: object) -> HandDriven:
    """An agent with one clock job, and an instance that is open from noon to midnight."""
    agent = HandDriven()
    agent.provision(job or a_clock())
    agent.publish(a_publication(**publication))  # type: ignore[arg-type]  # the builder's own words
    return agent


def dues(agent: HandDriven, instance: InstanceId = INSTANCE) -> list[datetime | None]:
    """When the fires that are shown were due."""
    return [fire.due for fire in agent.fires(JOB, instance)]


def outcomes(fires: tuple[Fire, ...]) -> list[FireOutcome]:
    """What became of them."""
    return [fire.outcome for fire in fires]


def blackout(policy: str) -> ClockJob:
    """A clock that strikes each minute, and a blackout from 12:01:00 to 12:02:59 by its cron."""
    return a_clock(blackoutWindowCronExpressions=["* 1-2 12 * * ?"], onBlackout=policy)


@pytest.mark.parametrize(("fields", "outcome"), [
    ({"dropEventOnBlackout": True}, FireOutcome.DROPPED),
    ({"dropEventOnBlackout": False}, FireOutcome.PASSED),
    ({}, FireOutcome.PASSED),
])  # fmt: skip
def test_scenario_185_blackout_drops_or_passes(fields: Fields, outcome: FireOutcome) -> None:
    """Inside it: dropped, or passed over; outside it: fired."""
    agent = an_agent(a_clock(blackoutWindowCronExpressions=["* 1-2 12 * * ?"], **fields))

    agent.wait_until(NOON + 3 * MINUTE)

    assert outcomes(agent.fires(JOB)) == [FireOutcome.FIRED, outcome, outcome, FireOutcome.FIRED]


def test_blackout_delays_to_one_fire() -> None:
    """Two due times inside, one fire at its end, besides the one that is due then."""
    agent = an_agent(blackout("delay"))

    agent.wait_until(NOON + 3 * MINUTE)

    assert [(fire.due, fire.at, fire.outcome) for fire in agent.fires(JOB)] == [
        (NOON, NOON, FireOutcome.FIRED),
        (NOON + MINUTE, NOON + 3 * MINUTE, FireOutcome.FIRED),
        (NOON + 3 * MINUTE, NOON + 3 * MINUTE, FireOutcome.FIRED),
    ]


def test_a_delay_is_shown_while_it_lasts() -> None:
    """Which time it was, and until when: even when nothing else is to be shown."""
    agent = an_agent(blackout("delay"))
    agent.wait_until(NOON + MINUTE)

    report = agent.fire_report(JOB)
    assert report is not None
    assert (report.delayed, report.delayed_until) == (NOON + MINUTE, NOON + 3 * MINUTE)

    agent.wait_until(NOON + 3 * MINUTE)
    report = agent.fire_report(JOB)
    assert report is not None
    assert (report.delayed, report.delayed_until) == (None, None)


def test_delayed_fire_never_happens_after_the_window() -> None:
    """It is not fired when the instance closes before the blackout ends."""
    agent = an_agent(blackout("delay"), closes=NOON + 2 * MINUTE)

    agent.wait_until(NOON + HOUR)

    assert dues(agent) == [NOON]


def test_blackout_is_read_in_the_jobs_zone() -> None:
    """13:00 in Zurich."""
    job = a_clock("0 0 * * * ?", timeZone="Europe/Zurich", blackoutWindowCronExpressions=["* * 14 * * ?"])
    agent = an_agent(job)

    agent.wait_until(NOON + 2 * HOUR)

    assert outcomes(agent.fires(JOB)) == [FireOutcome.FIRED, FireOutcome.PASSED, FireOutcome.FIRED]


@pytest.mark.parametrize(("first", "last", "inside"), [
    (0, 0, True),
    (-1, 0, True),
    (0, 1, True),
    (1, 2, False),
    (-2, -1, False),
    (1, -1, False),
])  # fmt: skip
def test_scenario_186_range_has_inclusive_ends(first: int, last: int, inside: bool) -> None:  # noqa: FBT001  # a column
    """Milliseconds round the due time; a reversed range never holds."""
    at = round(NOON.timestamp() * 1000)
    job = a_clock(blackoutWindowDateTimeRanges={str(at + first): str(at + last)}, dropEventOnBlackout=True)
    agent = an_agent(job)

    agent.wait_until(NOON)

    assert outcomes(agent.fires(JOB)) == [FireOutcome.DROPPED if inside else FireOutcome.FIRED]


@pytest.mark.parametrize(("fields", "word"), [
    ({"cron": "every minute"}, "cronExpression"),
    ({"timeZone": "Mars/Olympus"}, "timeZone"),
    ({"blackoutWindowCronExpressions": ["never"]}, "blackout window"),
    ({"blackoutWindowDateTimeRanges": {"a": "b"}}, "blackout range"),
])  # fmt: skip
def test_job_that_cannot_be_read_says_so_and_never_fires(fields: dict[str, str], word: str) -> None:
    """A blackout that cannot be read is no licence to fire."""
    agent = an_agent(a_clock(**fields))

    agent.wait_until(NOON + HOUR)

    report = agent.fire_report(JOB)
    assert report is not None
    assert word in report.problem
    assert report.fires == ()


def test_adjacent_blackouts_delay_on() -> None:
    """The end of one window inside another is no end."""
    job = a_clock(blackoutWindowCronExpressions=["* 1 12 * * ?", "* 2-3 12 * * ?"], onBlackout="delay")
    agent = an_agent(job)

    agent.wait_until(NOON + 4 * MINUTE)

    assert dues(agent) == [NOON, NOON + MINUTE, NOON + 4 * MINUTE]
    assert agent.fires(JOB)[1].at == NOON + 4 * MINUTE


def test_caught_up_fire_has_to_pass_the_blackout_too() -> None:
    """It would happen now, and now is inside."""
    agent = an_agent(a_clock(blackoutWindowCronExpressions=["* 10-11 12 * * ?"]))
    agent.wait_until(NOON)
    agent.now = NOON + 10 * MINUTE + SECOND

    agent.start()

    assert outcomes(agent.fires(JOB)) == [FireOutcome.FIRED, FireOutcome.PASSED]
