"""A plan of ten thousand jobs through the command line: validate, import, start, show; each a process of its own."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from time import perf_counter

import msgspec

from benchmarks import floors
from benchmarks.figures import Figure
from benchmarks.plans import chain
from benchmarks.site import Site, a_site
from tests.e2e.nodes import JOBPLAN, a_command, environment, write_plan

JOBS = 10_000


async def measure(rounds: int, jobs: int = JOBS) -> list[Figure]:
    """So many rounds; its floor is reading the bundle's files as JSON and saving as many bytes in one commit."""
    seconds: dict[str, list[float]] = {}
    floor = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle = write_plan(
            folder / "Large",
            [a_command(job, "true", "a") for job, _ in chain(jobs)],
            dict(chain(jobs)),
            ableToRunConcurrently=True,
        )
        async with a_site(folder) as site:
            for number in range(rounds):
                floor.append(_read(bundle) + floors.commits(folder / f"floor{number}.db", 1)[0])
                instance = ""
                for what, words in (
                    ("validate", ["plan", "validate", str(bundle)]),
                    ("import", ["plan", "import", str(bundle)]),
                    ("start", ["instance", "start", "Large"]),
                    ("show", ["instance", "show", ""]),
                ):
                    begun = perf_counter()
                    said = _ran(site, [word or instance for word in words])
                    seconds.setdefault(what, []).append(perf_counter() - begun)
                    if what == "start":
                        instance = said.strip()
                _ran(site, ["instance", "end", instance, "--yes"])
    return [
        Figure(
            part="large",
            name=f"{what} {jobs:,} jobs",
            unit="s",
            values=tuple(values),
            floor="reading its files as JSON, one commit",
            floors=tuple(floor),
        )
        for what, values in seconds.items()
    ]


def _read(bundle: Path) -> float:
    begun = perf_counter()
    for file in bundle.rglob("*.json"):
        msgspec.json.decode(file.read_bytes())
    return perf_counter() - begun


def _ran(site: Site, words: list[str]) -> str:
    done = subprocess.run(  # noqa: S603  # ours
        [*JOBPLAN, *words, "--broker", str(site.url)], capture_output=True, text=True, check=False, env=environment()
    )
    if done.returncode:
        raise RuntimeError(f"jobplan {' '.join(words)}: {json.dumps(done.stderr)}")
    return done.stdout
