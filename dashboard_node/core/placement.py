"""Which agent of a group carries out its jobs in an instance: chosen once, kept until it is taken back.

Pure choosing; what becomes of runs when an agent is away stands in ``moving``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from broker.runtime.core import Key
from dashboard_node.core.context_machine import ContextMachine
from dashboard_node.core.graph import Copy
from dashboard_node.core.records import Placed, RunRecord
from dashboard_node.core.state import State
from dashboard_node.core.step import Step
from schemas.documents import Presence
from schemas.names import InstanceId, NodeName, RunId, group_label
from schemas.spans import span
from schemas.status import NodeState, RunPhase


def is_usable(presence: Presence | None) -> bool:
    """Whether an agent can be chosen: it is there, shows all it has, and starts runs."""
    if presence is None or presence.state is not NodeState.ALIVE or not presence.complete:
        return False
    return not (presence.condition.draining or presence.condition.disk_full)


def choose(label: str, presences: Mapping[NodeName, Presence], assigned: Mapping[NodeName, int]) -> NodeName | None:
    """The least loaded agent that has the label and can be chosen; None: there is none.

    Load is runs by capacity: those it says it has, or those it was given when they are more, for its word may be late. Ties go
    to the name.
    """
    able = [name for name, one in presences.items() if label in one.labels and is_usable(one)]
    return min(able, key=lambda name: (_load(presences[name], assigned.get(name, 0)), name), default=None)


def _load(presence: Presence, assigned: int) -> float:
    return max(presence.condition.running, assigned) / max(1, presence.capacity)


def agent_for(step: Step, instance: InstanceId, agent: NodeName) -> NodeName:
    """Who carries out a job that names this agent: itself, or the one chosen for the group; the group when nobody is there."""
    return place(step, instance, agent) or agent if group_label(agent) else agent


def place_watches(step: Step, instance: InstanceId) -> None:
    """Clock and file jobs of groups are somebody's from the beginning of an instance."""
    graph = step.state.machines[instance].graph
    for group in graph.agents:
        if group_label(group) and graph.watched_by(group):
            place(step, instance, group)


def shown_agent(state: State, machine: ContextMachine, copy: Copy) -> NodeName:
    """Who carries out a job, as far as is known: its run's agent, else the one chosen; else the group."""
    run = state.runs.get(machine.copies[copy.index].run or RunId(""))
    if run is not None or not group_label(copy.agent):
        return run.agent if run is not None else copy.agent
    placed = state.instances[machine.instance].placed.get(copy.agent)
    return placed.agent if placed is not None else copy.agent


def is_unplaced(state: State, instance: InstanceId, group: NodeName) -> bool:
    """Whether a name is a group for which nobody is chosen in an instance."""
    placed = state.instances[instance].placed.get(group)
    return bool(group_label(group)) and (placed is None or placed.agent == group)


def place(step: Step, instance: InstanceId, group: NodeName) -> NodeName | None:
    """The agent chosen for a group in an instance, now if it has not been; None: nobody is there."""
    record = step.state.instances[instance]
    known = record.placed.get(group, Placed(agent=group))
    if not group_label(known.agent):
        return known.agent
    step.assigned = step.assigned or _assigned(step.state)
    chosen = choose(group_label(group), step.state.presences, step.assigned)
    if chosen is None:
        return None
    step.assigned[chosen] = step.assigned.get(chosen, 0) + 1
    hosts = tuple(dict.fromkeys((*record.hosts, chosen)))
    placed = record.placed | {group: replace(known, agent=chosen)}
    step.put_instance(replace(record, placed=placed, hosts=hosts))
    step.note("instance", instance=instance, detail=f"{chosen} is chosen for {group}")
    _touch_jobs(step, instance, group)
    return chosen


def as_before(step: Step, instance: InstanceId) -> None:
    """Choose once more whom a life that these records know nothing of had chosen."""
    record = step.state.instances[instance]
    groups = step.state.machines[instance].graph.agents
    for group, agent in step.state.chosen_before.pop(instance, {}).items():
        if group not in groups or group_label(agent) or record.placed.get(group, Placed(agent=group)).agent == agent:
            continue
        hosts = tuple(dict.fromkeys((*record.hosts, agent)))
        record = replace(record, placed=record.placed | {group: Placed(agent=agent)}, hosts=hosts)
        step.put_instance(record)
        step.note("instance", instance=instance, detail=f"{agent} was chosen for {group} before")
        _touch_jobs(step, instance, group)


def take_back(step: Step, instance: InstanceId, group: NodeName, since: datetime) -> None:
    """The agent chosen for a group has been silent ``since`` then: nobody is chosen any more."""
    record = step.state.instances[instance]
    before = record.placed[group].agent
    step.put_instance(replace(record, placed=record.placed | {group: Placed(agent=group, since=since)}))
    step.note("instance", instance=instance, detail=f"{before} is chosen for {group} no more")
    _touch_jobs(step, instance, group)


def _touch_jobs(step: Step, instance: InstanceId, group: NodeName) -> None:
    """What is shown of a group's jobs says who carries them out; fires of a newly chosen one are numbered from the beginning."""
    machine = step.state.machines[instance]
    placed = step.state.instances[instance].placed[group].agent
    for copy in machine.graph.copies:
        if copy.agent != group:
            continue
        step.changes[Key("job", f"{instance}~{copy.index}")] = machine.copies[copy.index]
        taken = step.state.taken.get((instance, copy.id))
        if taken is not None and taken.agent != placed:
            step.put_taken(replace(taken, agent=placed, sequence=0))


def _assigned(state: State) -> dict[NodeName, int]:
    """Runs that have not ended, and groups that are placed, by agent: what was given counts before an agent says so."""
    counts: Counter[NodeName] = Counter(state.standing.runs_at.counts())
    counts.update(placed.agent for instance in state.active() for placed in instance.placed.values())
    return counts


def movable(state: State, run: RunRecord) -> bool:
    """Whether a run may move while it has not started: it is a group's, and its plan says after what time."""
    machine = state.machines.get(run.instance)
    if machine is None:
        return False
    group = group_label(machine.graph.copies[run.copy].agent)
    return bool(group) and machine.graph.plan.agent_away_milliseconds > 0


def withheld(state: State, run: RunRecord) -> bool:
    """Whether a run provably cannot start anywhere: nobody has it, or who has it was not told to start it (S1)."""
    if run.phase is RunPhase.RUNNING:
        return False
    return bool(group_label(run.agent)) or (movable(state, run) and not run.granted)


def moves_at(state: State, run: RunRecord) -> datetime | None:
    """When a run goes to another agent, if its own stays away for so long; None: it does not."""
    since = state.away.get(run.agent)
    if since is None or not movable(state, run) or not withheld(state, run):
        return None
    return since + span(milliseconds=state.machines[run.instance].graph.plan.agent_away_milliseconds)


def taken_over_at(state: State, instance: InstanceId, group: NodeName) -> datetime | None:
    """When another agent is chosen for a group, if the one that is stays away for so long; None: it is not."""
    placed = state.instances[instance].placed.get(group)
    since = state.away.get(placed.agent) if placed is not None else None
    allowed = state.machines[instance].graph.plan.agent_away_milliseconds
    return since + span(milliseconds=allowed) if since is not None and allowed > 0 else None


def absent(state: State, group: NodeName) -> str:
    """Why nobody is chosen for a group, in words for a person."""
    label = group_label(group)
    known = {name: one for name, one in sorted(state.presences.items()) if label in one.labels}
    if not known:
        return f"no agent with the label '{label}' has ever been seen"
    some = [f"{name} {_why_not(one)}" for name, one in list(known.items())[:3]]
    return f"no agent with the label '{label}' can take it: " + ", ".join(some)


def _why_not(presence: Presence) -> str:
    if presence.state is not NodeState.ALIVE:
        return "is gone"
    if presence.condition.draining:
        return "drains"
    return "has no space on its disk" if presence.condition.disk_full else "has not shown all it has yet"
