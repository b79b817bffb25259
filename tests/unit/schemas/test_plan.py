"""Plans in Ikasan's words, with Ikasan's defaults."""

from __future__ import annotations

import msgspec
import pytest

from schemas.plan import Artefact, ClockJob, CommandJob, FileJob, Grouping, OnBlackout, Plan, ScheduledJob
from schemas.status import JobKind


def command(**fields: object) -> CommandJob:
    """A command job on the wire, decoded."""
    return msgspec.convert({"type": "internalEventDrivenJob", "agentName": "a", "jobName": "j"} | fields, CommandJob)


def test_identifier_is_derived_and_an_exported_one_ignored() -> None:
    """Ikasan emits it although it is agentName-jobName."""
    assert command(identifier="something else").id == "a-j"


@pytest.mark.parametrize(("codes", "good"), [([], {0}), (["0", "3"], {0, 3}), ([4], {4}), ([""], {0})])
def test_only_zero_is_success_unless_codes_are_listed(codes: list[str | int], good: set[int]) -> None:
    """Listed as strings or numbers; nothing but blanks is like none."""
    assert command(successfulReturnCodes=codes).success_codes == good


def test_artefacts_are_told_apart_by_their_type() -> None:
    """A file job is a clock job with patterns."""
    kinds = {
        "quartzScheduleDrivenJob": ClockJob,
        "fileEventDrivenJob": FileJob,
        "internalEventDrivenJob": CommandJob,
    }
    common = {"agentName": "a", "jobName": "j", "cronExpression": "0 0 1 * * ?"}

    for tag, kind in kinds.items():
        assert type(msgspec.convert(common | {"type": tag}, Artefact)) is kind


@pytest.mark.parametrize(
    ("fields", "policy"),
    [
        ({}, OnBlackout.PASS),
        ({"dropEventOnBlackout": True}, OnBlackout.DROP),
        ({"dropEventOnBlackout": True, "onBlackout": "delay"}, OnBlackout.DELAY),
    ],
)
def test_blackout_policy_is_ours_if_given_else_ikasans(fields: dict[str, object], policy: OnBlackout) -> None:
    """Without either a fire passes through."""
    job = msgspec.convert(
        {"type": "quartzScheduleDrivenJob", "agentName": "a", "jobName": "q", "cronExpression": "x"} | fields, ClockJob
    )

    assert job.blackout_policy is policy


def test_agent_names_that_stand_for_the_dashboard_give_the_kind() -> None:
    """Others are what their artefact says."""
    kinds = {
        name: ScheduledJob(agent_name=name, job_name="j").kind
        for name in (
            "GLOBAL_EVENT",
            "LOCAL_EVENT_JOB",
            "CONTEXT_START_JOB",
            "CONTEXT_TERMINAL_JOB",
            "BRIDGING_JOB",
            "x",
        )
    }

    assert list(kinds.values()) == [
        JobKind.GLOBAL,
        JobKind.LOCAL,
        JobKind.START,
        JobKind.TERMINAL,
        JobKind.BRIDGING,
        None,
    ]


def test_grouping_round_trips_with_its_reserved_words() -> None:
    """``and``, ``or`` and ``not`` on the wire."""
    wire = b'{"and":[{"identifier":"x"}],"or":[{"logicalGrouping":{"not":[{"identifier":"y"}]}}]}'

    assert msgspec.json.encode(msgspec.json.decode(wire, type=Grouping)) == wire


def test_plan_defaults_are_ikasans() -> None:
    """Only the name is required."""
    plan = msgspec.convert({"name": "P"}, Plan)

    assert (plan.able_to_run_concurrently, plan.disabled, plan.context_ttl_milliseconds) == (False, False, 0)
