"""Which rows of the audit trail tell of a plan."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jobplan.cli.audit import of_plan, where
from schemas.queries import AuditEntry

AT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"kind": "job", "instance": "Daily-20260102T010000Z"}, True),
        ({"kind": "job", "instance": "Daily%20x-20260102T010000Z"}, False),
        ({"kind": "job", "instance": "nonsense"}, False),
        ({"kind": "tick", "context": "Daily"}, True),
        ({"kind": "tick", "context": "Daily2"}, False),
        ({"kind": "plan", "detail": "Daily"}, True),
        ({"kind": "plan", "detail": "Daily: version 3, found again"}, True),
        ({"kind": "plan", "detail": "Daily2"}, False),
        ({"kind": "request", "detail": "Daily"}, False),
    ],
)
def test_row_is_of_a_plan_by_instance_or_name(fields: dict[str, str], *, wanted: bool) -> None:
    """And each row is, when no plan is asked for."""
    row = AuditEntry(number=1, at=AT, **fields)

    assert of_plan(row, "Daily") is wanted
    assert of_plan(row, "")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"instance": "i", "context": "c", "job": "j", "run": "i~c~j~1"}, "i / c / j"),
        ({"instance": "i", "run": "i~c~j~1"}, "i~c~j~1"),
        ({}, ""),
    ],
)
def test_row_says_what_it_is_about(fields: dict[str, str], said: str) -> None:
    """The end of a run names no job, but which run."""
    assert where(AuditEntry(number=1, at=AT, kind="run", **fields)) == said
