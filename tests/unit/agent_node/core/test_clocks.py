"""Clock jobs: when they fire, and what becomes of due times that cannot be kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent_node.core.rules import LATENESS, MOST_FIRES
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


def test_clock_fires_at_its_times() -> None:
    """Each minute from the opening on, the opening itself included, numbered from 1."""
    agent = an_agent()

    agent.wait_until(NOON + 2 * MINUTE)

    assert dues(agent) == [NOON, NOON + MINUTE, NOON + 2 * MINUTE]
    assert [fire.sequence for fire in agent.fires(JOB)] == [1, 2, 3]


def test_scenario_182_each_instance_has_its_own_fires() -> None:
    """Two published instances: each fire happens once for each."""
    agent = an_agent()
    agent.publish(a_publication(TOMORROW))

    agent.wait_until(NOON)

    assert dues(agent) == dues(agent, TOMORROW) == [NOON]


def test_scenario_183_no_instance_no_fire() -> None:
    """A job alone does nothing."""
    agent = HandDriven()
    agent.provision(a_clock())

    agent.wait_until(NOON + HOUR)

    assert agent.shown == {}


def test_scenario_184_order_of_plan_and_publication_does_not_matter() -> None:
    """A publication that comes before its plan's jobs fires when both are there."""
    agent = HandDriven()
    agent.publish()
    agent.provision(a_clock())

    agent.wait_until(NOON)

    assert dues(agent) == [NOON]


def test_window_bounds_fires() -> None:
    """From its opening (included) to its closing (excluded)."""
    agent = an_agent(opens=NOON + HOUR, closes=NOON + HOUR + 2 * MINUTE)

    agent.wait_until(NOON + 3 * HOUR)

    assert dues(agent) == [NOON + HOUR, NOON + HOUR + MINUTE]


def test_instance_seen_late_fires_from_then_on() -> None:
    """What was due before this agent knew of the instance is told as missed, and not caught up."""
    agent = HandDriven(now=NOON)
    agent.provision(a_clock(cronExpression="0 0/30 * * * ?", persistentRecovery=True))
    agent.now = NOON + HOUR + SECOND
    agent.publish(a_publication(opens=NOON))

    agent.wait_until(NOON + HOUR + 30 * MINUTE)

    assert dues(agent) == [NOON + 30 * MINUTE, NOON + HOUR, NOON + HOUR + 30 * MINUTE]
    assert outcomes(agent.fires(JOB)) == [FireOutcome.MISSED, FireOutcome.FIRED, FireOutcome.FIRED]
    assert f"due from {NOON.isoformat()}" in agent.fires(JOB)[0].reason


def test_due_time_at_the_opening_fires_though_the_instance_comes_a_moment_later() -> None:
    """The dashboard opens at noon, the agent hears of it a second later: the clock of noon fires."""
    agent = HandDriven(now=NOON - HOUR)
    agent.provision(a_clock(cronExpression="0 0 12 * * ?"))
    agent.now = NOON + SECOND
    agent.publish(a_publication(opens=NOON))

    agent.wait_until(NOON + MINUTE)

    assert dues(agent) == [NOON]
    assert outcomes(agent.fires(JOB)) == [FireOutcome.FIRED]


def test_removed_instance_fires_no_more() -> None:
    """Neither does anything of it stay to be seen (S8)."""
    agent = an_agent()
    agent.wait_until(NOON)
    agent.remove()

    agent.wait_until(NOON + HOUR)

    assert agent.shown == {}
    assert agent.core.next_wakeup() > NOON + HOUR  # type: ignore[operator]  # the daily sweep


@pytest.mark.parametrize("control", ["MANUAL", "DISABLED"])
def test_scenario_211_only_automatic_jobs_fire_by_themselves(control: str) -> None:
    """MANUAL and DISABLED ones do nothing."""
    agent = an_agent(a_clock(startupControlType=control))

    agent.wait_until(NOON + HOUR)

    assert agent.shown == {}


def test_clocks_disabled_do_not_fire_and_owe_nothing() -> None:
    """Once enabled again they fire from then on."""
    agent = an_agent(clocks_disabled=True)
    agent.wait_until(NOON + HOUR + SECOND)
    quiet = dict(agent.shown)
    agent.publish()

    agent.wait_until(NOON + HOUR + MINUTE)

    assert quiet == {}
    assert dues(agent) == [NOON + HOUR + MINUTE]


def test_zone_is_the_jobs() -> None:
    """Noon in Zurich is eleven in UTC, in winter."""
    agent = an_agent(a_clock("0 0 14 * * ?", timeZone="Europe/Zurich"))

    agent.wait_until(NOON + 2 * HOUR)

    assert dues(agent) == [NOON + HOUR]


def test_taken_fires_leave_the_report() -> None:
    """What is taken goes; a report without fires is cleared; numbers go on."""
    agent = an_agent()
    agent.wait_until(NOON + MINUTE)
    agent.take(JOB, 1)
    left = [fire.sequence for fire in agent.fires(JOB)]
    agent.take(JOB, 2)
    gone = agent.fire_report(JOB)

    agent.wait_until(NOON + 2 * MINUTE)

    assert (left, gone) == ([2], None)
    assert [fire.sequence for fire in agent.fires(JOB)] == [3]


def test_restart_neither_repeats_nor_loses() -> None:
    """What was decided stays decided, what is due next is the same."""
    agent = an_agent()
    agent.wait_until(NOON + MINUTE)
    agent.start()
    agent.publish()
    agent.provision(a_clock())

    agent.wait_until(NOON + 2 * MINUTE)

    assert dues(agent) == [NOON, NOON + MINUTE, NOON + 2 * MINUTE]


def test_missed_fires_are_caught_up_once() -> None:
    """After ten minutes down there is one fire at once, for the last that was missed; then it goes on as usual."""
    agent = an_agent()
    agent.wait_until(NOON)
    agent.now = NOON + 10 * MINUTE + SECOND
    agent.start()
    caught = agent.fires(JOB)[1:]

    agent.wait_until(NOON + 11 * MINUTE)

    assert [(fire.outcome, fire.due, fire.at) for fire in caught] == [
        (FireOutcome.FIRED, NOON + 10 * MINUTE, NOON + 10 * MINUTE + SECOND)
    ]
    assert dues(agent)[2:] == [NOON + 11 * MINUTE]


@pytest.mark.parametrize(("fields", "down"), [
    ({"persistentRecovery": False}, 10 * MINUTE),
    ({"recoveryTolerance": 999}, 10 * MINUTE),
])  # fmt: skip
def test_missed_fires_beyond_tolerance_are_recorded(fields: Fields, down: timedelta) -> None:
    """They count for the ledger alone, with the reason."""
    agent = an_agent(a_clock(**fields))
    agent.wait_until(NOON)
    agent.now = NOON + down + SECOND

    agent.start()

    missed = agent.fires(JOB)[-1]
    assert (missed.outcome, missed.due) == (FireOutcome.MISSED, NOON + down)
    assert missed.reason.startswith("missed: due from 2026-03-02T12:01")


def test_late_tick_is_a_miss_too() -> None:
    """A host that slept for an hour fires once, not sixty times."""
    agent = an_agent()
    agent.wait_until(NOON)
    agent.now = NOON + HOUR + LATENESS / 2

    agent.tick()

    assert dues(agent) == [NOON, NOON + 59 * MINUTE, NOON + HOUR]


def test_window_that_closed_while_down_is_not_fired_into() -> None:
    """Missed and closed: recorded, never fired."""
    agent = an_agent(closes=NOON + 5 * MINUTE)
    agent.wait_until(NOON)
    agent.now = NOON + 6 * MINUTE

    agent.start()

    assert FireOutcome.FIRED not in outcomes(agent.fires(JOB)[1:])
    assert all(fire.due is not None and fire.due < NOON + 5 * MINUTE for fire in agent.fires(JOB))


def test_fire_that_is_noticed_after_the_window_is_missed() -> None:
    """A moment too late for the last one: recorded, for nothing fires into a closed window (S8)."""
    agent = an_agent(closes=NOON + MINUTE + SECOND)
    agent.wait_until(NOON)
    agent.now = NOON + MINUTE + 2 * SECOND

    agent.tick()

    last = agent.fires(JOB)[-1]
    assert (last.outcome, last.due) == (FireOutcome.MISSED, NOON + MINUTE)
    assert last.reason.startswith("missed")


def test_lost_disk_goes_on_counting() -> None:
    """Numbers go on above the retained report's and what the dashboard has taken, whichever is higher."""
    agent = an_agent()
    agent.wait_until(NOON + 2 * MINUTE)
    agent.lose_disk()
    agent.take(JOB, 1)
    agent.provision(a_clock())
    agent.publish()
    agent.wait_until(NOON + 3 * MINUTE)
    numbers = [fire.sequence for fire in agent.fires(JOB)]
    agent.take(JOB, 4)
    agent.now += SECOND
    agent.lose_disk()
    agent.take(JOB, 4)
    agent.provision(a_clock())
    agent.publish()

    agent.wait_until(NOON + 4 * MINUTE)

    assert numbers == [2, 3, 4]
    assert [fire.sequence for fire in agent.fires(JOB)] == [5]


def test_untaken_fires_are_bounded() -> None:
    """When nobody takes them the newest stands for those before it."""
    agent = an_agent(a_clock("* * * * * ?"))

    agent.wait_until(NOON + (MOST_FIRES + 10) * SECOND)

    fires = agent.fires(JOB)
    assert len(fires) == MOST_FIRES
    assert fires[-1].sequence == MOST_FIRES + 11
    assert "stands also for" in fires[-1].reason


def test_audit_tells_each_decision() -> None:
    """One row a due time, with what became of it."""
    agent = an_agent()

    agent.wait_until(NOON + MINUTE)

    rows = [row for row in agent.audit if row.kind == "tick"]
    assert [(row.after, row.job, row.instance) for row in rows] == [("fired", JOB, INSTANCE)] * 2
    assert rows[0].at.astimezone(UTC) == NOON


def test_older_journal_learns_from_its_own_report() -> None:
    """A disk that was set back knows fewer fires than the broker retains: numbers never repeat."""
    agent = an_agent()
    agent.wait_until(NOON)
    older = dict(agent.saved)
    agent.wait_until(NOON + MINUTE)
    agent.saved = older
    agent.now += SECOND
    agent.start()

    agent.wait_until(NOON + 2 * MINUTE)

    numbers = [fire.sequence for fire in agent.fires(JOB)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert dues(agent) == [NOON, NOON + MINUTE, NOON + 2 * MINUTE]


def test_taken_that_comes_before_its_watch_counts() -> None:
    """Whatever the order of the replay."""
    agent = HandDriven()
    agent.take(JOB, 5)
    agent.provision(a_clock())
    agent.publish()

    agent.wait_until(NOON)

    assert [fire.sequence for fire in agent.fires(JOB)] == [6]
