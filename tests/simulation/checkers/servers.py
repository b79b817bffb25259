"""L2 on a broker of several servers: whoever was shown an old state is shown what it lacked, and what was cleared stays so."""

from __future__ import annotations

from collections.abc import Mapping

from broker.mqtt.tombstones import is_tombstone
from tests.simulation.checkers.newest import WORDS, name_of_writer
from tests.simulation.checkers.readers import SHOWN_WITHIN, SLOWED, is_complete, reads
from tests.simulation.trace import (
    Accepted,
    Cleared,
    Crashed,
    Fault,
    Listener,
    PromiseBrokenError,
    Record,
    Replayed,
    Restored,
    ServerBack,
    ServerDied,
    Standing,
)


class MadeGood:
    """What the last replay on a connection kept from a node has been published again since it listens, known to it or not.

    Soon by those that had shown all they have by then, and by all once faults have stopped.
    """

    def __init__(self) -> None:
        self._lacks: dict[str, Replayed] = {}
        """By node, on the connection that it has."""
        self._due: dict[str, float] = {}
        self._shown: dict[str, float] = {}
        """When each document that stands was published last."""
        self._steady: dict[str, float] = {}
        """Since when each node has shown all it has, on the connection it has."""
        self.hears: Mapping[type[Record], Listener] = {
            Replayed: self._replayed,
            Accepted: self._accepted,
            Crashed: lambda record: self._parted(record.node),
            ServerDied: self._died,
            Fault: self._fault,
            Restored: self._restored,
            Standing: self._stand,
        }

    def _died(self, record: ServerDied) -> None:
        for node in record.nodes:
            self._parted(node)

    def _stand(self, _record: Standing) -> None:
        for node in sorted(self._lacks):
            self._judge(node, None)

    def _parted(self, node: str) -> None:
        self._lacks.pop(node, None)
        self._due.pop(node, None)
        self._steady.pop(node, None)

    def _fault(self, record: Fault) -> None:
        if record.kind in SLOWED:
            self._steady.pop(record.victim, None)
            self._due.pop(record.victim, None)

    def _restored(self, record: Restored) -> None:
        """Whoever was connected comes again."""
        self._lacks.clear()
        self._due.clear()
        self._steady.clear()
        self._shown = {topic: record.at for topic, it in record.retained.items() if not is_tombstone(it)}

    def _replayed(self, record: Replayed) -> None:
        self._lacks.pop(record.node, None)
        self._due.pop(record.node, None)
        if record.lacks:
            self._lacks[record.node] = record
            self._due[record.node] = record.at + SHOWN_WITHIN

    def _accepted(self, record: Accepted) -> None:
        if not record.retain:
            return
        if record.topic.endswith("/presence") and is_complete(record.payload):
            self._steady.setdefault(record.node, record.at)
        elif record.topic.endswith("/presence"):
            self._parted(record.node)
        if record.payload:
            self._shown[record.topic] = record.at
        else:
            self._shown.pop(record.topic, None)
        for node in [node for node, due in self._due.items() if due < record.at]:
            del self._due[node]
            at = self._lacks[node].at
            self._judge(node, {name for name, since in self._steady.items() if since < at})

    def _judge(self, node: str, writers: set[str] | None) -> None:
        lacks = self._lacks[node]
        for topic in lacks.lacks:
            ours = reads(node, topic) and (writers is None or name_of_writer(topic) in writers)
            if ours and not topic.endswith(WORDS) and self._shown.get(topic, lacks.since) < lacks.since:
                raise PromiseBrokenError(
                    "L2", f"{node} was shown an old state at {lacks.at:.3f}, and {topic} was not shown to it since"
                )


class StaysCleared:
    """No server that is back shows a newcomer a document where nothing stands."""

    def __init__(self) -> None:
        self._standing: set[str] = set()
        self.hears: Mapping[type[Record], Listener] = {
            Accepted: self._accepted,
            Cleared: lambda record: self._standing.discard(record.topic),
            Restored: self._restored,
            ServerBack: self._judge,
        }

    def _restored(self, record: Restored) -> None:
        self._standing = {topic for topic, payload in record.retained.items() if not is_tombstone(payload)}

    def _accepted(self, record: Accepted) -> None:
        if record.retain:
            (self._standing.add if record.payload else self._standing.discard)(record.topic)

    def _judge(self, record: ServerBack) -> None:
        for server, topics in record.shown.items():
            for topic in topics:
                if topic not in self._standing:
                    raise PromiseBrokenError("L2", f"{server} is moved on, and shows {topic}, which was cleared")
