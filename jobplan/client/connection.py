"""One person's connection to a broker: kept, lost and found again; what is retained is read again each time.

Knows of questions only that they are asked anew on each connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeVar

from broker.backoff import delay
from broker.bus import Bus, Delivery, Publication, Session
from broker.errors import BusError, RefusedError, ReplayError
from jobplan.client.feed import Feed, Link, News
from jobplan.client.picture import Picture
from jobplan.client.questions import Question
from jobplan.client.wire import Part, Scope, Wire
from jobplan.errors import BrokerError
from schemas.codec import SchemaError
from schemas.names import RequestId

T = TypeVar("T")

PATIENCE: Final = timedelta(seconds=10)
"""How long an answer, or a broker, is waited for unless said otherwise."""

LONGEST_PAUSE: Final = 15.0
SHOWN_AGAIN: Final = 15.0
"""Seconds in which who lives shows everything again that no server could prove; longer than the pause between two such times."""


class Connection:
    """See the module. Usable from one event loop."""

    def __init__(self, bus: Bus, wire: Wire, *, client: str, patience: timedelta = PATIENCE) -> None:
        self.picture = Picture()
        self.wire = wire
        self.link = Link(reason="not connected yet")
        self.patience = patience
        self._bus = bus
        self._client = client
        self._session: Session | None = None
        self._filters: list[str] = wire.filters(Scope.PRESENCES)
        self.questions: dict[RequestId, Question] = {}
        self._feeds: list[Feed] = []
        self._counters: dict[str, bytes] = {}
        self._up = asyncio.Event()
        self._arrival = asyncio.Event()
        self._refused: BrokerError | None = None

    async def keep_connected(self) -> None:
        """Connect, follow, and connect again after a loss; ends only by being cancelled, or when the broker refuses us."""
        attempt = 0
        while True:
            try:
                async with self._bus.connect(client=self._client, will=None, on_delivery=self._arrived) as session:
                    await self._take_up(session)
                    attempt = 0
                    reason = await session.lost()
            except RefusedError as error:
                self._refused = BrokerError(str(error))
                self._down(str(error))
                return
            except BusError as error:
                reason = str(error)
            self._down(reason)
            attempt += 1
            await asyncio.sleep(delay(attempt, random.Random(), ceiling=LONGEST_PAUSE))  # noqa: S311  # spreads reconnects

    async def _take_up(self, session: Session) -> None:
        """Read again all that is followed, then ask again what is open."""
        self.picture.begin_replay()
        subscribed: set[str] = set()
        proved = True
        while missing := [one for one in self._wanted() if one not in subscribed]:
            proved &= await session.subscribe(missing)  # meanwhile more may be wanted
            subscribed.update(missing)
        if not proved:
            await self._shown_again()
        self._session = session
        for change in self.picture.settle():
            self._tell(change)
        self.link = Link()
        self._tell(self.link)
        self._up.set()
        for question in tuple(self.questions.values()):
            await self.publish_question(question)

    def _wanted(self) -> list[str]:
        return [*self._filters, *(self.wire.answers(request) for request in self.questions)]

    def _down(self, reason: str) -> None:
        self._session = None
        if self.link.reason != reason:
            self.link = Link(reason=reason)
            self._tell(self.link)
        if self._refused is not None:
            self._up.set()
            for question in self.questions.values():
                question.fail(self._refused)
        else:
            self._up.clear()

    async def wait_until_connected(self, patience: timedelta | None = None) -> None:
        """Return when the first replay is in. Raises BrokerError when that takes too long, or the broker refuses us."""
        try:
            async with asyncio.timeout(None if patience is None else patience.total_seconds()):
                await self._up.wait()
        except TimeoutError:
            raise BrokerError(
                f"{self.link.reason}; start one with 'jobplan serve broker', or name another with --broker"
            ) from None
        if self._refused is not None:
            raise self._refused

    def _arrived(self, delivery: Delivery) -> None:
        """Something came: an answer, or a document."""
        answer = self.wire.answer(delivery.topic)
        if answer is not None:
            question = self.questions.get(answer[0])
            if question is not None:
                question.take(answer[1], delivery.payload)
            return
        address = self.wire.address(delivery.topic)
        if address is None:
            if delivery.topic.startswith("$SYS/"):
                self._counters[delivery.topic] = delivery.payload
            return
        try:
            change = self.picture.take(address, delivery.payload, retained=delivery.retained)
        except SchemaError as error:
            self.picture.unreadable[delivery.topic] = str(error)
            return
        self._arrival.set()
        if change is not None:
            self._tell(change)

    async def follow(self, *scopes: Part) -> None:
        """Keep these parts of the picture up to date; returns when all that is retained of them is in."""
        wanted = [one for scope in scopes for one in self.wire.filters(scope) if one not in self._filters]
        self._filters += wanted
        if not await self._subscribe(wanted):
            await self._shown_again()
        await self.wait_until_connected(self.patience)

    async def counter(self, topic: str) -> int:
        """What a counter of the broker stands at; 0 where it shows none, or not to this user."""
        session = self._session
        if session is None:
            return 0
        with contextlib.suppress(BusError):
            await session.subscribe([topic])
        text = self._counters.get(topic, b"")
        return int(text) if text.isdigit() else 0

    async def _subscribe(self, filters: list[str]) -> bool:
        """On this connection; without one, or when it goes meanwhile, the next one sees to it. False: it may be an old state."""
        session = self._session
        if session is None or not filters:
            return True
        try:
            return await session.subscribe(filters)
        except (RefusedError, ReplayError) as error:
            raise BrokerError(str(error)) from error
        except BusError:
            self._up.clear()
        return True

    async def _shown_again(self) -> None:
        """Wait until all nodes that live have said their presence since we asked, or for as long as that may take."""
        said = {address: self.picture.at(address) for address in self.picture.living()}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SHOWN_AGAIN):
                while any(self.picture.at(address) == at for address, at in said.items()):
                    self._arrival.clear()
                    await self._arrival.wait()

    def changes(self) -> Feed:
        """What happens from now on; close it when done. Begun before ``follow``, it has what is retained as well."""
        feed = Feed()
        self._feeds.append(feed)
        return feed

    def _tell(self, news: News) -> None:
        self._feeds = [feed for feed in self._feeds if not feed.closed]
        for feed in self._feeds:
            feed.put(news)

    async def until(self, true: Callable[[Picture], T | None], patience: timedelta) -> T | None:
        """Wait until the picture makes this true and return what it gave; None when it took too long."""
        feed = self.changes()
        loop = asyncio.get_running_loop()
        end = loop.time() + patience.total_seconds()
        try:
            while not (found := true(self.picture)):
                left = end - loop.time()
                if left <= 0:
                    return None
                await feed.wait(left)
            return found
        finally:
            feed.close()

    async def put_question(self, question: Question) -> None:
        """Ask, or have it asked on the next connection."""
        self.questions[question.request] = question
        await self._subscribe([self.wire.answers(question.request)])
        await self.publish_question(question)

    async def publish_question(self, question: Question) -> None:
        """Ask, perhaps again: the same id, so it is done once."""
        session = self._session
        if session is None:
            return
        try:
            await session.publish([Publication(question.topic, question.payload, retain=False)])
        except RefusedError as error:
            why = "who is a viewer there only looks (jobplan broker add-user NAME DIR makes one who may ask)"
            question.fail(BrokerError(f"the broker does not let '{self.wire.user}' ask for anything: {why}; {error}"))
        except BusError:
            return  # the connection is going: it is asked again on the next one

    async def drop_question(self, question: Question) -> None:
        """No more answers to it are wanted."""
        self.questions.pop(question.request, None)
        session = self._session
        if session is None:
            return
        try:
            await session.unsubscribe([self.wire.answers(question.request)])
        except BusError:
            return  # with the connection the subscription is gone too
