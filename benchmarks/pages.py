"""``make bench-pages``: from ``.cache/benchmarks.json`` the tables of README.md and docs/performance.md, and the curves."""

from __future__ import annotations

import re
import subprocess
import venv
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.__main__ import RESULTS, Results
from benchmarks.figures import HEADINGS, Figure, row, short

ROOT = Path(__file__).resolve().parent.parent
_DRAWS = Path(".cache/bench")
"""Where matplotlib is, away from everything else."""
_FRONT = ("hop", "fan", "restart", "rest", "peers")


def main() -> None:
    """Write all of them."""
    if not RESULTS.exists():
        raise SystemExit("nothing was measured yet: make bench")
    results = msgspec.json.decode(RESULTS.read_bytes(), type=Results)
    when = f"Measured {results.at:%Y-%m-%d} on {results.machine}; least / median / most of the runs."
    front = [one for one in results.figures if one.part in _FRONT and not one.name.startswith("floor:")]
    _put("README.md", "benchmarks", f"{_short_table(front)}\n\n{when}")
    _put("docs/performance.md", "benchmarks", f"{_table(results.figures)}\n\n{when}")
    _draw()


def _put(name: str, part: str, text: str) -> None:
    page = ROOT / name
    mark = re.compile(rf"(<!-- {part}:[^>]*-->\n).*?(<!-- /{part} -->)", re.DOTALL)
    before = page.read_text(encoding="utf-8")
    page.write_text(mark.sub(lambda found: f"{found[1]}{text}\n{found[2]}", before), encoding="utf-8")


def _table(figures: Sequence[Figure]) -> str:
    lines = [_line(HEADINGS), _line("---" for _ in HEADINGS)]
    return "\n".join([*lines, *(_line(row(figure)) for figure in figures)])


def _short_table(figures: Sequence[Figure]) -> str:
    """The medians alone."""
    lines = [_line(("", "jobplan", "beside it, same run", "ratio")), _line(("---", "--:", "--:", "--:"))]
    for one in figures:
        beside = f"{short(median(one.floors))} {one.unit} ({one.floor})" if one.floors else ""
        ratio = short(median(one.ratios)) if one.ratios else ""
        lines.append(_line((f"{one.part}: {one.name}", f"{short(median(one.values))} {one.unit}", beside, ratio)))
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _draw() -> None:
    """The curves, by matplotlib in a place of its own."""
    python = _DRAWS / "bin" / "python"
    if not python.exists():
        venv.create(_DRAWS, with_pip=True)
        lock = ROOT / "requirements-bench.lock"
        install = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)]
        subprocess.run(install, check=True)  # noqa: S603  # ours
    drawing = [str(python), str(Path(__file__).with_name("curves.py")), str(RESULTS), str(ROOT / "docs" / "pictures")]
    subprocess.run(drawing, check=True)  # noqa: S603  # ours


if __name__ == "__main__":
    main()
