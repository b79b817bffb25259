"""By which word people are told of a job in what came of an action."""

from __future__ import annotations

import msgspec

from schemas.acted import Acted
from schemas.plan import PlanSource
from schemas.requests import Act, Action
from tests.support.office import Office, at


def test_jobs_are_told_by_their_names_and_where_those_are_shared_by_their_identifiers() -> None:
    """What was done, what was not, and why; the identifier is there in any case."""
    office = Office(at("01-10 02:00"))
    jobs = [("a", "load"), ("b", "load"), ("a", "sort")]
    plan = {
        "name": "P",
        "timeWindowStart": "0 0 1 * * ?",
        "contextTtlMilliseconds": 82_800_000,
        "scheduledJobs": [{"agentName": agent, "jobName": name} for agent, name in jobs],
        "jobDependencies": [{"jobIdentifier": f"{agent}-{name}"} for agent, name in jobs],
    }
    commands = [
        {"type": "internalEventDrivenJob", "agentName": agent, "jobName": name, "commandLine": "true"}
        for agent, name in jobs
    ]
    office.imports(msgspec.convert({"plan": plan, "jobs": commands}, PlanSource))
    office.act(Action.SKIP, "sort")

    answer = office.ask(Act(action=Action.HOLD, instance=office.only.id))

    acted = msgspec.json.decode(answer.data, type=Acted)
    assert [(one.context, one.job, one.name) for one in acted.done] == [
        ("P", "a-load", "a-load"),
        ("P", "b-load", "b-load"),
    ]
    assert [(one.job, one.name) for one in acted.refused] == [("a-sort", "sort")]
    assert acted.refused[0].reason.startswith("sort is SKIPPED_COMPLETE: it can be held only when")
    assert office.act(Action.RELEASE, "b-load").ok
    assert office.act(Action.RELEASE, "b-load").reason.startswith("b-load is ")
