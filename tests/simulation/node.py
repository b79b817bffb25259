"""A node: a real core, the real life of a node round it, and the driver's three steps as moments of their own.

Told after `broker/runtime/driver.py`. A life ends by `crash`, between any two steps of its tasks; what it had on disk is there
for the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from random import Random
from typing import Any

from msgspec import Struct

from broker.errors import BusError
from broker.runtime.core import Changes, Core, Decision, Heard, Recovered, Reply
from broker.runtime.life import Life
from broker.runtime.selfwatch import Identity
from broker.runtime.turn import Turn
from schemas.addresses import Address
from schemas.codec import encode_body
from schemas.documents import Document
from tests.simulation.clock import Clock
from tests.simulation.disk import Disk
from tests.simulation.network import Network
from tests.simulation.session import LIMITS, TOPICS, Link
from tests.simulation.trace import Crashed, Fault, Found, Lodged, Performed, Shown, Started, Stepped, Trace
from tests.simulation.world import Promise, Steps, Task, World, wait

STUCK = 0.05
PART = 10
"""Documents shown in one turn after a connection: few, so that much comes between."""


class Pace(Struct, kw_only=True):
    """How long a node's steps take, in seconds, and how likely it dies between two of them."""

    step: float = 0.001
    slow: float = 0.0
    """Further seconds at most."""
    fatal: float = 0.0


class Observed:
    """A core that tells what reaches it."""

    def __init__(self, core: Core[Any, Any], tell: Callable[[Any], None]) -> None:
        self.core = core
        self._tell = tell

    def restore(self, rows: Any) -> None:  # noqa: ANN401  # as the port has it
        """Take in what was saved."""
        self.core.restore(rows)

    def step(self, event: Any) -> Decision[Any]:  # noqa: ANN401  # any event of any core
        """Decide."""
        self._tell(event)
        return self.core.step(event)

    def apply(self, changes: Changes) -> None:
        """Make it the state."""
        self.core.apply(changes)

    def project(self, changes: Changes) -> Mapping[Address, Document | None]:
        """What is to be shown differently."""
        return self.core.project(changes)

    def documents(self) -> Iterator[tuple[Address, Document]]:
        """All that is to be shown."""
        return self.core.documents()

    def next_wakeup(self) -> datetime | None:
        """When a tick is due."""
        return self.core.next_wakeup()

    def check(self) -> None:
        """Check the promises."""
        self.core.check()


class Node:
    """One node over all its lives."""

    def __init__(  # noqa: PLR0913  # all that a node is lent
        self,
        name: str,
        identity: Identity,
        make_core: Callable[[], Core[Any, Any]],
        *,
        world: World,
        network: Network,
        trace: Trace,
        broken: Callable[[str, Exception], None],
    ) -> None:
        self.name = name
        self.identity = identity
        self.clock = Clock(world)
        self.disk = Disk(name, world, trace)
        self.pace = Pace()
        self.generation = 0
        self.up = False
        self.perform: Callable[[Any], None] = lambda _effect: None
        """Carries out an effect; the agent's hands."""
        self.silent: Callable[[], bool] = lambda: False
        """Whether its hands know something that they have yet to tell."""
        self.began: Callable[[], None] = lambda: None
        """Told when a life begins."""
        self.died: Callable[[], None] = lambda: None
        """Told when a life has ended."""
        self.died_by_itself: Callable[[], None] = lambda: None
        """Told when it was the pace that ended it: nobody else has planned its return."""
        self._make_core = make_core
        self._world = world
        self._network = network
        self._trace = trace
        self._broken = broken
        self._chance: Random = world.chance(f"node {name}")
        self._doing = ""

    # ------------------------------------------------------------------ lives

    def start(self) -> None:
        """A life begins, with what the disk holds."""
        self.generation += 1
        self.up = True
        self._trace.add(Started(at=self._world.seconds, node=self.name))
        self._core = Observed(self._make_core(), self._tell)
        self.life: Life[Any, Any] = Life(self._core, self.identity, TOPICS)
        self.life.part = PART
        self._latest = self._turned = datetime.min.replace(tzinfo=UTC)
        self._wake: Promise[None] = Promise()
        self._doing = "starting"
        try:
            self.life.restore(self.disk.load())
        except Exception as error:  # noqa: BLE001  # judged as any failure of a node
            self._broken(self.name, error)
            return
        self.link = Link(
            self.name,
            self.life,
            self.disk,
            self._network,
            self._trace,
            world=self._world,
            now=self.now,
            wake=self.wake,
        )
        self.began()
        generation = self.generation

        def failed(error: Exception) -> None:
            if self.generation == generation:
                self._broken(self.name, error)

        self._tasks = [Task(self._turns(), failed)]
        self._tasks.append(Task(self.link.keep(), failed))

    def crash(self, *, silent: float = 0.0) -> None:
        """The life ends here and now. ``silent``: seconds until the broker hears of it."""
        if not self.up:
            return
        self.up = False
        self.generation += 1
        for task in self._tasks:
            task.end()
        self.link.alive = False
        self._trace.add(Crashed(at=self._world.seconds, node=self.name, during=self._doing))
        if self.disk.crash():
            self._trace.add(Fault(at=self._world.seconds, kind="lost write", victim=self.name))
        self._network.reset_by_death(self.name, there=silent)
        self.died()

    def bury(self) -> None:
        """Nothing of this node goes on."""
        if self.up:
            self.link.alive = False
            for task in self._tasks:
                task.end()

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Have something happen, unless this life is over by then."""
        generation = self.generation
        self._world.later(seconds, lambda: action() if self.generation == generation else None)

    # ------------------------------------------------------------------ what its loops are lent

    def now(self) -> datetime:
        """Its time; it stands still while its clock has been set back."""
        self._latest = max(self._latest, self.clock.now())
        return self._latest

    def wake(self) -> None:
        """Something has arrived."""
        self._wake.keep(None)

    def offer(self, event: Any) -> None:  # noqa: ANN401  # an event of any core
        """Something happened in its own world."""
        self.life.offer(event)
        self.wake()

    @property
    def at_rest(self) -> bool:
        """Whether it is connected, has shown all, and waits for something to happen."""
        idle = self._doing == "waiting" and not self.life.backlog and not self.silent()
        return self.up and self.life.complete and idle

    def wanted(self) -> dict[str, bytes]:
        """All it would show, by topic, without headers."""
        return {TOPICS.topic_of(address): encode_body(document) for address, document in self._core.documents()}

    def _tell(self, event: Any) -> None:  # noqa: ANN401  # an event of any core
        if isinstance(event, Recovered) and event.journal == event.epoch:
            self._trace.add(Found(at=self._world.seconds, node=self.name, documents=tuple(event.shown.items())))
        address, document = (event.address, event.document) if isinstance(event, Heard) else (None, None)
        self._trace.add(
            Stepped(
                at=self._world.seconds,
                node=self.name,
                event=type(event).__name__,
                now=event.now,
                address=address,
                document=document,
            )
        )

    # ------------------------------------------------------------------ turns

    def _turns(self) -> Steps[None]:
        while True:
            yield from self._something()
            yield from self._pause("turning")
            self._wake = Promise()
            turn = self.life.turn(self.now())
            if turn is None:
                self._doing = "waiting"
                continue
            self._turned = turn.now
            yield from self._save(turn)
            yield from self._show(turn)
            yield from self._perform(turn)
            if self.life.showing:
                self.wake()
            self._doing = "waiting"

    def _pause(self, doing: str) -> Steps[None]:
        """A step takes its time, and may be the last one."""
        self._doing = doing
        pace, chance = self.pace, self._chance
        over: Promise[None] = Promise()
        seconds = pace.step * chance.random() + pace.slow * chance.random()
        if pace.fatal and chance.random() < pace.fatal:
            self._trace.add(Fault(at=self._world.seconds, kind=f"crash while {doing}", victim=self.name))
            self.later(seconds * chance.random(), self._die)
        self.later(seconds, lambda: over.keep(None))
        yield from wait(over)

    def _die(self) -> None:
        self.crash(silent=self._chance.choice([0.0, 0.0, 20.0]))
        self.died_by_itself()

    def _something(self) -> Steps[None]:
        """Wait until something arrived, or a tick is due by its clock."""
        if self._wake.done:
            self._doing = "woken"
            return
        due, now = self.life.next_wakeup(), self.now()
        seconds = LIMITS.nap if due is None else (due - now).total_seconds()
        least = STUCK if due is not None and due <= self._turned else 0.0
        waking = self._wake
        self.later(min(max(seconds, least), LIMITS.nap), lambda: waking.keep(None))
        yield from wait(waking)

    def _save(self, turn: Turn[Any]) -> Steps[None]:
        if not turn.durable:
            return
        self.disk.write(turn.rows, turn.audit)
        yield from self._pause("saving")
        self.disk.sync()
        yield from self._pause("about to show")

    def _show(self, turn: Turn[Any]) -> Steps[None]:
        if not turn.publications or not self.life.connected or turn.connection != self.life.connection:
            return
        own = self.life.wire.presence
        documents = [publication for publication in turn.publications if publication.retain]
        said = [publication for publication in documents if publication.topic == own]
        for publication in said:
            self._trace.add(Lodged(at=self._world.seconds, node=self.name, topic=own, payload=publication.payload))
        self._trace.add(
            Shown(
                at=self._world.seconds,
                node=self.name,
                publications=tuple((p.topic, p.payload) for p in documents if p.topic != own),
                whole=tuple(address for address, _ in self._core.documents()) if turn.whole else None,
            )
        )
        self.link.send(turn.publications, lambda: self.life.acknowledged(turn))
        yield from self._pause("about to perform")

    def _perform(self, turn: Turn[Any]) -> Steps[None]:
        for is_reply, effects in groupby(turn.effects, key=lambda effect: isinstance(effect, Reply)):
            together = list(effects)
            for effect in together:
                self._trace.add(Performed(at=self._world.seconds, node=self.name, effect=type(effect).__name__))
                if not is_reply:
                    self.perform(effect)
                    yield from self._pause("performing")
            if is_reply:
                yield from self._answer(together)
                yield from self._pause("performing")

    def answer_later(self, reply: Reply) -> None:
        """Answer a request outside a turn, as an adapter does."""
        self.later(
            0.01, lambda: self._tasks.append(Task(self._answer([reply]), lambda error: self._broken(self.name, error)))
        )

    def _answer(self, replies: Sequence[Reply]) -> Steps[None]:
        try:
            yield from self.link.publish([self.life.wire.answer(reply) for reply in replies])
        except BusError:
            return
