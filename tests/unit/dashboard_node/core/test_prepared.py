"""Instances laid out ahead of their start: they can be edited, and hear nothing. Scenarios carry their number."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from schemas.addresses import AgentInstanceAt
from schemas.names import NodeName, PlanName
from schemas.plan import CommandJob, GlobalJob, PlanSource
from schemas.requests import Action, PrepareInstance, RaiseEvent
from schemas.status import ContextStatus
from tests.support.nets import net
from tests.support.office import Office, a_plan, at


def test_scenario_152_a_prepared_instance_does_not_block_its_own_start() -> None:
    """It becomes the active one, with the same id, and what was held in it stays held."""
    office = Office(at("01-10 00:30"))
    office.imports(a_plan())
    assert office.ask(PrepareInstance(plan=PlanName("P"))).ok
    before = office.only
    assert AgentInstanceAt(NodeName("a"), office.only.id) not in office.shown
    assert office.act(Action.HOLD, "c").ok

    office.until(at("01-10 01:00"))

    assert [before.status, office.only.status] == [ContextStatus.PREPARED, ContextStatus.WAITING]
    assert office.status("c") == "ON_HOLD"
    assert office.ticks() == [("01-10 01:00", "ran")]


def test_scenario_094_a_prepared_instance_hears_nothing() -> None:
    """Hold and skip are allowed, submit is not, and fires change nothing."""
    office = Office(at("01-10 00:30"))
    office.imports(a_plan())
    office.ask(PrepareInstance(plan=PlanName("P")))

    office.fires("q")

    assert office.status("q") == "WAITING"
    assert not office.act(Action.SUBMIT, "c").ok
    assert office.act(Action.SKIP, "c").ok


def with_global_event(name: str) -> PlanSource:
    """A plan that also hears the global event ``g``."""
    source = a_plan(
        name,
        scheduledJobs=[{"agentName": "GLOBAL_EVENT", "jobName": "g"}],
        jobDependencies=[{"jobIdentifier": "GLOBAL_EVENT-g"}],
    )
    return replace(source, jobs=(GlobalJob(agent_name="GLOBAL_EVENT", job_name="g"),))


def test_scenario_124_a_prepared_instance_does_not_hear_a_global_event() -> None:
    """The active one of another plan does."""
    office = Office(at("01-10 00:30"))
    office.imports(with_global_event("P"))
    office.imports(with_global_event("Q"))
    assert office.start("P").ok
    assert office.ask(PrepareInstance(plan=PlanName("Q"))).ok

    office.ask(RaiseEvent(event="g"))

    assert {i.plan: office.status("g", i.id) for i in office.instances} == {"P": "COMPLETE", "Q": "WAITING"}


def test_a_prepared_instance_opens_after_a_restart_with_what_was_edited() -> None:
    """Contexts that an edit has completed stand as complete, though the dashboard was started again before the window."""
    office = Office(at("01-10 00:30"))
    job = {"agentName": "a", "jobName": "d"}
    inner = {"name": "inner", "scheduledJobs": [job], "jobDependencies": [{"jobIdentifier": "a-d"}]}
    source = a_plan(contexts=[inner])
    office.imports(replace(source, jobs=(*source.jobs, CommandJob(agent_name="a", job_name="d", command_line="true"))))
    office.ask(PrepareInstance(plan=PlanName("P")))
    assert office.act(Action.SKIP, "d").ok

    office.down_until(at("01-10 01:00"))

    assert office.only.status is not ContextStatus.PREPARED
    assert office.status("d") in {"SKIPPED", "SKIPPED_COMPLETE"}


def a_chain() -> Office:
    """Half an hour before it opens, the instance of commands a, then b, then c is prepared."""
    office = Office(at("01-10 00:30"))
    office.imports(net({"a": [], "b": ["a"], "c": ["b"]}))
    assert office.ask(PrepareInstance(plan=PlanName("P"))).ok
    return office


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("order", ["ab", "ba"])
def test_what_is_skipped_ahead_is_passed_over_when_the_instance_opens(order: str, *, restarted: bool) -> None:
    """Both before it: the third one starts at once, in whatever order they were skipped. Nothing happens before that."""
    office = a_chain()
    for job in order:
        assert office.act(Action.SKIP, job).ok
    before = office.status("a"), office.status("b")

    if restarted:
        office.down_until(at("01-10 00:45"))
    office.until(at("01-10 01:00"))

    assert before == ("SKIPPED", "SKIPPED")
    assert (office.status("a"), office.status("b")) == ("SKIPPED_COMPLETE", "SKIPPED_COMPLETE")
    assert list(office.runs()) == ["c"]


def test_what_is_unskipped_before_the_instance_opens_waits() -> None:
    """As if it had never been skipped."""
    office = a_chain()
    office.act(Action.SKIP, "a")
    assert office.act(Action.UNSKIP, "a").ok

    office.until(at("01-10 01:00"))

    assert (office.status("a"), office.runs()) == ("WAITING", {})


@pytest.mark.parametrize("restarted", [False, True])
def test_what_is_enabled_ahead_starts_when_the_instance_opens(*, restarted: bool) -> None:
    """Not before, and not never: the dashboard may be started again in between."""
    office = a_chain()
    office.act(Action.SKIP, "a")
    office.act(Action.DISABLE, "b")
    assert office.act(Action.ENABLE, "b").ok
    before = office.runs()

    if restarted:
        office.down_until(at("01-10 00:45"))
    office.until(at("01-10 01:00"))

    assert before == {}
    assert list(office.runs()) == ["b"]
