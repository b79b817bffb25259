"""``python -m tests.chaos``: kill for minutes, then judge; 1 when something is wrong."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path
from random import Random

from tests.chaos.cluster import ClusterSite
from tests.chaos.site import Site
from tests.chaos.story import live
from tests.support.nats import Nats

BROKERS = ("mosquitto", "nats", "nats-cluster")


def main() -> int:
    """Kill; the figures are printed."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long to kill")
    parser.add_argument("--seed", type=int, help="draw who is killed when as then (what follows is up to the machine)")
    parser.add_argument("--broker", choices=BROKERS, default="mosquitto", help="what they talk over")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else secrets.randbelow(10**6)
    folder = Path(tempfile.mkdtemp(prefix="jobplan-chaos-"))
    print(f"seed {seed}, {given.minutes:g} minutes, in {folder}")
    site = _site(given.broker, folder)
    try:
        figures = asyncio.run(live(site, given.minutes * 60, Random(seed)))  # noqa: S311  # to repeat it is the point
    finally:
        site.close()
    print(figures)
    for complaint in figures.complaints:
        print(complaint)
    return 1 if figures.complaints else 0


def _site(broker: str, folder: Path) -> Site:
    match broker:
        case "nats":
            return Site(folder, {"nats": Nats(folder / "nats")})
        case "nats-cluster":
            return ClusterSite(folder)
        case _:
            return Site(folder)


if __name__ == "__main__":
    sys.exit(main())
