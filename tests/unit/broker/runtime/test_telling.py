"""What of the audit trail a node writes to its log, and how loudly."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from broker.runtime.core import AuditRow
from broker.runtime.telling import tell

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _run(after: str, **fields: str) -> AuditRow:
    return AuditRow(at=_NOW, kind="run", run="I~C~J~1", after=after, **fields)


@pytest.mark.parametrize(
    ("row", "level"),
    [
        (_run("assigned"), logging.DEBUG),
        (_run("waiting"), logging.DEBUG),
        (_run("starting", before="waiting"), logging.DEBUG),
        (_run("running", before="starting"), logging.INFO),
        (_run("succeeded", before="running"), logging.INFO),
        (_run("lost"), logging.INFO),
        (AuditRow(at=_NOW, kind="job", after="RUNNING"), logging.DEBUG),
        (AuditRow(at=_NOW, kind="instance", after="WAITING"), logging.INFO),
    ],
    ids=lambda value: f"{value.kind} {value.after}" if isinstance(value, AuditRow) else logging.getLevelName(value),
)
def test_run_is_told_by_its_beginning_and_its_end(caplog: pytest.LogCaptureFixture, row: AuditRow, level: int) -> None:
    """What it passes through before, and what there is more of than people read, is for who looks for a fault."""
    with caplog.at_level(logging.DEBUG):
        tell([row])

    assert [record.levelno for record in caplog.records] == [level]


def test_line_says_what_from_what_to_what_and_why(caplog: pytest.LogCaptureFixture) -> None:
    """For people as text, for programs as fields; what is empty is left out."""
    with caplog.at_level(logging.INFO):
        tell([_run("failed", before="running", cause="exit", user="anna", detail="code 3")])

    [record] = caplog.records
    assert record.getMessage() == "run I~C~J~1 running -> failed (exit, by anna, code 3)"
    assert vars(record)["fields"] == {
        "kind": "run",
        "run": "I~C~J~1",
        "before": "running",
        "after": "failed",
        "cause": "exit",
        "user": "anna",
        "detail": "code 3",
    }
