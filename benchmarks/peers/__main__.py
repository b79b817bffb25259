"""``make bench-peers``: the same chain and fan through other schedulers and through jobplan, in turn, in one run.

A peer is measured beside jobplan: a chain and a fan of ours, a chain and a fan of theirs, and again, so that what else the
machine does meets both. What cannot be measured here is named with the reason, and the run goes on.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from rich.console import Console

from benchmarks.figures import Figure, table
from benchmarks.peers.ours import Jobplan
from benchmarks.peers.place import Peer, Play, UnavailableError, until
from benchmarks.peers.plays import CHAIN, FAN, gap, is_over, rate
from benchmarks.peers.with_airflow import Airflow
from benchmarks.peers.with_celery import Celery
from benchmarks.peers.with_prefect import Prefect
from benchmarks.results import keep, machine

PEERS: Mapping[str, Peer] = {
    "celery": Celery(),
    "prefect": Prefect(),
    "airflow": Airflow(),
    "airflow-tuned": Airflow(0.05),
}
ROUNDS = 3
_PATIENCE = 300.0
"""Seconds for one chain or fan; whoever takes longer is given up."""


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="make bench-peers ARGS=...", description=__doc__)
    parser.add_argument("peers", nargs="*", metavar="PEER", help=f"of {', '.join(PEERS)}; all without any")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    unknown = [name for name in given.peers if name not in PEERS]
    if unknown:
        parser.error(f"no peer is called {unknown[0]}; there are {', '.join(PEERS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # what was started is ended then as well
    where = machine()
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        figures: list[Figure] = []
        for found in measured([PEERS[name] for name in given.peers or PEERS], Jobplan(), Path(folder), given.rounds):
            figures += found
            keep("peers", figures, where)
    Console(width=200).print(table(figures, where))


def measured(peers: Iterable[Peer], ours: Peer, folder: Path, rounds: int) -> Iterator[list[Figure]]:
    """The figures of each that can be measured; of the others a line is said."""
    (folder / "ours").mkdir()
    with ours.running(folder / "ours") as our_play:
        _both(our_play, folder / "warm")
        for number, peer in enumerate(peers):
            theirs = folder / f"peer{number}"
            theirs.mkdir()
            try:
                with peer.running(theirs) as play:
                    _both(play, theirs / "warm")
                    found = _beside(peer, our_play, play, theirs, rounds)
            except (UnavailableError, OSError) as error:
                print(f"{peer.name} is not measured: {error}", file=sys.stderr, flush=True)
            else:
                print(f"{peer.name}: {peer.setup}", file=sys.stderr, flush=True)
                yield found


def _beside(peer: Peer, ours: Play, theirs: Play, folder: Path, rounds: int) -> list[Figure]:
    found: dict[str, list[float]] = {"gap": [], "their gap": [], "rate": [], "their rate": []}
    for number in range(rounds):
        for whose, play in (("", ours), ("their ", theirs)):
            stamps = _both(play, folder / f"{whose.strip() or 'our'}{number}")
            found[f"{whose}gap"].append(gap(stamps["chain"], CHAIN))
            found[f"{whose}rate"].append(rate(stamps["fan"], FAN))
    figure = partial(Figure, part="peers", floor=peer.name)
    return [
        figure(
            name=f"chain of {CHAIN}, beside {peer.name}: gap, median",
            unit="ms",
            values=tuple(found["gap"]),
            floors=tuple(found["their gap"]),
        ),
        figure(
            name=f"fan of {FAN}, beside {peer.name}",
            unit="jobs/s",
            values=tuple(found["rate"]),
            floors=tuple(found["their rate"]),
            better="more",
        ),
    ]


def _both(play: Play, folder: Path) -> dict[str, Path]:
    """One chain, then one fan; where each left its stamps."""
    found = {}
    for kind, jobs in (("chain", CHAIN), ("fan", FAN)):
        stamps = found[kind] = folder / kind
        stamps.mkdir(parents=True)
        play(kind, jobs, stamps)
        until(partial(is_over, kind, jobs, stamps), f"a {kind} was not over", _PATIENCE)
    return found


if __name__ == "__main__":
    main()
