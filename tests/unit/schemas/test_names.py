"""Ids are made from what they name, and can be read back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from schemas.names import (
    ContextName,
    InstanceId,
    NameFormatError,
    PlanName,
    escape,
    instance_id,
    instance_of,
    job_id,
    plan_of,
    run_from,
    run_id,
    run_leaf,
    unescape,
)

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_escape_leaves_plain_names_readable() -> None:
    """Letters, digits, hyphen and underscore stay."""
    assert escape("Daily_Close-2") == "Daily_Close-2"


@pytest.mark.parametrize("name", ["a/b", "a b", "a+b#", "ü", "a.b", "~", "%2F", "日本", ""])
def test_escape_gives_one_safe_level_and_back(name: str) -> None:
    """No slash, wildcard, dot, tilde or blank is left, and nothing is lost."""
    level = escape(name)

    assert not set(level) & set("/+#. ~")
    assert unescape(level) == name


def test_escape_takes_composed_and_decomposed_letters_for_the_same() -> None:
    """NFC, so that a name typed on one system is found on another."""
    assert escape("e\u0301") == escape("\u00e9")


def test_instance_id_is_the_start_in_utc() -> None:
    """Whatever zone the start was computed in."""
    tokyo = START.astimezone(timezone(timedelta(hours=9)))

    assert instance_id(PlanName("Daily"), tokyo) == "Daily-20260102T030405Z"


def test_instance_ids_of_plans_that_look_like_instances_differ() -> None:
    """A plan called like an instance of another one makes other ids than that one."""
    odd = PlanName("A-20260102T030405Z")

    assert plan_of(instance_id(odd, START)) == odd
    assert instance_id(odd, START) != instance_id(PlanName("A"), START, "20260102")


def test_plan_is_read_back_from_an_instance_started_by_hand() -> None:
    """The mark of the request is no part of the name."""
    name = PlanName("My plan/ü")

    assert plan_of(instance_id(name, START, "0badcafe")) == name


@pytest.mark.parametrize("mark", ["", "xyz", "ABCDEF01", "1234567"])
def test_instance_id_refuses_what_is_no_mark(mark: str) -> None:
    """Else two instances could share an id."""
    with pytest.raises(NameFormatError):
        instance_id(PlanName("P"), START, mark)


def test_plan_of_names_what_is_no_instance() -> None:
    """The message has the text and the form."""
    with pytest.raises(NameFormatError, match="'P' is not an instance id"):
        plan_of(InstanceId("P"))


def test_run_id_is_taken_apart_again() -> None:
    """Odd names in each part."""
    instance = instance_id(PlanName("P~1"), START)
    run = run_id(instance, ContextName("C/~"), job_id("agent-1", "load~x"), 3)

    assert instance_of(run) == instance
    assert run_from(instance, run_leaf(run)) == run


def test_run_from_refuses_what_is_no_leaf() -> None:
    """Two parts are missing."""
    with pytest.raises(NameFormatError, match="CONTEXT~JOB~ATTEMPT"):
        run_from(InstanceId("P-20260102T030405Z"), "a-b")
