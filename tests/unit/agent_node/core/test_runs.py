"""Runs, from acceptance to being let go."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from agent_node.core.effects import Effect, StartProcess, StopProcess
from agent_node.core.records import RUNS
from agent_node.core.rules import MISSING_INSTANCE_GRACE, STOP_GRACE, DryRun, Rules
from schemas.names import PlanName, RunId, instance_id
from schemas.plan import CommandJob
from schemas.status import NodeState, Outcome, RunPhase
from tests.support.agents import (
    AGENT,
    HOUR,
    NOON,
    RULES,
    SECOND,
    HandDriven,
    a_command,
    a_presence,
    a_publication,
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


def test_run_that_starts_at_once_is_shown_when_it_runs() -> None:
    """Nothing is to be read of it while its process is only asked for."""
    agent = an_agent()

    effects = agent.assign()
    begins = agent.report(RUN)
    agent.started(RUN)

    assert (starts(effects), begins) == ([RUN], None)
    assert agent.ending(RUN).phase is RunPhase.RUNNING


def test_run_that_waited_is_accepted_until_it_runs() -> None:
    """What stands is not cleared when its turn comes."""
    agent = an_agent(replace(RULES, concurrency=1))
    agent.assign()
    agent.assign(an_assignment(attempt=2))
    waits = agent.ending(a_run(2)).phase
    agent.started(RUN)

    effects = agent.ended(RUN)

    assert (starts(effects), waits) == ([a_run(2)], RunPhase.ACCEPTED)
    assert agent.ending(a_run(2)).phase is RunPhase.ACCEPTED


def test_scenario_197_run_reports_start_then_end() -> None:
    """The start is shown with pid and log paths, the end with the same and its code."""
    agent = an_agent()
    agent.assign()

    agent.started(RUN, pid=4711)
    began = agent.ending(RUN)
    agent.ended(RUN, 0)
    end = agent.ending(RUN)

    assert (began.phase, began.pid, began.started, began.output) == (RunPhase.RUNNING, 4711, NOON, "/o")
    assert (end.phase, end.outcome, end.return_code) == (RunPhase.ENDED, Outcome.SUCCEEDED, 0)
    assert (end.pid, end.output, end.errors, end.ended) == (4711, "/o", "/e", NOON)


def test_run_is_let_go_in_three_moves() -> None:
    """The end stays visible until the assignment is cleared; then the report goes, but its id is remembered."""
    agent = a_running_agent()
    agent.ended(RUN)
    agent.clear(RUN)
    gone = agent.report(RUN)

    again = agent.assign()

    assert gone is None
    assert starts(again) == []
    assert agent.ending(RUN).outcome is Outcome.SUCCEEDED


def test_run_is_forgotten_with_its_instance() -> None:
    """Once neither assignment nor publication stands, nothing is kept."""
    agent = a_running_agent()
    agent.ended(RUN)
    agent.clear(RUN)

    agent.remove()

    assert [key for key in agent.saved if key.table in {"run", "assignment", "instance"}] == []


@pytest.mark.parametrize(("codes", "code", "outcome"), [
    ([], 3, Outcome.FAILED),
    (["0", "3"], 3, Outcome.SUCCEEDED),
    (["3"], 0, Outcome.FAILED),
])  # fmt: skip
def test_scenario_195_return_codes(codes: list[str], code: int, outcome: Outcome) -> None:
    """Only the listed codes are success; without a list only 0."""
    agent = an_agent()
    agent.assign(an_assignment(a_command("exit 3", successfulReturnCodes=codes)))
    agent.started(RUN)

    agent.ended(RUN, code)

    assert (agent.ending(RUN).outcome, agent.ending(RUN).return_code) == (outcome, code)


@pytest.mark.parametrize(("code", "reason"), [
    (3, "return code 3"),
    (139, "return code 139 (ended by SIGSEGV)"),
    (255, "return code 255"),
])  # fmt: skip
def test_return_code_that_tells_of_a_signal_is_said_in_words(code: int, reason: str) -> None:
    """Nobody has to know by heart what shells add to a signal's number."""
    agent = a_running_agent()

    agent.ended(RUN, code)

    assert agent.ending(RUN).reason == reason


def test_return_codes_that_are_no_numbers_are_answered() -> None:
    """A definition that cannot be read ends the run with a reason, and starts nothing."""
    agent = an_agent()

    effects = agent.assign(an_assignment(a_command(successfulReturnCodes=["zero"])))

    assert starts(effects) == []
    assert agent.ending(RUN).outcome is Outcome.NOT_STARTED
    assert "zero" in agent.ending(RUN).reason


@pytest.mark.parametrize(("days", "runs"), [
    ([], True),
    ([2, 3, 4, 5, 6], True),
    ([1, 7], False),
    ([2], True),
])  # fmt: skip
def test_scenario_199_days_of_week(days: list[int], runs: bool) -> None:  # noqa: FBT001  # the table's column
    """A run on a day that is left out ends as not today, without a process. 1 is Sunday; noon here is a Monday's."""
    agent = an_agent()

    effects = agent.assign(an_assignment(a_command(daysOfWeekToRun=days)))
    report = agent.report(RUN)

    assert starts(effects) == ([RUN] if runs else [])
    assert (report.outcome if report is not None else None) == (None if runs else Outcome.NOT_TODAY)


def test_scenario_199_day_is_the_agents() -> None:
    """Monday noon in UTC is Tuesday in Auckland."""
    agent = an_agent(Rules(agent=AGENT, zone="Pacific/Auckland"))

    agent.assign(an_assignment(a_command(daysOfWeekToRun=[2])))

    assert agent.ending(RUN).outcome is Outcome.NOT_TODAY


def test_scenario_200_blank_command_is_answered() -> None:
    """A blank command line ends the run at once, with a reason."""
    agent = an_agent()

    effects = agent.assign(an_assignment(a_command("  \n")))

    assert starts(effects) == []
    assert (agent.ending(RUN).outcome, agent.ending(RUN).started) == (Outcome.NOT_STARTED, None)


def test_scenario_200_start_that_fails_is_answered() -> None:
    """What keeps a command from starting is its end, with the reason."""
    agent = an_agent()
    agent.assign()

    agent.failed(RUN, "working directory '/nowhere' is not a folder on this host")

    assert agent.ending(RUN).outcome is Outcome.NOT_STARTED
    assert "/nowhere" in agent.ending(RUN).reason


def test_scenario_201_timeout_stops_and_is_never_success() -> None:
    """At the limit TERM, after a grace KILL; the outcome is timed out even if the code is one of success."""
    agent = an_agent()
    agent.assign(an_assignment(a_command("sleep 9", timeoutSeconds=60, successfulReturnCodes=["0", "143"])))
    agent.started(RUN)

    effects = agent.wait_until(NOON + timedelta(seconds=60) + STOP_GRACE)
    agent.ended(RUN, 143)

    assert effects == [StopProcess(run=RUN, force=False), StopProcess(run=RUN, force=True)]
    assert agent.ending(RUN).outcome is Outcome.TIMED_OUT


@pytest.mark.parametrize(("given", "limit"), [(None, RULES.timeout_seconds), (60.0, 60.0), (0.0, None)])
def test_scenario_201_limit_is_the_jobs_or_the_agents(given: float | None, limit: float | None) -> None:
    """A job without a limit has the agent's; 0 is none."""
    agent = an_agent()
    agent.assign(an_assignment(a_command(timeoutSeconds=given)))

    agent.started(RUN)

    wakeup = NOON + timedelta(seconds=limit) if limit is not None else None
    run = agent.core.state.get(RUNS, RUN)
    assert run is not None
    assert run.act_at == wakeup


def test_scenario_202_unpublished_instance_is_answered() -> None:
    """Not at once, for a publication may be on its way; after a few seconds, with the reason."""
    agent = HandDriven()
    agent.dashboard()
    first = agent.assign(an_assignment(instance=OTHER))
    waits = agent.ending(a_run(instance=OTHER)).phase

    agent.wait_until(NOON + MISSING_INSTANCE_GRACE)

    assert (starts(first), waits) == ([], RunPhase.ACCEPTED)
    assert agent.ending(a_run(instance=OTHER)).outcome is Outcome.NOT_STARTED


def test_scenario_202_publication_that_comes_in_time_lets_it_start() -> None:
    """The order of assignment and publication does not matter."""
    agent = HandDriven()
    agent.dashboard()
    agent.assign()

    effects = agent.publish()

    assert starts(effects) == [RUN]


@pytest.mark.parametrize("presence", [a_presence(complete=False), a_presence(NodeState.GONE)])
def test_scenario_206_incomplete_picture_is_waited_for(presence: object) -> None:
    """While the dashboard has not shown everything, a missing publication proves nothing; then it does."""
    agent = HandDriven()
    agent.dashboard(presence)  # type: ignore[arg-type]  # parametrized
    agent.assign()
    agent.wait_until(NOON + HOUR)
    waits = agent.ending(RUN).phase
    agent.dashboard()

    agent.wait_until(agent.now + MISSING_INSTANCE_GRACE)

    assert waits is RunPhase.ACCEPTED
    assert agent.ending(RUN).outcome is Outcome.NOT_STARTED


def test_scenario_203_runs_of_one_job_follow_each_other() -> None:
    """The second run of a job of an instance starts when the first has ended; another job's does not wait."""
    agent = an_agent()
    first = agent.assign(an_assignment(attempt=1))
    second = agent.assign(an_assignment(attempt=2))
    other = agent.assign(an_assignment(a_command(job="other")))
    agent.started(RUN)

    after = agent.ended(RUN)

    assert starts(first) == [RUN]
    assert starts(second) == []
    assert starts(other) == [a_run(job="other")]
    assert starts(after) == [a_run(2)]


def test_concurrency_has_a_limit() -> None:
    """Beyond it runs wait, in the order in which they were accepted."""
    agent = an_agent(Rules(agent=AGENT, zone="UTC", concurrency=2))
    effects = [effect for number in range(4) for effect in agent.assign(an_assignment(a_command(job=f"j{number}")))]

    after = agent.ended(a_run(job="j1"))

    assert starts(effects) == [a_run(job="j0"), a_run(job="j1")]
    assert starts(after) == [a_run(job="j2")]


def test_label_has_a_limit() -> None:
    """Beyond it runs with the label wait, and keep nobody else waiting; one with two labels waits for both."""
    agent = an_agent(Rules(agent=AGENT, zone="UTC", label_concurrency={"db": 1, "io": 1}))
    jobs = {"a": ["db"], "b": ["db", "io"], "c": ["io", "free"], "d": [], "e": ["free"]}
    effects = [
        effect
        for job, labels in jobs.items()
        for effect in agent.assign(an_assignment(a_command(job=job, labels=labels)))
    ]
    one = agent.ended(a_run(job="a"))

    other = agent.ended(a_run(job="c"))

    assert starts(effects) == [a_run(job=job) for job in ("a", "c", "d", "e")]
    assert starts(one) == []
    assert starts(other) == [a_run(job="b")]


def test_arguments_alone_are_a_command() -> None:
    """A blank command line is no fault then."""
    assert starts(an_agent().assign(an_assignment(a_command("", arguments=["true"])))) == [RUN]


@pytest.mark.parametrize(("percentage", "failing"), [(0, 0), (100, 50)])
def test_scenario_209_dry_run_pretends(percentage: int, failing: int) -> None:
    """No process; so many of a hundred fail."""
    agent = an_agent(Rules(agent=AGENT, zone="UTC", dry_run=DryRun(error_percentage=percentage)))
    jobs = [a_command(job=f"j{number}") for number in range(50)]

    effects = [effect for job in jobs for effect in agent.assign(an_assignment(job))]

    ends = [agent.ending(a_run(job=job.job_name)) for job in jobs]
    assert starts(effects) == []
    assert all(end.dry_run and end.phase is RunPhase.ENDED for end in ends)
    assert sum(end.outcome is Outcome.FAILED for end in ends) == failing


def test_scenario_209_dry_run_fails_sixty_of_a_hundred() -> None:
    """About as many as asked for, and the same ones again the next time."""
    outcomes = []
    for _ in range(2):
        agent = an_agent(Rules(agent=AGENT, zone="UTC", dry_run=DryRun(error_percentage=60)))
        jobs: list[CommandJob] = [a_command(job=f"j{number}") for number in range(200)]
        for job in jobs:
            agent.assign(an_assignment(job))
        outcomes.append([agent.ending(a_run(job=job.job_name)).outcome for job in jobs])

    assert outcomes[0] == outcomes[1]
    assert 90 < outcomes[0].count(Outcome.FAILED) < 150


def test_scenario_209_dry_run_takes_its_time() -> None:
    """It ends after the time it pretends to take."""
    agent = an_agent(Rules(agent=AGENT, zone="UTC", dry_run=DryRun(seconds=2)))
    agent.assign()
    began = agent.ending(RUN).phase

    agent.wait_until(NOON + 3 * SECOND)

    assert began is RunPhase.RUNNING
    assert agent.ending(RUN).ended == NOON + 2 * SECOND


def test_publication_to_be_opened_later_lets_commands_start() -> None:
    """The window is the dashboard's to keep for commands; the agent only wants to know the instance."""
    agent = HandDriven()
    agent.publish(a_publication(opens=NOON + HOUR))

    effects = agent.assign()

    assert starts(effects) == [RUN]
