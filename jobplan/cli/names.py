"""What a person calls an instance, a plan or a job, and which one is meant. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from jobplan.cli.options import nearest
from jobplan.errors import BadInputError, UnknownNameError
from schemas.documents import InstanceStatus, JobState, PlanStatus
from schemas.names import InstanceId, PlanName

SHOWN = 5
"""How many candidates an error lists."""


def the_instance(text: str, instances: Mapping[InstanceId, InstanceStatus]) -> InstanceStatus:
    """By id, by plan (its newest instance), or by a prefix only one has. ``instances`` are the oldest first."""
    exact = instances.get(InstanceId(text))
    if exact is not None:
        return exact
    of_plan = [one for one in instances.values() if one.plan == text]
    if of_plan:
        return of_plan[-1]
    fitting = [one for one in instances.values() if one.instance.startswith(text)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        shown = _listed(one.instance for one in fitting)
        raise BadInputError(f"instance '{text}' may be {len(fitting)} of them: {shown}; give more of the name")
    if not instances:
        raise UnknownNameError(
            f"instance '{text}' is unknown: there are none; start one with 'jobplan instance start PLAN'"
        )
    known = sorted({one.plan for one in instances.values()} | set(instances))
    raise UnknownNameError(_unknown("instance", text, known, "jobplan instance list"))


def the_plan(text: str, plans: Mapping[PlanName, PlanStatus]) -> PlanStatus:
    """By name, or by a prefix only one has."""
    exact = plans.get(PlanName(text))
    if exact is not None:
        return exact
    fitting = [plan for name, plan in plans.items() if name.startswith(text)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        shown = _listed(plan.plan for plan in fitting)
        raise BadInputError(f"plan '{text}' may be {len(fitting)} of them: {shown}; give more of the name")
    if not plans:
        raise UnknownNameError(
            f"plan '{text}' is unknown: there are none; import one with 'jobplan plan import BUNDLE'"
        )
    raise UnknownNameError(_unknown("plan", text, sorted(plans), "jobplan plan list"))


def the_copies(text: str, jobs: Iterable[JobState], context: str = "") -> tuple[JobState, ...]:
    """The copies of a job, one for each context it is in (or only the one in ``context``), by name or identifier."""
    everything = tuple(jobs)
    contexts = sorted({str(job.context) for job in everything})
    if context and context not in contexts:
        raise UnknownNameError(_unknown("context", context, contexts, "jobplan instance show"))
    inside = tuple(job for job in everything if context in {"", job.context})
    found = tuple(job for job in inside if text in {job.name, job.job})
    if not found:
        found = tuple(job for job in inside if text.lower() in {job.name.lower(), job.job.lower()})
    if not found:
        known = sorted({job.name for job in inside})
        what = f"job '{text}' of context '{context}'" if context else f"job '{text}'"
        raise UnknownNameError(_unknown(what, "", known, "jobplan job list"))
    identifiers = sorted({job.job for job in found})
    if len(identifiers) > 1:
        raise BadInputError(f"job '{text}' may be {' or '.join(identifiers)}: give the identifier")
    return found


def the_context(text: str, instance: InstanceStatus) -> str:
    """A context of an instance, by name."""
    known = [str(state.context) for state in instance.contexts]
    if text in known or not known:
        return text
    raise UnknownNameError(_unknown("context", text, sorted(known), "jobplan instance show"))


def _unknown(what: str, text: str, known: Sequence[str], where: str) -> str:
    name = text or what.split("'")[1]
    subject = f"{what} '{text}'" if text else what
    near = nearest(name, known)
    return f"{subject} is unknown; " + (f"did you mean '{near}'?" if near else f"see '{where}'")


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    more = len(found) - SHOWN
    return ", ".join(found[:SHOWN]) + (f" and {more} more" if more > 0 else "")
