"""Records that are those of a copy: what agents of a group were given since stays with them."""

from __future__ import annotations

from broker.runtime.core import Heard
from schemas.addresses import AgentPresenceAt, RunReportAt
from schemas.requests import Action
from schemas.status import RunPhase
from tests.support.groups import FIVE_MINUTES, GROUP, NORTH, SOUTH, Floor, a_floor, a_group_plan
from tests.support.office import at

JOB = f"{GROUP}-c"


def _heard(floor: Floor) -> list[Heard]:
    """What a new life hears of agents."""
    state = floor.core.state
    presences = [Heard(floor.now, AgentPresenceAt(agent), one) for agent, one in state.presences.items()]
    reports = [Heard(floor.now, RunReportAt(agent, run), one) for run, (agent, one) in state.reported.items()]
    return [*presences, *reports]


def test_an_instance_that_opens_once_more_has_its_agent_of_the_group() -> None:
    """Copied before it opened: who was chosen for it is chosen again, though another one is less busy now."""
    floor = Floor(at("03-02 00:30"))
    for agent in (NORTH, SOUTH):
        floor.hears(agent)
    floor.imports(a_group_plan(timeWindowStart="0 0 1 * * ?"))
    copy = dict(floor.rows)
    floor.until(at("03-02 01:10"))
    assert floor.only.placed[GROUP].agent == NORTH

    floor.hears(NORTH, running=4)
    floor.put_back(copy, _heard(floor))

    assert floor.only.placed[GROUP].agent == NORTH
    assert NORTH in floor.only.hosts
    assert floor.publication(NORTH) is not None


def test_an_instance_of_the_copy_has_the_agent_that_was_chosen_since() -> None:
    """Copied before its group moved: it stays where it moved to."""
    floor = a_floor(NORTH, SOUTH)
    copy = dict(floor.rows)
    floor.hears(NORTH, alive=False)
    floor.until(floor.now + 2 * FIVE_MINUTES)
    assert floor.only.placed[GROUP].agent == SOUTH

    floor.hears(NORTH)
    floor.put_back(copy, _heard(floor))

    assert floor.only.placed[GROUP].agent == SOUTH


def test_a_run_that_an_agent_has_is_handed_to_it_again() -> None:
    """Copied before the run was handed over: it goes to the agent that tells of it, though another one is chosen by then (S1)."""
    floor = a_floor(NORTH, SOUTH)
    copy = dict(floor.rows)
    floor.act(Action.SUBMIT, JOB)
    run = floor.begins("c")
    assert run.agent == NORTH

    floor.put_back(copy, _heard(floor))
    floor.hears(NORTH, alive=False)
    floor.until(floor.now + 2 * FIVE_MINUTES)
    assert floor.only.placed[GROUP].agent == SOUTH
    floor.act(Action.SUBMIT, JOB)

    assert (floor.run("c").id, floor.run("c").agent, floor.run("c").phase) == (run.id, NORTH, RunPhase.RUNNING)


def test_a_run_of_the_copy_counts_as_told_to_start() -> None:
    """Copied before its agent got the word; the agent may have lost its disk since, and would take it for a new one (S1)."""
    floor = a_floor(NORTH, SOUTH)
    floor.act(Action.SUBMIT, JOB)
    copy, run = dict(floor.rows), floor.run("c")
    held = floor.assignment(run)
    floor.begins("c")

    floor.put_back(copy, _heard(floor)[:2])

    told = floor.assignment(run)
    assert held is not None
    assert held.hold
    assert told is not None
    assert not told.hold


def test_a_run_of_the_copy_is_of_the_journal_to_which_it_was_handed_since() -> None:
    """Copied before its agent got the word, the agent's disk lost after that: it must learn that the run may have begun (S1)."""
    floor = a_floor(NORTH, SOUTH)
    floor.act(Action.SUBMIT, JOB)
    copy, run = dict(floor.rows), floor.run("c")
    floor.hears(NORTH, journal=2)
    floor.begins("c")
    handed = floor.assignment(run)
    floor.hears(NORTH, journal=3)

    floor.put_back(copy, _heard(floor)[:2])

    told = floor.assignment(run)
    assert handed is not None
    assert handed.journal == 2
    assert told is not None
    assert told.journal == 2
