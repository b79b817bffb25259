"""What a broker has still to answer on one connection: a call, or publications that are acknowledged together.

What it must not know: what was asked, and what follows from the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from broker.bus import Acknowledged
from broker.errors import BusError, RefusedError

FAILURE = 0x80
"""The first of MQTT's reason codes that mean a failure (MQTT 5, section 2.4)."""


class Answer:
    """Something the broker has still to answer; done with None, or with what went wrong."""

    def __init__(self) -> None:
        self.done: asyncio.Future[BusError | None] = asyncio.get_running_loop().create_future()

    def settle(self, error: BusError | None = None) -> None:
        """The answer is in."""
        if not self.done.done():
            self.done.set_result(error)


class Batch:
    """Publications that are acknowledged together."""

    def __init__(self, acknowledged: Acknowledged) -> None:
        self._acknowledged = acknowledged
        self._settled = False
        self.open = 1
        """How many are not acknowledged; and one while they are still being sent."""
        self.refused: list[str] = []
        """Topics."""

    def settle(self, error: BusError | None = None) -> None:
        """Nothing is missing any more, or nothing will come."""
        if not self._settled:
            self._settled = True
            self._acknowledged(error)

    def all_sent(self) -> None:
        """No more will be sent."""
        self.count("", 0)

    def count(self, topic: str, code: int) -> None:
        """One publish was answered."""
        if code >= FAILURE:
            self.refused.append(topic)
        self.open -= 1
        if self.open == 0:
            more = f" and {len(self.refused) - 1} more topics" if len(self.refused) > 1 else ""
            refusal = (
                f"the broker's access rules forbid us to publish on '{self.refused[0]}'{more}" if self.refused else ""
            )
            self.settle(RefusedError(refusal) if refusal else None)


def _refusal(pattern: str, code: int) -> BusError:
    """A subscription that was not granted. A failure without a reason may pass, as in a cluster that lost a server."""
    if code == FAILURE:
        return BusError(f"the broker could not subscribe us to '{pattern}'")
    return RefusedError(f"the broker refuses the subscription to '{pattern}'")


def grant(asked: Answer, filters: Sequence[str], codes: Sequence[int]) -> None:
    """The broker answered a subscription."""
    refused = [pattern for pattern, code in zip(filters, codes, strict=False) if code >= FAILURE]
    asked.settle(_refusal(refused[0], max(codes)) if refused else None)
