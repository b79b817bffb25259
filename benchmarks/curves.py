"""Draws the growth curves: ``curves.py RESULTS FOLDER``. Run by pages.py where matplotlib is.

Transparent, in a grey that is read on white and on black alike. Imports nothing of ours.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median

import matplotlib as mpl  # type: ignore[import-not-found]  # only in the place where this runs

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "jobplan"
from matplotlib import pyplot as plt  # noqa: E402  # after the choice above

_INK = "#808080"
_COLOURS = ("#4c8ed9", "#d9864c", "#5aa65a", "#a678c8")
_AXES = {
    "cost-of-an-event": ("jobs, or instances", "microseconds an event", "linear"),
    "cost-by-agents": ("agents of the site", "microseconds", "linear"),
    "hop-by-length": ("jobs in the chain", "milliseconds a hop", "linear"),
    "restart-by-instances": ("instances of 100 jobs", "seconds", "log"),
    "memory-by-jobs": ("live jobs", "MiB", "linear"),
}
"""Of each picture what grows, what is measured, and on what scale."""

Curve = dict[float, list[float]]
"""All that was measured at each place."""


def main(results: Path, folder: Path) -> None:
    """One picture after the other, a line a curve."""
    pictures: dict[str, dict[str, Curve]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for run in json.loads(results.read_text()).values():
        for one in run["figures"]:
            if one.get("picture"):
                pictures[one["picture"]][one["curve"]][one["x"]] += one["values"]
    for name, curves in pictures.items():
        if any(len(curve) > 1 for curve in curves.values()):
            _draw(name, curves, folder)


def _draw(name: str, curves: dict[str, Curve], folder: Path) -> None:
    across, up, scale = _AXES[name]
    drawing, axes = plt.subplots(figsize=(7.5, 3.6))
    for colour, (words, curve) in zip(_COLOURS, curves.items(), strict=False):
        places = sorted(curve)
        axes.plot(places, [median(curve[place]) for place in places], marker="o", color=colour, label=words)
    axes.set(xscale="log", yscale=scale, xlabel=across, ylabel=up)
    if scale == "linear":
        axes.set_ylim(0, None)
    axes.grid(color=_INK, alpha=0.25)
    for side in axes.spines.values():
        side.set_color(_INK)
    axes.tick_params(colors=_INK, which="both")
    axes.xaxis.label.set_color(_INK)
    axes.yaxis.label.set_color(_INK)
    legend = axes.legend(frameon=False)
    for text in legend.get_texts():
        text.set_color(_INK)
    drawing.tight_layout()
    drawing.savefig(folder / f"{name}.svg", transparent=True, metadata={"Date": None})
    plt.close(drawing)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
