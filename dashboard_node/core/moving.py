"""Agents that are away for longer than a plan allows: what they have not started moves, what they have waits or is lost.

A run moves only while it provably cannot start where it is (S1): its agent shows that it is ready and waits for the dashboard's
word, and one that has been given that word stays. So an agent that was cut off and comes back has nothing it might still start.
"""

from __future__ import annotations

from msgspec.structs import replace

from dashboard_node.core import placement, runs
from dashboard_node.core.step import Step
from schemas.documents import Presence
from schemas.names import InstanceId, NodeName, group_label, group_of
from schemas.plan import OnAgentAway
from schemas.spans import span
from schemas.status import NodeState, RunPhase


def is_away(presence: Presence | None) -> bool:
    """Whether an agent starts nothing: it is gone, or drains."""
    return presence is None or presence.state is not NodeState.ALIVE or presence.condition.draining


def heard(step: Step, agent: NodeName, before: Presence | None) -> None:
    """An agent's presence has changed: mind how long it is away, and give it what waits for somebody like it."""
    now = step.state.presences.get(agent)
    if now is None or is_away(now):
        vanished = before is not None and before.state is NodeState.ALIVE and not step.state.agent_there(agent)
        if agent not in step.state.away or vanished:  # one that drained and now is gone counts from now
            step.state.away[agent] = step.now
            step.agents.add(agent)  # what waits there says until when
            _set_timers(step, agent)
    elif step.state.away.pop(agent, None) is not None:
        for instance in step.state.active_at(agent):
            step.state.timers.set(("away", agent, instance.id), None)
    if now is None or (before is not None and _offer(before) == _offer(now)):
        return
    if now.state is NodeState.ALIVE:
        for run in step.state.standing.runs_at.of(agent):
            runs.grant(step, run)
    if placement.is_usable(now) and now.labels:
        _place_waiting(step, now.labels)


def _offer(presence: Presence) -> tuple[object, ...]:
    return placement.is_usable(presence), presence.state, presence.labels


def look_for_unheard(step: Step) -> None:
    """All that stands has been heard: whoever has something to do and no presence is away."""
    busy = {step.state.runs[run].agent for run in step.state.standing.runs}
    busy |= {placed.agent for instance in step.state.active() for placed in instance.placed.values()}
    for agent in sorted(busy - step.state.presences.keys()):
        if not group_label(agent):
            heard(step, agent, None)


def _set_timers(step: Step, agent: NodeName) -> None:
    for instance in step.state.active_at(agent):
        plan = step.state.machines[instance.id].graph.plan
        if plan.agent_away_milliseconds > 0:
            at = step.state.away[agent] + span(milliseconds=plan.agent_away_milliseconds)
            step.state.timers.set(("away", agent, instance.id), at)


def away_for_too_long(step: Step, agent: NodeName, instance: InstanceId) -> None:
    """The time that a plan gives an agent is over: its groups are chosen anew, its runs move or are lost."""
    since = step.state.away.get(agent)
    machine = step.machine(instance)
    if since is None or machine is None:
        return
    placed = step.state.instances[instance].placed
    for group in sorted(group for group, one in placed.items() if one.agent == agent):
        placement.take_back(step, instance, group, since)
        placement.place(step, instance, group)
    drains = step.state.agent_there(agent)
    why = f"{agent} {'drains' if drains else 'is gone'} since {since:%Y-%m-%d %H:%M:%SZ}"
    lose = machine.graph.plan.on_agent_away is OnAgentAway.LOST and not drains
    for run in step.state.live_runs(instance):
        if run.agent == agent and placement.withheld(step.state, run):
            runs.move(step, machine, run, why)
        elif run.agent == agent and lose and (run.granted or run.phase is RunPhase.RUNNING):
            runs.lose(step, run.id, f"{why}, longer than its plan waits")
    step.touch(machine)


def _place_waiting(step: Step, labels: tuple[str, ...]) -> None:
    """Somebody with these labels can be chosen: what waits for that goes its way, in the order in which it was asked for."""
    groups = [group_of(label) for label in labels]
    for name in sorted({instance.id for group in groups for instance in step.state.active_at(group)}):
        placement.place_watches(step, name)
    waiting = [step.state.runs[run] for group in groups for run in step.state.standing.runs_at.of(group)]
    for run in sorted(waiting, key=lambda run: run.order):
        agent = placement.place(step, run.instance, run.agent)
        if agent is not None:
            step.put_run(replace(run, agent=agent, journal=step.state.journal_of(agent)))
            step.note("run", instance=run.instance, run=run.id, after="placed", detail=f"with {agent}")
