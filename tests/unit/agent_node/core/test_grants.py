"""An agent asks nobody whether somebody may: it goes by what the dashboard last showed it, however long ago."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from agent_node.core.effects import ReadLogFile
from broker.runtime.core import Heard, Reply, Requested
from schemas.addresses import AgentGrantsAt
from schemas.documents import Grants
from schemas.grants import Grant, UserRole
from schemas.names import RequestId, UserName
from schemas.requests import AgentRequest, Drain, ReadLog, SwitchWatch
from tests.support.agents import AGENT, INSTANCE, PLAN, HandDriven, a_clock, a_run

ANN, BOB = UserName("ann"), UserName("bob")
RULED = Grants(users={ANN: (Grant(UserRole.ADMIN),), BOB: (Grant(UserRole.OPERATOR, PLAN),)})


def refused(agent: HandDriven, user: UserName, ask: AgentRequest) -> str:
    """Why; empty: it was done."""
    effects = agent.give(Requested(agent.now, user, RequestId("r"), Raw(msgspec.json.encode(ask))))
    replies = [effect.answer for effect in effects if isinstance(effect, Reply)]
    return "" if any(isinstance(effect, ReadLogFile) for effect in effects) else replies[0].reason


def ruled() -> HandDriven:
    """It has heard who may ask."""
    agent = HandDriven()
    agent.dashboard()
    agent.publish()
    agent.give(Heard(agent.now, AgentGrantsAt(AGENT), RULED))
    return agent


def test_agent_refuses_what_was_not_granted_and_says_so_in_its_audit() -> None:
    """Draining reaches beyond bob's plan."""
    agent = ruled()

    assert "'agent.drain' needs the role operator of all plans" in refused(agent, BOB, Drain())
    assert refused(agent, ANN, Drain()) == ""
    [row] = [row for row in agent.audit if row.kind == "request"]
    assert (row.user, row.after, row.before) == ("bob", "refused", "r")


def test_agent_knows_the_plan_of_what_is_asked() -> None:
    """By the instance's id."""
    agent = ruled()

    asked = SwitchWatch(instance=INSTANCE, job=a_clock().id)
    assert "there is no clock or file job" in refused(agent, BOB, asked)
    assert "needs the role operator" in refused(agent, UserName("eve"), asked)
    assert "needs the role viewer" in refused(agent, UserName("eve"), ReadLog(run=a_run()))
    assert refused(agent, BOB, ReadLog(run=a_run())) == ""


def test_agent_remembers_who_may_ask_when_nobody_is_there_to_tell() -> None:
    """Over its own restart, before the broker has replayed anything."""
    agent = ruled()
    agent.start(shown={})

    assert "needs the role" in refused(agent, BOB, Drain())


def test_agent_that_was_told_nothing_is_as_open_as_a_dashboard_without_an_admin() -> None:
    """And again when the dashboard shows no grants any more."""
    agent = HandDriven()
    first = refused(agent, BOB, Drain())
    agent.give(Heard(agent.now, AgentGrantsAt(AGENT), RULED))
    agent.give(Heard(agent.now, AgentGrantsAt(AGENT), None))

    assert first == ""
    assert refused(agent, BOB, Drain(draining=False)) == ""
