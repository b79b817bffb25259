"""Requests that wait for their answer: what was asked, which parts of the answer came, and whether it must be asked again.

Knows no connection: the client publishes what a question says, and hands over what arrives.
"""

from __future__ import annotations

import asyncio
from collections import deque

from jobplan.errors import JobplanError
from schemas.codec import SchemaError, decode
from schemas.names import NodeName, RequestId
from schemas.requests import Answer


class Question:
    """One request, from being asked to its last answer. Asking it again is safe: it is done once, whatever arrives twice."""

    def __init__(self, *, request: RequestId, to: NodeName | None, topic: str, payload: bytes) -> None:
        self.request = request
        self.to = to
        """The agent that is asked; None: the dashboard."""
        self.topic = topic
        self.payload = payload
        self.heard = False
        """Whether any part of an answer has come."""
        self._parts: set[int] = set()
        self._waiting: deque[Answer] = deque()
        self._arrived = asyncio.Event()
        self._failure: JobplanError | None = None

    def take(self, part: int, payload: bytes) -> None:
        """A part of the answer arrived; one that came before changes nothing."""
        if part in self._parts or not payload:
            return
        self._parts.add(part)
        self.heard = True
        try:
            self._waiting.append(decode(payload, Answer))
        except SchemaError as error:
            self._failure = JobplanError(f"the answer cannot be read: {error}; are both sides of one version?")
        self._arrived.set()

    def fail(self, error: JobplanError) -> None:
        """It cannot be asked."""
        self._failure = error
        self._arrived.set()

    async def next(self) -> Answer:
        """The next part. Raises what made the question fail."""
        while not self._waiting:
            if self._failure is not None:
                raise self._failure
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()
