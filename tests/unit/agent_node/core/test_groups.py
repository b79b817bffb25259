"""Jobs of agent groups, as an agent sees them: runs that are held, clock jobs that are taken over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec import Raw
from msgspec.structs import replace

from agent_node.core.effects import Effect, StartProcess
from agent_node.core.rules import Rules
from broker.runtime.core import Requested
from schemas.codec import encode_body
from schemas.documents import Assignment
from schemas.names import NodeName, RequestId, RunId, UserName
from schemas.requests import Drain
from schemas.status import FireOutcome, Outcome, RunPhase
from tests.support.agents import NOON, RULES, HandDriven, a_clock, a_command, a_publication, a_run, an_assignment

GROUP = NodeName("any:db")
RUN = a_run()


def starts(effects: list[Effect]) -> list[RunId]:
    """The runs that are asked to start."""
    return [effect.assignment.run for effect in effects if isinstance(effect, StartProcess)]


def held(job: str = "extract") -> Assignment:
    """A run that may not start yet."""
    return replace(an_assignment(a_command(job=job)), hold=True)


def let_begin(job: str = "extract") -> Assignment:
    """The same, once the dashboard has given its word."""
    return replace(held(job), hold=False)


def an_agent(rules: Rules = RULES) -> HandDriven:
    """An agent to which an instance is published by a dashboard that is there."""
    agent = HandDriven(rules=rules)
    agent.dashboard()
    agent.publish()
    return agent


def drain(agent: HandDriven, *, on: bool = True) -> list[Effect]:
    """An operator lets it drain."""
    return agent.give(Requested(agent.now, UserName("anna"), RequestId("r"), Raw(encode_body(Drain(draining=on)))))


def test_a_held_run_is_ready_and_does_not_start() -> None:
    """It shows that it could, and begins when it may."""
    agent = an_agent()
    assert starts(agent.assign(held())) == []
    assert agent.ending(RUN).ready

    assert starts(agent.assign(let_begin())) == [RUN]
    assert not agent.ending(RUN).ready


def test_a_held_run_that_is_cleared_never_starts() -> None:
    """It has moved: a restart, or the old assignment out of an older broker, does not begin it (S1)."""
    agent = an_agent()
    agent.assign(held())
    agent.clear(RUN)
    assert agent.report(RUN) is None

    assert starts(agent.assign(held())) == []
    agent.start()
    assert starts(agent.dashboard() + agent.publish()) == []


def test_only_as_many_are_ready_as_could_start() -> None:
    """The rest stays where it can still be moved; a run that is ready keeps its place."""
    agent = an_agent(replace(RULES, concurrency=1))
    agent.assign(held("one"))
    agent.assign(held("two"))
    first, second = a_run(job="one"), a_run(job="two")
    assert agent.ending(first).ready
    assert not agent.ending(second).ready
    assert starts(agent.assign(let_begin("two"))) == []

    assert starts(agent.assign(let_begin("one"))) == [first]
    agent.started(first)
    assert starts(agent.ended(first)) == [second]


def test_a_draining_agent_makes_no_run_ready_and_starts_those_that_are() -> None:
    """The dashboard's word may be under way to them; whoever has it does not move any more."""
    agent = an_agent()
    agent.assign(held("one"))
    drain(agent)
    agent.assign(held("two"))
    assert not agent.ending(a_run(job="two")).ready

    assert starts(agent.assign(let_begin("one"))) == [a_run(job="one")]


def loses_disk(agent: HandDriven, assignment: Assignment) -> list[Effect]:
    """It begins anew without its journal, the same stands on the broker, and of the run's folder nothing is found."""
    effects = agent.lose_disk() + agent.dashboard() + agent.publish() + agent.assign(assignment)
    return [*effects, *agent.never_claimed(RUN)]


@pytest.mark.parametrize("shown", [True, False])
def test_a_held_run_is_not_lost_with_the_disk(*, shown: bool) -> None:
    """It cannot have begun in the life that is forgotten, whether that had shown it or not: it is ready again, and may begin."""
    agent = an_agent()
    agent.assign(held())
    if not shown:
        agent.shown.clear()
    assert starts(loses_disk(agent, held())) == []
    assert (agent.ending(RUN).phase, agent.ending(RUN).ready) == (RunPhase.ACCEPTED, True)

    assert starts(agent.assign(replace(let_begin(), journal=agent.journal))) == [RUN]


def test_a_held_run_is_not_lost_though_the_agent_starts_once_more_before_it_is_looked_for() -> None:
    """The new journal knows no more of it than that it was found on the broker."""
    agent = an_agent()
    agent.assign(held())
    agent.lose_disk()
    effects = agent.start() + agent.dashboard() + agent.publish() + agent.assign(held())

    assert starts([*effects, *agent.never_claimed(RUN)]) == []
    assert (agent.ending(RUN).phase, agent.ending(RUN).ready) == (RunPhase.ACCEPTED, True)


def test_a_held_run_that_is_let_begin_before_it_is_looked_for_is_not_lost_with_the_disk() -> None:
    """The agent's report of before says that it is ready, so the dashboard may answer the new journal at once."""
    agent = an_agent()
    agent.assign(held())

    assert starts(loses_disk(agent, replace(let_begin(), journal=agent.epoch + 1))) == [RUN]


def test_a_run_that_was_handed_to_no_journal_is_not_lost_with_the_disk() -> None:
    """It cannot have begun either: it waits until it is handed to the new one."""
    agent = an_agent()
    agent.assign(replace(let_begin(), journal=0))
    assert starts(loses_disk(agent, replace(let_begin(), journal=0))) == []
    assert agent.ending(RUN).phase is RunPhase.ACCEPTED

    assert starts(agent.assign(replace(let_begin(), journal=agent.journal))) == [RUN]


def test_a_run_that_was_let_begin_is_lost_with_the_disk() -> None:
    """Though an older broker may say that it is held: it was handed to a journal that is gone (S1)."""
    agent = an_agent()
    agent.assign(held())
    assert starts(loses_disk(agent, held()) + agent.assign(let_begin())) == []

    assert agent.ending(RUN).outcome is Outcome.LOST


def test_a_run_that_an_older_copy_of_the_journal_does_not_know_is_lost() -> None:
    """It was handed to this very journal, and has begun since the copy was made (S1)."""
    agent = an_agent()
    copy = dict(agent.saved)
    agent.assign(let_begin())
    agent.started(RUN)
    agent.saved = copy
    effects = agent.start() + agent.dashboard() + agent.publish() + agent.assign(let_begin())

    assert starts([*effects, *agent.never_claimed(RUN)]) == []
    assert agent.ending(RUN).outcome is Outcome.LOST


def test_a_held_run_that_has_begun_is_lost_with_the_disk() -> None:
    """By the agent's own report: an older broker shows the assignment as it was before."""
    agent = an_agent()
    agent.assign(let_begin())
    agent.started(RUN)

    assert starts(loses_disk(agent, held())) == []
    assert agent.ending(RUN).outcome is Outcome.LOST


def test_a_held_run_whose_process_is_found_goes_on_without_the_disk() -> None:
    """Its folder was not lost: it has begun, whatever an older broker shows."""
    agent = an_agent()
    agent.assign(held())
    agent.lose_disk()
    agent.dashboard()
    agent.publish()
    agent.assign(held())

    agent.started(RUN)

    assert agent.ending(RUN).phase is RunPhase.RUNNING


def test_a_groups_clock_job_fires_only_where_the_group_is_placed() -> None:
    """All agents of a plan may know the job; the publication says whose it is."""
    agent = HandDriven()
    job = a_clock(agentName=GROUP)
    agent.dashboard()
    agent.provision(job)
    agent.publish()
    agent.wait_until(NOON + timedelta(minutes=3, seconds=30))
    assert agent.fires(job.id) == ()

    agent.publish(replace(a_publication(), groups={GROUP: None}))
    agent.wait_until(agent.now + timedelta(minutes=1))
    assert [fire.due for fire in agent.fires(job.id)] == [NOON + timedelta(minutes=4)]


def test_a_clock_job_that_is_taken_over_goes_on_where_the_other_agent_stopped() -> None:
    """What was due since then is decided here: one fire for what nobody looked at, within the job's tolerance."""
    agent = HandDriven(now=NOON + timedelta(minutes=10, seconds=30))
    job = a_clock("0 5 12 * * ?", agentName=GROUP)
    agent.dashboard()
    agent.provision(job)

    agent.publish(replace(a_publication(), groups={GROUP: NOON + timedelta(minutes=3)}))
    agent.wait_until(NOON + timedelta(minutes=11))

    [fire] = agent.fires(job.id)
    assert (fire.due, fire.outcome) == (NOON + timedelta(minutes=5), FireOutcome.FIRED)


def test_a_clock_job_that_is_taken_away_fires_no_more() -> None:
    """Its agent was away for too long: another one does it now."""
    agent = HandDriven()
    job = a_clock(agentName=GROUP)
    agent.dashboard()
    agent.provision(job)
    agent.publish(replace(a_publication(), groups={GROUP: None}))

    agent.publish(a_publication())
    agent.wait_until(NOON + timedelta(minutes=3))

    assert agent.fires(job.id) == ()
