"""Many seeds at once, on all processors, with what they have shown together."""

from __future__ import annotations

import faulthandler
import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from tests.simulation.coverage import Coverage
from tests.simulation.story import Ending, tell

BATCH = 5
"""Seeds that a process tells before it reports."""

LONGEST = 300.0
"""Seconds of processor time that this may take; a tenth is long. How long it takes besides is the machine's business."""


def tell_all(seeds: Sequence[int], coverage: Coverage | None = None, *, longest: float = LONGEST) -> Iterator[Ending]:
    """Tell seeds; their endings come in order, and ``coverage`` counts what happened.

    Raises BrokenProcessPool where one hangs: a batch takes more processor time than ``longest``. Its process says in what.
    """
    batches = [seeds[start : start + BATCH] for start in range(0, len(seeds), BATCH)]
    if len(batches) <= 1:
        told: Iterable[tuple[list[Ending], Coverage]] = map(_tell_batch, batches)
        yield from _gathered(told, coverage)
        return
    # Children that are started afresh: what the parent has in memory, or running, is none of their business.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        yield from _gathered(pool.map(partial(_tell_in_time, longest), batches), coverage)


def _gathered(told: Iterable[tuple[list[Ending], Coverage]], coverage: Coverage | None) -> Iterator[Ending]:
    for endings, seen in told:
        if coverage is not None:
            coverage.seen += seen.seen
        yield from endings


def _tell_in_time(longest: float, seeds: Sequence[int]) -> tuple[list[Ending], Coverage]:
    faulthandler.register(
        signal.SIGPROF, chain=True
    )  # after which the signal does what it does by itself: it ends the process
    signal.setitimer(signal.ITIMER_PROF, longest)
    try:
        return _tell_batch(seeds)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _tell_batch(seeds: Sequence[int]) -> tuple[list[Ending], Coverage]:
    coverage = Coverage()
    with coverage.watching_tables():
        return [tell(seed, [coverage.hear]) for seed in seeds], coverage
