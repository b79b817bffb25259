"""Agent groups: who is chosen, for how long, and what is said when nobody is there."""

from __future__ import annotations

import msgspec

from dashboard_node.core.placement import choose
from schemas.addresses import AgentPlanAt, AssignmentAt
from schemas.documents import Condition, Presence
from schemas.names import NodeName, PlanName
from schemas.requests import Action, CheckPlan, ImportPlan, PlanChecked, PlanImported
from schemas.status import NodeState, RunPhase
from tests.support.groups import GROUP, NORTH, SOUTH, Floor, a_floor, a_group_plan
from tests.support.office import a_plan, at


def an_agent(name: str, *, running: int = 0, capacity: int = 4, **fields: object) -> Presence:
    """An agent with the label that can be chosen."""
    plain = Presence(
        node=NodeName(name),
        state=NodeState.ALIVE,
        connection=1,
        since=at("01-01 00:00"),
        complete=True,
        labels=("db", "io"),
        capacity=capacity,
        condition=Condition(running=running),
    )
    return msgspec.structs.replace(plain, **fields)


def chosen(*agents: Presence, **assigned: int) -> str | None:
    """Who is chosen for the label "db"."""
    counts = {NodeName(name): count for name, count in assigned.items()}
    return choose("db", {one.node: one for one in agents}, counts)


def test_the_least_loaded_agent_is_chosen() -> None:
    """Load is runs by capacity, so a larger agent with more runs may be the better one."""
    assert chosen(an_agent("a", running=2), an_agent("b", running=3, capacity=64)) == "b"


def test_what_an_agent_was_given_counts_before_it_says_so() -> None:
    """Many jobs that start together do not all go to the agent whose word is oldest."""
    assert chosen(an_agent("a"), an_agent("b"), a=1) == "b"


def test_equally_loaded_agents_go_by_name() -> None:
    """The same picture gives the same choice."""
    assert chosen(an_agent("b"), an_agent("a")) == "a"


def test_who_cannot_start_anything_is_not_chosen() -> None:
    """Gone, not complete, draining, without space, without the label: none of them."""
    unfit = [
        an_agent("a", state=NodeState.GONE),
        an_agent("b", complete=False),
        an_agent("c", condition=Condition(draining=True)),
        an_agent("d", condition=Condition(disk_full=True)),
        an_agent("e", labels=("io",)),
    ]

    assert chosen(*unfit) is None
    assert chosen(*unfit, an_agent("f", running=4)) == "f"


def test_jobs_of_an_instance_stay_together() -> None:
    """What one job of a group leaves on a host, the next one finds there; other instances go elsewhere."""
    floor = a_floor(NORTH, SOUTH, plan=a_group_plan(ableToRunConcurrently=True))
    floor.act(Action.SUBMIT, f"{GROUP}-c")
    assert floor.run("c").agent == NORTH
    floor.hears(NORTH, running=3)
    floor.begins("c")
    floor.says(floor.run("c"), RunPhase.ENDED)

    floor.act(Action.SUBMIT, f"{GROUP}-d")
    assert floor.run("d").agent == NORTH
    assert floor.job("d").agent == NORTH

    floor.start("P")
    placed = [instance.placed[GROUP].agent for instance in floor.instances]
    assert sorted(placed) == [NORTH, SOUTH]


def test_only_the_chosen_agent_sees_the_instance_and_its_clock_jobs() -> None:
    """Its publication says for which groups it was chosen; others get nothing at all."""
    floor = a_floor(NORTH, SOUTH)

    publication = floor.publication(NORTH)
    assert publication is not None
    assert publication.groups == {GROUP: None}
    assert floor.publication(SOUTH) is None
    assert AgentPlanAt(NORTH, PlanName("P")) in floor.shown
    assert AgentPlanAt(SOUTH, PlanName("P")) not in floor.shown


def test_a_job_of_a_group_in_which_nobody_is_waits_and_says_so() -> None:
    """The run stands at the group's own address until somebody comes; then it is the same run, at that agent."""
    floor = a_floor()
    floor.act(Action.SUBMIT, f"{GROUP}-c")
    waiting = floor.run("c")
    assert waiting.agent == GROUP
    assert AssignmentAt(GROUP, waiting.id) in floor.shown
    assert floor.why("c") == "no agent with the label 'db' has ever been seen"
    assert "no agent with the label 'db'" in floor.why("q")

    floor.hears(SOUTH, draining=True)
    assert floor.why("c") == "no agent with the label 'db' can take it: south drains"

    floor.hears(SOUTH)
    assert floor.run("c").id == waiting.id
    assert floor.run("c").agent == SOUTH
    assert AssignmentAt(GROUP, waiting.id) not in floor.shown
    assert floor.why("q") == "waits for its time, or for somebody to submit it"


def test_a_run_that_waits_for_a_group_can_be_killed() -> None:
    """Nobody has it, so nobody is asked."""
    floor = a_floor()
    floor.act(Action.SUBMIT, f"{GROUP}-c")

    assert floor.act(Action.KILL, f"{GROUP}-c").ok

    assert floor.status("c") == "KILLED"
    assert not floor.runs()


def test_an_instance_ends_with_a_run_for_which_nobody_came() -> None:
    """It leaves the bus with the instance, and the job keeps its status."""
    floor = a_floor()
    floor.act(Action.SUBMIT, f"{GROUP}-c")

    floor.until(at("03-03 12:00"))

    assert not floor.instances or not floor.core.state.live_runs(floor.only.id)
    assert not [address for address in floor.shown if isinstance(address, AssignmentAt)]


def test_groups_are_known_again_after_a_restart() -> None:
    """From the disk, and from the bus when that is gone: chosen agents, and runs that wait for one."""
    floor = a_floor(NORTH)
    floor.act(Action.SUBMIT, f"{GROUP}-c")
    run = floor.run("c")
    before = floor.shown.copy()

    floor.begin()
    assert (floor.only.placed[GROUP].agent, floor.run("c").agent) == (NORTH, NORTH)
    assert floor.shown.keys() == before.keys()

    floor.lose_disk()
    assert (floor.only.placed[GROUP].agent, floor.run("c").agent) == (NORTH, NORTH)
    assert floor.run("c").id == run.id
    assert floor.job("c").agent == NORTH


def test_a_waiting_run_survives_the_loss_of_the_disk() -> None:
    """What waits at the group's address is found there."""
    floor = a_floor()
    floor.act(Action.SUBMIT, f"{GROUP}-c")

    floor.lose_disk()
    floor.hears(NORTH)

    assert floor.run("c").agent == NORTH


def test_an_unknown_label_is_a_warning() -> None:
    """The plan is taken: an agent with it may come."""
    floor = Floor(at("03-02 12:00"))

    answer = floor.ask(ImportPlan(source=a_group_plan()))
    [warning] = msgspec.json.decode(bytes(answer.data), type=PlanImported).warnings
    assert answer.ok
    assert warning.path == "$.scheduledJobs[0].agentName"
    assert "no agent with the label 'db' is known" in warning.message

    floor.hears(NORTH)
    again = floor.ask(ImportPlan(source=a_group_plan(description="two")))
    assert not msgspec.json.decode(bytes(again.data), type=PlanImported).warnings


def test_a_plan_for_an_agent_that_was_never_seen_is_imported_with_a_warning() -> None:
    """Once for each name, with the one that was perhaps meant; nothing while no agent has come yet."""
    source = a_plan()
    floor = Floor(at("03-02 12:00"))
    assert floor.imports(source).ok
    assert not msgspec.json.decode(bytes(floor.ask(CheckPlan(source=source)).data), type=PlanChecked).faults

    floor.hears(NodeName("a2"))
    checked = msgspec.json.decode(bytes(floor.ask(CheckPlan(source=source)).data), type=PlanChecked)

    [warning] = checked.faults
    assert (warning.path, warning.warning) == ("$.scheduledJobs[0].agentName", True)
    assert warning.message == "the agent 'a' was never seen: its jobs wait until it is there"


def test_a_group_without_a_label_is_refused() -> None:
    """``any:`` alone names nobody."""
    floor = Floor(at("03-02 12:00"))
    answer = floor.ask(ImportPlan(source=a_plan(scheduledJobs=[{"agentName": "any:", "jobName": "q"}])))

    assert not answer.ok
    assert any("names no label" in fault.message for fault in answer.faults)
