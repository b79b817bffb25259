"""The promises, judged by the trace alone: what the cores believe is never asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tests.simulation.checkers.alive import Doubted, TakenToBeThere
from tests.simulation.checkers.copies import GoesBack
from tests.simulation.checkers.history import Chain, LastWord, Word
from tests.simulation.checkers.holders import HoldersNamed
from tests.simulation.checkers.newest import Newest
from tests.simulation.checkers.peace import Peace
from tests.simulation.checkers.readers import ShownAgain, SpeaksFor, Unheard
from tests.simulation.checkers.reading import Ledger
from tests.simulation.checkers.servers import MadeGood, StaysCleared
from tests.simulation.checkers.shown import Forward, OneWriter, SavedFirst
from tests.simulation.checkers.starts import Allowed, OnceOnly
from tests.simulation.checkers.windows import EachStartOnce
from tests.simulation.checkers.work import ExitCodes, Firing, HandedOver, Heard, Remembered
from tests.simulation.trace import Found, Listener, PutBack, Record, Saved


class Checker(Protocol):
    """Hears records, and raises PromiseBrokenError."""

    hears: Mapping[type[Record], Listener]


def every_checker() -> list[Mapping[type[Record], Listener]]:
    """What is to be heard, in order; the ledger first, for the others read it."""
    ledger = Ledger()
    allowed, starts, chain, word = Allowed(ledger), EachStartOnce(ledger), Chain(ledger), Word(ledger)
    checkers: list[Checker] = [
        GoesBack(ledger, "plans", "instances", "runs", "jobs", "taken", "status"),
        GoesBack(allowed, "_fed", "_holders"),
        GoesBack(starts, "_since", "_decided", "_ran"),
        GoesBack(chain, "_ended", "_removed"),
        GoesBack(word, "_answers", "_acted"),
        OnceOnly(ledger),
        allowed,
        starts,
        chain,
        word,
        LastWord(),
        SavedFirst(ledger),
        OneWriter(),
        Forward(),
        Newest(),
        Unheard(),
        ShownAgain(),
        MadeGood(),
        StaysCleared(),
        SpeaksFor(),
        HoldersNamed(),
        Doubted(),
        TakenToBeThere(),
        ExitCodes(),
        Firing(ledger),
        Remembered(ledger),
        Heard(ledger),
        HandedOver(),
        Peace(ledger),
    ]
    books: Mapping[type[Record], Listener] = {Saved: ledger.hear, Found: ledger.found}
    return [books, *(checker.hears for checker in checkers), {PutBack: ledger.went_back}]
