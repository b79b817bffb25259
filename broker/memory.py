"""The bus over the model of a broker, within one event loop: for tests of the shells, and to develop without a broker.

It is as asynchronous as a real one - a message never arrives within the call that published it - but takes no time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from broker.bus import Acknowledged, Delivery, OnDelivery, Publication, Session
from broker.errors import BusError, RefusedError, ReplayError
from broker.filters import is_filter
from broker.model import BrokerModel, Closed, Output
from broker.topics import DEFAULT_PREFIX, Topics


class MemoryBroker:
    """A broker of this event loop, and what a test may do to it."""

    def __init__(
        self,
        *,
        prefix: str = DEFAULT_PREFIX,
        accounts: Mapping[str, str] | None = None,
        may_publish: Callable[[str, str], bool] | None = None,
        queue_limit: int | None = None,
    ) -> None:
        """``accounts``: passwords by user, None: anybody may connect. ``may_publish`` is asked with user and topic."""
        self.topics = Topics(prefix)
        self.accounts = accounts
        self.may_publish = may_publish or (lambda _user, _topic: True)
        self._queue_limit = queue_limit
        self._model = BrokerModel(queue_limit=queue_limit)
        self._up = True
        self._frozen = False
        self._sessions: dict[int, _MemorySession] = {}
        self._waiting: list[asyncio.Future[None]] = []
        """Calls that a frozen broker does not answer."""

    def bus(self, user: str = "", password: str = "") -> MemoryBus:
        """A bus whose sessions log in so."""
        return MemoryBus(self, user, password)

    @property
    def retained(self) -> dict[str, bytes]:
        """Everything retained now."""
        return self._model.retained

    @property
    def clients(self) -> list[str]:
        """The ids of the connected clients, longest connected first."""
        return list(self._model.connections.values())

    def cut(self, client: str) -> None:
        """Break a client's connection: its will is published."""
        for number, name in self._model.connections.items():
            if name == client:
                self._pass_on(self._model.lose(number))

    def stop(self) -> None:
        """Shut down in order; then nobody can connect."""
        self._up = False
        self._pass_on(self._model.stop())

    def kill(self) -> None:
        """Power off; then nobody can connect."""
        self._up = False
        self._pass_on(self._model.kill())

    def start(self, retained: Mapping[str, bytes] | None = None) -> None:
        """Start again, with what it had when it ended, or with what is given: nothing, or an older state."""
        kept = self._model.retained if retained is None else retained
        self._model = BrokerModel(kept, queue_limit=self._queue_limit)
        self._up = True
        self.thaw()

    def freeze(self) -> None:
        """Answer nothing from now on."""
        self._frozen = True

    def thaw(self) -> None:
        """Answer again."""
        self._frozen = False
        self._wake()

    # --- for sessions -----------------------------------------------------------------------------------------------

    def enter(self, session: _MemorySession, client: str, will: Publication | None) -> None:
        """Log a session in. Raises BusError."""
        if not self._up:
            raise BusError("the broker in memory is down")
        if self.accounts is not None and self.accounts.get(session.user) != session.password:
            raise RefusedError(f"the broker in memory refuses user '{session.user}': wrong user or password")
        # The former connection's number must be known until it was told of its end.
        number, outputs = self._model.connect(client, will)
        session.number = number
        self._sessions[number] = session
        self._pass_on(outputs)

    def leave(self, number: int) -> None:
        """A session ends cleanly."""
        self._model.leave(number)
        self._sessions.pop(number, None)
        self._wake()

    async def answer(self) -> None:
        """Take the moment that an answer takes; while frozen, until thawed or some connection is lost."""
        await asyncio.sleep(0)
        if self._frozen:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            await waiting

    @property
    def frozen(self) -> bool:
        """Whether it answers nothing."""
        return self._frozen

    def subscribe(self, number: int, filters: Sequence[str]) -> None:
        """A session's subscription; everything retained goes to it."""
        self._pass_on(self._model.subscribe(number, filters))

    def unsubscribe(self, number: int, filters: Sequence[str]) -> None:
        """A session's subscription ends."""
        self._model.unsubscribe(number, filters)

    def publish(self, number: int, publication: Publication) -> bool:
        """A session's publish; whether it goes to that session itself, too."""
        outputs = self._model.publish(number, publication)
        self._pass_on(outputs)
        return any(output.connection == number for output in outputs)

    def acknowledge(self, number: int) -> None:
        """A session has taken a message."""
        self._model.acknowledge(number)

    def _pass_on(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            session = self._sessions.get(output.connection)
            if isinstance(output, Closed):
                self._sessions.pop(output.connection, None)
                if session is not None:
                    session.lose(output.reason)
            elif session is not None:
                asyncio.get_running_loop().call_soon(session.receive, output.delivery)
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


class MemoryBus:
    """Sessions with a broker in memory."""

    unheard = False

    def __init__(self, broker: MemoryBroker, user: str = "", password: str = "") -> None:
        self._broker = broker
        self._user = user
        self._password = password

    def connect(
        self, *, client: str, will: Publication | None, on_delivery: OnDelivery
    ) -> AbstractAsyncContextManager[Session]:
        """See the port."""
        return self._connect(client, will, on_delivery)

    @asynccontextmanager
    async def _connect(self, client: str, will: Publication | None, on_delivery: OnDelivery) -> AsyncIterator[Session]:
        session = _MemorySession(self._broker, self._user, self._password, client, on_delivery)
        await asyncio.sleep(0)
        self._broker.enter(session, client, will)
        try:
            yield session
        finally:
            self._broker.leave(session.number)
            session.lose("we closed it")


class _MemorySession:
    """One connection."""

    def __init__(self, broker: MemoryBroker, user: str, password: str, client: str, on_delivery: OnDelivery) -> None:
        self.user = user
        self.password = password
        self.number = 0
        self._broker = broker
        self._sync = broker.topics.sync(client)
        self._on_delivery = on_delivery
        self._lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._replays: dict[bytes, asyncio.Future[None]] = {}
        self._nonces = 0

    async def send(self, publications: Sequence[Publication], acknowledged: Acknowledged) -> None:
        """See the port. A frozen broker takes nothing."""
        error: BusError | None = None
        try:
            await self._answered()
            error = self._hand_over(publications)
        except BusError as lost:
            error = lost
        asyncio.get_running_loop().call_soon(acknowledged, error)

    async def publish(self, publications: Sequence[Publication]) -> None:
        """See the port."""
        await self._answered()
        error = self._hand_over(publications)
        await self._answered()
        if error is not None:
            raise error

    async def subscribe(self, filters: Sequence[str]) -> bool:
        """See the port."""
        if not filters:
            return True
        for pattern in filters:
            if not is_filter(pattern):
                raise RefusedError(f"'{pattern}' is not a topic filter")
        await self._answered()
        self._nonces += 1
        nonce = str(self._nonces).encode()
        complete = self._replays[nonce] = asyncio.get_running_loop().create_future()
        try:
            self._broker.subscribe(self.number, (*filters, self._sync))
            if not self._broker.publish(self.number, Publication(self._sync, nonce, retain=False)):
                raise ReplayError("the broker in memory drops messages: set max_queued_messages 1000000")
            await asyncio.wait([complete, self._lost], return_when=asyncio.FIRST_COMPLETED)
            self._check()
        finally:
            del self._replays[nonce]
        return True

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        """See the port."""
        await self._answered()
        self._broker.unsubscribe(self.number, filters)

    async def lost(self) -> str:
        """See the port."""
        return await asyncio.shield(self._lost)

    def receive(self, delivery: Delivery) -> None:
        """A message came in."""
        self._broker.acknowledge(self.number)
        if self._lost.done():
            return
        if delivery.topic != self._sync:
            self._on_delivery(delivery)
        elif delivery.payload in self._replays and not self._replays[delivery.payload].done():
            self._replays[delivery.payload].set_result(None)

    def lose(self, reason: str) -> None:
        """The connection is gone."""
        if not self._lost.done():
            self._lost.set_result(reason)

    def _hand_over(self, publications: Sequence[Publication]) -> BusError | None:
        """What was wrong with it, if anything."""
        refused = []
        for publication in publications:
            if self._broker.may_publish(self.user, publication.topic):
                self._broker.publish(self.number, publication)
            else:
                refused.append(publication.topic)
        if refused:
            return RefusedError(f"the broker's access rules forbid us to publish on '{refused[0]}'")
        return None

    async def _answered(self) -> None:
        """Until the broker has answered. Raises BusError when the connection is gone instead."""
        self._check()
        await self._broker.answer()
        self._check()
        while self._broker.frozen:
            await self._broker.answer()
            self._check()

    def _check(self) -> None:
        if self._lost.done():
            raise BusError(f"the connection to the broker in memory is lost: {self._lost.result()}")
