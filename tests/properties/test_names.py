"""Names and ids for all inputs: nothing is lost, nothing collides."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from schemas.names import (
    ContextName,
    InstanceId,
    JobId,
    PlanName,
    escape,
    instance_id,
    instance_of,
    plan_of,
    run_id,
    unescape,
)

NAMES = st.text(min_size=1, max_size=30).map(lambda name: unicodedata.normalize("NFC", name))
STARTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # the strategy adds it
MARKS = st.none() | st.text("0123456789abcdef", min_size=8, max_size=32)


@given(NAMES)
def test_unescape_undoes_escape(name: str) -> None:
    """For every normalised name."""
    assert unescape(escape(name)) == name


@given(NAMES, STARTS, MARKS)
def test_plan_of_undoes_instance_id(name: str, start: datetime, mark: str | None) -> None:
    """Whatever the plan is called."""
    assert plan_of(instance_id(PlanName(name), start, mark)) == name


@given(st.lists(st.tuples(NAMES, STARTS.map(lambda s: s.replace(microsecond=0)), MARKS), unique=True, max_size=20))
def test_different_origins_give_different_instances(origins: list[tuple[str, datetime, str | None]]) -> None:
    """Injective."""
    ids = {instance_id(PlanName(name), start, mark) for name, start, mark in origins}

    assert len(ids) == len(origins)


@given(st.lists(st.tuples(NAMES, NAMES, st.integers(1, 10)), unique=True, max_size=20))
def test_different_attempts_give_different_runs(origins: list[tuple[str, str, int]]) -> None:
    """Injective, and the instance is read back."""
    instance = InstanceId("P-20260101T000000Z")
    runs = {run_id(instance, ContextName(context), JobId(job), attempt) for context, job, attempt in origins}

    assert len(runs) == len(origins)
    assert {instance_of(run) for run in runs} <= {instance}
