"""The agent's core for all inputs: order and repetition do not matter, restarts change nothing, no promise breaks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agent_node.core.effects import Effect, StartProcess
from agent_node.core.events import Event
from agent_node.core.lifecycle import Stage
from agent_node.core.machine import AgentCore
from agent_node.core.records import RUNS, TABLES, Run
from agent_node.core.rules import LATENESS, Rules
from broker.runtime.core import Heard, Key, Recovered, Tick
from schemas.addresses import Address, AgentInstanceAt, AgentPlanAt, AssignmentAt, DashboardPresenceAt, TakenAt
from schemas.documents import AgentPlan, Document, Taken
from schemas.names import RunId
from schemas.status import NodeState
from tests.support.agents import (
    AGENT,
    INSTANCE,
    JOURNAL,
    NOON,
    PLAN,
    RULES,
    SECOND,
    HandDriven,
    a_clock,
    a_command,
    a_file_job,
    a_presence,
    a_publication,
    a_run,
    an_assignment,
)

JOBS = tuple(a_command(job=f"job{number}") for number in range(4))
PICTURE: dict[Address, Document] = {
    DashboardPresenceAt(): a_presence(),
    AgentPlanAt(AGENT, PLAN): AgentPlan(plan=PLAN, versions={"1": (a_clock(), a_file_job())}),
    AgentInstanceAt(AGENT, INSTANCE): a_publication(),
    TakenAt(AGENT, INSTANCE, a_clock().id): Taken(instance=INSTANCE, job=a_clock().id, sequence=7),
    **{AssignmentAt(AGENT, one.run): one for one in map(an_assignment, JOBS)},
}
"""Of what a dashboard may show to an agent, one of each."""


def tables(core: AgentCore) -> dict[Key, bytes]:
    """Everything the core knows, but whether a run began at once: that tells of the order in which all was heard."""
    found = {}
    for name in TABLES:
        for key, known in core.state.records(name):
            record = replace(known, at_once=False) if isinstance(known, Run) else known
            found[Key(name, key)] = msgspec.json.encode(record)
    return found


def hear(core: AgentCore, addresses: list[Address]) -> set[RunId]:
    """Let the core hear these documents at noon, and tick; which runs it starts."""
    started = set()
    events: list[Event] = [
        Recovered(NOON, 1, {}, JOURNAL),
        *(Heard(NOON, address, PICTURE[address]) for address in addresses),
        Tick(NOON),
    ]
    for event in events:
        decision = core.step(event)
        core.apply(decision.changes)
        core.check()
        started |= {effect.assignment.run for effect in decision.effects if isinstance(effect, StartProcess)}
    return started


@given(st.permutations(list(PICTURE)), st.lists(st.sampled_from(list(PICTURE)), max_size=10))
def test_order_and_repetition_do_not_matter(order: list[Address], again: list[Address]) -> None:
    """The same documents in any order, with any of them repeated: the same state, and the same runs are started."""
    plain, shuffled = AgentCore(RULES), AgentCore(RULES)

    first = hear(plain, list(PICTURE))
    second = hear(shuffled, [*order, *again])

    assert first == second == {an_assignment(job).run for job in JOBS}
    assert tables(plain) == tables(shuffled)


@given(st.lists(st.integers(min_value=1, max_value=400), min_size=1, max_size=8), st.data())
@settings(max_examples=50)
def test_no_fire_is_lost_or_repeated_whatever_restarts(pauses: list[int], data: st.DataObject) -> None:
    """Down for seconds or minutes, again and again: every due time is decided once, and numbers have no gaps."""
    agent = HandDriven()
    agent.provision(a_clock("0/7 * * * * ?"))
    agent.publish()
    for pause in pauses:
        if data.draw(st.booleans()):
            agent.now += pause * SECOND
            agent.start()
        else:
            agent.wait_until(agent.now + pause * SECOND)
    fires = agent.fires(a_clock().id)

    dues = [fire.due for fire in fires if fire.due is not None]
    assert [fire.sequence for fire in fires] == list(range(1, len(fires) + 1))
    assert all(earlier < later for earlier, later in pairwise(dues))
    assert all(later - earlier <= timedelta(seconds=11) or "due from" in fire.reason
               for earlier, later, fire in zip(dues, dues[1:], fires[1:], strict=False))  # fmt: skip
    assert timedelta(seconds=11) < LATENESS


ACTIONS = (
    "assign", "stop", "clear", "publish", "remove", "started", "ended", "failed", "never", "lost", "tick", "restart",
    "gone", "complete",
)  # fmt: skip
Move = tuple[str, int, int]
MOVES = st.tuples(st.sampled_from(ACTIONS), st.integers(0, 2), st.integers(1, 2))


@given(st.lists(MOVES, max_size=60))
@settings(max_examples=300)
def test_no_promise_breaks_whatever_happens(story: list[Move]) -> None:
    """Any event in any state: shown step by step equals shown as a whole, saved brings it back, final stays final."""
    agent = HandDriven(rules=Rules(agent=AGENT, zone="UTC", concurrency=2))
    ends: dict[RunId, Run] = {}
    for move in story:
        starts = {effect.assignment.run for effect in play(agent, move) if isinstance(effect, StartProcess)}
        known = dict(agent.core.state.all(RUNS))
        ends = {run: end for run, end in ends.items() if run in known}  # the rest was let go with its instance

        assert not starts & set(ends), "an ended run was started"
        assert all(replace(known[run], let_go_at=None) == replace(end, let_go_at=None) for run, end in ends.items())
        ends |= {RunId(run): record for run, record in known.items() if record.stage is Stage.ENDED}


def play(agent: HandDriven, move: Move) -> list[Effect]:
    """One move of a story."""
    action, job, attempt = move
    run, assignment = a_run(attempt, job=f"job{job}"), an_assignment(JOBS[job], attempt=attempt)
    agent.now += SECOND
    moves: dict[str, Callable[[], list[Effect]]] = {
        "assign": lambda: agent.assign(assignment),
        "stop": lambda: agent.assign(replace(assignment, stop=True)),
        "clear": lambda: agent.clear(run),
        "publish": agent.publish,
        "remove": agent.remove,
        "started": lambda: agent.started(run),
        "ended": lambda: agent.ended(run),
        "failed": lambda: agent.failed(run, "no"),
        "never": lambda: agent.never_claimed(run),
        "lost": lambda: agent.lost(run),
        "tick": lambda: agent.wait_until(agent.now + 30 * SECOND),
        "restart": agent.start,
        "gone": lambda: agent.dashboard(a_presence(NodeState.GONE)),
        "complete": agent.dashboard,
    }
    return moves[action]()
