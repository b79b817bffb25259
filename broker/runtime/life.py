"""One life of a node, from what it saved to its farewell, without any I/O: what is heard, decided, shown and said of itself.

Pure. The driver lends it a connection, a clock and a disk; a simulation lends it virtual ones and may take any of them away
between two calls. The order of the calls is the node's life::

    restore(rows)                                    what was saved
    per connection:
      floor = look(payload at our presence)          before we claim the name; a newer life there means we are fenced
      begin(epoch)                                   the first time: an epoch above the floor, durable
      will = connecting(now)                         connect with it
      hello(now)                                     publish it first: alive, not complete
      deliver(...) ...                               subscribe to ``everything``, until the replay is proved complete
      replayed(proved)                               unsubscribe from ``wire.own``
      turn(now) ...                                  until the connection is gone: lost()
    farewell(now)                                    publish it, if it ends by its own will
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Generic, TypeVar

from broker.bus import Delivery, Publication
from broker.runtime.again import Again, Asking
from broker.runtime.aside import Aside
from broker.runtime.core import Changes, Core, Key, Recovered, Reply, RuntimeEvent, Tick
from broker.runtime.doubt import Doubt
from broker.runtime.errors import FencedError
from broker.runtime.inbox import MOST_REQUESTS, Inbox, unfit
from broker.runtime.left import Left, outrank
from broker.runtime.presence import Writer, writer_of
from broker.runtime.reconciler import Mark, Reconciler
from broker.runtime.saved import JOURNAL, MARK, take_apart
from broker.runtime.selfwatch import Identity, Journal, SelfWatch, Verdict, fenced
from broker.runtime.shares import Shares
from broker.runtime.turn import Turn, decide
from broker.runtime.view import Reading, View
from broker.runtime.whole import PART, Whole
from broker.runtime.wire import Wire
from broker.runtime.words import Words
from broker.topic_table import Role
from broker.topics import RequestTopic, Topics
from schemas.addresses import Address, AgentPresenceAt, DashboardPresenceAt
from schemas.codec import SchemaError
from schemas.documents import Presence, Share
from schemas.requests import Answer
from schemas.status import NodeState

E = TypeVar("E")
F = TypeVar("F")


class Life(Generic[E, F]):
    """The state of a node's runtime round its core's."""

    def __init__(
        self, core: Core[E | RuntimeEvent, F], identity: Identity, topics: Topics, *, check: bool = True
    ) -> None:
        self.part = PART
        """So many documents are looked at in one turn while all of them are shown."""
        self.wire = Wire(topics, identity.role, identity.node)
        self.view = View(self.wire.reads(identity.version), shared=identity.role is Role.AGENT)
        self.aside = Aside()
        self.epoch = 0
        self.started = False
        """Whether the first replay is in: before, nothing is acted on."""
        self.trouble: FencedError | str | None = None
        """Why this connection must end: somebody else's life, or only another connection helps."""
        self._core = core
        self.identity = identity
        self._check = check
        self._inbox: Inbox[E] = Inbox()
        self._speak(0)
        self._mark: Mark | None = None
        self._own: dict[str, bytes] | None = None
        self._recovered: Left | None = None
        self._since: frozenset[str] = frozenset()
        """Topics of what was shown since our records were saved."""
        self._journal: Journal | None = None
        self._journal_saved = False
        self._replies: list[Reply] = []
        self._whole: Whole | None = None
        self._doubt = Doubt()
        self._again = Again()
        self._asking = Asking()

    def restore(self, rows: Iterable[tuple[Key, bytes]]) -> None:
        """Take in all that was saved; raises InvariantError."""
        saved = take_apart(rows, self.wire)
        self._mark, self._journal = saved.mark, saved.journal
        self._journal_saved = saved.journal is not None
        self.view.restore(saved.seen)
        self._core.restore(saved.core)
        self._core.check()

    def say(self, identity: Identity) -> None:
        """From now on our presence says this; it is said again when it may be."""
        self.identity = self._words.watch.identity = identity

    @property
    def connection(self) -> int:
        """Counted up in each life."""
        return self._words.watch.connection

    @property
    def connected(self) -> bool:
        """Whether it is known what the broker retains of this node."""
        return self._reconciler.known

    @property
    def complete(self) -> bool:
        """Whether everything this node has to show stands on the broker."""
        return self._words.complete

    @property
    def showing(self) -> bool:
        """Whether there is more to show, without anything arriving."""
        return self.connected and not self.complete

    @property
    def documents(self) -> int:
        """How many retained documents stand for this node, presence aside, as far as is known."""
        return self._reconciler.count

    @property
    def backlog(self) -> int:
        """How many events wait for the next turn."""
        return len(self._inbox) + len(self._replies)

    @property
    def everything(self) -> tuple[str, ...]:
        """What to subscribe to: our own documents for the replay alone, our own presence and the others' for good."""
        return (*self.wire.own, self.wire.presence, *self.wire.foreign)

    def look(self, payload: bytes | None) -> int:
        """Judge what stands at our presence before we connect under our name; the least epoch that outranks it is returned.

        Raises FencedError once we live and a newer life of this node has spoken: who lost the name never takes it back.
        """
        try:
            header, said = self.wire.read_presence(payload or b"")
        except SchemaError:
            return 1
        if self.started and self._words.watch.judge(header, said) is Verdict.NEWER:
            raise FencedError(fenced(header.epoch, said))
        return header.epoch + 1

    def begin(self, epoch: int) -> None:
        """The life's number is drawn, and durable."""
        self.epoch = epoch
        if self._journal is None or not self._journal_saved:  # a number drawn before, and taken, was no life
            self._journal = Journal(epoch)
        self._speak(epoch, self._journal.epoch)

    def connecting(self, now: datetime) -> Publication:
        """A connection is about to be made: this is its will."""
        self.lost()
        self.trouble = None
        self.view.begin()
        self._doubt.begin()
        self.aside.begin()
        self._own = {}
        self._shares.connecting()
        self._words.connecting(now)
        return self._words.presence(NodeState.GONE, now)

    def hello(self, now: datetime) -> Publication:
        """To publish first of all: alive, but not all is shown yet."""
        return self._words.presence(NodeState.ALIVE, now)

    def lost(self) -> None:
        """The connection is gone. What does not need it goes on."""
        self._reconciler.lost()
        self._asking.begin()
        self._words.complete = False
        self._own = self._whole = None

    def farewell(self, now: datetime) -> Publication:
        """To publish last of all."""
        return self._words.presence(NodeState.GONE, now)

    def offer(self, event: E) -> None:
        """Something happened in the node's own world."""
        self._inbox.offer(event)

    def deliver(self, delivery: Delivery) -> None:
        """Something arrived from the broker; never raises, and never acts."""
        if delivery.topic == self.wire.presence:
            self.trouble = self._words.hear(delivery.payload) or self.trouble
        elif self._own is not None and self.wire.is_own(delivery.topic):
            self._own[delivery.topic] = delivery.payload
        elif (address := self.wire.address_of(delivery.topic)) is not None:
            if writer_of(address) != self.wire.me:
                self._hear(address, delivery)
        elif (asked := self.wire.asking(delivery.topic)) is not None:
            self._hear_request(asked, delivery)
        elif self.wire.is_again(delivery.topic):
            self._again.ask()
        elif delivery.payload:
            self.aside.add(delivery.topic, "a topic that stands for nothing")
        else:
            self.aside.settle(delivery.topic)

    def replayed(self, *, proved: bool = True, unheard: bool = False) -> None:
        """The replay is over. Raises EpochTakenError, FencedError: newer lives wrote.

        Not ``proved``: what stands comes live. ``unheard``: what an earlier life published may stand unheard.
        """
        standing = {topic: payload for topic, payload in (self._own or {}).items() if payload}
        self._own = None
        outrank(self.epoch, standing, started=self.started)
        told = {topic: agent for topic in standing if (agent := self.wire.told(topic)) is not None}
        own = {topic: payload for topic, payload in standing.items() if topic not in told}
        if not self.started:
            self._reconciler.adopt(own, self._mark, unheard=unheard)
            self._recovered = Left(own, self.wire, self.aside)
            self._since = self._reconciler.published_since(own)
            self.started = True
        self._reconciler.replayed(own, proved=proved)
        self._asking.replayed(proved=proved)
        self._shares.replayed(self._reconciler.topics, told.values())
        for news in self.view.end(proved=proved):
            self._inbox.news(news)

    def next_wakeup(self) -> datetime | None:
        """When a turn is due without anything arriving; None: not by time."""
        if not self.started:
            return None
        again = self._again.due() if self.complete else None
        times = [self._core.next_wakeup(), self._words.due(), self._doubt.due(), again]
        return min((time for time in times if time is not None), default=None)

    def turn(self, now: datetime) -> Turn[F] | None:
        """Take all that waits as one batch and decide; None: there is nothing to do. ``now`` must not go back."""
        if not self.started:
            return None
        for writer in self._doubt.doubted(now):
            for news in self.view.doubt(writer):
                self._inbox.news(news)
        if self.complete and self._again.take(now):
            self._reconciler.show_again()
            self._words.complete = False
        events = self._events(now)
        due = self._words.due()
        idle = not (events or self._replies or self.showing or self._asking.due)
        if idle and (due is None or due > now):
            return None
        decided = decide(self._core, events, check=self._check)
        replies, self._replies = tuple(self._replies), []
        before, shown = self.complete, self._show(decided.changes, now)
        return Turn(
            now=now,
            events=len(events),
            rows=self._rows(decided.changes, audited=bool(decided.audit)),
            audit=decided.audit,
            connection=self.connection,
            whole=self.complete and not before,
            publications=(*shown, *self._words.take(now), *self._ask()),
            effects=(*replies, *decided.effects),
        )

    def _ask(self) -> list[Publication]:
        return [self.wire.again()] if self._asking.take() else []

    def acknowledged(self, turn: Turn[F]) -> None:
        """What a turn shows is visible."""
        if turn.connection == self.connection:
            self._reconciler.acknowledged(turn.publications)

    def _speak(self, epoch: int, journal: int = 0) -> None:
        """From now on what we show, and say of ourselves, is of this life."""
        self._shares = Shares(self.wire.share_of)
        self._reconciler = Reconciler(self.wire.topic_of, epoch, self._shares)
        watch = SelfWatch(self.identity, epoch, journal)
        self._words = Words(watch, self.wire, self._reconciler, self._shares, self.aside)

    def _events(self, now: datetime) -> list[E | RuntimeEvent]:
        """All that waits; at the very first, what the broker retained of us before, and time after."""
        events: list[E | RuntimeEvent] = []
        first, self._recovered = self._recovered, None
        if first is not None:
            journal = self._journal.epoch if self._journal is not None else 0
            events.append(Recovered(now, self.epoch, first, journal, first.of(self._since)))
        events += self._inbox.take(now)
        due = self._core.next_wakeup()
        if first is not None or (due is not None and due <= now):
            events.append(Tick(now))
        return events

    def _show(self, changes: Changes, now: datetime) -> list[Publication]:
        """What follows from what changed, or was heard and is not saved; then the next part of all there is to show."""
        if not self.connected:
            return []
        if self.showing and self._whole is None:
            self._whole = Whole(self._core.documents(), self.part)
        changed = self._core.project(changes)
        shown = self._reconciler.show(changed, now)  # first: what comes in its turn may speak for it
        if self._whole is not None:
            self._whole.changed(changed)
            shown += self._reconciler.show(self._whole.part(), now)
            if self._whole.over:
                shown += self._reconciler.clear_rest()
                self._whole = None
                self._words.shown()
                self._doubt.shown(now)
        return shown

    def _rows(self, changes: Changes, *, audited: bool) -> Changes:
        """What to save: the core's changes, and ours with them.

        What was heard is saved with what follows from it; alone it may wait, for hearing it again does no harm.
        """
        rows = dict(changes)
        mark = self._reconciler.mark
        if mark is not None and mark != self._mark:
            rows[MARK] = self._mark = mark
        if rows or audited:
            rows.update(self.view.seen())
            if not self._journal_saved:
                rows[JOURNAL], self._journal_saved = self._journal, True
        return rows

    def _hear(self, address: Address, delivery: Delivery) -> None:
        """A document of another node, or its removal."""
        topic = delivery.topic
        if not delivery.payload:
            self.aside.settle(topic)
            if isinstance(address, AgentPresenceAt):
                self._shares.part(address.agent)
            if isinstance(address, AgentPresenceAt | DashboardPresenceAt):
                self._doubt.cleared(address)
            news = [] if delivery.retained else self.view.cleared(address)
        else:
            try:
                header, document = self.wire.read(address, delivery.payload)
            except SchemaError as error:
                self.aside.add(topic, str(error))
                self.view.unreadable(address)
                return
            self.aside.settle(topic)
            reading = Reading(topic, address, header, document, delivery.retained)
            news = self.view.take(reading)
            self._heard_of(writer_of(address), reading)
        for entry in news:
            self._inbox.news(entry)

    def _heard_of(self, writer: Writer, reading: Reading) -> None:
        """A node says that it lives, or another thing that only who lives can say."""
        if isinstance(reading.document, Presence):
            if isinstance(writer, AgentPresenceAt):
                self._shares.meet(writer.agent)
            self._asking.heard(writer, reading.header, reading.document, retained=reading.retained)
            if self._doubt.heard(writer, reading.header, reading.document, retained=reading.retained):
                self._words.answer(writer)
        elif isinstance(reading.document, Share) and not reading.retained:
            self._doubt.spoke(writer)

    def _hear_request(self, asked: RequestTopic, delivery: Delivery) -> None:
        """A person's tool asks; what cannot be put before the core is refused here, with the reason."""
        if not delivery.payload:
            self.aside.settle(delivery.topic)
            return
        if delivery.retained:
            self.aside.add(delivery.topic, "a retained request: whoever published it must clear it")
            return
        reason = unfit(delivery.payload)
        if not reason and not self._inbox.request(asked, delivery.payload):
            reason = "too many requests wait here: ask again later"
        if reason and len(self._replies) < MOST_REQUESTS:
            self._replies.append(Reply(asked.user, asked.request, Answer(ok=False, reason=reason)))
