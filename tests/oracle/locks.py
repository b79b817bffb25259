"""Locks by definition: one list of who asked, in the order of asking; every question goes through all of it."""

from __future__ import annotations

from msgspec import Struct, field


class Need(Struct, frozen=True):
    """What somebody needs of a lock."""

    weight: int
    capacity: int
    exclusive: bool


class Asker(Struct):
    """Somebody who asked, and whether it holds by now."""

    name: object
    needs: dict[str, Need]
    holds: bool = False

    @property
    def exclusive(self) -> bool:
        """Whether it must be alone."""
        return any(need.exclusive for need in self.needs.values())


class NaiveLocks(Struct):
    """All locks of one environment group."""

    asked: list[Asker] = field(default_factory=list)

    def ask(self, name: object, needs: dict[str, Need]) -> bool:
        """Take or wait."""
        asker = Asker(name, needs)
        waiting = [other for other in self.asked if not other.holds and other.exclusive]
        self.asked.append(asker)
        asker.holds = not waiting and self._may(asker)
        return asker.holds

    def release(self, name: object) -> list[object]:
        """Hold and wait no more; who may go now, in the order of asking."""
        gone = next((asker for asker in self.asked if asker.name == name), None)
        if gone is None:
            return []
        place = self.asked.index(gone)
        self.asked.remove(gone)
        head = next((other for other in self.asked if not other.holds and other.exclusive), None)
        before = [asker.holds for asker in self.asked]
        if head is None:
            self._let_go(None)
        elif not gone.exclusive and place <= self.asked.index(head):
            self._let_go(set(gone.needs))
        if head is not None and not any(asker.holds for asker in self.asked):
            head.holds = True
        return [asker.name for asker, held in zip(self.asked, before, strict=True) if asker.holds and not held]

    def _let_go(self, among: set[str] | None) -> None:
        """Let everybody go who may, only in these locks, or in all."""
        moved = True
        while moved:
            moved = False
            for asker in self.asked:
                concerned = among is None or among & set(asker.needs)
                if not asker.holds and not asker.exclusive and concerned and self._may(asker):
                    asker.holds = moved = True
                    if among is not None:
                        among |= set(asker.needs)

    def _may(self, asker: Asker) -> bool:
        holders = [other for other in self.asked if other.holds]
        if asker.exclusive:
            return not holders
        if any(other.exclusive for other in holders):
            return False
        return all(self._fits(asker, name, need) for name, need in asker.needs.items())

    def _fits(self, asker: Asker, name: str, need: Need) -> bool:
        concerned = [other for other in self.asked if name in other.needs]
        first = next(other for other in concerned if not other.holds)
        taken = [other.needs[name].weight for other in concerned if other.holds]
        capacity = min(other.needs[name].capacity for other in concerned)
        return first is asker and (not taken or sum(taken) + need.weight <= capacity)

    def holders(self, lock: str) -> list[object]:
        """Who holds a lock."""
        return [asker.name for asker in self.asked if asker.holds and lock in asker.needs]

    def queue(self, lock: str) -> list[object]:
        """Who waits for it."""
        return [asker.name for asker in self.asked if not asker.holds and lock in asker.needs]
