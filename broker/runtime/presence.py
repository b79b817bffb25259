"""Presence: whose word counts for an address, and which of two presences is the later one.

Pure. Knows nothing of topics: addresses, headers and documents come in.
"""

from __future__ import annotations

from functools import lru_cache
from typing import assert_never

from msgspec import Struct

from schemas.addresses import (
    Address,
    AgentGrantsAt,
    AgentInstanceAt,
    AgentPlanAt,
    AgentPresenceAt,
    AssignmentAt,
    CalendarAt,
    DashboardPresenceAt,
    FireReportAt,
    GrantsAt,
    InstanceAt,
    JobAt,
    LockAt,
    PlanAt,
    PlanVersionAt,
    RunReportAt,
    ShareAt,
    TakenAt,
)
from schemas.codec import Header
from schemas.documents import Document, Presence
from schemas.status import NodeState

_REMEMBERED = 4_096
"""Addresses whose writers are not made out again: of each document that is heard it is asked several times."""

Writer = DashboardPresenceAt | AgentPresenceAt
"""A node, named by where its presence stands."""


class Order(Struct, frozen=True, order=True, array_like=True):
    """What tells which of two snapshots of one address is the newer: compared field by field.

    ``connection`` and ``gone`` are a presence's: a will carries the revision of the moment it was lodged, yet outranks what
    its connection showed since, and never outranks the next connection (a will may come late).
    """

    epoch: int
    connection: int
    gone: bool
    revision: int

    @property
    def stamp(self) -> tuple[int, int]:
        """Its place among all that its writer published."""
        return (self.epoch, self.revision)


def order_of(header: Header, document: Document) -> Order:
    """The order of a document as it arrived."""
    if isinstance(document, Presence):
        return Order(header.epoch, document.connection, document.state is NodeState.GONE, header.revision)
    return Order(header.epoch, 0, False, header.revision)  # noqa: FBT003  # not gone


@lru_cache(maxsize=_REMEMBERED)
def writer_of(address: Address) -> Writer:
    """The one node that writes at an address."""
    match address:
        case AgentPresenceAt() | DashboardPresenceAt():
            return address
        case RunReportAt(agent=agent) | FireReportAt(agent=agent):
            return AgentPresenceAt(agent)
        case (
            AgentPlanAt()
            | AgentInstanceAt()
            | AssignmentAt()
            | TakenAt()
            | ShareAt()
            | PlanAt()
            | PlanVersionAt()
            | CalendarAt()
            | InstanceAt()
            | JobAt()
            | LockAt()
            | GrantsAt()
            | AgentGrantsAt()
        ):
            return DashboardPresenceAt()
        case _:
            assert_never(address)
