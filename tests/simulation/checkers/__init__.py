"""The promises, judged by the trace alone: what the cores believe is never asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tests.simulation.checkers.history import Chain, LastWord, Word
from tests.simulation.checkers.peace import Peace
from tests.simulation.checkers.reading import Ledger
from tests.simulation.checkers.shown import Forward, OneWriter, SavedFirst
from tests.simulation.checkers.starts import Allowed, OnceOnly
from tests.simulation.checkers.windows import EachStartOnce
from tests.simulation.checkers.work import ExitCodes, Firing
from tests.simulation.trace import Found, Listener, Record, Saved


class Checker(Protocol):
    """Hears records, and raises PromiseBrokenError."""

    hears: Mapping[type[Record], Listener]


def every_checker() -> list[Mapping[type[Record], Listener]]:
    """What is to be heard, in order; the ledger first, for the others read it."""
    ledger = Ledger()
    checkers: list[Checker] = [
        OnceOnly(ledger),
        Allowed(ledger),
        EachStartOnce(ledger),
        Chain(ledger),
        Word(ledger),
        LastWord(),
        SavedFirst(ledger),
        OneWriter(),
        Forward(),
        ExitCodes(),
        Firing(ledger),
        Peace(ledger),
    ]
    return [{Saved: ledger.hear, Found: ledger.found}, *(checker.hears for checker in checkers)]
