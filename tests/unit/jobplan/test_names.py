"""What a person calls an instance, a plan, a job."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobplan.cli.names import the_copies, the_instance, the_plan
from jobplan.errors import BadInputError, UnknownNameError
from schemas.names import InstanceId, PlanName
from tests.support.pictures import NOON, a_job, a_plan, an_instance

FIRST, SECOND, OTHER = (
    InstanceId(f"{text}Z") for text in ("Nightly-20260302T1200", "Nightly-20260303T1200", "Other-20260303T1200")
)
INSTANCES = {
    FIRST: an_instance(instance=FIRST),
    SECOND: an_instance(instance=SECOND, created=NOON + timedelta(days=1)),
    OTHER: an_instance(instance=OTHER, plan="Other"),
}
JOBS = (a_job("Load"), a_job("Load", context="Inner"), a_job("Extract"))


@pytest.mark.parametrize(
    ("text", "meant"), [(FIRST, FIRST), ("Nightly", SECOND), ("Oth", OTHER), ("Nightly-20260302", FIRST)]
)
def test_an_instance_by_id_plan_or_prefix(text: str, meant: str) -> None:
    """A plan's name means its newest instance."""
    assert the_instance(text, INSTANCES).instance == meant


def test_an_ambiguous_prefix_is_refused() -> None:
    """It lists what it may be."""
    with pytest.raises(BadInputError, match=r"may be 2 of them: Nightly-20260302T1200Z, Nightly-20260303T1200Z"):
        the_instance("Nightly-2026", INSTANCES)


def test_an_unknown_name_suggests_the_nearest() -> None:
    """Whatever is asked for."""
    with pytest.raises(UnknownNameError, match="did you mean 'Nightly'"):
        the_instance("Nihgtly", INSTANCES)
    with pytest.raises(UnknownNameError, match="did you mean 'Nightly'"):
        the_plan("Nihgtly", {PlanName("Nightly"): a_plan()})
    with pytest.raises(UnknownNameError, match="did you mean 'Load'"):
        the_copies("Laod", JOBS)
    with pytest.raises(UnknownNameError, match="did you mean 'Inner'"):
        the_copies("Load", JOBS, "inner")


def test_a_job_is_all_its_copies_unless_a_context_is_given() -> None:
    """By name or identifier, letter case aside."""
    assert [copy.context for copy in the_copies("load", JOBS)] == ["Nightly", "Inner"]
    assert [copy.context for copy in the_copies("north-Load", JOBS, "Inner")] == ["Inner"]


def test_the_same_name_on_two_agents_is_refused() -> None:
    """Then the identifier is needed."""
    twins = (a_job("Load"), a_job("Load", job="south-Load", agent="south"))

    with pytest.raises(BadInputError, match="north-Load or south-Load"):
        the_copies("Load", twins)


def test_nothing_there_says_how_to_begin() -> None:
    """An empty dashboard is not a typing error."""
    with pytest.raises(UnknownNameError, match="jobplan instance start PLAN"):
        the_instance("x", {})
    with pytest.raises(UnknownNameError, match="jobplan plan import BUNDLE"):
        the_plan("x", {})
