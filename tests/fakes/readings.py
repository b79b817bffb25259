"""Documents of an agent as they arrive, and a view that has heard some."""

from __future__ import annotations

import msgspec

from broker.runtime.view import Reading, View
from broker.topics import Topics
from schemas.addresses import Address, AgentPresenceAt, FireReportAt
from schemas.codec import Header
from schemas.documents import Document, FireReport, Presence
from schemas.names import JobId, NodeName
from schemas.status import NodeState
from tests.fakes.toy_node import START, an_instance

TOPICS = Topics("test")
NORTH, SOUTH = NodeName("north"), NodeName("south")
JOB = JobId("north-tick")


def at(day: int = 1, agent: NodeName = NORTH) -> FireReportAt:
    """Where an agent reports."""
    return FireReportAt(agent, an_instance(day), JOB)


def a_report(text: str = "") -> FireReport:
    """A report."""
    return FireReport(instance=an_instance(), job=JOB, problem=text)


def a_reading(
    document: Document | None = None,
    *,
    address: Address | None = None,
    epoch: int = 1,
    revision: int = 1,
    retained: bool = False,
) -> Reading:
    """A report that arrives live, unless said otherwise."""
    where = address or at()
    header = Header(v=1, epoch=epoch, revision=revision, at=START)
    return Reading(TOPICS.topic_of(where), where, header, document or a_report(), retained)


def a_presence(
    *,
    state: NodeState = NodeState.ALIVE,
    connection: int = 1,
    complete: bool = True,
    documents: int = 0,
    epoch: int = 1,
    revision: int = 100,
) -> Reading:
    """The agent's presence."""
    word = Presence(node=NORTH, state=state, connection=connection, since=START, complete=complete, documents=documents)
    return a_reading(word, address=AgentPresenceAt(NORTH), epoch=epoch, revision=revision)


def replayed(reading: Reading) -> Reading:
    """The same, as part of a replay."""
    return msgspec.structs.replace(reading, retained=True)


def a_view(*readings: Reading) -> View:
    """A view after a replay of this."""
    view = View()
    view.begin()
    for reading in readings:
        view.take(replayed(reading))
    view.end()
    return view
