"""The live tree as it is drawn."""

from __future__ import annotations

import io
from datetime import timedelta

from rich.console import Console

from jobplan.cli.tree import InstanceTree, plain
from jobplan.client.live import View, clock, lines_of, view
from jobplan.client.picture import Change
from schemas.blockers import Blocker, BlockerKind, LockClaim
from schemas.documents import ContextState, Document, LockState
from schemas.names import ContextName, LockName
from schemas.status import ContextStatus, JobStatus, NodeState
from tests.support.pictures import INSTANCE, NOON, PLAN, a_job, a_picture, a_presence, an_instance, where

NESTED = (
    ContextState(context=ContextName(PLAN), status=ContextStatus.RUNNING, started=NOON),
    ContextState(context=ContextName("Load"), status=ContextStatus.WAITING, parent=PLAN),
)
WAITS = Blocker(kind=BlockerKind.LOCK, text="waits for lock db")


def drawn(*documents: Document, width: int = 110, height: int = 60, terminal: bool = False) -> str:
    """The text of the tree."""
    found = view(a_picture(*documents), INSTANCE, NOON + timedelta(seconds=12))
    assert isinstance(found, View)
    out = Console(file=io.StringIO(), width=width, height=height, force_terminal=terminal, color_system=None)
    out.print(InstanceTree(found))
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def test_the_tree_shows_contexts_jobs_and_why_they_wait() -> None:
    """Nested, in plan order, with symbols, times and reasons."""
    text = drawn(
        a_presence(),
        a_presence(node="north"),
        an_instance(contexts=NESTED, jobs=3, started_by="anna"),
        a_job("Extract", JobStatus.COMPLETE, order=1, started=NOON, ended=NOON + timedelta(seconds=4), attempt=2),
        a_job("Load", JobStatus.LOCK_QUEUED, order=2, context="Load", blockers=(WAITS,)),
        a_job("Bad", JobStatus.ERROR, order=3, context="Load", return_code=3, started=NOON, ended=NOON),
        LockState(
            lock=LockName("db"),
            holders=(LockClaim(instance=INSTANCE, context=ContextName("Load"), job=a_job("Bad").job, since=NOON),),
        ),
    )

    rows = [line.rstrip() for line in text.splitlines()]
    assert "1/3 done" in text
    assert any(row.startswith("├─ ✔ Extract") and "4.0s" in row and " 2 " in row for row in rows)
    assert any(row.startswith("   ├─ ◷ Load") and row.endswith("waits for lock db") for row in rows)
    assert any(row.startswith("   └─ ✘ Bad") and row.endswith("return code 3") for row in rows)
    assert f"lock db held by north-Bad since {clock(NOON)}" in text


def test_what_may_be_old_is_marked() -> None:
    """On every job, and in words below."""
    text = drawn(a_presence(NodeState.GONE), an_instance(), a_job(status=JobStatus.RUNNING, started=NOON))

    assert "running ?" in text
    assert "! the dashboard is gone" in text


def test_finished_jobs_fold_when_the_terminal_is_low() -> None:
    """What moves stays to be seen."""
    jobs = [a_job(f"Job{number}", JobStatus.COMPLETE, order=number) for number in range(30)]
    text = drawn(
        a_presence(), an_instance(), *jobs, a_job("Last", JobStatus.RUNNING, order=99), height=24, terminal=True
    )

    assert "30 done" in text
    assert "▶ Last" in text
    assert "Job7" not in text


def test_waiting_jobs_fold_when_it_is_lower_still() -> None:
    """What is done folds first."""
    jobs = [a_job(f"Job{number}", order=number) for number in range(30)]
    text = drawn(a_presence(), an_instance(), *jobs, a_job("Bad", JobStatus.ERROR, order=99), height=24, terminal=True)

    assert "30 waiting" in text
    assert "✘ Bad" in text
    assert "Job7" not in text


def test_a_narrow_terminal_still_shows_name_and_status() -> None:
    """Nothing wraps."""
    text = drawn(a_presence(), an_instance(), a_job("A rather long name of a job", JobStatus.ERROR), width=60)

    assert max(len(line.rstrip()) for line in text.splitlines()) <= 60
    assert "error" in text


def test_a_plain_line_says_when_what_and_where() -> None:
    """For output that is not a terminal."""
    change = Change(address=where(a_job()), before=None, after=a_job(status=JobStatus.ERROR), at=NOON)

    text = plain(lines_of(change)[0], reason="return code 3")

    assert text.split("  ", 1)[1] == "job       ERROR               Nightly / Extract  (return code 3)"
