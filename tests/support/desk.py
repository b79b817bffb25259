"""The dashboard's side of the bus, by hand: what a test shows to an agent, and what the agent shows and answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from broker.bus import Bus, Delivery, Publication, Session
from broker.topics import RequestTopic, Topics
from schemas.addresses import Address, AgentInstanceAt, AgentPresenceAt, AssignmentAt, DashboardPresenceAt, RunReportAt
from schemas.codec import decode, encode_body, stamp
from schemas.documents import Assignment, Document, FireReport, Presence, RunReport
from schemas.names import RequestId, RunId, UserName, escape
from schemas.requests import AgentRequest, Answer, DashboardRequest
from schemas.status import RunPhase
from tests.support.agents import AGENT, INSTANCE, a_presence, a_publication, a_run
from tests.support.waiting import eventually

USER = UserName("anna")
_SOON = 20


class Desk:
    """The dashboard's side, by hand: shows documents, reads reports."""

    def __init__(self, bus: Bus, prefix: str) -> None:
        self.topics = Topics(prefix)
        self.reports: dict[str, bytes] = {}
        self.history: list[RunPhase] = []
        self._revision = 0
        self._session: Session | None = None
        self._bus = bus
        self.answers: list[Answer] = []
        self._journal = 0

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Desk]:
        """Connected, and subscribed to the agent's presence and reports."""
        async with self._bus.connect(client="desk", will=None, on_delivery=self._deliver) as session:
            self._session = session
            reports = f"{self.topics.prefix}/agent/{AGENT}/report/#"
            presence = self.topics.topic_of(AgentPresenceAt(AGENT))
            await session.subscribe([presence, reports, self.topics.responses(USER)])
            await self.show(DashboardPresenceAt(), a_presence())
            yield self

    async def show(self, address: Address, document: Document | None) -> None:
        """Show a document, or clear it."""
        assert self._session is not None
        self._revision += 1
        now = datetime.now(UTC)
        payload = b"" if document is None else stamp(encode_body(document), epoch=1, revision=self._revision, at=now)
        await self._session.publish([Publication(self.topics.topic_of(address), payload)])

    async def assign(self, assignment: Assignment) -> None:
        """Assign a run, to the journal that the agent keeps."""
        await self.heard()
        await self.show(AssignmentAt(AGENT, assignment.run), replace(assignment, journal=self._journal))

    async def heard(self) -> None:
        """The agent has shown all it has, in this life or one before: its journal is known."""
        await eventually(lambda: self._journal > 0, within=_SOON, what="the agent's journal is heard")

    async def publish(self) -> None:
        """Publish an instance that is open for a day."""
        now = datetime.now(UTC)
        publication = a_publication(opens=now - timedelta(hours=1), closes=now + timedelta(days=1))
        await self.show(AgentInstanceAt(AGENT, INSTANCE), publication)

    def report(self, run: RunId | None = None) -> RunReport | None:
        """What the agent shows of a run."""
        payload = self.reports.get(self.topics.topic_of(RunReportAt(AGENT, run or a_run())))
        return decode(payload, RunReport) if payload else None

    def phase(self, run: RunId | None = None) -> RunPhase | None:
        """How far it has come."""
        report = self.report(run)
        return report.phase if report else None

    def fires(self, job: str) -> FireReport | None:
        """What the agent shows of a clock or file job."""
        found = [payload for topic, payload in self.reports.items() if topic.endswith(escape(f"{AGENT}-{job}"))]
        return decode(found[0], FireReport) if found and found[0] else None

    async def ask(self, ask: AgentRequest | DashboardRequest, request: str = "r1") -> None:
        """Ask the agent something."""
        assert self._session is not None
        asking = RequestTopic(USER, RequestId(request), AGENT)
        await self._session.publish([Publication(self.topics.request(asking), encode_body(ask), retain=False)])

    def _deliver(self, delivery: Delivery) -> None:
        if delivery.topic.startswith(f"{self.topics.prefix}/response/"):
            self.answers.append(decode(delivery.payload, Answer))
            return
        if delivery.topic == self.topics.topic_of(AgentPresenceAt(AGENT)):
            presence = decode(delivery.payload, Presence)
            self._journal = presence.journal if presence.complete else self._journal
            return
        self.reports[delivery.topic] = delivery.payload
        if delivery.topic == self.topics.topic_of(RunReportAt(AGENT, a_run())) and delivery.payload:
            self.history.append(decode(delivery.payload, RunReport).phase)
