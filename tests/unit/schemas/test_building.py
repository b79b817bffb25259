"""Plans as Python code: what is written becomes the document that a person would have written."""

from __future__ import annotations

import pytest

from dashboard_node.core import plan_rules
from schemas.building import BuildingError, JobTerm, PlanBuilder, grouping
from schemas.plan import CommandJob, ContextDependency, Grouping, JobLock, Operator, Parameter, Plan, ScheduledJob


def a_builder() -> PlanBuilder:
    """Of a plan with a window."""
    return PlanBuilder(Plan(name="P", time_window_start="0 0 1 ? * *", context_ttl_milliseconds=3_600_000))


def job(name: str) -> JobTerm:
    """Anything that can be waited for."""
    return JobTerm(ScheduledJob(agent_name="a", job_name=name))


def by(*names: str) -> tuple[Operator, ...]:
    """Operators of these jobs."""
    return tuple(Operator(identifier=f"a-{name}") for name in names)


def test_and_is_flat() -> None:
    """Three jobs joined with & are one list."""
    assert grouping(job("x") & job("y") & job("z")) == Grouping(and_=by("x", "y", "z"))


def test_not_beside_and_goes_into_its_own_list() -> None:
    """And a double not is none."""
    assert grouping(job("x") & ~job("y") & ~~job("z")) == Grouping(and_=by("x", "z"), not_=by("y"))


def test_or_of_ands_nests() -> None:
    """Each alternative with several jobs is a grouping of its own."""
    nested = Operator(logical_grouping=Grouping(and_=by("y", "z")))

    assert grouping(job("x") | (job("y") & job("z"))) == Grouping(or_=(*by("x"), nested))


def test_a_single_job_is_a_list_of_one() -> None:
    """As Ikasan writes it."""
    assert grouping(job("x")) == Grouping(and_=by("x"))


def test_a_plan_of_every_kind_of_job_keeps_the_plan_rules() -> None:
    """Nothing in it is an error or a warning."""
    plan = a_builder()
    clock = plan.clock("Two", "a", "0 0 2 ? * *")
    arrived = plan.file("In", "a", "/in/.*")
    load = plan.command("Load", "a", "load", after=clock & arrived, region="north")
    plan.event("Loaded", after=load)
    plan.local("Here", after=load)
    plan.bridge("Over", after=load)
    plan.terminal("End", after=load)
    plan.start("Start", after=load)
    plan.parameter("region", "south")

    source = plan.build()

    assert plan_rules.faults(source) == ()
    assert source.jobs[2].context_name == "P"
    assert isinstance(source.jobs[2], CommandJob)
    assert source.jobs[2].context_parameters == (Parameter(name="region", default_value="north"),)


def test_a_job_named_in_another_context_gets_a_copy_there() -> None:
    """And its definition lists both."""
    plan = a_builder()
    load = plan.command("Load", "a", "load", after=plan.clock("Two", "a", "0 0 2 ? * *"))
    plan.context("Inner").command("Report", "a", ("report", "--all"), after=load)

    source = plan.build()

    assert [one.job_name for one in source.plan.contexts[0].scheduled_jobs] == ["Report", "Load"]
    assert source.jobs[1].child_context_names == ("P", "Inner")
    assert plan_rules.faults(source) == ()


def test_a_context_waits_for_those_beside_it() -> None:
    """As a context dependency of the context that holds both."""
    plan = a_builder()
    first = plan.context("First")
    first.command("X", "a", "x")
    plan.context("Second", after=first).command("Y", "a", "y")

    source = plan.build()

    wanted = Grouping(and_=(Operator(identifier="First"),))
    assert source.plan.context_dependencies == (
        ContextDependency(context_identifier="Second", logical_grouping=wanted),
    )
    assert not [fault for fault in plan_rules.faults(source) if not fault.warning]


def test_jobs_of_two_contexts_take_units_of_one_lock() -> None:
    """The lock stands once, at the outermost context."""
    plan, lock = a_builder(), JobLock(name="db", lock_count=2)
    plan.takes(plan.command("X", "a", "x"), lock)
    inner = plan.context("Inner")
    inner.takes(inner.command("Y", "a", "y"), lock, units=2)

    (built,) = plan.build().plan.job_locks

    assert {name: [one.lock_count for one in taking] for name, taking in built.jobs.items()} == {"P": [1], "Inner": [2]}


def test_what_a_job_waits_for_can_be_said_later() -> None:
    """Of a job of another context as well: its copy here then waits."""
    plan = a_builder()
    load = plan.command("Load", "a", "load")
    inner = plan.context("Inner")
    inner.wait(load, inner.local("Go"))

    (context,) = plan.build().plan.contexts

    assert [one.job_identifier for one in context.job_dependencies] == ["LOCAL_EVENT_JOB-Go", "a-Load"]


def test_one_name_for_two_jobs_is_refused() -> None:
    """The message says which."""
    plan = a_builder()
    plan.command("Load", "a", "load")

    with pytest.raises(BuildingError, match="'a-Load' is defined twice"):
        plan.context("Inner").command("Load", "a", "other")


def test_an_event_twice_in_a_context_is_refused() -> None:
    """Such jobs have no definition that would tell."""
    plan = a_builder()
    plan.local("Go")

    with pytest.raises(BuildingError, match="twice in context 'P'"):
        plan.local("Go")


def test_one_name_for_two_contexts_is_refused() -> None:
    """A context is known by its name."""
    plan = a_builder()

    with pytest.raises(BuildingError, match="'P' twice"):
        plan.context("P")


def test_a_job_that_waits_for_a_context_is_refused() -> None:
    """Only contexts wait for contexts."""
    plan = a_builder()
    inner = plan.context("Inner")

    with pytest.raises(BuildingError, match="cannot wait for context 'Inner'"):
        plan.command("X", "a", "x", after=inner)


def test_a_context_that_waits_for_a_job_is_refused() -> None:
    """And only jobs wait for jobs."""
    plan = a_builder()
    first = plan.command("X", "a", "x")

    with pytest.raises(BuildingError, match="cannot wait for job 'a-X'"):
        plan.context("Inner", after=first)


def test_two_locks_of_one_name_are_refused() -> None:
    """A lock is described once."""
    plan = a_builder()
    first = plan.command("X", "a", "x")
    plan.takes(first, JobLock(name="db"))

    with pytest.raises(BuildingError, match="'db' is described twice"):
        plan.takes(first, JobLock(name="db", lock_count=3))
