"""Plans that are a net of commands on agent ``a``: which one comes after which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from schemas.plan import PlanSource


def net(after: Mapping[str, Sequence[str]], **fields: object) -> PlanSource:
    """A plan ``P`` of which each command starts after all of those named; ``file...`` is a file job.

    A command after ``a|b`` starts after either. What comes after nothing waits for a person.
    """
    watches = {name for name in after if name.startswith("file")}
    plan = {
        "name": "P",
        "timeWindowStart": "0 0 1 * * ?",
        "contextTtlMilliseconds": 23 * 3_600_000,
        "scheduledJobs": [{"agentName": "a", "jobName": name} for name in after],
        "jobDependencies": [
            {"jobIdentifier": f"a-{name}"} | ({"logicalGrouping": _grouping(before)} if before else {})
            for name, before in after.items()
        ],
    }
    jobs = [
        {"agentName": "a", "jobName": name}
        | (
            {"type": "fileEventDrivenJob", "cronExpression": "0 * * * * ?", "filenames": ["/d/f"]}
            if name in watches
            else {"type": "internalEventDrivenJob", "commandLine": "true"}
        )
        for name in after
    ]
    return msgspec.convert({"plan": plan | fields, "jobs": jobs}, PlanSource)


def _grouping(before: Sequence[str]) -> dict[str, object]:
    one = [{"identifier": f"a-{name}"} for name in before if "|" not in name]
    any_ = [{"identifier": f"a-{name}"} for group in before if "|" in group for name in group.split("|")]
    return {key: terms for key, terms in (("and", one), ("or", any_)) if terms}
