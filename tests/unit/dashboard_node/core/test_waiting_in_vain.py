"""A context is not complete while a job in it waits for a dependency in vain, and what counts as in vain."""

from __future__ import annotations

import pytest

from schemas.requests import Action
from tests.scenarios.house import House
from tests.scenarios.telling import tell

LINE = "P[w y z | y<-and(w), z<-and(y)]"


def test_a_job_in_the_middle_waits_in_vain() -> None:
    """Although nothing that has to be done is left."""
    tell(LINE, "submit(z) -> init{z}\n OK(z) -> y=W P=R")


@pytest.mark.parametrize("rule", ["and(x)", "or(x)"])
def test_what_is_decided_elsewhere_is_not_waited_for(rule: str) -> None:
    """Who waits for a job whose run another context decides does not keep this one from being complete."""
    tell(
        f"P{{C1[w x | x<-and(w)], C2[x y z | y<-{rule}, z<-and(y)]}}",
        "submit(z) -> init{z}\n OK(z) -> C2=C P=R",
    )


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("rule", ["and(w)", "or(w)"])
def test_a_failed_job_that_was_reset(rule: str, *, restarts: bool) -> None:
    """Its dependency holds, so it does not wait in vain; a restart does not change that."""
    house = House()
    house.open("i", LINE.replace("and(w)", rule))
    house.act(Action.SUBMIT, "i.w")
    house.ended("i.w")
    house.ended("i.y", code=1)
    house.act(Action.RESET, "i.y")
    if restarts:
        house.restart()
    house.act(Action.SUBMIT, "i.z")
    house.ended("i.z")

    assert house.core.state.instances[house.instances["i"]].status == "COMPLETE"


def test_what_is_forbidden_meanwhile_waits_in_vain() -> None:
    """All it asks for is done, and so is what it must not have."""
    tell(
        "P[w v y z | y<-and(w)not(v), z<-and(y)]",
        """
        submit(w) -> init{w}
        OK(w) -> init{y}
        KO(y) -> y=E
        reset(y) -> y=W
        submit(v) -> init{v}
        OK(v) ->
        submit(z) -> init{z}
        OK(z) -> y=W P=R
        """,
    )


def test_a_job_that_was_passed_over_by_hand_waits_for_nothing() -> None:
    """Whatever its dependency says: it has been initiated, or is over."""
    tell(LINE, "submit(z) -> init{z}\n OK(z) -> P=R\n skip(y) -> y=K P=R\n submit(w) -> init{w}\n OK(w) -> y=KC P=C")
