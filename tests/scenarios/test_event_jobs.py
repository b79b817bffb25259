"""Scenarios 122 to 135: global and local events, start, terminal and bridging jobs; 124, of prepared instances, is elsewhere."""

from __future__ import annotations

import pytest

from schemas.requests import Action
from tests.scenarios.house import House
from tests.scenarios.telling import tell

RAISING = "A[a g:g b | g<-and(a), b<-and(g)]"


def _listening(name: str) -> str:
    return f"{name}[g:g c | c<-and(g)]"


def _three(**more: str) -> House:
    house = House()
    house.open("A", RAISING)
    house.open("B", _listening("B"), **more)
    house.open("C", _listening("C"))
    house.act(Action.SUBMIT, "A.a")
    return house


def test_scenario_122_a_global_event() -> None:
    """Every running instance hears it."""
    house = _three()

    assert house.ended("A.a") == ["A.b", "B.c", "C.c"]
    assert house.statuses("A.g", "B.g", "C.g") == ["COMPLETE"] * 3


def test_scenario_123_one_of_them_has_ended() -> None:
    """The others hear it all the same."""
    house = _three()
    house.end("B")

    assert house.ended("A.a") == ["A.b", "C.c"]
    assert house.statuses("A.g", "B.g", "C.g") == ["COMPLETE", "WAITING", "COMPLETE"]


def test_scenario_125_another_environment() -> None:
    """It is not heard there, unless a person raises it."""
    house = _three(environment_group="test")

    assert house.ended("A.a") == ["A.b", "C.c"]
    assert house.status("B.g") == "WAITING"
    assert house.raise_event("g") == ["B.c"]
    assert house.status("B.g") == "COMPLETE"


def test_scenario_126_skipped_where_it_is_raised() -> None:
    """Nobody else hears it."""
    house = _three()
    house.act(Action.SKIP, "A.g")

    assert house.ended("A.a") == ["A.b"]
    assert house.statuses("A.g", "B.g", "C.g") == ["SKIPPED_COMPLETE", "WAITING", "WAITING"]


def test_scenario_127_several_instances() -> None:
    """Each of them hears it."""
    house = _three()
    house.open("B2", _listening("B"))

    assert sorted(house.ended("A.a")) == ["A.b", "B.c", "B2.c", "C.c"]
    assert house.statuses("B.g", "B2.g") == ["COMPLETE"] * 2


def test_scenario_128_raised_twice() -> None:
    """Only what is repeatable follows again."""
    house = House()
    house.open("i", "P[g:g c r* | c<-and(g), r<-and(g)]")

    assert house.raise_event("g") == ["i.c", "i.r"]
    house.ended("i.c")
    house.ended("i.r")
    assert house.raise_event("g") == ["i.r"]
    assert house.status("i.g") == "COMPLETE"


def test_a_held_global_event_waits_where_it_is_held() -> None:
    """The others hear it; where a person holds it, it happens on the release, and is not raised once more."""
    house = _three()
    house.act(Action.HOLD, "B.g")

    assert house.ended("A.a") == ["A.b", "C.c"]
    assert house.statuses("A.g", "B.g", "C.g") == ["COMPLETE", "ON_HOLD", "COMPLETE"]
    assert house.act(Action.RELEASE, "B.g") == ["B.c"]
    assert house.status("B.g") == "COMPLETE"


def test_scenario_129_a_local_event() -> None:
    """It happens in every context that has it."""
    tell("P{C1[a l:l | l<-and(a)], C2[l b | b<-and(l)]}", "S(a) -> init{a}\n OK(a) -> init{b} l=C C1=C\n OK(b) -> P=C")


def test_scenario_130_a_held_local_event() -> None:
    """It is remembered, and happens when it is released."""
    tell(
        "P[a l:l b | l<-and(a), b<-and(l)]",
        "hold(l) -> l=H\n S(a) -> init{a}\n OK(a) -> l=H\n release(l) -> init{b} l=C\n reset(l) -> l=W",
    )


def test_scenario_131_from_one_context_to_the_next() -> None:
    """Terminal and start jobs lead on with nothing from outside."""
    told = tell(
        "P{C1[a b t:T1 | b<-and(a), T1<-and(b)], C2[T1 s:S2 c d | S2<-and(T1), c<-and(S2), d<-and(S2)]}",
        "S(a) -> init{a}\n OK(a) -> init{b}\n OK(b) -> init{c d} T1=C S2=C C1=C C2=R",
    )
    told.tell("OK(c) ->\n OK(d) -> C2=C P=C")


def test_scenario_132_a_terminal_job_of_two_leaves() -> None:
    """It happens after both."""
    tell("P[a b t:t | t<-and(a,b)]", "S(a) -> init{a}\n S(b) -> init{b}\n OK(a) -> t=W P=R\n OK(b) -> t=C P=C")


@pytest.mark.parametrize(("mark", "again"), [("*", "init{c}"), ("", "")])
def test_scenario_133_a_bridging_job(mark: str, again: str) -> None:
    """After a repeatable job it happens again, after another it does not."""
    told = tell(
        f"P[q:q a{mark} br:x c* | a<-and(q), x<-and(a), c<-and(x)]",
        "OK(q) -> init{a}\n OK(a) -> init{c} x=C\n OK(c) -> P=C",
    )
    told.tell("OK(q) -> init{a}" if mark else "resubmit(a) -> init{a}")
    told.tell(f"OK(a) -> {again}")


def test_scenario_134_reset_of_a_bridging_job() -> None:
    """Its context runs on."""
    told = tell("P[a br:x c | x<-and(a), c<-and(x)]", "S(a) -> init{a}\n OK(a) -> init{c} x=C\n OK(c) -> P=C")
    told.tell("reset(x) -> x=W P=R\n submit(x) -> x=C P=C")
    tell("P[a br:x | x<-and(a)]", "S(a) -> init{a}\n OK(a) -> x=C P=C\n reset(x) -> x=W P=R")


def test_scenario_135_a_local_event_in_a_context_that_is_complete() -> None:
    """It may happen, and is complete."""
    tell("P{C1[l:l], C2[a]}", "submit(l) -> l=C C1=C\n resubmit(l) -> l=C C1=C\n OK(l) -> l=C C1=C")
