"""Why a node ends, apart from its own mistakes and its store's."""

from __future__ import annotations


class FencedError(Exception):
    """Another life of this node, newer than this one, writes where this one wrote; it stops and writes nothing more (S5)."""

    exit_code = 3


class EpochTakenError(Exception):
    """The broker retains documents of a life that this one would not outrank; ``floor`` is the least epoch that does."""

    def __init__(self, floor: int) -> None:
        super().__init__(f"the broker retains documents of epoch {floor - 1}")
        self.floor = floor
