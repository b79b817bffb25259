"""What was measured, beside its floor, and how it reads: a table for people, JSON for the pages."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Literal

from msgspec import Struct
from rich.table import Table

Better = Literal["less", "more"]


class Figure(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One figure over several runs; ``floors`` were taken in the same runs, one beside each value, so that ratios are honest."""

    part: str
    name: str
    unit: str
    values: tuple[float, ...]
    floor: str = ""
    """What the floor is, in words; empty: there is none."""
    floors: tuple[float, ...] = ()
    target: float | None = None
    """Of the ratio, or of the value where there is no floor."""
    better: Better = "less"
    x: float | None = None
    """Where it stands on its curve: how many jobs, instances, ..."""
    picture: str = ""
    """The picture in which that curve is drawn."""
    curve: str = ""
    """The words beside it."""

    @property
    def ratios(self) -> list[float]:
        """Each run's value over its floor."""
        return [value / floor for value, floor in zip(self.values, self.floors, strict=False) if floor]

    @property
    def met(self) -> bool | None:
        """Whether the target is met at the median; None: there is none."""
        if self.target is None:
            return None
        judged = median(self.ratios or self.values)
        return judged <= self.target if self.better == "less" else judged >= self.target


def spread(values: Sequence[float]) -> str:
    """Least, median and most, in three digits."""
    return " / ".join(short(value) for value in (min(values), median(values), max(values)))


def short(value: float) -> str:
    """Three digits that matter."""
    if value >= 100:  # noqa: PLR2004  # digits before the point are enough
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 1 else f"{value:.2f}"


def row(figure: Figure) -> list[str]:
    """One line of the table."""
    sign = "at most" if figure.better == "less" else "at least"
    verdict = {True: "met", False: "NOT met", None: ""}[figure.met]
    return [
        figure.part,
        figure.name,
        f"{spread(figure.values)} {figure.unit}",
        f"{spread(figure.floors)} {figure.unit}" if figure.floors else "",
        spread(figure.ratios) if figure.ratios else "",
        f"{sign} {figure.target:g}: {verdict}" if figure.target is not None else "",
        str(len(figure.values)),
    ]


HEADINGS = ("part", "figure", "min / median / max", "floor", "ratio", "target", "runs")


def table(figures: Sequence[Figure], title: str) -> Table:
    """All of them, for a terminal."""
    made = Table(title=title)
    for number, heading in enumerate(HEADINGS):
        made.add_column(heading, justify="left" if number < 2 else "right")  # noqa: PLR2004  # words, then numbers
    for figure in figures:
        made.add_row(*row(figure))
    return made
