"""What a process may be: what cannot be is named by its key."""

from __future__ import annotations

import pytest

from schemas.processes import ProcessWish


@pytest.mark.parametrize(("wish", "key"), [
    (ProcessWish(nice=20), "nice"),
    (ProcessWish(nice=-21), "nice"),
    (ProcessWish(umask="8"), "umask"),
    (ProcessWish(umask="00277"), "umask"),
    (ProcessWish(cpu_seconds=0), "cpuSeconds"),
    (ProcessWish(open_files=-1), "openFiles"),
    (ProcessWish(core_bytes=-1), "coreBytes"),
])  # fmt: skip
def test_wish_that_cannot_be(wish: ProcessWish, key: str) -> None:
    """One fault, at its key."""
    assert [found for found, _ in wish.faults()] == [key]


def test_wish_that_can_be() -> None:
    """No fault; limits by prlimit's names, those left out are not there."""
    wish = ProcessWish(nice=-20, umask="0027", cpu_seconds=1, memory_bytes=2, processes=3, file_bytes=4, core_bytes=0)

    assert list(wish.faults()) == []
    assert wish.limits == {"cpu": 1, "as": 2, "nproc": 3, "fsize": 4, "core": 0}
    assert ProcessWish().limits == {}
