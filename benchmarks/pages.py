"""``make bench-pages``: from ``docs/benchmarks.json`` the tables of README, performance.md and capacity.md, and the curves."""

from __future__ import annotations

import re
import subprocess
import venv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

from rich.console import Console

from benchmarks.__main__ import PARTS
from benchmarks.figures import HEADINGS, Figure, row, short
from benchmarks.results import RESULTS, Run, kept

ROOT = Path(__file__).resolve().parent.parent
_DRAWS = Path(".cache/bench")
"""Where matplotlib is, away from everything else."""
_FRONT = ("hop", "fan", "restart", "rest")
"""What the README tells."""
_DAYS = "day "
"""What the names of parts begin with that are days."""


def main() -> None:
    """Write all of them."""
    runs = kept()
    if not runs:
        raise SystemExit("nothing was measured yet: make bench")
    missing = [part for part in PARTS if part not in runs]
    days = {part: run for part, run in runs.items() if part.startswith(_DAYS)}
    rest = {part: run for part, run in runs.items() if part not in days and part != "peers"}
    if missing:
        said = f"the tables of all parts stay as they are: nobody has measured {', '.join(missing)}"
        Console(stderr=True).print(said)
    else:
        _put("README.md", "benchmarks", _front({part: rest[part] for part in _FRONT}))
        _put("docs/performance.md", "benchmarks", _parts(rest))
    _put("docs/capacity.md", "days", _days(days))
    if "peers" in runs:
        _put("README.md", "peers", _peers(runs["peers"]))
        _put("docs/performance.md", "peers", _parts({"peers": runs["peers"]}))
    _draw()


def _put(name: str, part: str, text: str) -> None:
    page = ROOT / name
    mark = re.compile(rf"(<!-- {part}:[^>]*-->\n).*?(<!-- /{part} -->)", re.DOTALL)
    before = page.read_text(encoding="utf-8")
    page.write_text(mark.sub(lambda found: f"{found[1]}{text}\n{found[2]}", before), encoding="utf-8")


def _parts(runs: Mapping[str, Run]) -> str:
    """Everything, and below it when and where."""
    lines = [_line(HEADINGS), _line("---" for _ in HEADINGS)]
    lines += [_line(row(figure)) for run in runs.values() for figure in run.figures]
    return "\n".join([*lines, "", _measured(runs), "Least / median / most of the runs."])


def _front(runs: Mapping[str, Run]) -> str:
    """The medians alone; of what grows, the largest."""
    lines = [_line(("", "jobplan", "beside it, same run", "ratio")), _line(("---", "--:", "--:", "--:"))]
    for run in runs.values():
        most = max((one.x for one in run.figures if one.x is not None and one.part == "restart"), default=None)
        for one in run.figures:
            if one.part not in _FRONT or one.name.startswith("floor:") or (most is not None and one.x != most):
                continue
            beside = f"{short(median(one.floors))} {one.unit} ({one.floor})" if one.floors else ""
            ratio = short(median(one.ratios)) if one.ratios else ""
            lines.append(_line((f"{one.part}: {one.name}", f"{short(median(one.values))} {one.unit}", beside, ratio)))
    return "\n".join([*lines, "", _measured(runs)])


def _peers(run: Run) -> str:
    """A line a peer: gap and rate, ours and theirs."""
    lines = [_line(("beside", "", "jobplan", "the other", "who wins")), _line(("---", "---", "--:", "--:", "---"))]
    for one in run.figures:
        ours, theirs = median(one.values), median(one.floors)
        better = ours < theirs if one.better == "less" else ours > theirs
        factor = short(max(ours, theirs) / min(ours, theirs))
        what = "a hop in a chain" if one.better == "less" else "a fan"
        who = f"{'jobplan' if better else one.floor}, {factor} times"
        lines.append(_line((one.floor, what, f"{short(ours)} {one.unit}", f"{short(theirs)} {one.unit}", who)))
    return "\n".join([*lines, "", _measured({"peers": run})])


def _measured(runs: Mapping[str, Run]) -> str:
    """When and where each part was: those of one hour and state together."""
    same: dict[str, list[str]] = {}
    for part, run in runs.items():
        same.setdefault(f"{run.at:%Y-%m-%d} on {run.machine}", []).append(part)
    return "\n".join(f"Measured {when}: {', '.join(parts)}.  " for when, parts in same.items())


def _days(runs: Mapping[str, Run]) -> str:
    """A line a day: its figures side by side."""
    table: dict[str, dict[str, Figure]] = {}
    for run in sorted(runs.values(), key=lambda run: [one.x or 0.0 for one in run.figures if one.picture]):
        for one in run.figures:
            of, _, what = one.name.partition(": ")
            table.setdefault(of, {})[what] = one
    whats = list(dict.fromkeys(what for figures in table.values() for what in figures))
    lines = [_line(("a day of", *whats)), _line(("---", *("--:" for _ in whats)))]
    for of, figures in table.items():
        lines.append(_line((of, *(_cell(figures[what]) if what in figures else "" for what in whats))))
    return "\n".join([*lines, "", _measured(runs)])


def _cell(one: Figure) -> str:
    value = short(median(one.values))
    unit = "" if one.name.endswith(f"{one.unit} a job") else f" {one.unit}"
    ratio = f" ({short(median(one.ratios))} of {one.floor})" if one.floors else ""
    return f"{value}{unit}{ratio}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _draw() -> None:
    """The curves, by matplotlib in a place of its own."""
    python = _DRAWS / "bin" / "python"
    if not python.exists():
        venv.create(_DRAWS, with_pip=True)
        lock = ROOT / "requirements-bench.lock"
        install: Sequence[str] = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)]
        subprocess.run(install, check=True)  # noqa: S603  # ours
    drawing = [str(python), str(Path(__file__).with_name("curves.py")), str(RESULTS), str(ROOT / "docs" / "pictures")]
    subprocess.run(drawing, check=True)  # noqa: S603  # ours


if __name__ == "__main__":
    main()
