"""Draws what an event costs as plans and instances grow: ``curves.py RESULTS FOLDER``. Run by pages.py where matplotlib is.

Transparent, in a grey that is read on white and on black alike. Imports nothing of ours.
"""

from __future__ import annotations

import json
import sys
from itertools import groupby
from pathlib import Path
from statistics import median

import matplotlib as mpl  # type: ignore[import-not-found]  # only in the place where this runs

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "jobplan"
from matplotlib import pyplot as plt  # noqa: E402  # after the choice above

_INK = "#808080"
_COLOURS = ("#4c8ed9", "#d9864c", "#5aa65a", "#a678c8")


def main(results: Path, folder: Path) -> None:
    """One picture: a line a curve."""
    figures = [one for one in json.loads(results.read_text())["figures"] if one.get("x") is not None]
    drawing, axes = plt.subplots(figsize=(7.5, 3.6))
    curves = groupby(figures, key=lambda one: one["name"].removeprefix("an event, ").rpartition(":")[0])
    for colour, (name, points) in zip(_COLOURS, curves, strict=False):
        found = [(one["x"], median(one["values"])) for one in points]
        axes.plot(*zip(*found, strict=True), marker="o", color=colour, label=name)
    axes.set(xscale="log", xlabel="jobs, or instances", ylabel="microseconds an event", ylim=(0, None))
    axes.grid(color=_INK, alpha=0.25)
    for side in axes.spines.values():
        side.set_color(_INK)
    axes.tick_params(colors=_INK)
    axes.xaxis.label.set_color(_INK)
    axes.yaxis.label.set_color(_INK)
    legend = axes.legend(frameon=False)
    for text in legend.get_texts():
        text.set_color(_INK)
    drawing.tight_layout()
    drawing.savefig(folder / "cost-of-an-event.svg", transparent=True, metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
