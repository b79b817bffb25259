"""A dashboard that goes on from a copy of its database: what a checker follows of its records goes back with it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy

from tests.simulation.checkers.reading import DASHBOARD
from tests.simulation.trace import Copied, Listener, PutBack, Record


class GoesBack:
    """Some attributes of a checker, as they were when the dashboard was copied."""

    def __init__(self, checker: object, *names: str) -> None:
        self._checker = checker
        self._kept: dict[str, object] = dict.fromkeys(names)
        self.hears: Mapping[type[Record], Listener] = {Copied: self._keep, PutBack: self._put_back}

    def _keep(self, record: Copied) -> None:
        if record.node == DASHBOARD:
            self._kept = {name: deepcopy(getattr(self._checker, name)) for name in self._kept}

    def _put_back(self, record: PutBack) -> None:
        if record.node == DASHBOARD:
            for name, value in self._kept.items():
                setattr(self._checker, name, deepcopy(value))
