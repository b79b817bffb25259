"""What an agent does about runs when its disk, or what was not yet on it, is gone: never start one a second time."""

from __future__ import annotations

from msgspec.structs import replace

from agent_node.core.effects import StartProcess
from agent_node.core.machine import AgentCore
from broker.runtime.core import Recovered
from schemas.addresses import FireReportAt
from schemas.documents import Fire, FireReport
from schemas.names import job_id
from schemas.status import NodeState, Outcome
from tests.support.agents import AGENT, HOUR, INSTANCE, NOON, HandDriven, a_presence, a_run, an_assignment

JOB = job_id(AGENT, "hourly")


def reborn(agent: HandDriven, journal: int) -> None:
    """A life begins whose records go back to this one."""
    agent.give(Recovered(agent.now, journal, {}, journal))
    agent.tick()


def test_a_run_handed_to_a_journal_that_is_gone_is_lost() -> None:
    """It may have been started by a life that nobody remembers."""
    agent = HandDriven()
    reborn(agent, 7)
    agent.publish()
    effects = agent.assign(replace(an_assignment(), journal=6))

    assert agent.ending(a_run()).outcome is Outcome.LOST
    assert not [effect for effect in effects if isinstance(effect, StartProcess)]


def test_a_run_handed_to_this_journal_starts() -> None:
    """So does one that was handed over before the dashboard knew of any."""
    agent = HandDriven()
    reborn(agent, 7)
    agent.publish()
    effects = agent.assign(replace(an_assignment(), journal=7)) + agent.assign(an_assignment(attempt=2))

    assert StartProcess(assignment=replace(an_assignment(), journal=7)) in effects


def test_an_unclaimed_run_after_the_host_went_down_is_lost() -> None:
    """Its claim may have been on its way to the disk when the power went."""
    agent = HandDriven(rules=replace(HandDriven().rules, boot="monday"))
    agent.publish()
    agent.assign()
    agent.rules = replace(agent.rules, boot="tuesday")
    agent.core = AgentCore(agent.rules)
    agent.start()
    effects = agent.never_claimed(a_run())

    assert agent.ending(a_run()).outcome is Outcome.LOST
    assert effects == []


def test_fires_of_an_instance_that_is_not_published_are_let_go() -> None:
    """An old broker shows them again to a new life; the dashboard shows all it has, and nobody will take them."""
    agent, report = HandDriven(), FireReport(instance=INSTANCE, job=JOB, fires=(Fire(sequence=1, at=NOON),))
    agent.start(shown={FireReportAt(AGENT, INSTANCE, JOB): report})
    agent.wait_until(NOON + HOUR)

    assert agent.fires(JOB) == report.fires  # nobody has said anything yet

    agent.dashboard()
    agent.wait_until(agent.now + HOUR)

    assert agent.fire_report(JOB) is None


def test_fires_found_on_the_broker_are_kept_once_their_instance_is_published() -> None:
    """The dashboard was heard first; so it is, too, when it goes away in between."""
    agent, report = HandDriven(), FireReport(instance=INSTANCE, job=JOB, fires=(Fire(sequence=1, at=NOON),))
    agent.start(shown={FireReportAt(AGENT, INSTANCE, JOB): report})
    agent.dashboard()
    agent.dashboard(a_presence(NodeState.GONE))
    agent.wait_until(agent.now + HOUR)
    agent.dashboard()
    agent.publish()
    agent.wait_until(agent.now + HOUR)

    assert agent.fires(JOB) == report.fires
