"""Scenarios 214 to 219: what people are told of, once for each execution; and what only we tell of."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from broker.runtime.core import Heard
from dashboard_node.core.effects import Deliver
from dashboard_node.core.routing import Rules
from schemas.addresses import AgentPresenceAt, RunReportAt
from schemas.codec import decode
from schemas.documents import Presence, RunReport
from schemas.estimates import Estimated, EstimateEnd
from schemas.names import NodeName, PlanName
from schemas.notifications import (
    Deadlines,
    DeliveryState,
    Monitor,
    NotificationContext,
    NotificationDetails,
)
from schemas.plan import Retry
from schemas.requests import Action, EndInstance
from schemas.status import NodeState, Outcome, RunPhase
from tests.scenarios.notation import AGENT
from tests.support.notified import EVERYTHING, Desk, a_desk
from tests.support.office import at


def test_scenario_214_start_complete_and_error() -> None:
    """A job that starts, completes, fails; one that is passed over tells of nothing."""
    desk = a_desk("P[a b]", EVERYTHING)
    for job in "ab":
        desk.act(Action.SUBMIT, job)
        desk.starts(job)
    desk.ends("a")
    desk.ends("b", code=1)

    assert desk.mails() == [("START", "a"), ("START", "b"), ("COMPLETE", "a"), ("ERROR", "b")]


def test_scenario_214_what_is_skipped_tells_of_nothing() -> None:
    """Neither START nor COMPLETE."""
    desk = a_desk("P[a]", EVERYTHING)
    desk.act(Action.SKIP, "a")

    assert desk.status("a") == "SKIPPED_COMPLETE"
    assert desk.mails() == []


def test_scenario_215_one_for_each_execution() -> None:
    """A second failure in the same instance is told of as well; Ikasan is silent."""
    desk = a_desk("P[a]", replace(EVERYTHING, monitor_types=(Monitor.ERROR,)))
    for action in (Action.SUBMIT, Action.RESUBMIT):
        desk.act(action, "a")
        desk.starts("a")
        desk.ends("a", code=1)

    assert desk.mails() == [("ERROR", "a")] * 2
    assert len({told.id for told in desk.told()}) == 2


def test_scenario_215_a_retry_is_no_failure() -> None:
    """Only the last attempt's is told of."""
    jobs = {"a": {"retry": Retry(attempts=2, back_off_seconds=10)}}
    desk = a_desk("P[a]", replace(EVERYTHING, monitor_types=(Monitor.ERROR,)), jobs=jobs)
    desk.act(Action.SUBMIT, "a")
    desk.starts("a")
    desk.ends("a", code=1)
    assert desk.mails() == []
    desk.until(desk.now + timedelta(seconds=11))
    desk.starts("a")
    desk.ends("a", code=1)

    assert desk.mails() == [("ERROR", "a")]


@pytest.mark.parametrize(
    ("tolerance", "arrives", "told"),
    [
        (0, None, "01-01 08:00:01"),
        (15, None, "01-01 08:15:01"),
        (0, "01-01 07:59", None),
        (0, "01-01 08:00", None),
        (0, "01-01 08:05", "01-01 08:00:01"),
        (15, "01-01 08:05", None),
    ],
)
def test_scenario_216_a_file_that_does_not_come(tolerance: int, arrives: str | None, told: str | None) -> None:
    """By its SLA time, and the tolerance: looked at when it is due, not once a minute."""
    rules = Rules(monitors=frozenset(), mail=True, overdue_tolerance=timedelta(minutes=tolerance))
    desk = a_desk("P[f:f]", EVERYTHING, rules=rules, jobs={"f": {"sla_cron_expression": "0 0 8 * * ?"}})
    if arrives is not None:
        desk.until(at(arrives))
        desk.fires("f", agent=AGENT)
    desk.until(at("01-01 09:00"))

    overdue = [one for one in desk.told() if one.monitor is Monitor.OVERDUE]
    assert [one.at for one in overdue] == ([at(told)] if told else [])


def test_scenario_216_late_while_the_dashboard_was_away() -> None:
    """A file that came late still tells."""
    desk = a_desk("P[f:f]", EVERYTHING, jobs={"f": {"sla_cron_expression": "0 0 8 * * ?"}})
    desk.down_until(at("01-01 08:30"))

    assert [one.monitor for one in desk.told()] == [Monitor.OVERDUE]
    desk.down_until(at("01-01 08:40"))
    assert len(desk.told()) == 1


@pytest.mark.parametrize(
    ("least", "most", "took", "told"),
    [
        (5, 10, 3, "took 0:03:00, less than 0:05:00"),
        (5, 10, 12, "is running longer than 0:10:00"),
        (5, 10, 7, ""),
        (-1, 10, 12, ""),
        (5, -1, 3, ""),
        (0, 0, 12, ""),
    ],
)
def test_scenario_217_running_time(least: int, most: int, took: int, told: str) -> None:
    """Too short is known when it is done, too long while it runs; without both limits nobody is told."""
    jobs = {"a": {"min_execution_time": least, "max_execution_time": most}}
    desk = a_desk("P[a]", replace(EVERYTHING, monitor_types=(Monitor.RUNNING_TIME,)), jobs=jobs)
    desk.act(Action.SUBMIT, "a")
    desk.starts("a")
    begun = desk.now
    desk.until(begun + timedelta(minutes=1))
    assert desk.told() == []
    desk.until(begun + timedelta(minutes=took))
    _ends_after(desk, timedelta(minutes=took))

    assert [one.text for one in desk.told()] == ([f"a {told}"] if told else [])


def _ends_after(desk: Desk, took: timedelta) -> None:
    """The run of a ends; its agent says when it had begun."""
    run = desk.runs()["a"]
    report = RunReport(
        run=run.id,
        phase=RunPhase.ENDED,
        started=desk.now - took,
        ended=desk.now,
        outcome=Outcome.SUCCEEDED,
        return_code=0,
    )
    desk.step(Heard(desk.now, RunReportAt(run.agent, run.id), report))


def test_scenario_218_details_of_a_job_win() -> None:
    """For that job, context and monitor; everything else stays with the plan's."""
    details = NotificationDetails(
        job_name="a", child_context_name="P", monitor_type=Monitor.ERROR, email_send_to=("desk@example.com",)
    )
    desk = a_desk("P[a b]", EVERYTHING, details=(details,))
    for job in "ab":
        desk.act(Action.SUBMIT, job)
        desk.starts(job)
        desk.ends(job, code=1)

    sent = {
        (one.notification.monitor, one.notification.job): one.mail.to
        for one in desk.effects
        if isinstance(one, Deliver) and one.channel == "mail"
    }
    assert sent == {
        (Monitor.START, f"{AGENT}-a"): ("ops@example.com",),
        (Monitor.ERROR, f"{AGENT}-a"): ("desk@example.com",),
        (Monitor.START, f"{AGENT}-b"): ("ops@example.com",),
        (Monitor.ERROR, f"{AGENT}-b"): ("ops@example.com",),
    }


def test_scenario_219_no_monitor_types() -> None:
    """Nobody is told by mail, not even those whom the settings name for plans that say nothing."""
    everybody = Rules(mail=True, to=("admin@example.com",))
    for contexts, mails in (((replace(EVERYTHING, monitor_types=()),), []), ((), [("ERROR", "a")])):
        desk = a_desk("P[a]", *contexts, rules=everybody)
        desk.act(Action.SUBMIT, "a")
        desk.starts("a")
        desk.ends("a", code=1)

        assert desk.mails() == mails


def test_scenario_219_a_type_without_a_template() -> None:
    """It is told all the same; the import says that our own template will be used."""
    desk = a_desk("P[a]", replace(EVERYTHING, email_body_notification_template={"ERROR": "e.txt"}))
    desk.act(Action.SUBMIT, "a")
    desk.starts("a")
    desk.ends("a")

    assert desk.mails() == [("START", "a"), ("COMPLETE", "a")]


def test_command_that_is_over_before_its_start_is_told_has_started() -> None:
    """Its agent tells both at once: who asked to be told of starts is told, and the audit trail has both."""
    desk = a_desk("P[a]", replace(EVERYTHING, monitor_types=(Monitor.START, Monitor.COMPLETE)))
    desk.act(Action.SUBMIT, "a")
    desk.ends("a", started=desk.now)

    assert desk.mails() == [("START", "a"), ("COMPLETE", "a")]


@pytest.mark.parametrize("boss", ["", "b@c.d"])
def test_addresses_come_from_the_plans_properties(boss: str) -> None:
    """A value with commas is several addresses; one that is missing is said, and nothing is sent half."""
    started = replace(EVERYTHING, monitor_types=(Monitor.START,))
    desk = a_desk("P[a]", replace(started, email_send_to=("${team}",), email_send_cc=("${boss}",)))
    desk.core.state.properties = {PlanName("P"): {"team": "x@y.z, u@v.w", **({"boss": boss} if boss else {})}}
    desk.act(Action.SUBMIT, "a")
    desk.starts("a")
    (told,) = desk.listed().notifications

    assert told.to == ("x@y.z", "u@v.w", boss or "${boss}")
    assert told.deliveries["mail"].state is (DeliveryState.PENDING if boss else DeliveryState.FAILED)
    assert ("no value for ${boss}" in told.deliveries["mail"].error) is not bool(boss)


def test_a_plan_itself_is_told_of_when_it_asks() -> None:
    """START once, COMPLETE and ERROR whenever it becomes so."""
    asked = (Monitor.START, Monitor.COMPLETE, Monitor.ERROR)
    desk = a_desk("P[a]", NotificationContext(plan_monitor_types=asked, email_send_to=("x@y.z",)))
    desk.act(Action.SUBMIT, "a")
    desk.starts("a")
    desk.ends("a", code=1)
    desk.until(desk.now + timedelta(seconds=5))
    desk.act(Action.RESUBMIT, "a")
    desk.starts("a")
    desk.ends("a")

    assert desk.mails() == [("START", ""), ("ERROR", ""), ("COMPLETE", "")]


@pytest.mark.parametrize(
    ("deadlines", "due"),
    [
        (Deadlines(start_by="06:30"), "01-01 05:30:01"),  # Zurich is an hour ahead
        (Deadlines(start_by="06:30", start_within_seconds=60), "01-01 01:01:01"),
        (Deadlines(start_by="01:00"), "01-02 00:00:01"),
    ],
)
def test_late_starts_of_a_plan_and_a_job(deadlines: Deadlines, due: str) -> None:
    """By a time of day in the plan's zone, or so long after the opening: the earlier one."""
    rules = Rules(monitors=frozenset({Monitor.LATE_START}))
    jobs = {"a": {"deadlines": deadlines}}
    desk = a_desk("P[a b]", rules=rules, jobs=jobs, deadlines=deadlines, timezone="Europe/Zurich")
    desk.until(at(due))

    assert [(one.monitor, one.job, one.at) for one in desk.told()] == [
        (Monitor.LATE_START, "", at(due)),
        (Monitor.LATE_START, f"{AGENT}-a", at(due)),
    ]


def test_what_starts_and_ends_in_time_is_not_told_of() -> None:
    """And what has started in time may still end late."""
    rules = Rules(monitors=frozenset({Monitor.LATE_START, Monitor.LATE_END}))
    limits = Deadlines(start_within_seconds=60, end_within_seconds=120)
    desk = a_desk("P[a b]", rules=rules, jobs={"a": {"deadlines": limits}, "b": {"deadlines": limits}})
    for job in "ab":
        desk.act(Action.SUBMIT, job)
        desk.starts(job)
    desk.ends("a")
    desk.until(desk.now + timedelta(minutes=5))

    assert [(one.monitor, one.job) for one in desk.told()] == [(Monitor.LATE_END, f"{AGENT}-b")]


def test_deadlines_of_an_instance_are_shown_with_how_they_stand() -> None:
    """Met, still ahead, and late; of an ended instance what was met or missed."""
    limits = Deadlines(start_within_seconds=60, end_within_seconds=120)
    desk = a_desk("P[a b]", jobs={"a": {"deadlines": limits}}, deadlines=Deadlines(end_within_seconds=200))

    def stand() -> list[tuple[str, str, str]]:
        answer = decode(bytes(desk.ask(EstimateEnd(instance=desk.only.id)).data), Estimated)
        return [(str(one.monitor), one.name, str(one.state)) for one in answer.deadlines]

    assert stand() == [("LATE_START", "a", "ahead"), ("LATE_END", "a", "ahead"), ("LATE_END", "", "ahead")]
    desk.act(Action.SUBMIT, "a")
    begun = desk.now
    desk.starts("a")
    desk.until(begun + timedelta(seconds=130))
    assert stand() == [("LATE_START", "a", "met"), ("LATE_END", "a", "late"), ("LATE_END", "", "ahead")]
    desk.ends("a", started=begun)
    desk.ask(EndInstance(instance=desk.only.id))
    assert stand() == [("LATE_START", "a", "met"), ("LATE_END", "a", "late")]


def test_missed_starts_are_told_of_together() -> None:
    """By the newest of them, out of the tick ledger."""
    rules = Rules(monitors=frozenset({Monitor.MISSED}))
    desk = a_desk("P[a]", rules=rules, time_window_start="0 0 * * * ?", context_ttl_milliseconds=60_000)
    desk.down_until(at("01-01 06:30"))

    (told,) = desk.told()
    assert told.monitor is Monitor.MISSED
    assert told.text.startswith("P missed, 5 times, the last one due at 20260101T060000Z")


def test_an_agent_that_stays_away_is_told_of_once() -> None:
    """A restart is no news; nor is it news again to a dashboard that restarts meanwhile."""
    desk = a_desk("P[a]", rules=Rules())
    gone = Presence(node=NodeName("north"), state=NodeState.GONE, connection=4, since=at("01-01 00:30"))
    heard = Heard(desk.now, AgentPresenceAt(NodeName("north")), gone)
    for alive in (False, True, False):
        desk.hears_presence("north", alive=alive)
        desk.until(desk.now + timedelta(seconds=30))
    assert desk.told() == []
    desk.step(heard)
    desk.until(desk.now + timedelta(seconds=61))
    desk.begin([heard])
    desk.until(desk.now + timedelta(seconds=61))

    assert [(one.monitor, one.plan, one.agent) for one in desk.told()] == [(Monitor.AGENT_GONE, "", "north")]
