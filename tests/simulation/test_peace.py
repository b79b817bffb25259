"""The checker of how everything stands once faults have stopped."""

from __future__ import annotations

import pytest

from broker.runtime.core import AuditRow
from schemas.addresses import AgentPresenceAt, RunReportAt
from schemas.codec import encode_body, stamp
from schemas.documents import Presence, RunReport
from schemas.names import NodeName, RunId
from schemas.status import NodeState, Outcome, RunPhase
from tests.simulation.checkers.peace import Peace
from tests.simulation.checkers.reading import DASHBOARD, Ledger
from tests.simulation.session import TOPICS
from tests.simulation.trace import PromiseBrokenError, Saved, Standing
from tests.simulation.world import BEGINNING

NORTH = NodeName("north")
RUN = RunId("chain-20260101T000000Z~chain~north-load~1")
REPORT = encode_body(RunReport(run=RUN, phase=RunPhase.ENDED, outcome=Outcome.SUCCEEDED))
PRESENCE = encode_body(Presence(node=NORTH, state=NodeState.ALIVE, connection=1, since=BEGINNING, complete=True))


def look(at: float, *, ended: float) -> None:
    """An agent shows how a run ended that nobody assigns to it."""
    bodies = {TOPICS.topic_of(RunReportAt(NORTH, RUN)): REPORT, TOPICS.topic_of(AgentPresenceAt(NORTH)): PRESENCE}
    retained = {topic: stamp(body, epoch=1, revision=1, at=BEGINNING) for topic, body in bodies.items()}
    standing = Standing(
        at=at,
        retained=retained,
        wanted={NORTH: {TOPICS.topic_of(RunReportAt(NORTH, RUN)): REPORT}},
        newcomers={},
        processes={},
        clocks={DASHBOARD: BEGINNING},
        last=False,
    )
    checker = Peace(Ledger())
    row = AuditRow(at=BEGINNING, kind="run", instance="", run=RUN, after=Outcome.SUCCEEDED, cause="")
    checker.hears[Saved](Saved(at=ended, node=NORTH, rows=(), audit=(row,)))
    checker.hears[Standing](standing)


def test_an_agent_lets_go_of_an_end_that_nobody_wants() -> None:
    """Its dashboard may want to know of it; it has five minutes."""
    with pytest.raises(PromiseBrokenError, match="L3"):
        look(1320.0, ended=1000.0)


def test_an_agent_has_its_time() -> None:
    """Where servers are down, it may take more than a minute until one lets it in, and it finds what it had reported."""
    look(1320.0, ended=1057.0)
