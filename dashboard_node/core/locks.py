"""Locks: who holds what and who waits, derived from runs and queued jobs, shared by name in an environment group.

Strict first in, first out within a queue: nobody overtakes a head that does not fit. An exclusive job runs alone in its group;
while one waits, newcomers queue; of those that queued in a lock of their own, one round may still go first (Ikasan's order),
never two: a lock that is given back lets its own queue go on only if it was asked for before the exclusive job asked.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator
from itertools import islice

from msgspec import Struct, field

from dashboard_node.core.graph import Claim
from schemas.names import InstanceId, LockName

FEW = 3
"""How many of a queue, from its head, say who holds the lock: a hand-over concerns them, and not all who wait."""


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

    holders: dict[Owner, int] = field(default_factory=dict)
    """Weights."""
    queue: OrderedDict[Owner, None] = field(default_factory=OrderedDict)
    taken: int = 0
    """Sum of the holders' weights."""
    terms: dict[tuple[int, bool], int] = field(default_factory=dict)
    """What plans say of it, (capacity, exclusive), by how many who hold or wait say so: versions of a plan may differ."""

    @property
    def capacity(self) -> int:
        """The smallest that anybody who holds or waits knows."""
        return min((capacity for capacity, _ in self.terms), default=1)

    @property
    def exclusive(self) -> bool:
        """Whether anybody who holds or waits takes it alone."""
        return any(exclusive for _, exclusive in self.terms)

    def fits(self, weight: int) -> bool:
        """Whether so much more may be taken; whoever is alone always fits."""
        return not self.holders or self.taken + weight <= self.capacity


class _Group(Struct):
    """What concerns all locks of an environment group."""

    holders: set[Owner] = field(default_factory=set)
    exclusive: set[Owner] = field(default_factory=set)
    """Those of the holders that must be alone."""
    waiting: OrderedDict[Owner, None] = field(default_factory=OrderedDict)
    """Exclusive owners that wait, in the order of asking."""

    @property
    def head(self) -> Owner | None:
        """The exclusive owner whose turn it is."""
        return next(iter(self.waiting), None)


class LockTable:
    """All locks. Every change returns who may now go, in the order of asking; they hold already."""

    def __init__(self) -> None:
        self.locks: dict[LockId, Lock] = {}
        self.touched: set[LockId] = set()
        """Locks that changed since somebody last cleared this set."""
        self._stirred: set[str] = set()
        """Groups in which an exclusive owner has come, gone, or got its turn meanwhile."""
        self.found: set[Owner] = set()
        """Holders since before this life began. By what was shown there may be more of them than there is room for, where the end
        of one had not been shown yet; then nobody is let in until enough of them have left."""
        self._claims: dict[Owner, tuple[Claim, ...]] = {}
        self._groups: dict[str, _Group] = {}

    def ask(self, owner: Owner, claims: tuple[Claim, ...]) -> bool:
        """Take all the locks at once, or wait in the queue of each; True: taken."""
        self.restore(owner, claims, holding=False)
        group = self._group(owner)
        if group.head not in {None, owner} or not self._may(owner):
            return False
        self._grant(owner)
        return True

    def restore(self, owner: Owner, claims: tuple[Claim, ...], *, holding: bool) -> None:
        """Put a holder, or a waiting one, in its place (at start: in the order of asking)."""
        self._claims[owner] = claims
        if self._is_exclusive(owner):
            self._group(owner).waiting[owner] = None
            self._stirred.add(claims[0].group)
        for claim in claims:
            lock = self.locks.setdefault(_id(claim), Lock())
            term = (claim.capacity, claim.exclusive)
            lock.terms[term] = lock.terms.get(term, 0) + 1
            lock.queue[owner] = None
            self.touched.add(_id(claim))
        if holding:
            self._grant(owner)
            self.found.add(owner)

    def release(self, owner: Owner) -> list[Owner]:
        """The owner holds and waits no more (harmless if it did neither); who may go now.

        First those in the queues that it concerns, unless it is an exclusive owner's turn; then that one, if it can be alone.
        """
        claims = self.claims(owner)
        if not claims:
            return []
        group, exclusive = self._group(owner), self._is_exclusive(owner)
        for claim in claims:
            self._leave(owner, claim)
        if exclusive:
            self._stirred.add(claims[0].group)
        group.holders.discard(owner)
        group.exclusive.discard(owner)
        group.waiting.pop(owner, None)
        self.found.discard(owner)
        del self._claims[owner]
        own = [_id(claim) for claim in claims]
        granted: list[Owner] = []
        if group.head is None:
            granted = self._drain(sorted(n for n in self.locks if n.group == own[0].group) if exclusive else own)
        elif owner < group.head and not exclusive:
            granted = self._drain(own)
        if group.head is not None and not group.holders:
            granted.append(group.head)
            self._grant(group.head)
        for name in own:
            if not self.locks[name].holders and not self.locks[name].queue:
                del self.locks[name]
        return sorted(granted)

    def claims(self, owner: Owner) -> tuple[Claim, ...]:
        """What an owner that holds or waits has asked for."""
        return self._claims.get(owner, ())

    # Why somebody waits

    def keepers(self, owner: Owner, claim: Claim) -> tuple[Owner, ...] | None:
        """Who keeps a waiting owner from one of its locks, in the order of asking; None: too many wait before it to be told.

        They hold it, or are alone in its group, or wait to be: then they do not hold yet.
        """
        lock, group = self.locks[_id(claim)], self._group(owner)
        if self._is_exclusive(owner):
            return tuple(sorted(group.holders)) if owner in islice(group.waiting, FEW) else None
        if owner not in islice(lock.queue, FEW):
            return None
        first = () if group.head is None else (group.head,)
        return tuple(sorted(lock.holders)) or tuple(sorted(group.exclusive)) or first

    def holds(self, owner: Owner) -> bool:
        """Whether it has what it asked for."""
        return owner in self._group(owner).holders

    def crowded(self) -> list[LockId]:
        """Locks of which more is held than there is, or that are held beside an exclusive one: by whom was ``found`` alone."""
        held = [(name, lock, self._groups[name.group]) for name, lock in sorted(self.locks.items()) if lock.holders]
        return [
            name
            for name, lock, group in held
            if (len(lock.holders) > 1 and lock.taken > lock.capacity) or (len(group.holders) > 1 and group.exclusive)
        ]

    def moved_up(self, changed: Collection[LockId]) -> Iterator[Owner]:
        """Those of whom ``keepers`` may say something else because of locks that changed, or of exclusive owners."""
        concerned = set(changed)
        if self._stirred:
            concerned |= {name for name in self.locks if name.group in self._stirred}
        for name in sorted(concerned & self.locks.keys()):
            yield from islice(self.locks[name].queue, FEW)
        for group in sorted({name.group for name in changed} & self._groups.keys()):
            yield from islice(self._groups[group].waiting, FEW)

    def clear_touched(self) -> None:
        """What has changed so far is known."""
        self.touched.clear()
        self._stirred.clear()

    # Changing hands

    def _leave(self, owner: Owner, claim: Claim) -> None:
        lock = self.locks[_id(claim)]
        lock.taken -= lock.holders.pop(owner, 0)
        lock.queue.pop(owner, None)
        term = (claim.capacity, claim.exclusive)
        lock.terms[term] -= 1
        if not lock.terms[term]:
            del lock.terms[term]
        self.touched.add(_id(claim))

    def _drain(self, names: list[LockId]) -> list[Owner]:
        """Grant heads while they fit. Who leaves one queue may have been in the way in another: that one is looked at again."""
        granted: list[Owner] = []
        concerned = dict.fromkeys(names)
        while concerned:
            name = next(iter(concerned))
            head = next(iter(self.locks[name].queue), None)
            if head is None or self._is_exclusive(head) or not self._may(head):
                del concerned[name]
                continue
            self._grant(head)
            granted.append(head)
            concerned.update(dict.fromkeys(_id(claim) for claim in self._claims[head]))
        return granted

    def _may(self, owner: Owner) -> bool:
        """An exclusive owner: nobody of the group holds anything. Others: first in each queue, and it fits in each."""
        group = self._group(owner)
        if self._is_exclusive(owner):
            return not group.holders
        if group.exclusive:
            return False
        return all(
            next(iter(self.locks[_id(claim)].queue)) == owner and self.locks[_id(claim)].fits(claim.weight)
            for claim in self._claims[owner]
        )

    def _grant(self, owner: Owner) -> None:
        group = self._group(owner)
        group.holders.add(owner)
        if self._is_exclusive(owner):
            group.waiting.pop(owner, None)
            group.exclusive.add(owner)
            self._stirred.add(self._claims[owner][0].group)
        for claim in self._claims[owner]:
            lock = self.locks[_id(claim)]
            lock.queue.pop(owner, None)
            lock.holders[owner] = claim.weight
            lock.taken += claim.weight
            self.touched.add(_id(claim))

    def _group(self, owner: Owner) -> _Group:
        return self._groups.setdefault(self._claims[owner][0].group, _Group())

    def _is_exclusive(self, owner: Owner) -> bool:
        return any(claim.exclusive for claim in self._claims[owner])


def _id(claim: Claim) -> LockId:
    return LockId(claim.group, claim.lock)
