"""Virtual time: a heap of actions, one seed, and the coroutines that wait on nothing else.

Time stands still while an action runs and jumps to the next one after it. Actions of one moment run in the order in which
they were put there, so a run depends on its seed alone.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from random import Random
from typing import Any, Generic, TypeVar

from broker.errors import BusError

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
"""Where true time starts; a Thursday."""

T = TypeVar("T")
Action = Callable[[], None]


class World:
    """True time, chance, and all that is still to happen."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.seconds = 0.0
        self._heap: list[tuple[float, int, Action]] = []
        self._sequence = 0

    @property
    def now(self) -> datetime:
        """True time, which no node can read."""
        return BEGINNING + timedelta(seconds=self.seconds)

    def chance(self, subject: str) -> Random:
        """A stream of chance of its own, so that a new question about one subject leaves the answers about others alone."""
        return Random(f"{self.seed}/{subject}")  # noqa: S311  # to repeat it is the point

    def later(self, seconds: float, action: Action) -> None:
        """Have something happen after so many seconds."""
        self._sequence += 1
        heappush(self._heap, (self.seconds + max(0.0, seconds), self._sequence, action))

    def run(self, until: float) -> None:
        """Let everything happen up to a moment."""
        while self._heap and self._heap[0][0] <= until:
            self.seconds, _, action = heappop(self._heap)
            action()
        self.seconds = until


class Promise(Generic[T]):
    """Something that will be there, or will fail; who comes second is not heard."""

    def __init__(self) -> None:
        self.done = False
        self._value: T | None = None
        self._error: Exception | None = None
        self._waiting: list[Action] = []

    def keep(self, value: T) -> None:
        """It is there."""
        if not self.done:
            self.done, self._value = True, value
            self._tell()

    def fail(self, error: Exception) -> None:
        """It will not be there."""
        if not self.done:
            self.done, self._error = True, error
            self._tell()

    def then(self, action: Action) -> None:
        """Do this once it is decided."""
        if self.done:
            action()
        else:
            self._waiting.append(action)

    def outcome(self) -> T:
        """What it came to; raises what it failed with."""
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # kept with a T

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for action in waiting:
            action()


Steps = Generator[Promise[Any], None, T]
"""A coroutine: each ``yield`` waits for a promise, and there its node may die."""


def wait(promise: Promise[T]) -> Steps[T]:
    """Wait for a promise."""
    yield promise
    return promise.outcome()


class Task:
    """A coroutine that runs until it ends, is ended, or raises; what it raises goes to ``failed``."""

    def __init__(self, steps: Steps[None], failed: Callable[[Exception], None]) -> None:
        self._steps = steps
        self._failed = failed
        self._alive = True
        self._go_on()

    def end(self) -> None:
        """It stops where it is, as the process it lives in does."""
        self._alive = False

    def _go_on(self) -> None:
        if not self._alive:
            return
        try:
            promise = next(self._steps)
        except StopIteration:
            self._alive = False
        except Exception as error:  # noqa: BLE001  # whatever a node raises ends it, and is judged
            self._alive = False
            self._failed(error)
        else:
            promise.then(self._go_on)


def within(world: World, seconds: float, promise: Promise[T], why: str) -> Steps[T]:
    """Wait for a promise, but not for ever. Raises BusError after ``seconds``."""
    world.later(seconds, lambda: promise.fail(BusError(why)))
    return (yield from wait(promise))
