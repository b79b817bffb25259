"""Working off what follows from an event, until nothing moves."""

from __future__ import annotations

from itertools import pairwise

import msgspec

from schemas.requests import EndInstance, RaiseEvent
from schemas.status import ContextStatus
from tests.scenarios.house import House
from tests.scenarios.telling import tell
from tests.support.office import Office, a_plan, at


def test_many_contexts_and_few_jobs() -> None:
    """How much may follow from an event grows with both."""
    contexts = ", ".join(f"C{number}" for number in range(15))

    tell(f"P[a b | b<-and(a)]{{{contexts}}}", "S(a) -> init{a}\n OK(a) -> init{b}\n OK(b) -> P=C")


def test_a_long_line_of_events() -> None:
    """All of it happens at once."""
    names = [f"e{number}" for number in range(150)]
    jobs = " ".join(f"l:{name}" for name in names)
    rules = ", ".join(f"{after}<-and({before})" for before, after in zip(["a", *names], names, strict=False))

    tell(f"P[a {jobs} | {rules}]", "S(a) -> init{a}\n OK(a) -> e149=C P=C")


def test_a_person_is_told_how_many_instances_heard_an_event() -> None:
    """Those that run and have it; of every environment group."""
    house = House()
    house.open("i", "P[g:g a | a<-and(g)]")
    house.open("j", "Q[g:g]", environment_group="test")
    house.open("k", "R[b]")

    heard = house.ask(RaiseEvent(event="g"))

    assert msgspec.json.decode(heard.data) == {"instances": 2}
    assert house.statuses("i.g", "j.g") == ["COMPLETE", "COMPLETE"]


def test_an_event_is_unknown_only_if_no_plan_has_it() -> None:
    """One that nobody hears is known all the same; of another it is said which was perhaps meant."""
    house = House()
    house.open("i", "P{C[g:closed a | a<-and(closed)]}")
    house.end("i")

    unheard, unknown = (house.ask(RaiseEvent(event=event)) for event in ("closed", "clsoed"))

    assert (unheard.ok, msgspec.json.decode(unheard.data)) == (True, {"instances": 0})
    assert (unknown.ok, unknown.unknown) == (False, True)
    assert unknown.reason == "global event 'clsoed' is unknown; did you mean 'closed'?"


def test_two_instances_that_raise_each_others_events_in_turn() -> None:
    """All of it happens at once, however many turns it takes."""
    names = [f"e{number}" for number in range(40)]

    def side(name: str, mine: int) -> str:
        rules = [f"{after}<-and({before})" for before, after in pairwise(names)][mine::2]
        return f"{name}[{' '.join(f'g:{event}' for event in names)} z | {', '.join(rules)}, z<-and(e39)]"

    house = House()
    house.open("a", side("A", 0))
    house.open("b", side("B", 1))

    assert sorted(house.raise_event("e0")) == ["a.z", "b.z"]
    assert {house.status(f"{one}.{event}") for one in "ab" for event in names} == {"COMPLETE"}


def test_an_agent_that_forgot_the_runs_of_an_ended_instance_and_of_one_that_goes_on() -> None:
    """The first one changes nothing but its own record, and keeps nobody from being settled."""
    office = Office(at("04-02 12:00"))
    for name in "PQ":
        office.imports(a_plan(name, onEnd="leave"))
    ended, active = (one.id for one in office.instances)
    for one in (ended, active):
        office.fires("q", instance=one)
        office.starts("c", one)
    office.ask(EndInstance(instance=ended))
    office.down_until(at("04-02 12:10"))

    office.hears_presence("a")

    assert (office.status("c", ended), office.status("c", active)) == ("RUNNING", "ERROR")
    assert [one.status for one in office.instances] == [ContextStatus.ENDED, ContextStatus.ERROR]
