"""Working off what follows from an event, until nothing moves."""

from __future__ import annotations

import msgspec

from schemas.requests import RaiseEvent
from tests.scenarios.house import House
from tests.scenarios.telling import tell


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

    heard = [house.ask(RaiseEvent(event=event)) for event in ("g", "h")]

    assert [msgspec.json.decode(answer.data) for answer in heard] == [{"instances": 2}, {"instances": 0}]
    assert house.statuses("i.g", "j.g") == ["COMPLETE", "COMPLETE"]
