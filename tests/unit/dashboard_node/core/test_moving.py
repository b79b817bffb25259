"""Agents that are away for longer than a plan allows: what moves, what never does, what is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.addresses import TakenAt
from schemas.names import job_id
from schemas.requests import Action
from schemas.status import RunPhase
from tests.support.groups import FIVE_MINUTES, GROUP, NORTH, SOUTH, Floor, a_floor, a_group_plan
from tests.support.office import a_plan

JOB = f"{GROUP}-c"
Q = job_id(GROUP, "q")


def a_floor_with_a_run(**fields: object) -> Floor:
    """North has been chosen and has the run of ``c``; south is there, too."""
    floor = a_floor(NORTH, SOUTH, plan=a_group_plan(**fields))  # type: ignore[arg-type]  # the plan's fields
    floor.act(Action.SUBMIT, JOB)
    assert floor.run("c").agent == NORTH
    return floor


def test_a_run_is_held_until_its_agent_is_ready() -> None:
    """The agent says that it is its turn, and the dashboard lets it begin; only then does it belong there for good."""
    floor = a_floor_with_a_run()
    held = floor.assignment(floor.run("c"))
    assert held is not None
    assert held.hold

    floor.says(floor.run("c"), RunPhase.ACCEPTED)
    assert not floor.run("c").granted

    floor.says(floor.run("c"), RunPhase.ACCEPTED, ready=True)
    let = floor.assignment(floor.run("c"))
    assert let is not None
    assert not let.hold


def test_a_run_that_may_begin_is_handed_to_the_journal_its_agent_has_by_then() -> None:
    """It was held when the disk was lost, so it had not begun; once let begin, it is of that journal for good (S1)."""
    floor = a_floor_with_a_run()
    floor.hears(NORTH, journal=2)
    floor.says(floor.run("c"), RunPhase.ACCEPTED, ready=True)
    let = floor.assignment(floor.run("c"))
    assert let is not None
    assert (let.hold, let.journal) == (False, 2)

    floor.hears(NORTH, journal=3)
    floor.says(floor.run("c"), RunPhase.ACCEPTED, ready=True)
    assert floor.assignment(floor.run("c")) == let


def test_a_plan_that_lets_nothing_move_holds_nothing() -> None:
    """Without a time in the plan a run starts as soon as its agent can."""
    floor = a_floor_with_a_run(away=timedelta(0))
    stands = floor.assignment(floor.run("c"))
    assert stands is not None
    assert not stands.hold

    floor.hears(NORTH, alive=False)
    floor.until(floor.now + timedelta(hours=3))
    assert floor.run("c").agent == NORTH


@pytest.mark.parametrize("alive", [False, True])
def test_what_was_not_started_moves_after_the_plans_time(*, alive: bool) -> None:
    """To another agent of the label, as the next attempt: the old run is taken back and can never start (S1)."""
    floor = a_floor_with_a_run()
    floor.says(floor.run("c"), RunPhase.ACCEPTED)
    before = floor.run("c")
    floor.hears(NORTH, alive=alive, draining=alive)

    floor.until(floor.now + FIVE_MINUTES - timedelta(seconds=1))
    assert floor.run("c") == before
    assert "goes to another one at 12:05:00Z" in floor.why("c")

    floor.until(floor.now + timedelta(seconds=1))
    moved = floor.run("c")
    assert (moved.agent, moved.attempt, moved.order) == (SOUTH, before.attempt + 1, before.order)
    assert floor.assignment(before) is None
    assert floor.core.state.machines[floor.only.id].copies[1].tries == 1

    floor.says(before, RunPhase.ACCEPTED, ready=True)
    assert floor.assignment(before) is None, "it comes back, and is not let begin"
    assert floor.run("c") == moved


def test_an_agent_that_is_back_in_time_keeps_its_runs() -> None:
    """The time counts from when it was last lost."""
    floor = a_floor_with_a_run()
    floor.hears(NORTH, alive=False)
    floor.until(floor.now + timedelta(minutes=4))
    floor.hears(NORTH)
    floor.until(floor.now + timedelta(minutes=2))
    assert floor.run("c").agent == NORTH

    floor.hears(NORTH, alive=False)
    floor.until(floor.now + timedelta(minutes=4))
    assert floor.run("c").agent == NORTH


@pytest.mark.parametrize("begun", [False, True])
def test_what_may_have_started_never_moves(*, begun: bool) -> None:
    """It was let begin: whether it did is known only to its agent (S1)."""
    floor = a_floor_with_a_run()
    floor.says(floor.run("c"), RunPhase.ACCEPTED, ready=True)
    if begun:
        floor.says(floor.run("c"), RunPhase.RUNNING)
    before = floor.run("c")

    floor.hears(NORTH, alive=False)
    floor.until(floor.now + timedelta(hours=1))

    assert floor.run("c") == before
    assert floor.only.placed[GROUP].agent == SOUTH, "what is still to come goes elsewhere"


def test_what_had_started_is_lost_if_the_plan_says_so() -> None:
    """The job is ERROR and says why; a late report changes nothing."""
    floor = a_floor_with_a_run(onAgentAway="lost")
    run = floor.begins("c")
    floor.hears(NORTH, alive=False)
    assert "or it counts as lost at" in floor.why("c")

    floor.until(floor.now + FIVE_MINUTES)
    assert floor.status("c") == "ERROR"
    assert "lost: north is gone since" in floor.job("c").reason

    floor.hears(NORTH)
    floor.says(run, RunPhase.ENDED)
    assert floor.status("c") == "ERROR"


def test_runs_of_a_named_agent_are_lost_too_but_never_move() -> None:
    """The policy is for every run that has started; only a group has somebody else."""
    floor = Floor(a_floor().now)
    floor.hears(NORTH, labels=())
    source = a_plan(agentAwayMilliseconds=300_000, onAgentAway="lost")
    floor.imports(source)
    floor.hears_presence("a")
    floor.start("P")
    floor.act(Action.SUBMIT, "a-c")
    floor.starts("c")

    floor.hears_presence("a", alive=False)
    floor.until(floor.now + FIVE_MINUTES)

    assert floor.status("c") == "ERROR"


def test_an_agent_that_drains_finishes_what_it_has_started() -> None:
    """Only one that is gone can lose a run."""
    floor = a_floor_with_a_run(onAgentAway="lost")
    floor.begins("c")
    floor.hears(NORTH, draining=True)
    floor.until(floor.now + timedelta(hours=1))
    assert floor.status("c") == "RUNNING"

    floor.hears(NORTH, alive=False)
    floor.until(floor.now + FIVE_MINUTES)
    assert floor.status("c") == "ERROR", "its time as a lost one begins when it is gone"


def test_with_nobody_else_it_waits_for_whoever_comes_first() -> None:
    """Also the old agent may be that; it then starts a new run."""
    floor = a_floor(NORTH)
    floor.act(Action.SUBMIT, JOB)
    before = floor.run("c")
    floor.hears(NORTH, alive=False)
    floor.until(floor.now + FIVE_MINUTES)
    assert floor.run("c").agent == GROUP
    assert floor.why("c") == "no agent with the label 'db' can take it: north is gone"

    floor.hears(NORTH)
    assert floor.run("c").agent == NORTH
    assert floor.run("c").attempt == before.attempt + 1


def test_a_held_run_of_an_agent_that_is_gone_can_be_killed() -> None:
    """It provably has not begun, so nobody has to be waited for."""
    floor = a_floor_with_a_run()
    floor.hears(NORTH, alive=False)

    assert floor.act(Action.KILL, JOB).ok

    assert floor.status("c") == "KILLED"


def test_a_run_is_not_let_begin_while_its_agent_is_gone() -> None:
    """Its word is from before; when it is back it is let begin."""
    floor = a_floor_with_a_run()
    floor.hears(NORTH, alive=False)
    floor.says(floor.run("c"), RunPhase.ACCEPTED, ready=True)
    assert not floor.run("c").granted

    floor.hears(NORTH)
    assert floor.run("c").granted


def test_the_time_of_an_agent_begins_again_with_the_dashboard() -> None:
    """For how long it had been gone while nobody looked, nobody knows."""
    floor = a_floor_with_a_run()
    floor.hears(NORTH, alive=False)
    floor.until(floor.now + timedelta(minutes=4))

    floor.down_until(floor.now + timedelta(hours=1))
    floor.hears(SOUTH)
    assert floor.run("c").agent == NORTH

    floor.until(floor.now + FIVE_MINUTES)
    assert floor.run("c").agent == SOUTH


def test_clock_and_file_jobs_move_with_their_group() -> None:
    """The new agent decides what was due since the old one fell silent; fires of the old one count for nothing."""
    floor = a_floor(NORTH, SOUTH)
    floor.clock(NORTH)
    assert floor.status("q") == "COMPLETE"
    assert TakenAt(NORTH, floor.only.id, Q) in floor.shown
    floor.hears(NORTH, alive=False)
    silent = floor.now
    floor.until(floor.now + FIVE_MINUTES)

    publication = floor.publication(SOUTH)
    assert publication is not None
    assert publication.groups == {GROUP: silent}
    assert TakenAt(NORTH, floor.only.id, Q) not in floor.shown

    floor.act(Action.RESET, f"{GROUP}-q")
    floor.clock(NORTH, sequence=2)
    assert floor.status("q") == "WAITING"

    floor.clock(SOUTH, sequence=1)
    assert floor.status("q") == "COMPLETE"
    assert TakenAt(SOUTH, floor.only.id, Q) in floor.shown


def test_a_moved_run_keeps_its_lock() -> None:
    """The lock is the job's: nobody else gets it in between."""
    locks = [{"name": "L", "jobs": {"P": [{"agentName": GROUP, "jobName": name} for name in "cd"]}}]
    floor = a_floor_with_a_run(jobLocks=locks)
    floor.act(Action.SUBMIT, f"{GROUP}-d")
    assert floor.status("d") == "LOCK_QUEUED"

    floor.hears(NORTH, alive=False)
    floor.until(floor.now + FIVE_MINUTES)

    assert floor.run("c").agent == SOUTH
    assert floor.status("d") == "LOCK_QUEUED"
