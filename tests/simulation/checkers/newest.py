"""S5: who says that all it has stands has outranked all that its readers may have seen there, also if the broker went back."""

from __future__ import annotations

from collections.abc import Mapping

from broker.errors import TopicError
from broker.mqtt.tombstones import is_tombstone
from broker.runtime.presence import writer_of
from schemas.addresses import AgentPresenceAt
from schemas.codec import decode, decode_header
from schemas.documents import Presence
from tests.simulation.checkers.reading import DASHBOARD
from tests.simulation.checkers.shown import address_of
from tests.simulation.trace import Accepted, Listener, PromiseBrokenError, Record, Restored

Order = tuple[int, int]
WORDS = ("/presence", "/share")
"""What a node says of itself, or of how much it shows: it is said anew on each connection."""


class Newest:
    """Readers ignore what is older than what they know: right as it may be, who missed what came between never learns of it."""

    def __init__(self) -> None:
        self._newest: dict[str, Order] = {}
        """Of all that ever stood on a topic."""
        self._behind: dict[str, Order] = {}
        """What stands there now, where it is older than that."""
        self.hears: Mapping[type[Record], Listener] = {Accepted: self._accepted, Restored: self._restored}

    def _restored(self, record: Restored) -> None:
        documents = {topic: payload for topic, payload in record.retained.items() if not is_tombstone(payload)}
        known = self._newest.keys() & documents.keys()  # of clients' own marks nobody else hears
        stands = {topic: decode_header(documents[topic]).order for topic in known}
        self._behind = {topic: order for topic, order in stands.items() if order < self._newest[topic]}

    def _accepted(self, record: Accepted) -> None:
        if not record.retain:
            return
        self._behind.pop(record.topic, None)
        if not record.payload:
            return
        order, topic = decode_header(record.payload).order, record.topic
        newest = self._newest[topic] = max(order, self._newest.get(topic, order))
        if order < newest:
            self._behind[topic] = order
        if self._behind and topic.endswith("/presence") and decode(record.payload, Presence).complete:
            self._says_all_stands(record.node)

    def _says_all_stands(self, node: str) -> None:
        for topic, order in sorted(self._behind.items()):
            if not topic.endswith(WORDS) and name_of_writer(topic) == node:
                raise PromiseBrokenError(
                    "S5", f"{node} says that all it has stands; {topic} is of {order}, and was of {self._newest[topic]}"
                )


def name_of_writer(topic: str) -> str:
    """The node whose topic it is; empty: nobody's."""
    try:
        writer = writer_of(address_of(topic))
    except TopicError:
        return ""
    return writer.agent if isinstance(writer, AgentPresenceAt) else DASHBOARD
