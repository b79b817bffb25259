"""Rules of agent groups: ``any:LABEL`` in place of an agent's name."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from dashboard_node.core.plan_rules.survey import Survey, error, jobs_of, warning
from schemas.names import ANY_OF, group_label
from schemas.plan import OnAgentAway
from schemas.requests import Fault


def groups(survey: Survey, known: Collection[str] | None) -> Iterator[Fault]:
    """All rules of this topic. ``known``: the labels of agents that were seen; None: nobody knows.

    A label without an agent is a warning: one may come.
    """
    told: set[str] = set()
    for place, index, job in jobs_of(survey):
        path = f"{place.path}.scheduledJobs[{index}].agentName"
        label = group_label(job.agent_name)
        if job.agent_name.startswith(ANY_OF) and not label.strip():
            yield error(path, f"'{job.agent_name}' names no label; write '{ANY_OF}LABEL', as agents show it")
        elif label and known is not None and label not in known and label not in told:
            told.add(label)
            hint = survey.hints.nearest(label, known)
            yield warning(path, f"no agent with the label '{label}' is known{hint}: its jobs wait until one is there")
    plan = survey.plan
    if plan.agent_away_milliseconds < 0:
        yield error("$.agentAwayMilliseconds", "a time is wanted: 0 (for ever) or more")
    elif not plan.agent_away_milliseconds and plan.on_agent_away is OnAgentAway.LOST:
        yield warning("$.onAgentAway", "nothing comes of it: agentAwayMilliseconds says after what time, and is 0")
