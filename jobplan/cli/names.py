"""What a person calls an instance, a plan, a job, an agent or a lock, and which one is meant. Pure.

What is not in the picture (versions, users, events, days of calendars) the dashboard looks up, and says so in the same words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jobplan.errors import BadInputError, UnknownNameError
from schemas.documents import InstanceStatus, JobState, LockState, PlanStatus, Presence
from schemas.names import InstanceId, NodeName, PlanName
from schemas.near import listed, unknown
from schemas.status import ContextStatus, JobStatus


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
        shown = listed(one.instance for one in fitting)
        raise BadInputError(f"instance '{text}' may be {len(fitting)} of them: {shown}; give more of the name")
    if not instances:
        raise UnknownNameError(
            f"instance '{text}' is unknown: there are none; start one with 'jobplan instance start PLAN'"
        )
    known = sorted({one.plan for one in instances.values()} | set(instances))
    raise UnknownNameError(unknown("instance", text, known, see="jobplan instance list"))


def the_plan(text: str, plans: Mapping[PlanName, PlanStatus]) -> PlanStatus:
    """By name, or by a prefix only one has."""
    exact = plans.get(PlanName(text))
    if exact is not None:
        return exact
    fitting = [plan for name, plan in plans.items() if name.startswith(text)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        shown = listed(plan.plan for plan in fitting)
        raise BadInputError(f"plan '{text}' may be {len(fitting)} of them: {shown}; give more of the name")
    if not plans:
        raise UnknownNameError(
            f"plan '{text}' is unknown: there are none; import one with 'jobplan plan import BUNDLE'"
        )
    raise UnknownNameError(unknown("plan", text, sorted(plans), see="jobplan plan list"))


def the_copies(text: str, jobs: Iterable[JobState], context: str = "") -> tuple[JobState, ...]:
    """The copies of a job, one for each context it is in (or only the one in ``context``), by name or identifier."""
    everything = tuple(jobs)
    contexts = sorted({str(job.context) for job in everything})
    if context and context not in contexts:
        raise UnknownNameError(unknown("context", context, contexts))
    inside = tuple(job for job in everything if context in {"", job.context})
    found = tuple(job for job in inside if text in {job.name, job.job})
    if not found:
        found = tuple(job for job in inside if text.lower() in {job.name.lower(), job.job.lower()})
    if not found:
        known = sorted({job.name for job in inside})
        of = f" of context '{context}'" if context else ""
        raise UnknownNameError(unknown("job", text, known, of=of, see="jobplan job list"))
    identifiers = sorted({job.job for job in found})
    if len(identifiers) > 1:
        raise BadInputError(f"job '{text}' may be {' or '.join(identifiers)}: give the identifier")
    return found


def the_context(text: str, instance: InstanceStatus) -> str:
    """A context of an instance, by name."""
    known = [str(state.context) for state in instance.contexts]
    if text in known or not known:
        return text
    raise UnknownNameError(unknown("context", text, sorted(known)))


def the_agent(text: str, agents: Mapping[NodeName, Presence]) -> Presence:
    """By name."""
    found = agents.get(NodeName(text))
    if found is None:
        raise UnknownNameError(unknown("agent", text, sorted(agents), see="jobplan agent list"))
    return found


def the_lock(text: str, group: str, locks: Iterable[LockState]) -> LockState:
    """By name, in an environment group (empty: in none)."""
    there = {str(one.lock): one for one in locks if one.group == group}
    if text not in there:
        of = f" of the group '{group}'" if group else ""
        raise UnknownNameError(unknown("lock", text, sorted(there), of=of, see="jobplan lock list"))
    return there[text]


def the_status(text: str) -> str:
    """A status of a job or an instance as a person writes it."""
    known = sorted({*JobStatus, *ContextStatus})
    found = text.upper().replace("-", "_").replace(" ", "_")
    if found not in known:
        raise UnknownNameError(unknown("status", text, known))
    return found
