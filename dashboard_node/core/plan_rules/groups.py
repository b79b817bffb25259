"""Rules of agents: those that nobody has seen, and agent groups, ``any:LABEL`` in place of an agent's name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from dashboard_node.core.plan_rules.survey import Survey, error, jobs_of, warning
from schemas.documents import Presence
from schemas.names import ANY_OF, NodeName, group_label
from schemas.plan import OnAgentAway, ScheduledJob
from schemas.requests import Fault


class Seen(Struct, frozen=True):
    """The agents that were seen, and the labels they have."""

    agents: frozenset[str]
    labels: frozenset[str]

    @classmethod
    def among(cls, presences: Mapping[NodeName, Presence]) -> Seen:
        """All that have ever shown themselves."""
        labels = frozenset(label for one in presences.values() for label in one.labels)
        return cls(agents=frozenset(presences), labels=labels)


def groups(survey: Survey, seen: Seen | None) -> Iterator[Fault]:
    """All rules of this topic. ``seen``: None if nobody knows.

    An agent, or a label without one, that was never seen is a warning: one may come. Before the first has come nothing is said.
    """
    told: set[str] = set()
    for place, index, job in jobs_of(survey):
        path = f"{place.path}.scheduledJobs[{index}].agentName"
        label = group_label(job.agent_name)
        if job.agent_name.startswith(ANY_OF) and not label.strip():
            yield error(path, f"'{job.agent_name}' names no label; write '{ANY_OF}LABEL', as agents show it")
        elif label and seen is not None and label not in seen.labels and job.agent_name not in told:
            told.add(job.agent_name)
            hint = survey.hints.nearest(label, seen.labels)
            yield warning(path, f"no agent with the label '{label}' is known{hint}: its jobs wait until one is there")
        elif not label and _is_a_stranger(job, seen) and job.agent_name not in told:
            told.add(job.agent_name)
            hint = survey.hints.nearest(job.agent_name, seen.agents) if seen is not None else ""
            yield warning(path, f"the agent '{job.agent_name}' was never seen{hint}: its jobs wait until it is there")
    plan = survey.plan
    if plan.agent_away_milliseconds < 0:
        yield error("$.agentAwayMilliseconds", "a time is wanted: 0 (for ever) or more")
    elif not plan.agent_away_milliseconds and plan.on_agent_away is OnAgentAway.LOST:
        yield warning("$.onAgentAway", "nothing comes of it: agentAwayMilliseconds says after what time, and is 0")


def _is_a_stranger(job: ScheduledJob, seen: Seen | None) -> bool:
    """Whether a host's agent is meant that is none of those that were seen."""
    known = seen is None or not seen.agents or job.agent_name in seen.agents
    return not known and job.kind is None and bool(job.agent_name.strip())
