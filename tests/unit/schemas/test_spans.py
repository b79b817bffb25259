"""Whatever number somebody writes for a span of time, no node comes to harm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from agent_node.core.rules import Rules
from broker.runtime.core import Requested
from schemas.names import RequestId, UserName
from schemas.plan import PlanSource
from schemas.requests import Action, ImportPlan, SetDryRun
from schemas.spans import LONGEST, span
from tests.support.agents import AGENT, NOON, HandDriven, a_clock, a_command, a_file_job, a_run, an_assignment
from tests.support.office import Office, a_plan, at

HUGE = 10**18
LAST = datetime(9000, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("number", [0.0, -1.0, 1e300, 10.0**18, float("inf")])
def test_a_span_is_between_nothing_and_a_hundred_years(number: float) -> None:
    """So a moment and a span are a moment."""
    assert timedelta(0) <= span(seconds=number) <= LONGEST
    assert LAST + span(milliseconds=number) >= LAST


def with_numbers(number: float) -> PlanSource:
    """A plan with a number for every span there is."""
    plain: dict[str, Any] = msgspec.to_builtins(a_plan())
    whole = int(number)
    plain["plan"] |= {"contextTtlMilliseconds": whole, "agentAwayMilliseconds": whole, "onAgentAway": "lost"}
    clock, command = plain["jobs"]
    clock |= {"recoveryTolerance": whole}
    retry = {"attempts": 1000, "backOffSeconds": number, "backOffFactor": number, "maxBackOffSeconds": number}
    command |= {"timeoutSeconds": number, "retry": retry}
    file: dict[str, Any] = {"type": "fileEventDrivenJob", "agentName": "a", "jobName": "f", "filenames": ["/d/.*"]}
    file |= {
        "cronExpression": "0 0 8 * * ?",
        "minFileAgeSeconds": whole,
        "stableSeconds": number,
        "pollSeconds": number,
    }
    plain["plan"]["scheduledJobs"] = (*plain["plan"]["scheduledJobs"], {"agentName": "a", "jobName": "f"})
    plain["plan"]["jobDependencies"] = (*plain["plan"]["jobDependencies"], {"jobIdentifier": "a-f"})
    plain["jobs"] = (clock, command, file)
    return msgspec.convert(plain, PlanSource)


@pytest.mark.parametrize("number", [float(HUGE), 1e300])
def test_a_dashboard_takes_a_plan_with_any_numbers(number: float) -> None:
    """It warns, cuts them, and lives: windows open, runs fail and are tried again, agents come and go."""
    office = Office(at("01-10 01:00"))
    office.hears_presence("a")
    answer = office.ask(ImportPlan(source=with_numbers(number)))
    assert answer.ok, answer
    office.until(at("01-10 01:00:01"))
    office.act(Action.SUBMIT, "a-c")
    for _ in range(3):
        office.starts("c")
        office.ends("c", code=1)
        office.act(Action.RESET, "a-c")
        office.act(Action.SUBMIT, "a-c")
    office.hears_presence("a", alive=False)
    office.until(at("02-10 01:00"))

    assert office.instances


def test_an_agent_takes_jobs_with_any_numbers() -> None:
    """They run, fire, and are looked for; an operator's dry run of a million years is one of a hundred."""
    agent = HandDriven(rules=Rules(agent=AGENT, zone="UTC"))
    agent.dashboard()
    agent.publish()
    file = a_file_job(minFileAgeSeconds=HUGE, stableSeconds=1e300, pollSeconds=1e300)
    agent.provision(a_clock(recoveryTolerance=HUGE), file)
    agent.assign(an_assignment(a_command(timeoutSeconds=1e300)))
    agent.started(a_run())
    agent.see(file.id, [("/d/f", NOON)])
    body = msgspec.Raw(msgspec.json.encode(SetDryRun(on=True, seconds=1e300)))
    agent.give(Requested(agent.now, UserName("anna"), RequestId("r"), body))
    agent.assign(an_assignment(a_command(job="pretended")))
    agent.wait_until(agent.now + timedelta(hours=1))

    assert agent.ending(a_run(job="pretended")).dry_run
