"""A broker in this process, as small as the bus's port allows: retained topics, wills, client ids, and the faults of a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from broker.bus import Delivery, OnDelivery, Publication, Session
from broker.errors import BusError
from broker.filters import matches


class FakeBroker:
    """The bus's port, and what a test does to a broker."""

    def __init__(self) -> None:
        self.retained: dict[str, bytes] = {}
        self.history: list[Publication] = []
        """Everything ever published, wills included."""
        self.up = True
        self.attempts = 0
        self.mute = False
        """Take publications and acknowledge none."""
        self._sessions: dict[str, FakeSession] = {}

    def connect(
        self, *, client: str, will: Publication | None, on_delivery: OnDelivery
    ) -> AbstractAsyncContextManager[Session]:
        """See the port."""
        return self._connect(client, will, on_delivery)

    @asynccontextmanager
    async def _connect(self, client: str, will: Publication | None, on_delivery: OnDelivery) -> AsyncIterator[Session]:
        await asyncio.sleep(0)
        self.attempts += 1
        if not self.up:
            raise BusError("connection refused")
        if client in self._sessions:
            self._sessions[client].cut("taken over")
        session = self._sessions[client] = FakeSession(self, will, on_delivery)
        try:
            yield session
        finally:
            if session.gone is None:
                session.gone = "closed"
                del self._sessions[client]

    def publish(self, publication: Publication) -> None:
        """What a broker does with a publication, whoever sent it."""
        self.history.append(publication)
        if publication.retain:
            if publication.payload:
                self.retained[publication.topic] = publication.payload
            else:
                self.retained.pop(publication.topic, None)
        for session in list(self._sessions.values()):
            session.hand_on(Delivery(publication.topic, publication.payload, retained=False))

    def cut(self, *, wills: bool = True) -> None:
        """Every connection is lost."""
        for session in list(self._sessions.values()):
            session.cut("connection reset", will=wills)

    def stop(self) -> None:
        """The broker ends; it has no time for wills."""
        self.up = False
        self.cut(wills=False)

    def start(self, retained: dict[str, bytes] | None = None) -> None:
        """The broker is back, with the given store; None: with what it had."""
        self.up = True
        if retained is not None:
            self.retained = dict(retained)

    def clients(self) -> list[str]:
        """Who is connected."""
        return sorted(self._sessions)

    def forget(self, session: FakeSession) -> None:
        """The session is over."""
        self._sessions = {client: other for client, other in self._sessions.items() if other is not session}


class FakeSession:
    """One connection."""

    def __init__(self, broker: FakeBroker, will: Publication | None, on_delivery: OnDelivery) -> None:
        self._broker = broker
        self._will = will
        self._on_delivery = on_delivery
        self._filters: list[str] = []
        self._over = asyncio.Event()
        self.gone: str | None = None

    async def subscribe(self, filters: Sequence[str]) -> None:
        """See the port."""
        await self._there()
        self._filters += filters
        for topic, payload in list(self._broker.retained.items()):
            if any(matches(name, topic) for name in filters):
                self._on_delivery(Delivery(topic, payload, retained=True))

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        """See the port."""
        await self._there()
        self._filters = [name for name in self._filters if name not in filters]

    async def publish(self, publications: Sequence[Publication]) -> None:
        """See the port."""
        for publication in publications:
            await self._there()
            self._broker.publish(publication)
        if self._broker.mute:
            await self._over.wait()
        await self._there()

    async def lost(self) -> str:
        """See the port."""
        await self._over.wait()
        return self.gone or "closed"

    def hand_on(self, delivery: Delivery) -> None:
        """Deliver what the session subscribed to."""
        if any(matches(name, delivery.topic) for name in self._filters):
            self._on_delivery(delivery)

    def cut(self, reason: str, *, will: bool = True) -> None:
        """The connection is lost."""
        if self.gone is not None:
            return
        self.gone = reason
        self._over.set()
        self._broker.forget(self)
        if will and self._will is not None:
            self._broker.publish(self._will)

    async def _there(self) -> None:
        await asyncio.sleep(0)
        if self.gone is not None:
            raise BusError(f"the connection is lost: {self.gone}")
