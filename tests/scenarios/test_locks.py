"""Scenarios 99 to 121: locks."""

from __future__ import annotations

from schemas.requests import Action
from tests.scenarios.house import House
from tests.scenarios.telling import tell

TWO = "P[a b]"
FOUR = "P[a b c d]"


def test_scenario_099_one_at_a_time() -> None:
    """The second one waits for the first one's end."""
    tell(
        TWO,
        "submit(a) -> init{a}\n submit(b) -> b=Q\n OK(a) -> init{b} b=Q\n S(b) -> b=R\n OK(b) -> P=C",
        locks="L{a b}",
    )


def test_scenario_100_a_failure_gives_the_lock_back() -> None:
    """The next one goes."""
    tell(TWO, "submit(a) -> init{a}\n submit(b) -> b=Q\n KO(a) -> init{b} a=E", locks="L{a b}")


def test_scenario_101_a_start_does_not() -> None:
    """The lock is held until the end."""
    tell(TWO, "submit(a) -> init{a}\n submit(b) -> b=Q\n S(a) -> b=Q", locks="L{a b}")


def test_scenario_102_first_come_first_served() -> None:
    """In the order of asking."""
    tell(
        FOUR,
        """
        submit(a) -> init{a}
        submit(b) ->
        submit(c) ->
        submit(d) ->
        OK(a) -> init{b}
        OK(b) -> init{c}
        OK(c) -> init{d}
        """,
        locks="L{a b c d}",
    )


def test_scenario_103_two_at_a_time() -> None:
    """The third one waits."""
    tell(FOUR, "submit(a) -> init{a}\n submit(b) -> init{b}\n submit(c) -> c=Q\n OK(a) -> init{c}", locks="L:2{a b c}")


def test_scenario_104_nobody_overtakes() -> None:
    """One that would fit waits behind one that does not."""
    tell(
        FOUR,
        "submit(a) -> init{a}\n submit(b) -> b=Q\n submit(c) -> c=Q\n OK(a) -> init{b c}",
        locks="L:3{a:2 b:2 c}",
    )


def test_scenario_105_heavier_than_the_lock() -> None:
    """It runs alone."""
    tell(TWO, "submit(a) -> init{a}\n submit(b) -> b=Q\n OK(a) -> init{b}", locks="L{a:5 b}")


def test_scenario_105_heavier_than_another_plan_says_the_lock_is() -> None:
    """Each plan may be imported; where they meet the smaller capacity counts, and the heavy job runs alone."""
    house = House()
    house.open("one", "A[a]", locks="L:5{a:5}")
    house.open("two", "B[b c]", locks="L{b c}")

    assert house.act(Action.SUBMIT, "two.b") == ["two.b"]
    assert house.act(Action.SUBMIT, "one.a") == []
    assert house.act(Action.SUBMIT, "two.c") == []
    assert house.ended("two.b") == ["one.a"]
    assert house.ended("one.a") == ["two.c"]


def test_scenario_106_as_many_as_fit() -> None:
    """A release lets all go that fit."""
    tell(FOUR, "submit(a) -> init{a}\n submit(b) ->\n submit(c) ->\n OK(a) -> init{b c}", locks="L:2{a:2 b c}")


def test_scenario_107_shared_by_plans() -> None:
    """A lock is known by its name."""
    house = House()
    house.open("one", "A[a]", locks="L{a}")
    house.open("two", "B[b]", locks="L{b}")

    assert house.act(Action.SUBMIT, "one.a") == ["one.a"]
    assert house.act(Action.SUBMIT, "two.b") == []
    assert house.status("two.b") == "LOCK_QUEUED"
    assert house.ended("one.a") == ["two.b"]


def test_scenario_108_another_environment() -> None:
    """There it is another lock."""
    house = House()
    house.open("one", "A[a]", locks="L{a}")
    house.open("two", "B[b]", locks="L{b}", environment_group="test")

    assert house.act(Action.SUBMIT, "one.a") == ["one.a"]
    assert house.act(Action.SUBMIT, "two.b") == ["two.b"]


def _two_instances(**more: str) -> House:
    house = House()
    house.open("i1", "P[a]", **({"locks": "L{a}"} | more))
    house.open("i2", "P[a]", **({"locks": "L{a}"} | more))
    return house


def test_scenario_109_two_instances() -> None:
    """They share the lock."""
    house = _two_instances()

    assert house.act(Action.SUBMIT, "i1.a") == ["i1.a"]
    assert house.act(Action.SUBMIT, "i2.a") == []
    assert house.ended("i1.a") == ["i2.a"]


def test_scenario_109_two_instances_at_once() -> None:
    """A lock for two is held by both, each for itself."""
    house = _two_instances(locks="L:2{a}")

    assert house.act(Action.SUBMIT, "i1.a") == ["i1.a"]
    assert house.act(Action.SUBMIT, "i2.a") == ["i2.a"]
    assert house.locks() == {"L": (["i1.a", "i2.a"], [])}


def test_scenario_110_exclusive() -> None:
    """It waits for everybody, and everybody waits for it."""
    locks = "X!{x} L{a} M{b}"
    tell("P[x a b]", "submit(a) -> init{a}\n submit(x) -> x=Q\n OK(a) -> init{x}", locks=locks)
    tell("P[x a b]", "submit(x) -> init{x}\n submit(a) -> a=Q\n submit(b) -> b=Q\n OK(x) -> init{a b}", locks=locks)


def test_scenario_111_two_exclusive_ones() -> None:
    """The second one goes before the others."""
    tell(
        "P[x x2 a b]",
        "submit(x) -> init{x}\n submit(x2) ->\n submit(a) ->\n submit(b) ->\n OK(x) -> init{x2}\n OK(x2) -> init{a b}",
        locks="X!{x x2} L{a} M{b}",
    )


def test_scenario_112_the_own_queue_first() -> None:
    """One round of a lock's own queue goes before the exclusive job that waits."""
    tell(
        "P[x a b c]",
        """
        submit(a) -> init{a}
        submit(x) -> x=Q
        submit(b) -> b=Q
        submit(c) -> c=Q
        OK(a) -> init{b}
        OK(b) -> init{x}
        OK(x) -> init{c}
        """,
        locks="X!{x} L{a b c}",
    )


def test_scenario_113_newcomers_wait_behind_an_exclusive_job() -> None:
    """It does not starve."""
    tell(
        "P[x a c]",
        "submit(a) -> init{a}\n submit(x) -> x=Q\n submit(c) -> c=Q\n OK(a) -> init{x}\n OK(x) -> init{c}",
        locks="X!{x} L{a} M{c}",
    )


def test_scenario_114_no_lock() -> None:
    """Nobody waits."""
    tell("P[a b]", "submit(a) -> init{a}\n submit(b) -> init{b}", locks="L{a}")


def test_scenario_115_due_while_held_and_the_lock_taken() -> None:
    """It is remembered, and queues when it is released."""
    tell(
        "P[a b c | b<-and(a)]",
        "submit(c) -> init{c}\n hold(b) ->\n S(a) -> init{a}\n OK(a) -> b=H\n release(b) -> b=Q\n OK(c) -> init{b}",
        locks="L{b c}",
    )


def test_scenario_116_an_instance_ends_in_the_queue() -> None:
    """It is out of the queue, and the next one goes in its turn."""
    house = _two_instances()
    house.open("i3", "P[a]", locks="L{a}")
    for name in ("i1", "i2", "i3"):
        house.act(Action.SUBMIT, f"{name}.a")

    assert house.end("i2") == []
    assert house.locks() == {"L": (["i1.a"], ["i3.a"])}
    assert house.ended("i1.a") == ["i3.a"]


def test_scenario_117_an_instance_ends_that_holds() -> None:
    """The next one goes."""
    house = _two_instances()
    house.act(Action.SUBMIT, "i1.a")
    house.act(Action.SUBMIT, "i2.a")

    assert house.end("i1") == ["i2.a"]
    assert house.locks() == {"L": (["i2.a"], [])}


def test_scenario_118_a_restart() -> None:
    """Who holds and who waits is as it was; exclusive ones too."""
    house = House()
    house.open("i", "P[a b]", locks="L{a b}")
    house.open("j", "Q[x]", locks="X!{x}")
    for path in ("i.a", "i.b", "j.x"):
        house.act(Action.SUBMIT, path)
    before = house.locks()
    house.restart()

    assert house.locks() == before == {"L": (["i.a"], ["i.b"]), "X": ([], ["j.x"])}
    assert house.ended("i.a") == ["i.b"]
    assert house.ended("i.b") == ["j.x"]
    house.restart()
    assert house.act(Action.RESUBMIT, "i.a") == []
    assert house.locks() == {"L": ([], ["i.a"]), "X": (["j.x"], [])}


def test_scenario_119_submitted_while_the_lock_is_taken() -> None:
    """It waits its turn."""
    tell("P[q:q a b | a<-and(q)]", "OK(q) -> init{a}\n submit(b) -> b=Q\n OK(a) -> init{b}", locks="L{a b}")


def test_scenario_120_a_killed_job_gives_the_lock_back() -> None:
    """When its agent says that it has ended."""
    tell(TWO, "S(a) -> init{a}\n submit(b) -> b=Q\n kill(a) -> b=Q\n KO(a) -> init{b} a=X", locks="L{a b}")


def test_scenario_121_a_skipped_job_takes_no_lock() -> None:
    """It is passed over while others hold it."""
    tell("P[a b c | b<-and(a)]", "submit(c) -> init{c}\n skip(b) ->\n S(a) -> init{a}\n OK(a) -> b=KC", locks="L{b c}")


def test_several_locks_at_once() -> None:
    """A job takes all its locks or none; who waited behind it in one of them goes on as soon as it can."""
    tell(
        FOUR,
        """
        submit(a) -> init{a}
        submit(b) -> b=Q
        submit(c) -> c=Q
        submit(d) -> d=Q
        OK(a) -> init{b c d}
        """,
        locks="M{a b} L:2{b d} N:3{a:3 c d}",
    )


def test_a_smaller_lock_in_a_newer_version() -> None:
    """Those that hold it go on holding; newcomers find it as small as anybody knows it."""
    house = House()
    house.open("i1", "P[a]", locks="L:2{a}")
    house.open("i2", "P[a]", locks="L:2{a}")
    house.act(Action.SUBMIT, "i1.a")
    house.act(Action.SUBMIT, "i2.a")
    house.open("i3", "P[a]", locks="L{a}")

    assert house.act(Action.SUBMIT, "i3.a") == []
    assert house.ended("i1.a") == []
    assert house.ended("i2.a") == ["i3.a"]
