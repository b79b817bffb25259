"""Jobs that are reset together leave their lock queues together."""

from __future__ import annotations

import msgspec

from schemas.plan import PlanSource
from schemas.requests import Act, Action
from tests.support.office import Office, at


def three_on_a_lock() -> PlanSource:
    """Commands x (1 unit), c (2) and b (1) on a lock of 2 units, none of them waiting for another job."""
    names = {"x": 1, "c": 2, "b": 1}
    participants = [{"agentName": "a", "jobName": name, "lockCount": weight} for name, weight in names.items()]
    plan = {
        "name": "P",
        "timeWindowStart": "0 0 1 * * ?",
        "contextTtlMilliseconds": 82_800_000,
        "scheduledJobs": [{"agentName": "a", "jobName": name} for name in names],
        "jobDependencies": [{"jobIdentifier": f"a-{name}"} for name in names],
        "jobLocks": [{"name": "L", "lockCount": 2, "jobs": {"P": participants}}],
    }
    jobs = [
        {"type": "internalEventDrivenJob", "agentName": "a", "jobName": name, "commandLine": "true"} for name in names
    ]
    return msgspec.convert({"plan": plan, "jobs": jobs}, PlanSource)


def test_no_job_of_a_reset_instance_starts_because_another_one_left_the_queue() -> None:
    """Job c waits for two units and b behind it; with c gone b would fit, but b has been reset as well."""
    office = Office(at("01-10 02:00"))
    office.imports(three_on_a_lock())
    for job in ("x", "c", "b"):
        assert office.act(Action.SUBMIT, job).ok
    office.starts("x")
    assert (office.status("c"), office.status("b")) == ("LOCK_QUEUED", "LOCK_QUEUED")

    assert office.ask(Act(action=Action.RESET, instance=office.only.id)).ok

    assert (office.status("c"), office.status("b")) == ("WAITING", "WAITING")
    assert sorted(office.runs()) == ["x"]


def test_whoever_waits_behind_a_reset_job_may_go() -> None:
    """Only c is reset: b fits now."""
    office = Office(at("01-10 02:00"))
    office.imports(three_on_a_lock())
    for job in ("x", "c", "b"):
        assert office.act(Action.SUBMIT, job).ok

    assert office.act(Action.RESET, "c").ok

    assert sorted(office.runs()) == ["b", "x"]
