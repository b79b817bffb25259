"""One person's client: what it follows, what it asks of nodes, and the answers."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from broker.address import BrokerUrl
from broker.bus import Bus
from broker.errors import BusError
from jobplan.client.connection import PATIENCE, Connection
from jobplan.client.live import clock, gone
from jobplan.client.questions import Question
from jobplan.client.wire import JobsOf, RunsOf, Scope, Wire, broker_at
from jobplan.clock import now
from jobplan.errors import BadInputError, NobodyAnswersError, RefusedByNodeError
from schemas.acted import Acted
from schemas.addresses import AgentPresenceAt, DashboardPresenceAt
from schemas.codec import decode
from schemas.names import InstanceId, NodeName, PlanName, RequestId
from schemas.plan import PlanSource
from schemas.queries import MOST_ROWS, AuditEntry, AuditPage, ReadAudit
from schemas.requests import (
    Act,
    AgentRequest,
    Answer,
    DashboardRequest,
    EndInstance,
    EventRaised,
    ImportPlan,
    InstanceStarted,
    PlanImported,
    RaiseEvent,
    StartInstance,
)
from schemas.status import NodeState

ASK_AGAIN: Final = 3.0
"""Seconds without any part of an answer after which a request is published again."""


class Client(Connection):
    """See the module. Made by ``connect``; usable from one event loop."""

    async def ask(self, request: DashboardRequest, *, patience: timedelta | None = None) -> Answer:
        """Ask the dashboard; returns its answer when it is yes. Raises RefusedByNodeError, NobodyAnswersError."""
        async for answer in self.answers(request, patience=patience):
            return answer
        raise NobodyAnswersError("the dashboard answered nothing")

    async def answers(
        self,
        request: DashboardRequest | AgentRequest,
        *,
        to: NodeName | None = None,
        patience: timedelta | None = None,
    ) -> AsyncIterator[Answer]:
        """Ask the dashboard, or an agent, and give each part of the answer as it comes. Raises as ``ask`` does.

        ``patience`` is how long the first part may take; later ones may take any time (a log that is followed is silent
        while its job is).
        """
        question = self._question(request, to)
        wait = self.patience if patience is None else patience
        try:
            await self.put_question(question)
            answer = await self._first(question, wait)
            while True:
                if not answer.ok:
                    raise RefusedByNodeError(
                        answer.reason or "refused without a reason", answer.faults, unknown=answer.unknown
                    )
                yield answer
                if answer.last:
                    return
                answer = await question.next()
        finally:
            await self.drop_question(question)

    def _question(self, request: DashboardRequest | AgentRequest, to: NodeName | None) -> Question:
        drawn = RequestId(secrets.token_hex(8))
        return Question(
            request=drawn,
            to=to,
            topic=self.wire.request(drawn, to),
            payload=msgspec.json.encode(request),
        )

    async def _first(self, question: Question, patience: timedelta) -> Answer:
        """The first part, asking again now and then: who was away when it was asked has not heard it."""
        loop = asyncio.get_running_loop()
        asked = now()
        end = loop.time() + patience.total_seconds()
        while True:
            left = end - loop.time()
            if left <= 0:
                raise NobodyAnswersError(self._why_silent(question.to, asked))
            try:
                async with asyncio.timeout(min(ASK_AGAIN, left)):
                    return await question.next()
            except TimeoutError:
                await self.publish_question(question)

    def _why_silent(self, to: NodeName | None, asked: datetime) -> str:
        who = "dashboard" if to is None else f"agent '{to}'"
        how = "jobplan serve dashboard" if to is None else f"jobplan serve agent {to}"
        if not self.link.up:
            return f"no answer: the connection to the broker is lost ({self.link.reason})"
        presence = self.picture.dashboard if to is None else self.picture.agents.get(to)
        if presence is None:
            return f"no answer: no {who} has ever been on this broker; start it with '{how}'"
        if presence.state is NodeState.GONE:
            at = self.picture.at(DashboardPresenceAt() if to is None else AgentPresenceAt(to))
            return f"no answer: the {who} {gone(presence, at)}; start it with '{how}'"
        return f"no answer from the {who} since {clock(asked)}, though it shows itself alive; its log may say why"

    async def import_plan(self, source: PlanSource, bundle: bytes = b"null") -> PlanImported:
        """Store a plan, and its bundle as it was written."""
        answer = await self.ask(ImportPlan(source=source, bundle=msgspec.Raw(bundle)))
        return decode(bytes(answer.data), PlanImported)

    async def start_instance(self, plan: PlanName, parameters: dict[str, str] | None = None) -> InstanceId:
        """Start an instance of a plan now."""
        answer = await self.ask(StartInstance(plan=plan, parameters=parameters or {}))
        return decode(bytes(answer.data), InstanceStarted).instance

    async def end_instance(self, instance: InstanceId) -> None:
        """End an instance now."""
        await self.ask(EndInstance(instance=instance))

    async def act(self, act: Act) -> Acted:
        """Do something to a job, to the jobs of a context, or to those of the whole instance."""
        answer = await self.ask(act)
        return decode(bytes(answer.data), Acted)

    async def audit(
        self,
        query: ReadAudit,
        most: int,
        wanted: Callable[[AuditEntry], bool] = lambda _row: True,
        *,
        agent: NodeName | None = None,
    ) -> list[AuditEntry]:
        """The newest rows of the dashboard's (or an agent's) audit trail that match, at most so many, the oldest first."""
        found: list[AuditEntry] = []
        async for rows in self.audit_pages(query, agent=agent):
            found += filter(wanted, rows)
            if len(found) >= most:
                break
        return found[:most][::-1]

    async def audit_pages(
        self, query: ReadAudit, *, agent: NodeName | None = None
    ) -> AsyncIterator[tuple[AuditEntry, ...]]:
        """All rows of the dashboard's (or an agent's) audit trail that match, in the order asked for, page by page."""
        page = AuditPage(more=True)
        while page.more:
            if page.rows:
                last = page.rows[-1].number
                query = replace(query, after=last) if query.oldest_first else replace(query, before=last)
            async for answer in self.answers(replace(query, limit=MOST_ROWS), to=agent):
                page = decode(bytes(answer.data), AuditPage)
            yield page.rows

    async def raise_event(self, event: str) -> int:
        """Raise a global event; how many instances have heard it."""
        answer = await self.ask(RaiseEvent(event=event))
        return decode(bytes(answer.data), EventRaised).instances


@asynccontextmanager
async def connect(
    url: str | BrokerUrl,
    *,
    ca_file: Path | None = None,
    patience: timedelta | None = PATIENCE,
    program: str = "jobplan",
) -> AsyncIterator[Client]:
    """A client of the broker at ``mqtt[s]://[user[:password]@]host[:port][/prefix]``.

    ``ca_file``: certificates (PEM) to trust besides the system's, for mqtts. Waits ``patience`` for each of the broker's
    servers (None: for ever). Raises BadInputError for the URL or file, BrokerError for the broker.
    """
    from broker.mqtt.bus import MqttBus  # the MQTT library loads slowly, and help needs none

    where = broker_at(url) if isinstance(url, str) else url
    try:
        bus = MqttBus(where, ca_file=ca_file)
    except BusError as error:
        raise BadInputError(str(error)) from error
    wait = None if patience is None else patience * len(where.servers)
    async with client_on(bus, Wire.at(where), patience=wait, program=program) as client:
        yield client


@asynccontextmanager
async def client_on(
    bus: Bus, wire: Wire, *, patience: timedelta | None = PATIENCE, program: str = "jobplan"
) -> AsyncIterator[Client]:
    """A client on any bus."""
    client = Client(bus, wire, client=f"{program}-{secrets.token_hex(6)}", patience=patience or PATIENCE)
    try:
        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(client.keep_connected(), name="keep connected")
            try:
                await client.wait_until_connected(patience)
                yield client
            finally:
                keeper.cancel()
    except BaseExceptionGroup as group_error:
        if len(group_error.exceptions) == 1:  # the caller's own error, not a group of one
            raise group_error.exceptions[0] from None
        raise


__all__ = ["Client", "JobsOf", "RunsOf", "Scope", "client_on", "connect"]
