"""S5: what stands reaches those who read it, also where a server of the broker stored it alone, or shows what is old."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from broker.mqtt.tombstones import is_tombstone
from schemas.addresses import InstanceAt, JobAt
from schemas.codec import decode
from schemas.documents import InstanceStatus, Presence
from schemas.names import InstanceId
from schemas.status import NodeState
from tests.simulation.checkers.newest import WORDS, name_of_writer
from tests.simulation.checkers.reading import DASHBOARD
from tests.simulation.checkers.shown import address_of
from tests.simulation.session import TOPICS
from tests.simulation.trace import (
    Accepted,
    Crashed,
    Fault,
    Listener,
    PromiseBrokenError,
    Record,
    Restored,
    Standing,
)

AGAIN = TOPICS.again("")
"""Below it somebody asks to be shown everything again."""


class Unheard:
    """Who says that all it has stands has published again what a server had stored alone: whoever was connected missed it."""

    def __init__(self) -> None:
        self._unheard: dict[str, str] = {}
        """By topic, whose document was passed on to nobody."""
        self.hears: Mapping[type[Record], Listener] = {Accepted: self._accepted, Restored: self._restored}

    def _restored(self, _record: Restored) -> None:
        """Whoever was connected comes again, and is shown what stands."""
        self._unheard.clear()

    def _accepted(self, record: Accepted) -> None:
        if not record.retain:
            return
        self._unheard.pop(record.topic, None)
        if record.alone and record.payload and not record.topic.endswith(WORDS):
            self._unheard[record.topic] = record.node
        elif self._unheard and not record.alone and record.topic.endswith("/presence") and is_complete(record.payload):
            for topic in sorted(topic for topic, node in self._unheard.items() if node == record.node):
                raise PromiseBrokenError(
                    "S5", f"{record.node} says that all it has stands; nobody who was connected has heard of {topic}"
                )


SHOWN_WITHIN = 120.0
"""Seconds in which who is connected, and heard somebody ask, has shown all again."""
SLOWED = frozenset({"slow node", "slow network", "partition", "clock step"})
"""Faults after which that may take longer."""


class ShownAgain:
    """Who was shown an old state, and asked, is shown everything again: soon by who heard it, by all once faults have stopped."""

    def __init__(self) -> None:
        self._asked: dict[str, float] = {}
        """When somebody asked on its present connection."""
        self._due: dict[str, float] = {}
        """When those that heard it have shown all again."""
        self._shown: dict[str, float] = {}
        """When each document that stands was published last."""
        self._steady: dict[str, float] = {}
        """Since when each node has shown all it has, on the connection it has."""
        self.hears: Mapping[type[Record], Listener] = {
            Accepted: self._accepted,
            Crashed: self._crashed,
            Fault: self._fault,
            Restored: self._restored,
            Standing: self._stand,
        }

    def _crashed(self, record: Crashed) -> None:
        self._steady.pop(record.node, None)

    def _fault(self, record: Fault) -> None:
        if record.kind in SLOWED:
            self._steady.pop(record.victim, None)

    def _restored(self, record: Restored) -> None:
        """Whoever asked comes again."""
        self._asked.clear()
        self._steady.clear()
        self._shown = {topic: record.at for topic, it in record.retained.items() if not is_tombstone(it)}

    def _accepted(self, record: Accepted) -> None:
        if record.topic.startswith(AGAIN):
            self._asked[record.node] = record.at
            self._due[record.node] = record.at + SHOWN_WITHIN
        elif record.retain and record.payload:
            self._shown[record.topic] = record.at
            if record.topic.endswith("/presence") and is_complete(record.payload):
                self._steady.setdefault(record.node, record.at)
            elif record.topic.endswith("/presence"):
                self._steady.pop(record.node, None)
                self._asked.pop(record.node, None)
        elif record.retain:
            self._shown.pop(record.topic, None)
        for asked in [name for name, due in self._due.items() if due < record.at]:
            del self._due[asked]
            if asked in self._asked:
                at = self._asked[asked]
                heard = {name for name, since in self._steady.items() if since < at}
                self._judge(asked, (topic for topic in self._shown if name_of_writer(topic) in heard))

    def _stand(self, record: Standing) -> None:
        for asked in sorted(self._asked):
            self._judge(asked, record.retained)

    def _judge(self, asked: str, topics: Iterable[str]) -> None:
        at = self._asked[asked]
        for topic in topics:
            if not topic.endswith(WORDS) and reads(asked, topic) and self._shown.get(topic, 0.0) < at:
                raise PromiseBrokenError(
                    "L2", f"{asked} asked at {at:.3f} to be shown everything again, and was not shown {topic}"
                )


class SpeaksFor:
    """An instance's status stands only where its jobs do: a dashboard that has lost its disk believes it."""

    def __init__(self) -> None:
        self._jobs: dict[InstanceId, set[str]] = {}
        """The topics on which jobs of an instance stand."""
        self.hears: Mapping[type[Record], Listener] = {Accepted: self._accepted, Restored: self._restored}

    def _restored(self, record: Restored) -> None:
        self._jobs.clear()
        for topic, payload in record.retained.items():
            if "/job/" in topic and not is_tombstone(payload):
                self._stands(topic)

    def _accepted(self, record: Accepted) -> None:
        if not record.retain or "/instance/" not in record.topic or record.node != DASHBOARD:
            return
        address = address_of(record.topic)
        if isinstance(address, JobAt) and record.payload:
            self._stands(record.topic)
        elif isinstance(address, JobAt):
            self._jobs.get(address.instance, set()).discard(record.topic)
        elif isinstance(address, InstanceAt) and record.payload and not record.alone:
            said = decode(record.payload, InstanceStatus)
            stand = len(self._jobs.get(said.instance, ()))
            if stand < said.jobs:
                raise PromiseBrokenError(
                    "S5", f"{said.instance} is said to be {said.status}, and of its {said.jobs} jobs {stand} stand"
                )

    def _stands(self, topic: str) -> None:
        address = address_of(topic)
        if isinstance(address, JobAt):
            self._jobs.setdefault(address.instance, set()).add(topic)


def is_complete(payload: bytes) -> bool:
    """Whether a presence says that all its node has stands."""
    return bool(payload) and decode(payload, Presence).complete


def greets(payload: bytes) -> bool:
    """Whether a presence is the first word on a connection."""
    said = decode(payload, Presence) if payload else None
    return said is not None and said.state is NodeState.ALIVE and not said.complete


def reads(node: str, topic: str) -> bool:
    """Whether a node acts on what stands there: an agent on what is for it, the dashboard on what agents report."""
    if node == DASHBOARD:
        return "/report/" in topic
    return name_of_writer(topic) == DASHBOARD and topic.startswith(f"{TOPICS.prefix}/agent/{node}/")
