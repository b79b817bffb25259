"""S5: a job that says who keeps it waiting for a lock names nobody who does not hold it any more."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.blockers import BlockerKind, LockClaim
from schemas.codec import decode
from schemas.documents import JobState, LockState
from tests.simulation.checkers.readers import greets
from tests.simulation.checkers.reading import DASHBOARD
from tests.simulation.session import TOPICS
from tests.simulation.trace import Crashed, Listener, Lodged, PromiseBrokenError, Record, Shown

Named = tuple[str, str, str | None]
LOCKS = f"{TOPICS.prefix}/lock/"


class HoldersNamed:
    """Judged after each turn by what the dashboard has shown: lock by lock, and job by job that names somebody."""

    def __init__(self) -> None:
        self._locks: dict[str, frozenset[Named]] = {}
        """By topic, who holds what."""
        self._waiting: dict[str, tuple[Named, ...]] = {}
        """By topic, whom a job names."""
        self._whole = False
        """Whether all is shown on this connection: until then some of it may be older."""
        self.hears: Mapping[type[Record], Listener] = {
            Shown: self._shown,
            Lodged: self._lodged,
            Crashed: self._crashed,
        }

    def _lodged(self, record: Lodged) -> None:
        if record.node == DASHBOARD and greets(record.payload):
            self._whole = False

    def _crashed(self, record: Crashed) -> None:
        if record.node == DASHBOARD:
            self._whole = False

    def _shown(self, record: Shown) -> None:
        if record.node != DASHBOARD:
            return
        for topic, payload in record.publications:
            if topic.startswith(LOCKS):
                holders = decode(payload, LockState).holders if payload else ()
                self._locks[topic] = frozenset(map(_named, holders))
            elif "/job/" in topic:
                self._waits(topic, payload)
        if record.whole is not None:  # what went while nobody was connected is not cleared where it is not
            self._whole, stands = True, set(map(TOPICS.topic_of, record.whole))
            self._locks = {topic: named for topic, named in self._locks.items() if topic in stands}
            self._waiting = {topic: named for topic, named in self._waiting.items() if topic in stands}
        if not self._whole or not self._waiting:
            return
        holding = frozenset[Named]().union(*self._locks.values())
        for topic, named in sorted(self._waiting.items()):
            for instance, job, run in (one for one in named if one not in holding):
                raise PromiseBrokenError(
                    "S5", f"{topic} names {job} of {instance} ({run}), which is not said to hold any lock"
                )

    def _waits(self, topic: str, payload: bytes) -> None:
        blockers = decode(payload, JobState).blockers if payload else ()
        named = [_named(one) for blocker in blockers if blocker.kind is BlockerKind.LOCK for one in blocker.holders]
        self._waiting.pop(topic, None)
        if named:
            self._waiting[topic] = tuple(named)


def _named(claim: LockClaim) -> Named:
    return (claim.instance, claim.job, claim.run)
