"""One connection between a node and the broker: what is sent on it arrives in order, late, twice or not at all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from broker.bus import Delivery
from broker.errors import BusError
from tests.simulation.trace import Fault
from tests.simulation.world import Action, Promise

if TYPE_CHECKING:
    from tests.simulation.network import Network


class Line:
    """One connection, with both its ends: each finds out by itself that it is over."""

    def __init__(self, network: Network, owner: str, client: str, on_delivery: Callable[[Delivery], None]) -> None:
        self.owner = owner
        self.client = client
        self.number = 0
        """The broker's name for it; 0: not known there."""
        self.server = 0
        """Which of the broker's servers it is to."""
        self.since: float | None = None
        """When that began to send what is new."""
        self.lost: Promise[str] = Promise()
        self.opened: Promise[None] = Promise()
        self._network = network
        self._on_delivery = on_delivery
        self._there = self._here = 0.0
        self._held: list[tuple[bool, Action]] = []
        self._under_way: dict[bool, deque[Action]] = {True: deque(), False: deque()}
        """What travels there, and here, in order: what arrives is the first of it, whenever it was sent."""
        self._recent: list[Delivery] = []

    def to_broker(self, action: Action) -> None:
        """Something travels to the broker."""
        self._under_way[True].append(action)
        self._there = self._travel(self._there, there=True)

    def to_client(self, action: Action) -> None:
        """Something travels to the client."""
        self._under_way[False].append(action)
        self._here = self._travel(self._here, there=False)

    def deliver(self, deliveries: Sequence[Delivery]) -> None:
        """Messages travel to the client, some of them twice, in order both times (as QoS 1 may)."""
        weather, chance = self._network.weather, self._network.chance
        arriving = list(deliveries)
        if weather.repeat and chance.random() < weather.repeat:
            recent = [*self._recent, *deliveries]
            arriving += recent[-chance.randint(1, 4) :]
            self._network.trace.add(Fault(at=self._network.world.seconds, kind="repeated delivery", victim=self.owner))
        self._recent = [*self._recent, *deliveries][-4:]
        self.to_client(lambda: self._arrive(arriving))

    def close(self, reason: str) -> None:
        """The client's end is over."""
        self.opened.fail(BusError(reason))
        self.lost.keep(reason)

    def release(self) -> None:
        """What stalled goes on, in order, and before what is still on its way."""
        held, self._held = self._held, []
        for there, action in reversed(held):
            self._under_way[there].appendleft(action)
        for there, _ in held:
            if there:
                self._there = self._travel(self._there, there=True)
            else:
                self._here = self._travel(self._here, there=False)

    def _travel(self, last: float, *, there: bool) -> float:
        world = self._network.world
        at = max(world.seconds + self._network.latency(self.owner), last)
        self._network.flying += 1
        world.later(at - world.seconds, lambda: self._through(there=there))
        return at

    def _through(self, *, there: bool) -> None:
        self._network.flying -= 1
        action = self._under_way[there].popleft()
        if self._network.is_cut_off(self.owner) or any(way is there for way, _ in self._held):
            self._held.append((there, action))
        else:
            action()

    def _arrive(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            if not self.lost.done:
                self._on_delivery(delivery)
