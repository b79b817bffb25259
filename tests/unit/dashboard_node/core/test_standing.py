"""What has not ended is found by plan and by agent, and nothing that has."""

from __future__ import annotations

from msgspec.structs import replace

from dashboard_node.core.standing import Standing
from schemas.names import NodeName, PlanName
from schemas.requests import Action, EndInstance
from tests.support.groups import GROUP, NORTH, SOUTH, a_floor, a_group_plan

P = PlanName("P")


def test_an_instance_is_found_by_the_group_its_jobs_name_and_by_whom_was_chosen() -> None:
    """Until it ends; then by nobody."""
    floor = a_floor(NORTH, SOUTH, plan=a_group_plan())
    standing, name = floor.core.state.standing, floor.only.id
    floor.act(Action.SUBMIT, f"{GROUP}-c")

    assert standing.instances_at.of_groups() == [name]
    assert standing.instances_at.of(NORTH) == [name]
    assert standing.of_plan(floor.only.plan) == [name]

    floor.ask(EndInstance(instance=name))
    assert (
        standing.instances_at.of_groups() == standing.instances_at.of(NORTH) == standing.of_plan(floor.only.plan) == []
    )


def test_a_run_is_found_by_its_agent_alone_even_when_it_moves() -> None:
    """And counts as one run of that agent."""
    floor = a_floor(NORTH, SOUTH, plan=a_group_plan())
    floor.act(Action.SUBMIT, f"{GROUP}-c")
    run, standing = floor.run("c"), Standing()
    standing.put_run(None, run)
    assert standing.runs_at.counts() == {NORTH: 1}

    standing.put_run(run, replace(run, agent=SOUTH))

    assert standing.runs_at.of(NORTH) == []
    assert standing.runs_at.of(SOUTH) == list(standing.runs) == [run.id]
    assert standing.runs_at.counts() == {SOUTH: 1}


def test_a_run_that_waits_for_a_group_is_no_agents() -> None:
    """It is found when somebody comes, whoever it is."""
    floor = a_floor(plan=a_group_plan())
    floor.act(Action.SUBMIT, f"{GROUP}-c")
    standing = floor.core.state.standing

    assert standing.runs_at.of_groups() == standing.runs_at.of(NodeName(GROUP)) == [floor.run("c").id]
    assert standing.runs_at.counts() == {}


def test_a_plan_that_is_gone_has_nothing() -> None:
    """Nor does one that never was."""
    standing = Standing()
    standing.forget_plan(P)

    assert standing.of_plan(P) == []
