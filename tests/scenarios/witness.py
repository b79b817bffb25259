"""A witness of every event: what was saved and shown, compared after each one with what it should be.

After every event the invariants hold, what was shown step by step is what would be shown at once, and a dashboard that starts
from what was saved shows the same.
"""

from __future__ import annotations

import msgspec

from broker.runtime.core import Changes, Key
from dashboard_node.core import invariants
from dashboard_node.core.machine import DashboardCore
from dashboard_node.core.projection import Projection
from schemas.addresses import Address
from schemas.documents import Document


class Witness:
    """Sees every event of one dashboard. Call it with what each event changed."""

    def __init__(self) -> None:
        self.saved: dict[Key, bytes] = {}
        self._shown: dict[Address, Document] = {}

    def __call__(self, core: DashboardCore, changes: Changes) -> None:
        """Take in what an event changed, and compare."""
        for key, record in changes.items():
            if record is None:
                self.saved.pop(key, None)
            else:
                self.saved[key] = msgspec.json.encode(record)
        for address, document in core.project(changes).items():
            if document is None:
                self._shown.pop(address, None)
            else:
                self._shown[address] = document
        invariants.check(core.state)
        expected = dict(Projection(core.state).documents())
        assert_same(self._shown, expected)
        assert_same(dict(self.restarted(core)._projection.documents()), expected)

    def restarted(self, core: DashboardCore) -> DashboardCore:
        """A dashboard that starts from what was saved, hears the same agents, and finds the same own windows open."""
        fresh = DashboardCore(core.state.retention)
        fresh.restore(list(self.saved.items()))
        fresh.state.presences.update(core.state.presences)
        fresh.state.reported.update(core.state.reported)
        for name, machine in fresh.state.machines.items():
            machine.spells.update(core.state.machines[name].spells)
        fresh.state.settled_in = core.state.settled_in
        invariants.check(fresh.state)
        return fresh

    def after_restart(self, core: DashboardCore) -> Witness:
        """The witness of a dashboard that has started from what was saved: it shows all at first."""
        fresh = Witness()
        fresh.saved = dict(self.saved)
        fresh._shown = dict(core.documents())
        return fresh


def assert_same(found: dict[Address, Document], wanted: dict[Address, Document]) -> None:
    """Compare documents; the first that differs is named."""
    for address in sorted({*found, *wanted}, key=repr):
        assert found.get(address) == wanted.get(address), f"{address}:\n{found.get(address)}\n{wanted.get(address)}"
