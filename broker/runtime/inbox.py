"""What waits for the next turn: the newest news of each address, requests, and what the node's own world reports.

Pure and bounded: news by the number of addresses, requests by a limit; the rest is the node's own. A slow node loses nothing,
for a snapshot implies the earlier ones.
"""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar

import msgspec
from msgspec import Raw, Struct

from broker.runtime.core import Heard, Requested, RuntimeEvent
from broker.runtime.view import News
from broker.topics import RequestTopic
from schemas.addresses import Address

E = TypeVar("E")
MOST_REQUESTS = 1_000
LARGEST_REQUEST = 8 * 1024 * 1024


class _Request(Struct, frozen=True):
    asking: RequestTopic
    body: Raw


class _Offer(Struct, Generic[E], frozen=True):
    event: E


class Inbox(Generic[E]):
    """Events to be, in order of their arrival; what is replaced moves to the end."""

    def __init__(self) -> None:
        self._waiting: dict[Address | int, News | _Request | _Offer[E]] = {}
        self._count = 0
        self._requests = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def news(self, news: News) -> None:
        """Something is known of an address; what was known before and not yet taken is replaced."""
        self._waiting.pop(news.address, None)
        self._waiting[news.address] = news

    def request(self, asking: RequestTopic, body: bytes) -> bool:
        """Somebody asks; False: too many wait already."""
        if self._requests >= MOST_REQUESTS:
            return False
        self._requests += 1
        self._append(_Request(asking, Raw(body)))
        return True

    def offer(self, event: E) -> None:
        """Something happened in the node's own world."""
        self._append(_Offer(event))

    def take(self, now: datetime) -> list[E | RuntimeEvent]:
        """All that waits, as events."""
        waiting, self._waiting, self._requests = self._waiting, {}, 0
        return [self._event(entry, now) for entry in waiting.values()]

    def _append(self, entry: _Request | _Offer[E]) -> None:
        self._count += 1
        self._waiting[self._count] = entry

    def _event(self, entry: News | _Request | _Offer[E], now: datetime) -> E | RuntimeEvent:
        match entry:
            case News(address=address, document=document):
                return Heard(now, address, document)
            case _Request(asking=asking, body=body):
                return Requested(now, asking.user, asking.request, body)
            case _Offer(event=event):
                return _restamped(event, now)


def _restamped(event: E, now: datetime) -> E:
    """The event with the ``now`` of its turn, so that time never goes back for a core; when it happened is its own field."""
    if isinstance(event, Struct) and hasattr(event, "now"):
        return msgspec.structs.replace(event, now=now)
    return event


def unfit(payload: bytes) -> str:
    """Why no core could make sense of a request; empty: one may."""
    if len(payload) > LARGEST_REQUEST:
        return f"the request is larger than {LARGEST_REQUEST} bytes"
    try:
        msgspec.json.decode(payload, type=Raw)
    except msgspec.MsgspecError as error:
        return f"the request is not JSON: {error}"
    return ""
