"""Agent groups with both cores: what one agent has not started moves to the other, whoever is cut off, whatever comes back.

The dashboard's and the agents' real cores, joined by hand: each hears what the other shows, unless it is cut off.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec
from msgspec import Raw

from agent_node.core import wishes
from agent_node.core.effects import Effect, StartProcess
from agent_node.core.rules import Rules
from broker.runtime.core import Heard, Requested
from schemas.addresses import Address, AgentInstanceAt, AgentPlanAt, AssignmentAt, TakenAt
from schemas.documents import Document
from schemas.names import NodeName, RequestId, RunId, UserName
from schemas.plan import PlanSource
from schemas.requests import Action, Drain
from tests.support.agents import HandDriven
from tests.support.groups import FIVE_MINUTES, GROUP, NORTH, SOUTH, Floor, a_group_plan
from tests.support.office import at

LINKS = (AgentPlanAt, AgentInstanceAt, AssignmentAt, TakenAt)


class Yard:
    """A dashboard and two agents of one label, with room for one process each."""

    def __init__(self, plan: PlanSource) -> None:
        self.floor = Floor(at("03-02 12:00"))
        self.agents = {
            name: HandDriven(now=self.floor.now, rules=Rules(agent=name, zone="UTC", concurrency=1))
            for name in (NORTH, SOUTH)
        }
        self.heard: dict[NodeName, dict[Address, Document]] = {name: {} for name in self.agents}
        self.told: dict[NodeName, dict[Address, Document]] = {name: {} for name in self.agents}
        self.cut_off: set[NodeName] = set()
        self.started: list[tuple[NodeName, RunId]] = []
        for name in self.agents:
            self.agents[name].dashboard()
            self.floor.hears(name)
        self.floor.imports(plan)
        self.floor.start("P")
        self.exchange()

    def submit(self, *jobs: str) -> None:
        """People want these jobs to run."""
        for job in jobs:
            self.floor.act(Action.SUBMIT, f"{GROUP}-{job}")
        self.exchange()

    def cut(self, name: NodeName) -> None:
        """Nothing gets through to an agent, or from it, and its will is read out. It lives."""
        self.cut_off.add(name)
        self.floor.hears(name, alive=False)

    def join(self, name: NodeName) -> None:
        """It is back."""
        self.cut_off.discard(name)
        self.floor.hears(name)
        self.exchange()

    def says_ready(self, name: NodeName) -> None:
        """An agent hears of a run and tells that it could begin it; the dashboard's word does not arrive any more."""
        self._down(name)
        self._up(name)

    def drain(self, name: NodeName) -> None:
        """An operator lets an agent drain."""
        ask = Raw(msgspec.json.encode(Drain()))
        self._note(name, self.agents[name].give(Requested(self.floor.now, UserName("anna"), RequestId("d"), ask)))
        assert wishes.condition(self.agents[name].core.state).draining
        self.floor.hears(name, draining=True)
        self.exchange()

    def ends(self, name: NodeName, run: RunId) -> None:
        """A process ends well."""
        self._note(name, self.agents[name].ended(run))
        self.exchange()

    def wait(self, span: timedelta) -> None:
        """Time passes for all."""
        self.floor.until(self.floor.now + span)
        for name, agent in self.agents.items():
            self._note(name, agent.wait_until(self.floor.now))
        self.exchange()

    def exchange(self) -> None:
        """Everybody hears what is new, until nothing is."""
        while sum(self._down(name) + self._up(name) for name in self.agents if name not in self.cut_off):
            pass

    def _down(self, name: NodeName) -> int:
        shown: dict[Address, Document] = {
            at: one for at, one in self.floor.shown.items() if isinstance(at, LINKS) and at.agent == name
        }
        news = _difference(self.heard[name], shown)
        for address, document in news.items():
            self._note(name, self.agents[name].hear(address, document))
        self.heard[name] = shown
        return len(news)

    def _up(self, name: NodeName) -> int:
        shown = dict(self.agents[name].shown)
        news = _difference(self.told[name], shown)
        for address, document in news.items():
            self.floor.step(Heard(self.floor.now, address, document))
        self.told[name] = shown
        return len(news)

    def _note(self, name: NodeName, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, StartProcess):
                self.started.append((name, effect.assignment.run))
                self.agents[name].started(effect.assignment.run)


def _difference(before: dict[Address, Document], after: dict[Address, Document]) -> dict[Address, Document | None]:
    gone: dict[Address, Document | None] = dict.fromkeys(before.keys() - after.keys())
    return gone | {address: one for address, one in after.items() if before.get(address) != one}


def by(yard: Yard, name: NodeName) -> list[str]:
    """The jobs that an agent has started, in order."""
    return [run.split("~")[2].removeprefix("any%3Adb-") for agent, run in yard.started if agent == name]


def test_what_a_cut_off_agent_has_not_started_runs_elsewhere_and_never_there() -> None:
    """North runs ``c``, ``d`` waits behind it. North is cut off and lives; ``d`` moves; then it has room, and may not."""
    yard = Yard(a_group_plan())
    yard.submit("c", "d")
    [(_, first)] = yard.started
    yard.cut(NORTH)

    yard.wait(FIVE_MINUTES)
    assert (by(yard, NORTH), by(yard, SOUTH)) == (["c"], ["d"])
    yard.ends(NORTH, first)
    assert by(yard, NORTH) == ["c"], "it has a place for d now, and no word"

    yard.join(NORTH)
    assert (by(yard, NORTH), by(yard, SOUTH)) == (["c"], ["d"])
    assert yard.floor.status("c") == "COMPLETE", "the result that piled up is taken"


def test_what_was_let_begin_stays_though_its_agent_is_cut_off_in_that_moment() -> None:
    """The dashboard gave its word and never hears what became of it: nobody else may begin it (S1)."""
    yard = Yard(a_group_plan())
    yard.floor.act(Action.SUBMIT, f"{GROUP}-c")
    yard.says_ready(NORTH)
    yard.cut(NORTH)

    yard.wait(timedelta(hours=1))

    assert yard.started == []
    assert yard.floor.run("c").agent == NORTH

    yard.join(NORTH)
    assert by(yard, NORTH) == ["c"]


def test_what_a_drained_agent_has_not_started_moves_and_what_runs_there_ends_there() -> None:
    """For maintenance, nothing has to be killed or waited for."""
    yard = Yard(a_group_plan())
    yard.submit("c", "d")
    yard.drain(NORTH)
    yard.wait(FIVE_MINUTES)
    assert (by(yard, NORTH), by(yard, SOUTH)) == (["c"], ["d"])

    yard.ends(NORTH, yard.started[0][1])
    yard.ends(SOUTH, yard.started[1][1])

    assert (yard.floor.status("c"), yard.floor.status("d")) == ("COMPLETE", "COMPLETE")


def test_a_started_run_is_lost_if_the_plan_says_so_and_its_late_end_changes_nothing() -> None:
    """The job is ERROR at once; what the agent tells when it is back comes too late."""
    yard = Yard(a_group_plan(onAgentAway="lost"))
    yard.submit("c")
    yard.cut(NORTH)
    yard.wait(FIVE_MINUTES)
    assert yard.floor.status("c") == "ERROR"

    yard.ends(NORTH, yard.started[0][1])
    yard.join(NORTH)

    assert yard.floor.status("c") == "ERROR"
    assert by(yard, SOUTH) == []
