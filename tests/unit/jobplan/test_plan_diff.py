"""What changed between two versions of a plan, told once and where it is."""

from __future__ import annotations

import msgspec

from jobplan.plan_diff import Change, ChangeKind, differences, told
from schemas.plan import PlanSource
from tests.support.office import a_plan

BASE = msgspec.to_builtins(a_plan())


def changed(**fields: object) -> PlanSource:
    """The plan with other fields of the plan itself."""
    return msgspec.convert({"plan": BASE["plan"] | fields, "jobs": BASE["jobs"]}, PlanSource)


def lines(old: PlanSource, new: PlanSource) -> list[str]:
    """The differences, short."""
    return [
        f"{one.change} {one.where} {one.field} {told(one.before)} {told(one.after)}".strip()
        for one in differences(old, new)
    ]


def test_the_same_plan_has_no_differences() -> None:
    """Whatever order its keys are in."""
    assert differences(a_plan(), changed()) == ()


def test_a_field_is_told_from_what_to_what() -> None:
    """One that was absent had its default."""
    assert lines(a_plan(), changed(description="new", timeWindowStart="0 0 2 * * ?")) == [
        'changed context P timeWindowStart "0 0 1 * * ?" "0 0 2 * * ?"',
        'added context P description - "new"',
    ]


def test_jobs_are_known_again_by_their_identifier() -> None:
    """Moved in the list: the same; another command: that field; new and gone ones: one line each."""
    first, second = BASE["jobs"]
    other = second | {"commandLine": "false"}
    third = second | {"jobName": "d"}
    source = msgspec.convert({"plan": BASE["plan"], "jobs": [other, first]}, PlanSource)
    more = msgspec.convert({"plan": BASE["plan"], "jobs": [first, second, third]}, PlanSource)

    assert lines(a_plan(), source) == ['changed job a-c commandLine "true" "false"']
    assert lines(a_plan(), more) == ["added job a-d  - -"]
    assert lines(more, a_plan()) == ["removed job a-d  - -"]


def test_a_dependency_is_told_as_an_expression() -> None:
    """Known again by its job."""
    rules = [
        {"jobIdentifier": "a-q"},
        {
            "jobIdentifier": "a-c",
            "logicalGrouping": {
                "or": [
                    {"identifier": "a-q"},
                    {"logicalGrouping": {"and": [{"identifier": "a-x"}, {"identifier": "a-y"}]}},
                ],
                "not": [{"identifier": "a-z"}],
            },
        },
    ]

    assert lines(a_plan(), changed(jobDependencies=rules)) == [
        "changed context P jobDependencies[a-c].logicalGrouping and[a-q] or[a-q, (and[a-x, a-y])] not[a-z]"
    ]


def test_contexts_are_known_again_by_their_path() -> None:
    """A nested one that is new is one line, a field of it another."""
    inner = {"name": "Inner", "scheduledJobs": [{"agentName": "a", "jobName": "c"}]}
    with_inner = changed(contexts=[inner])
    with_more = changed(contexts=[inner | {"contextParameters": [{"name": "p", "defaultValue": "1"}]}])

    assert differences(a_plan(), with_inner) == (Change(where="context P/Inner", change=ChangeKind.ADDED),)
    assert lines(with_inner, with_more) == [
        'added context P/Inner contextParameters - [{"name":"p","defaultValue":"1"}]'
    ]


def test_lists_without_names_are_compared_whole() -> None:
    """Their order matters."""
    crons = ["* * * ? * SAT", "* * * ? * SUN"]
    before = changed(blackoutWindowCronExpressions=crons)
    after = changed(blackoutWindowCronExpressions=crons[::-1])

    [change] = differences(before, after)

    assert (change.field, change.before, change.after) == ("blackoutWindowCronExpressions", crons, crons[::-1])
