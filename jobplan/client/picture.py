"""The newest snapshot of every topic a client follows. Pure: it is told what arrived and says what that changed.

It knows nothing of connections: whoever feeds it says when a replay begins and when it is complete.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final, TypeVar

from msgspec import Struct

from broker.runtime.presence import Order, order_of, writer_of
from broker.runtime.proof import NOWHERE, Stamp
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
from schemas.codec import SchemaError, decode, decode_header
from schemas.documents import (
    AgentInstance,
    AgentPlan,
    Assignment,
    CalendarDays,
    Document,
    FireReport,
    Grants,
    InstanceStatus,
    JobState,
    LockState,
    PlanStatus,
    PlanVersion,
    Presence,
    RunReport,
    Share,
    Taken,
)
from schemas.names import InstanceId, NodeName, PlanName
from schemas.status import NodeState

DOCUMENT_AT: Final[dict[type[Address], type[Document]]] = {
    DashboardPresenceAt: Presence,
    AgentPresenceAt: Presence,
    AgentPlanAt: AgentPlan,
    AgentInstanceAt: AgentInstance,
    AssignmentAt: Assignment,
    RunReportAt: RunReport,
    FireReportAt: FireReport,
    TakenAt: Taken,
    ShareAt: Share,
    PlanAt: PlanStatus,
    PlanVersionAt: PlanVersion,
    CalendarAt: CalendarDays,
    InstanceAt: InstanceStatus,
    JobAt: JobState,
    LockAt: LockState,
    GrantsAt: Grants,
    AgentGrantsAt: Grants,
}
"""What stands at which kind of address."""

MOST_CLEARED: Final = 1_000
"""So many addresses that were cleared are remembered, the newest ones."""

D = TypeVar("D")


class Change(Struct, frozen=True, kw_only=True):
    """What an arrival changed: ``after`` is None when the topic was cleared."""

    address: Address
    before: Document | None
    after: Document | None
    at: datetime | None = None
    """When its writer showed it; None: cleared."""


class Seen(Struct, frozen=True):
    """A snapshot, how it ranks among those of its topic, and in which replay it was last confirmed."""

    document: Document
    order: Order
    at: datetime
    replay: int


class Cleared(Struct, frozen=True):
    """What stood where a topic was cleared, and how far its writer had come by then.

    A replay that brings what is not newer is of an older store. Live, a writer's documents come in order on one topic alone:
    what is older than what stood there is passed on a second time (NATS).
    """

    stood: Stamp
    until: Stamp


class Picture:
    """Documents by address; the newest wins, and absence means gone only when the writer says that it shows everything.

    What was cleared live stays gone, whatever an older store replays of before.
    """

    def __init__(self) -> None:
        self._seen: dict[Address, Seen] = {}
        self._reached: dict[Address, Stamp] = {}
        """The newest of each writer, wherever it stood."""
        self._cleared: dict[Address, Cleared] = {}
        """What was cleared before our eyes, the oldest first."""
        self._replay = 0
        self.unreadable: dict[str, str] = {}
        """Why, by topic: somebody else's data that is set aside."""

    def begin_replay(self) -> None:
        """A new connection: from now on what arrives is confirmed anew."""
        self._replay += 1

    def take(self, address: Address, payload: bytes, *, retained: bool = False) -> Change | None:
        """Take in what arrived (``retained``: by replay); None when it is not news. Raises SchemaError when it cannot be read."""
        before = self._seen.get(address)
        if not payload:
            self._clear(address)
            return self._forget(address)
        header = decode_header(payload)
        document = decode(payload, DOCUMENT_AT[type(address)])
        order = order_of(header, document)
        cleared = self._cleared.get(address)
        if cleared is not None and (order.stamp <= cleared.until if retained else order.stamp < cleared.stood):
            return None
        self._cleared.pop(address, None)
        writer = writer_of(address)
        self._reached[writer] = max(order.stamp, self._reached.get(writer, NOWHERE))
        if before is not None and order < before.order:
            self._seen[address] = Seen(before.document, before.order, before.at, self._replay)
            return None
        self._seen[address] = Seen(document, order, header.at, self._replay)
        if before is not None and before.document == document:
            return None
        return Change(
            address=address,
            before=None if before is None else before.document,
            after=document,
            at=header.at,
        )

    def _clear(self, address: Address) -> None:
        """Its writer cleared it. Of a presence that tells nothing: who lives says it again, who does not is told of by a will."""
        writer = writer_of(address)
        if address == writer:
            return
        seen, before = self._seen.get(address), self._cleared.pop(address, None)
        stood = seen.order.stamp if seen is not None else before.stood if before is not None else NOWHERE
        self._cleared[address] = Cleared(stood, self._reached.get(writer, NOWHERE))
        if len(self._cleared) > MOST_CLEARED:
            del self._cleared[next(iter(self._cleared))]

    def _forget(self, address: Address) -> Change | None:
        seen = self._seen.pop(address, None)
        if seen is None:
            return None
        return Change(address=address, before=seen.document, after=None)

    def settle(self) -> tuple[Change, ...]:
        """A replay is complete: drop what it did not confirm, where the writer says that it shows everything."""
        stale = [
            address
            for address, seen in self._seen.items()
            if seen.replay != self._replay and self._shows_everything(address)
        ]
        changes = (self._forget(address) for address in stale)
        return tuple(change for change in changes if change is not None)

    def _shows_everything(self, address: Address) -> bool:
        presence = self.get(writer_of(address), Presence)
        return presence is not None and presence.state is NodeState.ALIVE and presence.complete

    def living(self) -> list[Address]:
        """Where nodes stand that are there, as far as is known."""
        return [
            address
            for address, seen in self._seen.items()
            if isinstance(seen.document, Presence) and seen.document.state is NodeState.ALIVE
        ]

    def at(self, address: Address) -> datetime | None:
        """When what stands there was shown."""
        seen = self._seen.get(address)
        return None if seen is None else seen.at

    def get(self, address: Address, kind: type[D]) -> D | None:
        """The document at an address."""
        seen = self._seen.get(address)
        return seen.document if seen is not None and isinstance(seen.document, kind) else None

    def as_change(self, address: Address) -> Change | None:
        """What stands there, told as if it had just come."""
        seen = self._seen.get(address)
        return None if seen is None else Change(address=address, before=None, after=seen.document, at=seen.at)

    def all(self, kind: type[D]) -> Iterator[D]:
        """Every document of a kind, in the order of arrival."""
        return (seen.document for seen in self._seen.values() if isinstance(seen.document, kind))

    def addresses(self) -> tuple[Address, ...]:
        """Where something stands."""
        return tuple(self._seen)

    @property
    def dashboard(self) -> Presence | None:
        """Presence of the dashboard; None: none was ever there."""
        return self.get(DashboardPresenceAt(), Presence)

    @property
    def agents(self) -> dict[NodeName, Presence]:
        """Presences of agents, by name."""
        found = {
            address.agent: seen.document
            for address, seen in self._seen.items()
            if isinstance(address, AgentPresenceAt) and isinstance(seen.document, Presence)
        }
        return dict(sorted(found.items()))

    @property
    def plans(self) -> dict[PlanName, PlanStatus]:
        """Plans by name."""
        return {plan.plan: plan for plan in sorted(self.all(PlanStatus), key=_plan_name)}

    @property
    def instances(self) -> dict[InstanceId, InstanceStatus]:
        """Instances by id, the oldest first."""
        found = sorted(self.all(InstanceStatus), key=lambda one: (one.created, one.instance))
        return {one.instance: one for one in found}

    def jobs(self, instance: InstanceId) -> tuple[JobState, ...]:
        """The jobs of an instance in plan order."""
        mine = (job for job in self.all(JobState) if job.instance == instance)
        return tuple(sorted(mine, key=lambda job: (job.order, job.context, job.job)))

    def jobs_by_instance(self) -> dict[InstanceId, list[JobState]]:
        """All jobs there are, in plan order."""
        found: dict[InstanceId, list[JobState]] = {}
        for job in sorted(self.all(JobState), key=lambda job: (job.order, job.context, job.job)):
            found.setdefault(job.instance, []).append(job)
        return found

    @property
    def locks(self) -> tuple[LockState, ...]:
        """Locks by group and name."""
        return tuple(sorted(self.all(LockState), key=lambda lock: (lock.group, lock.lock)))


def _plan_name(plan: PlanStatus) -> str:
    return plan.plan


__all__ = ["DOCUMENT_AT", "Change", "Picture", "SchemaError", "Seen"]
