"""Which clock and file jobs each agent has to know: those that name it, and those of groups for which it is chosen."""

from __future__ import annotations

from dashboard_node.core.records import PlanRecord
from dashboard_node.core.state import State
from schemas.names import NodeName, group_label
from schemas.plan import WatchJob


def watched_by_agent(state: State, record: PlanRecord) -> dict[NodeName, dict[str, tuple[WatchJob, ...]]]:
    """What each agent watches of a plan, by version: of the newest one, and of those that still run."""
    found: dict[NodeName, dict[str, tuple[WatchJob, ...]]] = {}
    by_groups = False
    for version in state.versions_in_use(record.name):
        graph = state.graph(record.name, version)
        for agent in graph.agents:
            watched = graph.watched_by(agent)
            if group_label(agent):
                by_groups |= bool(watched)
            elif watched:
                found.setdefault(agent, {})[str(version)] = watched
    for instance in state.active_of(record.name) if by_groups else ():
        graph = state.graph(record.name, instance.version)
        for group, placed in sorted(instance.placed.items()):
            theirs = graph.watched_by(group)
            if theirs and placed.agent != group:
                kept = found.setdefault(placed.agent, {})
                jobs = {job.id: job for job in (*kept.get(str(instance.version), ()), *theirs)}
                kept[str(instance.version)] = tuple(jobs[key] for key in sorted(jobs))
    return {agent: found[agent] for agent in sorted(found)}
