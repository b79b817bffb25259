"""The timeline of a night, drawn with bars."""

from __future__ import annotations

from datetime import timedelta

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from jobplan.simulate.night import Bar, Night
from schemas.status import ContextStatus, JobStatus

_COLOURS = {
    JobStatus.COMPLETE: "green",
    JobStatus.SKIPPED_COMPLETE: "cyan",
    JobStatus.ERROR: "red",
    JobStatus.KILLED: "red",
    JobStatus.WAITING: "yellow",
}
_ROOT = {ContextStatus.COMPLETE: "green", ContextStatus.ERROR: "red", ContextStatus.ENDED: "magenta"}


_NUMBERS = 26
"""Columns that the start, the duration and the gaps take."""
_LEAST = 20
"""Columns of the bars in a terminal too narrow for everything: names are cut off before them."""


def render(night: Night, columns: int = 120) -> RenderableType:
    """A row a run: when it started, how long it took, and where in the night that lies. ``columns``: of the whole table."""
    span = max(night.done - night.opens, timedelta(seconds=1))
    table = Table(box=None, pad_edge=False)
    names = max(columns - _NUMBERS - max(columns // 3, _LEAST), _LEAST)
    width = max(columns - _NUMBERS - names, _LEAST)
    for heading, most in (("Context", names * 2 // 5), ("Job", names - names * 2 // 5)):
        table.add_column(heading, no_wrap=True, max_width=most)
    table.add_column("Start", no_wrap=True, min_width=9)
    table.add_column("Took", no_wrap=True, min_width=8, justify="right")
    table.add_column("0" + f"{_words(span):>{width - 1}}", no_wrap=True, min_width=width)
    for bar in sorted(night.bars, key=lambda bar: (bar.started, bar.ended or bar.started)):
        ended = bar.ended or night.done
        times = night.firings.get(bar.job, 1)
        table.add_row(
            bar.context,
            bar.job + (f" (fired {times} times)" if times > 1 else ""),
            f"+{_words(bar.started - night.opens)}",
            _words(ended - bar.started) if ended > bar.started else "",
            _bar(bar, night, span, width),
        )
    return Group(_head(night), table, *_never(night))


def _bar(bar: Bar, night: Night, span: timedelta, width: int) -> Text:
    start = int((bar.started - night.opens) / span * (width - 1))
    end = int(((bar.ended or night.done) - night.opens) / span * (width - 1))
    mark = "◆" if bar.ended == bar.started else "█" * max(end - start, 1)
    return Text(" " * start + mark, style=_COLOURS.get(bar.status, "yellow"))


def _head(night: Night) -> Text:
    text = Text.assemble(
        (night.instance, "bold"),
        f"  opens {night.opens:%Y-%m-%d %H:%M:%SZ}, ",
        f"closes {night.closes:%Y-%m-%d %H:%M:%SZ}, " if night.closes else "no end of its own, ",
        (night.status, _ROOT.get(night.status, "yellow")),
        f" after {_words(night.done - night.opens)}",
    )
    if night.cut:
        text.append("  (cut: more happened than could be played)", style="red")
    return text


def _never(night: Night) -> list[Text]:
    left = [
        job
        for job, status in night.jobs.items()
        if status in {JobStatus.WAITING, JobStatus.ON_HOLD, JobStatus.LOCK_QUEUED}
    ]
    return [Text(f"never ran: {', '.join(left)}", style="yellow")] if left else []


def _words(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
