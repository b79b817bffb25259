"""Runs across restarts of their agent, lost journals, stops, and assignments that vanish."""

from __future__ import annotations

import pytest

from agent_node.core.effects import Effect, FindProcess, StartProcess, StopProcess
from agent_node.core.rules import LET_GO_GRACE, MISSING_INSTANCE_GRACE, STOP_GRACE, DryRun, Rules
from schemas.names import PlanName, RunId, instance_id
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

RUN = a_run()
OTHER = instance_id(PlanName("other"), NOON)


def starts(effects: list[Effect]) -> list[RunId]:
    """The runs that are asked to start."""
    return [effect.assignment.run for effect in effects if isinstance(effect, StartProcess)]


def an_agent(rules: Rules = RULES) -> HandDriven:
    """An agent to which an instance is published by a dashboard that is there."""
    agent = HandDriven(rules=rules)
    agent.dashboard()
    agent.publish()
    return agent


def a_running_agent() -> HandDriven:
    """An agent on which the run lives."""
    agent = an_agent()
    agent.assign()
    agent.started(RUN)
    return agent


def test_scenario_204_restart_finds_process_and_does_not_start_it() -> None:
    """After a restart every run that may have a process is looked for; one that lives is reported as it was."""
    agent = a_running_agent()
    agent.now = NOON + HOUR
    effects = agent.start() + agent.assign()

    agent.started(RUN)

    assert [effect for effect in effects if isinstance(effect, FindProcess)] == [FindProcess(run=RUN)]
    assert starts(effects) == []
    assert (agent.ending(RUN).phase, agent.ending(RUN).started) == (RunPhase.RUNNING, NOON)


def test_scenario_205_restart_reports_what_ended_meanwhile() -> None:
    """The code that was left behind counts; without one the run has failed, with a reason."""
    agent = a_running_agent()
    agent.start()
    agent.ended(RUN, 3)
    other = a_running_agent()
    other.start()

    other.ended(RUN, None, "its wrapper was ended before it could write a return code")

    assert (agent.ending(RUN).outcome, agent.ending(RUN).return_code) == (Outcome.FAILED, 3)
    assert (other.ending(RUN).outcome, other.ending(RUN).return_code) == (Outcome.FAILED, None)
    assert "wrapper" in other.ending(RUN).reason


def test_restart_starts_again_what_was_never_claimed() -> None:
    """Found as about to start, and its folder unclaimed: its command never began, so it may."""
    agent = an_agent()
    agent.assign()
    agent.start()

    effects = agent.never_claimed(RUN)

    assert starts(effects) == [RUN]


def test_restart_after_reboot_is_lost() -> None:
    """Nobody can know how it ended."""
    agent = a_running_agent()
    agent.start()

    agent.lost(RUN)

    assert agent.ending(RUN).outcome is Outcome.LOST


def test_lost_journal_reports_running_run_as_lost() -> None:
    """Its own retained report says that it ran, its journal and its folder know nothing."""
    agent = a_running_agent()
    effects = agent.lose_disk()

    agent.never_claimed(RUN)

    assert effects == [FindProcess(run=RUN)]
    assert agent.ending(RUN).outcome is Outcome.LOST
    assert "disk" in agent.ending(RUN).reason


def test_lost_journal_finds_live_process_by_its_folder() -> None:
    """The journal is lost but the run's folder is not: it goes on, judged by its assignment."""
    agent = an_agent()
    agent.assign(an_assignment(a_command(successfulReturnCodes=["3"], timeoutSeconds=60)))
    agent.started(RUN)
    agent.lose_disk()
    agent.dashboard()
    agent.publish()
    agent.assign(an_assignment(a_command(successfulReturnCodes=["3"], timeoutSeconds=60)))
    agent.started(RUN)

    agent.ended(RUN, 3)

    assert agent.ending(RUN).outcome is Outcome.SUCCEEDED


def test_lost_journal_keeps_end_until_taken() -> None:
    """An end that the dashboard has not taken is shown on, and never runs again."""
    agent = a_running_agent()
    agent.ended(RUN, 0)
    agent.lose_disk()
    agent.publish()

    effects = agent.assign()

    assert starts(effects) == []
    assert agent.ending(RUN).outcome is Outcome.SUCCEEDED


def test_stop_before_start_withdraws() -> None:
    """A run that has not started never will."""
    agent = HandDriven()
    agent.dashboard(a_presence(complete=False))
    agent.assign()
    agent.assign(an_assignment(stop=True))

    effects = agent.publish()

    assert starts(effects) == []
    assert (agent.ending(RUN).outcome, agent.ending(RUN).reason) == (Outcome.WITHDRAWN, "killed by anna")


@pytest.mark.parametrize("code", [0, 143, None])
def test_scenario_92_stop_decides_outcome(code: int | None) -> None:
    """TERM to the group, after ten seconds KILL; killed, whatever the return code."""
    agent = a_running_agent()
    effects = agent.assign(an_assignment(stop=True))

    later = agent.wait_until(NOON + STOP_GRACE)
    agent.ended(RUN, code)

    assert effects == [StopProcess(run=RUN, force=False)]
    assert later == [StopProcess(run=RUN, force=True)]
    assert agent.ending(RUN).outcome is Outcome.KILLED
    assert agent.ending(RUN).reason == "killed by anna"


def test_stop_while_starting_is_said_when_process_is_seen() -> None:
    """Between start and sight there is nobody to tell."""
    agent = an_agent()
    agent.assign()
    early = agent.assign(an_assignment(stop=True))

    effects = agent.started(RUN)

    assert early == []
    assert effects == [StopProcess(run=RUN, force=False)]


def test_stop_is_said_again_after_restart() -> None:
    """An agent that died between TERM and KILL starts over."""
    agent = a_running_agent()
    agent.assign(an_assignment(stop=True))
    agent.start()

    effects = agent.started(RUN)

    assert effects == [StopProcess(run=RUN, force=False)]


def test_cleared_assignment_does_not_kill() -> None:
    """A dashboard that forgets a run does not end it; its end stays visible for a while, for one that rebuilds itself."""
    agent = a_running_agent()
    effects = agent.clear(RUN)
    runs_on = agent.ending(RUN).phase
    agent.ended(RUN)
    end = agent.ending(RUN).outcome

    agent.wait_until(agent.now + LET_GO_GRACE)

    assert effects == []
    assert (runs_on, end) == (RunPhase.RUNNING, Outcome.SUCCEEDED)
    assert agent.report(RUN) is None


def test_end_without_assignment_waits_for_the_dashboard() -> None:
    """While it is away, nobody can assign the run: a broker without its store proves nothing (S7)."""
    agent = a_running_agent()
    agent.clear(RUN)
    agent.dashboard(a_presence(NodeState.GONE))
    agent.ended(RUN)
    agent.wait_until(agent.now + 3 * LET_GO_GRACE)
    away = agent.ending(RUN).outcome
    agent.dashboard()

    agent.wait_until(agent.now + LET_GO_GRACE)

    assert away is Outcome.SUCCEEDED
    assert agent.report(RUN) is None


def test_end_without_assignment_waits_once_more_in_each_life() -> None:
    """A dashboard's word that stands there may be old, and the dashboard gone: nobody has had time to notice (S7)."""
    agent = a_running_agent()
    agent.clear(RUN)
    agent.ended(RUN)
    agent.now += 2 * LET_GO_GRACE
    agent.start(dashboard=a_presence())
    at_first = agent.ending(RUN).outcome

    agent.wait_until(agent.now + LET_GO_GRACE)

    assert at_first is Outcome.SUCCEEDED
    assert agent.report(RUN) is None


def test_cleared_assignment_forgets_what_never_started() -> None:
    """Nothing is shown of it any more; assigned again, it may start."""
    agent = HandDriven()
    agent.assign()
    agent.clear(RUN)
    gone = agent.report(RUN)
    agent.publish()

    effects = agent.assign()

    assert gone is None
    assert starts(effects) == [RUN]


def test_scenario_212_removed_instance_leaves_commands_running() -> None:
    """An unknown instance removed is no error, and a known one's processes run on."""
    agent = a_running_agent()

    effects = agent.remove(OTHER) + agent.remove(INSTANCE)

    assert effects == []
    assert agent.ending(RUN).phase is RunPhase.RUNNING


def test_final_stays_final() -> None:
    """What comes after the end changes nothing."""
    agent = a_running_agent()
    agent.ended(RUN, 3)
    before = agent.ending(RUN)

    effects = agent.ended(RUN, 0) + agent.started(RUN) + agent.lost(RUN) + agent.failed(RUN, "late")

    assert effects == []
    assert agent.ending(RUN) == before


def test_stop_while_starting_then_failing_is_withdrawn() -> None:
    """It was to be stopped and could not even start."""
    agent = an_agent()
    agent.assign()
    agent.assign(an_assignment(stop=True))

    agent.failed(RUN, "no such shell")

    assert agent.ending(RUN).outcome is Outcome.WITHDRAWN


@pytest.mark.parametrize("stop", [True, False])
def test_unclaimed_run_that_is_not_wanted_is_withdrawn(stop: bool) -> None:  # noqa: FBT001  # both ways
    """Stopped or no longer assigned: it never began and never will."""
    agent = an_agent()
    agent.assign()
    agent.start()
    if stop:
        agent.assign(an_assignment(stop=True))
    else:
        agent.clear(RUN)

    effects = agent.never_claimed(RUN)

    assert effects == []
    assert agent.ending(RUN).outcome is Outcome.WITHDRAWN


def test_dry_run_that_is_stopped_is_killed() -> None:
    """There is nothing to signal."""
    agent = an_agent(Rules(agent=AGENT, zone="UTC", dry_run=DryRun(seconds=60)))
    agent.assign()

    effects = agent.assign(an_assignment(stop=True))

    assert effects == []
    assert agent.ending(RUN).outcome is Outcome.KILLED


def test_publication_that_goes_while_a_run_waits_is_answered() -> None:
    """It waited for its predecessor; now it waits for an instance that is gone."""
    agent = a_running_agent()
    agent.assign(an_assignment(attempt=2))
    agent.remove()

    agent.wait_until(NOON + MISSING_INSTANCE_GRACE)

    assert agent.ending(a_run(2)).outcome is Outcome.NOT_STARTED


def test_dashboard_that_leaves_meanwhile_takes_its_word_back() -> None:
    """The picture became incomplete before the answer was due: wait again."""
    agent = HandDriven()
    agent.dashboard()
    agent.assign()
    agent.dashboard(a_presence(complete=False))

    agent.wait_until(NOON + HOUR)

    assert agent.ending(RUN).phase is RunPhase.ACCEPTED
