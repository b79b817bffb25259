"""What an agent does about runs when its disk, or what was not yet on it, is gone: never start one a second time."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from agent_node.core.draft import Draft
from agent_node.core.effects import Effect, StartProcess
from agent_node.core.machine import AgentCore
from broker.runtime.core import Recovered
from schemas.addresses import FireReportAt
from schemas.documents import Fire, FireReport
from schemas.names import InstanceId, JobId, RunId, job_id
from schemas.status import NodeState, Outcome, RunPhase
from tests.support.agents import (
    AGENT,
    HOUR,
    INSTANCE,
    NOON,
    RULES,
    HandDriven,
    a_command,
    a_presence,
    a_run,
    an_assignment,
)

JOB = job_id(AGENT, "hourly")


def reborn(journal: int) -> HandDriven:
    """An agent whose records go back to this life."""
    agent = HandDriven()
    agent.give(Recovered(agent.now, journal, {}, journal))
    agent.tick()
    agent.publish()
    return agent


def starts(effects: list[Effect]) -> list[RunId]:
    """The runs that are asked to start."""
    return [effect.assignment.run for effect in effects if isinstance(effect, StartProcess)]


def test_a_run_handed_to_a_journal_that_is_gone_is_lost() -> None:
    """It may have been started by a life that nobody remembers."""
    agent = reborn(7)
    effects = agent.assign(an_assignment(journal=6))

    assert agent.ending(a_run()).outcome is Outcome.LOST
    assert starts(effects) == []


def test_a_run_handed_to_this_journal_starts() -> None:
    """At once."""
    assert starts(reborn(7).assign(an_assignment(journal=7))) == [a_run()]


def test_a_run_handed_to_no_journal_waits_until_the_dashboard_names_this_one() -> None:
    """A life before may have had it as well: nobody had heard of this agent. It waits across restarts, too."""
    agent = reborn(7)
    agent.dashboard()
    effects = agent.assign(an_assignment(journal=0))
    agent.wait_until(agent.now + HOUR)

    assert starts(effects) == []
    assert agent.ending(a_run()).phase is RunPhase.ACCEPTED

    agent.journal = 7
    agent.start()
    again = agent.publish() + agent.assign(an_assignment(journal=0))
    assert starts(again) == []
    assert starts(agent.assign(an_assignment(journal=7))) == [a_run()]


def test_a_run_handed_to_no_journal_is_lost_when_another_one_turns_out_to_have_it() -> None:
    """The dashboard had heard of the life before: that one may have started it."""
    agent = reborn(7)
    agent.assign(an_assignment(journal=0))
    effects = agent.assign(an_assignment(journal=6))

    assert agent.ending(a_run()).outcome is Outcome.LOST
    assert starts(effects) == []


def test_a_run_that_waits_for_its_journal_is_no_burden() -> None:
    """It takes no place of others, can be stopped, and goes when it is not wanted any more."""
    agent = HandDriven(rules=replace(RULES, concurrency=1))
    agent.publish()
    agent.assign(an_assignment(a_command(job="stopped"), journal=0))
    agent.assign(an_assignment(a_command(job="cleared"), journal=0))

    assert starts(agent.assign()) == [a_run()]

    agent.assign(an_assignment(a_command(job="stopped"), journal=0, stop=True))
    agent.clear(a_run(job="cleared"))
    assert agent.ending(a_run(job="stopped")).outcome is Outcome.WITHDRAWN
    assert agent.report(a_run(job="cleared")) is None


def test_a_run_is_assigned_without_a_look_at_those_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """There may be thousands: a new agent is assigned all that waited for it."""
    agent, looks, busy = reborn(7), list[JobId](), Draft.busy

    def counted(draft: Draft, instance: InstanceId, job: JobId) -> bool:
        looks.append(job)
        return busy(draft, instance, job)

    monkeypatch.setattr(Draft, "busy", counted)
    for number in range(20):
        agent.assign(an_assignment(a_command(job=f"j{number}"), journal=0))

    assert len(looks) == len(set(looks)) == 20


def test_a_held_run_starts_when_the_dashboard_hands_it_to_this_journal() -> None:
    """Held, it cannot have begun in the life that is forgotten, to which it was assigned."""
    agent = reborn(7)
    agent.assign(replace(an_assignment(journal=6), hold=True))

    assert starts(agent.assign(an_assignment(journal=7))) == [a_run()]


def test_a_held_run_that_an_old_broker_shows_is_not_started_for_another_journal() -> None:
    """It was held once, and the life before was let begin it: the agent that is ready for it does not."""
    agent = reborn(7)
    agent.assign(replace(an_assignment(journal=6), hold=True))
    assert agent.ending(a_run()).ready

    assert starts(agent.assign(an_assignment(journal=6))) == []
    assert agent.ending(a_run()).outcome is Outcome.LOST


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
