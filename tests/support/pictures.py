"""Builders of what a dashboard shows, and a node that answers: for tests of those who look at it and ask it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec

from broker.bus import Delivery, Publication, Session
from broker.memory import MemoryBroker
from broker.topics import RequestTopic, ResponseTopic
from jobplan.client.picture import Picture
from schemas.addresses import Address, DashboardPresenceAt, InstanceAt, JobAt, LockAt, PlanAt
from schemas.codec import encode_body, stamp
from schemas.documents import (
    ContextState,
    Document,
    InstanceStatus,
    JobState,
    LockState,
    PlanStatus,
    Presence,
)
from schemas.names import ContextName, InstanceId, NodeName, PlanName, instance_id, job_id
from schemas.requests import Answer
from schemas.status import ContextStatus, JobKind, JobStatus, NodeState

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PLAN = PlanName("Nightly")
INSTANCE = instance_id(PLAN, NOON)
AGENT = NodeName("north")


def a_job(
    name: str = "Extract",
    status: JobStatus = JobStatus.WAITING,
    *,
    instance: InstanceId = INSTANCE,
    context: str = PLAN,
    **more: object,
) -> JobState:
    """A command job of the instance. Further fields by their names in Python."""
    plain: dict[str, object] = {
        "instance": instance,
        "context": ContextName(context),
        "job": job_id(AGENT, name),
        "name": name,
        "agent": AGENT,
        "kind": JobKind.COMMAND,
        "status": status,
        "order": 0,
    }
    return JobState(**(plain | more))  # type: ignore[arg-type]  # fields by name


def an_instance(status: ContextStatus = ContextStatus.RUNNING, *, plan: str = PLAN, **more: object) -> InstanceStatus:
    """An instance with one context."""
    plain: dict[str, object] = {
        "instance": INSTANCE,
        "plan": PlanName(plan),
        "version": 1,
        "status": status,
        "created": NOON,
        "opens": NOON,
        "contexts": (ContextState(context=ContextName(plan), status=status, started=NOON),),
    }
    return InstanceStatus(**(plain | more))  # type: ignore[arg-type]  # fields by name


def a_plan(name: str = PLAN, **more: object) -> PlanStatus:
    """A plan as it is shown."""
    return PlanStatus(plan=PlanName(name), version=1, enabled=True, **more)  # type: ignore[arg-type]  # fields by name


def a_presence(
    state: NodeState = NodeState.ALIVE, *, connection: int = 1, complete: bool = True, node: str = "dashboard"
) -> Presence:
    """A node that is there and has shown everything."""
    return Presence(node=NodeName(node), state=state, connection=connection, since=NOON, complete=complete)


def where(document: Document) -> Address:
    """The address of a document of the dashboard."""
    match document:
        case JobState():
            return JobAt(document.instance, document.context, document.job)
        case InstanceStatus():
            return InstanceAt(document.instance)
        case PlanStatus():
            return PlanAt(document.plan)
        case LockState():
            return LockAt(document.lock, document.group)
        case _:
            return DashboardPresenceAt()


def payload(document: Document, *, epoch: int = 1, revision: int = 1, at: datetime = NOON) -> bytes:
    """What stands on the topic."""
    return stamp(encode_body(document), epoch=epoch, revision=revision, at=at)


def a_picture(*documents: Document) -> Picture:
    """A picture in which these were seen, in this order."""
    picture = Picture()
    for revision, document in enumerate(documents, 1):
        picture.take(where(document), payload(document, revision=revision))
    return picture


Reaction = Callable[[RequestTopic, bytes], Answer | None]


class FakeDashboard:
    """A dashboard that shows what it is told to show, and answers what a test says."""

    def __init__(self, broker: MemoryBroker, react: Reaction) -> None:
        self.asked: list[RequestTopic] = []
        self._broker = broker
        self._react = react
        self._revision = 0
        self._session: Session | None = None
        self._requests: asyncio.Queue[Delivery] = asyncio.Queue()

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[FakeDashboard]:
        """There, until left."""
        bus = self._broker.bus()
        async with bus.connect(client="dashboard", will=None, on_delivery=self._requests.put_nowait) as session:
            self._session = session
            await session.subscribe([f"{self._broker.topics.prefix}/request/+/+"])
            await self.show(a_presence())
            async with asyncio.TaskGroup() as group:
                answering = group.create_task(self._answer(session), name="answer")
                yield self
                answering.cancel()

    async def show(self, *documents: Document) -> None:
        """Publish documents, retained."""
        for document in documents:
            self._revision += 1
            topic = self._broker.topics.topic_of(where(document))
            await self._publish(Publication(topic, payload(document, revision=self._revision)))

    async def clear(self, address: Address) -> None:
        """Clear a topic."""
        await self._publish(Publication(self._broker.topics.topic_of(address), b""))

    async def _publish(self, publication: Publication) -> None:
        assert self._session is not None, "not alive"
        await self._session.publish([publication])

    async def _answer(self, session: Session) -> None:
        while True:
            delivery = await self._requests.get()
            asked = self._broker.topics.request_of(delivery.topic)
            self.asked.append(asked)
            answer = self._react(asked, delivery.payload)
            if answer is not None:
                topic = self._broker.topics.response(ResponseTopic(asked.user, asked.request, NodeName("dashboard")))
                await session.publish([Publication(topic, msgspec.json.encode(answer), retain=False)])
