"""Whatever is wrong with a plan is said at once, each fault at its place: no error hides another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from dashboard_node.core.plan_rules import faults
from schemas.plan import PlanSource

Tree = dict[str, Any]
CRON = "0 0 1 ? * *"


class Draft(Struct):
    """A plan in the making, as on the wire. Each slip gets a context of its own, so that none is another one's doing."""

    plan: Tree
    jobs: list[Tree]

    def context(self, name: str, needed: Mapping[str, Tree | None]) -> str:
        """A context of commands, each with its grouping; its path."""
        jobs = {f"{name}-{job}": grouping for job, grouping in needed.items()}
        self.plan["contexts"].append(
            {
                "name": name,
                "scheduledJobs": [{"agentName": "a", "jobName": job} for job in jobs],
                "jobDependencies": [
                    {"jobIdentifier": f"a-{job}", **({"logicalGrouping": grouping} if grouping else {})}
                    for job, grouping in jobs.items()
                ],
            }
        )
        self.jobs += [
            {"type": "internalEventDrivenJob", "agentName": "a", "jobName": job, "commandLine": "true"} for job in jobs
        ]
        return f"$.contexts[{len(self.plan['contexts']) - 1}]"

    def last(self) -> Tree:
        """The newest context."""
        found: Tree = self.plan["contexts"][-1]
        return found

    def lock(self, name: str, job: str, context: str, **more: object) -> str:
        """A lock with one participant; its path."""
        member = {"agentName": "a", "jobName": job} | more
        self.plan["jobLocks"].append({"name": name, "lockCount": 1, "jobs": {context: [member]}})
        return f"$.jobLocks[{len(self.plan['jobLocks']) - 1}].jobs.{context}"


def every(*names: str) -> Tree:
    """All of these."""
    return {"and": [{"identifier": f"a-{name}"} for name in names]}


def dangling(draft: Draft) -> list[str]:
    """Waits for what is nowhere, in an ``or`` that is nested in an ``and``."""
    nested = {"and": [{"identifier": "a-dangling-x"}, {"logicalGrouping": {"or": [{"identifier": "a-gone"}]}}]}
    path = draft.context("dangling", {"x": None, "y": nested})
    return [f"{path}.jobDependencies[1].logicalGrouping.and[1].logicalGrouping.or[0].identifier"]


def duplicate(draft: Draft) -> list[str]:
    """A job listed twice."""
    path = draft.context("duplicate", {"x": None})
    draft.last()["scheduledJobs"] *= 2
    return [f"{path}.scheduledJobs[1]"]


def circle(draft: Draft) -> list[str]:
    """Two jobs that wait for each other."""
    path = draft.context("circle", {"x": every("circle-y"), "y": every("circle-x")})
    return [f"{path}.jobDependencies[0]"]


def impossible(draft: Draft) -> list[str]:
    """To start after x, and only if x is not done."""
    path = draft.context("impossible", {"x": None, "y": every("impossible-x") | {"not": every("impossible-x")["and"]}})
    return [f"{path}.jobDependencies[1].logicalGrouping"]


def unmentioned(draft: Draft) -> list[str]:
    """A job that stands in no dependency."""
    path = draft.context("unmentioned", {"x": None})
    draft.last()["jobDependencies"] = []
    return [f"{path}.scheduledJobs[0]"]


def without_artefact(draft: Draft) -> list[str]:
    """A job of which nobody says what it does."""
    path = draft.context("bare", {"x": None})
    draft.jobs.pop()
    return [f"{path}.scheduledJobs[0]"]


def same_context(draft: Draft) -> list[str]:
    """Two contexts of one name."""
    draft.context("twin", {"x": None})
    path = draft.context("other", {"x": None})
    draft.last()["name"] = "twin"
    return [f"{path}.name"]


def waits_for_no_context(draft: Draft) -> list[str]:
    """A context dependency on one that is nowhere."""
    path = draft.context("gated", {"x": None})
    grouping = {"and": [{"identifier": "nowhere"}]}
    draft.last()["contextDependencies"] = [{"contextIdentifier": "gated", "logicalGrouping": grouping}]
    return [f"{path}.contextDependencies[0].logicalGrouping.and[0].identifier"]


def stranger_in_lock(draft: Draft) -> list[str]:
    """A participant that is not in its context."""
    draft.context("stranger", {"x": None})
    return [f"{draft.lock('stranger', 'nobody', 'stranger')}[0]"]


def too_heavy(draft: Draft) -> list[str]:
    """Takes more of a lock than there is."""
    draft.context("heavy", {"x": None})
    return [f"{draft.lock('heavy', 'heavy-x', 'heavy', lockCount=5)}[0].lockCount"]


def no_agent(draft: Draft) -> list[str]:
    """Nobody to carry it out."""
    path = draft.context("nobody", {"x": None})
    draft.last()["scheduledJobs"][0]["agentName"] = draft.jobs[-1]["agentName"] = ""
    draft.last()["jobDependencies"] = [{"jobIdentifier": "-nobody-x"}]
    return [f"{path}.scheduledJobs[0].agentName", "jobs/internal/nobody-x $.agentName"]


def bad_job_cron(draft: Draft) -> list[str]:
    """A clock that no cron can mean."""
    draft.context("cron", {"x": None})
    draft.jobs[-1] |= {"type": "quartzScheduleDrivenJob", "cronExpression": "0 0 25 ? * *"}
    return ["jobs/quartz/cron-x $.cronExpression"]


def bad_job_zone(draft: Draft) -> list[str]:
    """A clock in a zone that is not."""
    draft.context("zone", {"x": None})
    draft.jobs[-1] |= {"type": "quartzScheduleDrivenJob", "cronExpression": CRON, "timeZone": "Mars/Olympus"}
    return ["jobs/quartz/zone-x $.timeZone"]


def bad_parameter(draft: Draft) -> list[str]:
    """A parameter that cannot be a variable."""
    draft.context("parameter", {"x": None})
    draft.jobs[-1]["contextParameters"] = [{"name": "a=b"}]
    return ["jobs/internal/parameter-x $.contextParameters[0].name"]


def bad_window(draft: Draft) -> list[str]:
    """A window's cron with five fields."""
    draft.plan["timeWindowStart"] = "0 1 * * *"
    return ["$.timeWindowStart"]


def bad_zone(draft: Draft) -> list[str]:
    """A plan in a zone that is not."""
    draft.plan["timezone"] = "Europe/Lunnon"
    return ["$.timezone"]


SLIPS: tuple[Callable[[Draft], list[str]], ...] = (
    dangling,
    duplicate,
    circle,
    impossible,
    unmentioned,
    without_artefact,
    same_context,
    waits_for_no_context,
    stranger_in_lock,
    too_heavy,
    no_agent,
    bad_job_cron,
    bad_job_zone,
    bad_parameter,
    bad_window,
    bad_zone,
)


def planted(slips: list[Callable[[Draft], list[str]]]) -> tuple[PlanSource, list[str]]:
    """A plan with these slips, and where they are."""
    plan: Tree = {"name": "P", "timeWindowStart": CRON, "contextTtlMilliseconds": 1000, "contexts": [], "jobLocks": []}
    draft = Draft(plan=plan, jobs=[])
    wanted = [path for slip in slips for path in slip(draft)]
    return msgspec.convert({"plan": draft.plan, "jobs": draft.jobs}, PlanSource), wanted


@given(st.lists(st.sampled_from(SLIPS), unique=True))
def test_every_slip_is_said_at_its_place_and_nothing_else(slips: list[Callable[[Draft], list[str]]]) -> None:
    """Any set of them, in any order."""
    source, wanted = planted(slips)

    errors = [fault for fault in faults(source) if not fault.warning]

    assert sorted(fault.path for fault in errors) == sorted(wanted)


def test_all_slips_together() -> None:
    """One answer names all of them, what only a person starts, as a warning, too."""
    source, wanted = planted(list(SLIPS))

    found = faults(source)

    assert sorted(fault.path for fault in found if not fault.warning) == sorted(wanted)
    assert "$.contexts[0].scheduledJobs[0]" in {fault.path for fault in found if fault.warning}
