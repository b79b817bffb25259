"""The lock table agrees with a naive one: any locks, weights, exclusive ones, any order of asking and releasing."""

from __future__ import annotations

from random import Random

import pytest

from dashboard_node.core.graph import Claim
from dashboard_node.core.locks import LockTable, Owner
from schemas.names import InstanceId, LockName
from tests.oracle.locks import NaiveLocks, Need
from tests.oracle.plans import dice

GROUPS = ("", "test")
NAMES = ("K", "L", "M", "N")


def _claims(rng: Random, group: str) -> tuple[Claim, ...]:
    """What a job needs: a few locks, about which plans do not quite agree."""
    names = sorted(rng.sample(NAMES, k=rng.choice((1, 1, 1, 2, 3))))
    return tuple(
        Claim(
            lock=LockName(name),
            group=group,
            weight=rng.choice((1, 1, 2, 5)),
            capacity=rng.choice((1, 2, 3)) if name == "M" else 1 + NAMES.index(name),
            exclusive=name == "N" and rng.random() < 0.7,
        )
        for name in names
    )


def _needs(claims: tuple[Claim, ...]) -> dict[str, Need]:
    return {claim.lock: Need(claim.weight, claim.capacity, claim.exclusive) for claim in claims}


def _again(table: LockTable, owners: dict[Owner, tuple[Claim, ...]]) -> LockTable:
    """A table made anew from who holds and who waits."""
    fresh = LockTable()
    holding = {owner for lock in table.locks.values() for owner in lock.holders}
    for owner in sorted(owners):
        fresh.restore(owner, owners[owner], holding=owner in holding)
    return fresh


def _compare(table: LockTable, naive: dict[str, NaiveLocks]) -> None:
    for group, locks in naive.items():
        for name in NAMES:
            lock = next((lock for key, lock in table.locks.items() if _is(key, group, name)), None)
            assert (sorted(lock.holders) if lock else []) == locks.holders(name)
            assert (list(lock.queue) if lock else []) == locks.queue(name)
    assert all(lock.holders or lock.queue for lock in table.locks.values())


def _is(key: object, group: str, name: str) -> bool:
    return getattr(key, "group", None) == group and getattr(key, "lock", None) == name


@pytest.mark.parametrize("first", range(0, 400, 50))
def test_agrees_with_the_naive_one(first: int) -> None:
    """After every question and release, also when the table is made anew in between."""
    for seed in range(first, first + 50):
        rng = dice(seed)
        table, naive = LockTable(), {group: NaiveLocks() for group in GROUPS}
        owners: dict[Owner, tuple[Claim, ...]] = {}
        for order in range(1, 60):
            if owners and rng.random() < 0.5:
                owner = rng.choice(sorted(owners))
                claims = owners.pop(owner)
                assert table.release(owner) == naive[claims[0].group].release(owner)
                assert table.release(owner) == []
            else:
                group = rng.choice(GROUPS)
                owner, claims = (
                    Owner(order, InstanceId(f"i{rng.randint(1, 3)}"), rng.randint(0, 5)),
                    _claims(rng, group),
                )
                owners[owner] = claims
                assert table.ask(owner, claims) is naive[group].ask(owner, _needs(claims))
            _compare(table, naive)
            if rng.random() < 0.1:
                table = _again(table, owners)


@pytest.mark.parametrize("first", range(0, 100, 50))
def test_nobody_waits_for_ever(first: int) -> None:
    """When everybody who holds lets go in the end, everybody gets a turn."""
    for seed in range(first, first + 50):
        rng, table = dice(seed), LockTable()
        holding: list[Owner] = []
        for order in range(1, 30):
            owner = Owner(order, InstanceId("i"), order)
            if table.ask(owner, _claims(rng, "")):
                holding.append(owner)
        turns = 0
        while holding:
            holding += table.release(holding.pop(rng.randrange(len(holding))))
            turns += 1

        assert turns == 29
        assert not table.locks
