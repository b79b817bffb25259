"""Locks: who holds what and who waits, derived from runs and queued jobs, shared by name in an environment group.

Strict first in, first out within a queue: nobody overtakes a head that does not fit. An exclusive job runs alone in its group;
while one waits, newcomers queue; of those that queued in a lock of their own, one round may still go first (Ikasan), never
two.
"""

from __future__ import annotations

from msgspec import Struct, field

from dashboard_node.core.graph import Claim
from schemas.names import InstanceId, LockName


class Owner(Struct, frozen=True, order=True):
    """Who holds or waits: a job copy of an instance, ordered by when it asked."""

    order: int
    instance: InstanceId
    copy: int


class LockId(Struct, frozen=True, order=True):
    """A lock by environment group and name."""

    group: str
    lock: LockName


class Lock(Struct):
    """One lock. Holders and queue are in the order of asking."""

    capacity: int = 1
    exclusive: bool = False
    holders: dict[Owner, int] = field(default_factory=dict)
    """Weights."""
    queue: list[Owner] = field(default_factory=list)


class LockTable:
    """All locks. Every change returns who may now go, in order; they hold already."""

    def __init__(self) -> None:
        self.locks: dict[LockId, Lock] = {}
        self.touched: set[LockId] = set()
        """Locks that changed since somebody last cleared this set."""
        self._claims: dict[Owner, tuple[Claim, ...]] = {}

    def ask(self, owner: Owner, claims: tuple[Claim, ...]) -> bool:
        """Take all the locks at once, or wait in the queue of each; True: taken."""
        self.restore(owner, claims, holding=False)
        free = self._newcomer_may(owner)
        if free:
            self._grant(owner)
        return free

    def restore(self, owner: Owner, claims: tuple[Claim, ...], *, holding: bool) -> None:
        """Put a holder, or a waiting one, in its place (at start: in the order of asking)."""
        self._claims[owner] = claims
        for claim in claims:
            lock = self.locks.setdefault(_id(claim), Lock())
            lock.capacity, lock.exclusive = claim.capacity, claim.exclusive
            self.touched.add(_id(claim))
            if holding:
                lock.holders[owner] = claim.weight
            else:
                lock.queue.append(owner)

    def release(self, owner: Owner) -> list[Owner]:
        """The owner holds and waits no more (harmless if it did neither); who may go now."""
        claims = self._claims.pop(owner, ())
        own = [_id(claim) for claim in claims]
        for name in own:
            lock = self.locks[name]
            lock.holders.pop(owner, None)
            if owner in lock.queue:
                lock.queue.remove(owner)
            self.touched.add(name)
        granted = [found for group in sorted({name.group for name in own}) for found in self._poll(group, own, owner)]
        for name in own:
            if not self.locks[name].holders and not self.locks[name].queue:
                del self.locks[name]
        return granted

    def holds(self, owner: Owner) -> bool:
        """Whether the owner holds its locks (an owner without claims holds nothing)."""
        return any(owner in self.locks[_id(claim)].holders for claim in self._claims.get(owner, ()))

    def _poll(self, group: str, own: list[LockId], released: Owner) -> list[Owner]:
        """Who may go after a release, first its own queues, then a waiting exclusive job, then everybody."""
        granted: list[Owner] = []
        head = self._exclusive_head(group)
        if head is None or (released < head and not self._is_exclusive(own)):
            granted += self._drain([name for name in own if name.group == group])
        if head is not None and self._idle(group):
            self._grant(head)
            return [*granted, head]
        if head is None:
            granted += self._drain(sorted(name for name in self.locks if name.group == group))
        return granted

    def _drain(self, names: list[LockId]) -> list[Owner]:
        """Grant heads while they fit."""
        granted: list[Owner] = []
        for name in names:
            while (queue := self.locks[name].queue) and self._head_may(queue[0]):
                head = queue[0]
                self._grant(head)
                granted.append(head)
        return granted

    def _newcomer_may(self, owner: Owner) -> bool:
        claims = self._claims[owner]
        groups = {claim.group for claim in claims}
        if any(self._exclusive_head(group) not in {None, owner} for group in groups):
            return False
        if any(claim.exclusive for claim in claims):
            return all(self._idle(group) for group in groups)
        return self._head_may(owner)

    def _head_may(self, owner: Owner) -> bool:
        """First in each of its queues, fits in each, and no exclusive job holds the group (nor is it one that must wait)."""
        claims = self._claims[owner]
        if any(claim.exclusive for claim in claims):
            return all(self._idle(claim.group) for claim in claims)
        return all(
            self.locks[_id(claim)].queue[0] == owner
            and self._fits(self.locks[_id(claim)], claim.weight)
            and not self._exclusively_held(claim.group)
            for claim in claims
        )

    def _fits(self, lock: Lock, weight: int) -> bool:
        return not lock.holders or sum(lock.holders.values()) + weight <= lock.capacity

    def _grant(self, owner: Owner) -> None:
        for claim in self._claims[owner]:
            lock = self.locks[_id(claim)]
            lock.queue.remove(owner)
            lock.holders[owner] = claim.weight
            self.touched.add(_id(claim))

    def _group(self, group: str) -> list[Lock]:
        return [lock for name, lock in self.locks.items() if name.group == group]

    def _idle(self, group: str) -> bool:
        return not any(lock.holders for lock in self._group(group))

    def _exclusively_held(self, group: str) -> bool:
        return any(lock.exclusive and lock.holders for lock in self._group(group))

    def _exclusive_head(self, group: str) -> Owner | None:
        return min((lock.queue[0] for lock in self._group(group) if lock.exclusive and lock.queue), default=None)

    def _is_exclusive(self, own: list[LockId]) -> bool:
        return any(self.locks[name].exclusive for name in own)


def _id(claim: Claim) -> LockId:
    return LockId(claim.group, claim.lock)
