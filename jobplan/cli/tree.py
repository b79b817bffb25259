"""The live tree of an instance in a terminal: draws a view, decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from jobplan.cli.columns import EMPTY, Cell, Column, Columns
from jobplan.cli.symbols import CONTEXT, job_style, symbol, words
from jobplan.client.estimates import deadline_lines, estimate_lines
from jobplan.client.live import (
    DONE,
    FAILED,
    MOVING,
    Branch,
    Line,
    View,
    clock,
    day_and_clock,
    lasted,
    note,
    span,
)
from schemas.blockers import LockClaim
from schemas.documents import JobState
from schemas.estimates import DeadlineState
from schemas.status import ContextStatus, JobStatus

FRAME: Final = 9
"""Lines around the rows: header, progress, locks, doubts and a spare one."""

NARROW: Final = 100
"""Columns below which notes are left out of the table."""


IDLE: Final = frozenset({JobStatus.WAITING, JobStatus.DISABLED, JobStatus.PREPARED})
"""What may be folded when room is scarce, besides what is done."""

DEADLINE: Final = {
    DeadlineState.LATE: "bold red",
    DeadlineState.THREATENED: "yellow",
    DeadlineState.AHEAD: "cyan",
    DeadlineState.MET: "green",
}

Guides = tuple[str, str, str, str]
LINES: Final = ("├─ ", "└─ ", "│  ", "   ")
ASCII: Final = ("|- ", "`- ", "|  ", "   ")

ENDLESS: Final = 1_000_000

WIDE: Final = (
    Column("JOB", width=18, narrowest=18),
    Column("STATUS", width=9),
    Column("START", width=8),
    Column("TOOK", width=5, right=True),
    Column("TRY", right=True),
    Column("AGENT", narrowest=5),
    Column("", narrowest=0),
)
SLIM: Final = tuple(column for column in WIDE if column.heading != "AGENT")


class Row(Struct, frozen=True):
    """One line of the tree: a context (``job`` is None) or a job, with the guides in front of it."""

    guides: str
    branch: Branch | None
    job: JobState | None
    folded: tuple[JobState, ...] = ()
    """The jobs this line stands for, all done or all waiting."""


class InstanceTree:
    """A renderable of one view; folds finished jobs when the terminal is too low for all rows."""

    def __init__(self, view: View, *, hints: tuple[str, ...] = (), fold: bool = True) -> None:
        self.view = view
        self.fold = fold
        self.hints = hints

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw for this console's height, width and characters."""
        ascii_only = options.ascii_only
        height = options.height or console.size.height
        deadlines = deadline_lines(self.view.estimate) if self.view.estimate is not None else []
        room = height - FRAME - len(self.hints) - len(deadlines) if self.fold and console.is_terminal else ENDLESS
        yield Group(
            header(self.view),
            progress(self.view, width=min(options.max_width, 76), ascii_only=ascii_only),
            Text(),
            body(self.view, room=room, wide=options.max_width >= NARROW, ascii_only=ascii_only),
            *footer(self.view),
            *estimate(self.view),
            *(Text(hint, style="bright_black", no_wrap=True, overflow="ellipsis") for hint in self.hints),
        )


def header(view: View) -> RenderableType:
    """Instance, status, window, and who started it."""
    one = view.instance
    text = Text.assemble((one.plan, "bold"), "  ", (f" {one.status.value} ", f"reverse {CONTEXT[one.status]}"))
    if one.status is ContextStatus.ENDED and one.result is not None:
        text.append(f"  result {one.result.value}", style=CONTEXT[one.result])
    text.append(f"  {span(view.running_for)}", style="bold")
    if one.started_by:
        text.append(f"  started by {one.started_by}", style="bright_black")
    second = Text(f"{one.instance}  ", style="bright_black")
    closes = "until ended by hand" if one.closes is None else f"closes {day_and_clock(one.closes)}"
    second.append(f"opened {day_and_clock(one.opens)}, {closes}")
    if one.end_reason:
        second.append(f"  ({one.end_reason})")
    for line in (text, second):
        line.no_wrap, line.overflow = True, "ellipsis"
    return Group(text, second)


def progress(view: View, *, width: int, ascii_only: bool) -> RenderableType:
    """A bar with a part for done, moving, and failed, then the counts by status."""
    total = max(1, view.instance.jobs, len(view.jobs))
    bar = Text(no_wrap=True, overflow="ellipsis")
    cells = max(10, width // 3)
    parts = (
        (sum(job.status in DONE for job in view.jobs), "green"),
        (sum(job.status in MOVING for job in view.jobs), "blue"),
        (sum(job.status in FAILED for job in view.jobs), "red"),
    )
    full, empty = ("#", "-") if ascii_only else ("━", "─")
    used = 0
    for count, style in parts:
        size = min(cells - used, -(-count * cells // total)) if count else 0
        if count * cells // total == 0 and count:
            size = min(cells - used, 1)
        bar.append(full * size, style=style)
        used += size
    bar.append(empty * (cells - used), style="bright_black")
    bar.append(f"  {view.done}/{total} done  ")
    for status in JobStatus:
        count = view.counts.get(status, 0)
        if count:
            mark = symbol(status, ascii_only=ascii_only)
            bar.append(f" {mark} {count} {words(status)} ", style=job_style(status))
    return bar


def body(view: View, *, room: int, wide: bool, ascii_only: bool) -> RenderableType:
    """The rows in aligned columns."""
    found = rows(view.root, room=room, ascii_only=ascii_only)
    cells = (_cells(row, view, wide=wide, ascii_only=ascii_only) for row in found)
    return Columns(WIDE if wide else SLIM, cells)


def _cells(row: Row, view: View, *, wide: bool, ascii_only: bool) -> tuple[Cell, ...]:
    if row.job is not None:
        cells = _job_cells(row, row.job, view, ascii_only=ascii_only)
    elif row.branch is not None:
        cells = _context_cells(row, row.branch, view)
    else:
        done = row.folded[0].status in DONE
        text = (f"+ {len(row.folded)} done", "green") if done else (f"+ {len(row.folded)} waiting", "bright_black")
        cells = (((row.guides, "bright_black"), text), *(EMPTY,) * 6)
    return cells if wide else (*cells[:5], cells[6])


def _job_cells(row: Row, job: JobState, view: View, *, ascii_only: bool) -> tuple[Cell, ...]:
    style = job_style(job.status)
    mark = symbol(job.status, ascii_only=ascii_only)
    status = (words(job.status), style)
    agent = job.agent if job.kind.on_agent else job.kind.value
    flags = [flag for flag in ("skipped", "disabled") if getattr(job, flag)]
    shown = [flag for flag in flags if flag not in words(job.status)]
    text = "; ".join(part for part in (*shown, note(job)) if part)
    return (
        ((row.guides, "bright_black"), (f"{mark} ", style), (job.name, "")),
        (status, (" ?", "bold yellow")) if view.doubt else (status,),
        ((clock(job.started), ""),),
        ((lasted(job, view.now), ""),),
        ((str(job.attempt) if job.attempt > 1 else "", "yellow"),),
        ((agent, "red" if agent in view.gone_agents else "bright_black"),),
        ((text, "red" if job.status in FAILED else "bright_black"),),
    )


def _context_cells(row: Row, branch: Branch, view: View) -> tuple[Cell, ...]:
    state = branch.state
    took = "" if state.started is None else span((state.ended or view.now) - state.started)
    return (
        ((row.guides, "bright_black"), (state.context, "bold")),
        ((words(state.status), CONTEXT[state.status]),),
        ((clock(state.started), "bright_black"),),
        ((took, "bright_black"),),
        EMPTY,
        EMPTY,
        EMPTY,
    )


def rows(root: Branch, *, room: int, ascii_only: bool = False) -> list[Row]:
    """The tree, line by line. Too many for the room: finished jobs of a context become one line, then waiting ones too."""
    guides = ASCII if ascii_only else LINES
    found = _rows(root, "", "", guides, ())
    for folding in ((DONE,), (DONE, IDLE)):
        if len(found) > room:
            found = _rows(root, "", "", guides, folding)
    return found


def _rows(branch: Branch, first: str, rest: str, guides: Guides, folding: Sequence[frozenset[JobStatus]]) -> list[Row]:
    tee, corner, pipe, gap = guides
    groups = [tuple(job for job in branch.jobs if job.status in statuses) for statuses in folding]
    folded = [group for group in groups if len(group) > 1]
    hidden = {(job.context, job.job) for group in folded for job in group}
    jobs = [job for job in branch.jobs if (job.context, job.job) not in hidden]
    found = [Row(first, branch, None)]
    inside: list[tuple[JobState, ...] | JobState | Branch] = [*folded, *jobs, *branch.children]
    for place, one in enumerate(inside, 1):
        last = place == len(inside)
        before = rest + (corner if last else tee)
        match one:
            case Branch():
                found += _rows(one, before, rest + (gap if last else pipe), guides, folding)
            case JobState():
                found.append(Row(before, None, one))
            case _:
                found.append(Row(before, None, None, one))
    return found


def _held(claim: LockClaim) -> str:
    return claim.called + (f" since {clock(claim.since)}" if claim.since is not None else "")


def footer(view: View) -> list[RenderableType]:
    """Locks, agents that are gone, and what makes the picture doubtful."""
    lines: list[RenderableType] = []
    for lock in view.locks:
        holders = ", ".join(map(_held, lock.holders)) or "nobody"
        text = Text.assemble(("lock ", "bright_black"), (lock.lock, "bold yellow"))
        text.append(f" held by {holders}")
        if lock.queue:
            text.append(f"; waiting: {', '.join(claim.called for claim in lock.queue)}", "yellow")
        lines.append(text)
    if view.gone_agents and view.instance.status is not ContextStatus.ENDED:
        gone = ", ".join(view.gone_agents)
        lines.append(Text(f"! not there: agent {gone}; its jobs go on when it is back", "yellow"))
    if view.missing:
        lines.append(Text(f"! {view.missing} jobs of this instance are not shown", "yellow"))
    if view.doubt:
        lines.append(Text(f"! {view.doubt}", style="bold yellow"))
    return lines


def estimate(view: View) -> list[RenderableType]:
    """When it will be complete, what it has to wait for longest, and the deadlines."""
    if view.estimate is None:
        return []
    lines = [Text(line, style="cyan") for line in estimate_lines(view.estimate, view.instance.status)]
    return [*lines, *(Text(line, style=DEADLINE[state]) for state, line in deadline_lines(view.estimate))]


def plain(line: Line, *, reason: str = "") -> str:
    """One change as a line of text, for output that is not a terminal."""
    where = {"instance": line.instance, "context": line.context}.get(line.kind, f"{line.context} / {line.job}")
    text = f"{clock(line.at)}  {line.kind:<8}  {line.status:<18}  {where}"
    return f"{text}  ({reason})" if reason else text
