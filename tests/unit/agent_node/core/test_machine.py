"""The core as a whole: requests, housekeeping, what is none of its business."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from agent_node.core.effects import Effect, ReadLogFile, SweepRuns
from agent_node.core.rules import SWEEP_EVERY
from broker.runtime.core import Reply, Requested
from schemas.addresses import AgentInstanceAt, AgentPlanAt, InstanceAt, RunReportAt
from schemas.documents import RunReport
from schemas.names import RequestId, RunId, UserName
from schemas.requests import RaiseEvent, ReadLog
from schemas.status import RunPhase
from tests.support.agents import AGENT, INSTANCE, NOON, PLAN, HandDriven, a_clock, a_run, an_assignment

ANNA, ID = UserName("anna"), RequestId("r1")


def ask(agent: HandDriven, body: bytes) -> list[Effect]:
    """A person's tool asks."""
    return agent.give(Requested(agent.now, ANNA, ID, Raw(body)))


def test_request_for_output_is_handed_on() -> None:
    """The core keeps no files."""
    wanted = ReadLog(run=a_run(), follow=True)

    effects = ask(HandDriven(), msgspec.json.encode(wanted))

    assert effects == [ReadLogFile(user=ANNA, request=ID, ask=wanted)]


def test_unknown_request_is_refused() -> None:
    """With the reason, whoever it is for and whatever it is."""
    agent = HandDriven()

    effects = ask(agent, msgspec.json.encode(RaiseEvent(event="e"))) + ask(agent, b"7")

    assert [isinstance(effect, Reply) and not effect.answer.ok for effect in effects] == [True, True]


def test_scenario_210_run_folders_are_swept_once_a_day() -> None:
    """Those of instances that are neither published nor have runs here, thirty days old; also across restarts."""
    agent = HandDriven()
    agent.publish()
    agent.now = NOON + SWEEP_EVERY / 2
    agent.start()

    effects = agent.wait_until(NOON + SWEEP_EVERY)
    again = agent.wait_until(NOON + 1.5 * SWEEP_EVERY)

    assert effects == [SweepRuns(before=NOON + SWEEP_EVERY - 30 * SWEEP_EVERY, keep=(INSTANCE,))]
    assert again == []


def test_runs_that_are_remembered_keep_their_folders() -> None:
    """Even when their instance is gone."""
    agent = HandDriven()
    agent.publish()
    agent.assign()
    agent.started(a_run())
    agent.remove()

    effects = agent.wait_until(NOON + SWEEP_EVERY / 10) + agent.wait_until(NOON + SWEEP_EVERY)

    assert [effect.keep for effect in effects if isinstance(effect, SweepRuns)] == [(INSTANCE,)]


def test_others_documents_change_nothing() -> None:
    """What is not for an agent, or gone without having been there."""
    agent = HandDriven()
    before = dict(agent.saved)

    effects = agent.hear(InstanceAt(INSTANCE), None) + agent.hear(AgentInstanceAt(AGENT, INSTANCE), None)
    effects += agent.hear(AgentPlanAt(AGENT, PLAN), None) + agent.clear(a_run())

    assert effects == []
    assert agent.saved == before


def test_foreign_report_at_our_address_is_left_aside() -> None:
    """A retained report whose id is no run's is not taken in; it is cleared with what else is not ours."""
    agent = HandDriven()
    odd = RunId("nonsense")

    agent.start(shown={RunReportAt(AGENT, odd): RunReport(run=odd, phase=RunPhase.RUNNING)})

    assert agent.shown == {}


def test_plan_that_is_taken_away_silences_its_jobs() -> None:
    """They fire no more; what they told stays until it is taken."""
    agent = HandDriven()
    agent.provision(a_clock())
    agent.publish()
    agent.wait_until(NOON)
    agent.hear(AgentPlanAt(AGENT, PLAN), None)

    agent.wait_until(NOON + SWEEP_EVERY / 24)

    assert len(agent.fires(a_clock().id)) == 1


def test_audit_tells_a_runs_life() -> None:
    """From what, to what, and why."""
    agent = HandDriven()
    agent.publish()
    agent.assign(an_assignment())
    agent.started(a_run())

    agent.ended(a_run(), 3)

    assert [(row.before, row.after) for row in agent.audit] == [
        ("", "waiting"),
        ("waiting", "starting"),
        ("starting", "running"),
        ("running", "failed"),
    ]
    assert {(row.kind, row.instance, row.context, row.run) for row in agent.audit} == {
        ("run", INSTANCE, "load", a_run())
    }
