"""Whether anything was kept from a connection, told by what its server lists: no more than what never came, and soon."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from broker.mqtt.hearing import Hearing


def a_hearing(stands: Mapping[str, bytes]) -> Hearing:
    """Who was shown that when it subscribed."""
    hearing = Hearing()
    for topic, payload in stands.items():
        assert hearing.hear(topic, payload, retained=True)
    hearing.follow(["p/#"])
    return hearing


def look(hearing: Hearing, listed: Mapping[str, bytes]) -> set[str]:
    """What was kept back, going by that list."""
    hearing.begin()
    for topic, payload in listed.items():
        assert not hearing.hear(topic, payload, retained=True)
    return hearing.end()


def test_who_heard_all_misses_nothing() -> None:
    """What stood, what changed, what came to stand, what was cleared."""
    hearing = a_hearing({"p/a": b"1", "p/b": b"1"})
    for topic, payload in (("p/a", b"2"), ("p/b", b""), ("p/c", b"1"), ("p/c", b"2")):
        assert hearing.hear(topic, payload, retained=False)

    assert [look(hearing, {"p/a": b"2", "p/c": b"2"}) for _ in range(3)] == [set()] * 3


def test_change_that_never_comes_is_missed_at_the_second_look() -> None:
    """So are a topic that is new, and one that was cleared; what goes on changing is missed as well."""
    hearing = a_hearing({"p/a": b"1", "p/b": b"1", "p/d": b"1"})

    assert look(hearing, {"p/a": b"2", "p/c": b"1", "p/d": b"1"}) == set()
    assert look(hearing, {"p/a": b"3", "p/c": b"1", "p/d": b"1"}) == {"p/a", "p/b", "p/c"}


def test_what_came_just_before_hides_nothing() -> None:
    """A topic on which something came is missed as soon as nothing comes."""
    hearing = a_hearing({"p/a": b"1"})
    hearing.hear("p/a", b"2", retained=False)

    assert [look(hearing, {"p/a": payload}) for payload in (b"3", b"4")] == [set(), {"p/a"}]


@pytest.mark.parametrize("after", [1, 2, 3])
@pytest.mark.parametrize("words", [(b"1", b"2", b"", b"2"), (b"2", b"3", b"", b"2"), (b"", b"", b"", b"2")])
def test_what_comes_once_more_or_late_after_its_clear_is_noticed(words: tuple[bytes, ...], after: int) -> None:
    """A look may fall anywhere between. If its clear comes once more as well, nothing is amiss."""
    hearing, again = a_hearing({}), a_hearing({})
    for number, payload in enumerate(words):
        for one in (hearing, again):
            one.hear("p/a", payload, retained=False)
            if number == after - 1:
                assert look(one, {"p/a": payload} if payload else {}) == set()
    again.hear("p/a", b"", retained=False)

    assert [look(hearing, {}) for _ in range(2)] == [set(), {"p/a"}]
    assert [look(again, {}) for _ in range(3)] == [set()] * 3
    assert not again._told


def test_what_is_shown_anew_after_it_was_cleared_is_no_cause() -> None:
    """The list comes to it late."""
    hearing = a_hearing({"p/a": b"1"})
    for payload in (b"", b"2"):
        hearing.hear("p/a", payload, retained=False)

    assert [look(hearing, listed) for listed in ({}, {"p/a": b"2"}, {"p/a": b"2"})] == [set()] * 3


def test_what_comes_late_is_not_missed() -> None:
    """The list knew of it first."""
    hearing = a_hearing({"p/a": b"1"})
    assert look(hearing, {"p/a": b"2"}) == set()
    hearing.hear("p/a", b"2", retained=False)

    assert [look(hearing, {"p/a": b"2"}) for _ in range(2)] == [set(), set()]


def test_list_that_lags_or_stands_still_tells_nothing() -> None:
    """It comes to what was told long ago, step by step."""
    hearing = a_hearing({"p/a": b"1"})
    for payload in (b"2", b"3", b"4"):
        hearing.hear("p/a", payload, retained=False)

    assert [look(hearing, {"p/a": it}) for it in (b"1", b"1", b"2", b"3", b"4", b"4")] == [set()] * 6


def test_what_is_not_retained_is_not_missed_and_not_remembered() -> None:
    """It is told, and never listed; then it is told again."""
    hearing = a_hearing({})
    for _ in range(2):
        hearing.hear("p/request/1", b"please", retained=False)
        assert [look(hearing, {}) for _ in range(3)] == [set()] * 3

    assert not hearing._told


def test_look_that_was_disturbed_does_not_count() -> None:
    """Somebody subscribed meanwhile: what comes is handed on."""
    hearing = a_hearing({"p/a": b"1"})
    look(hearing, {"p/a": b"2"})
    hearing.begin()
    hearing.give_up()

    assert hearing.hear("p/a", b"2", retained=True)
    assert hearing.end() == set()
    assert look(hearing, {"p/a": b"2"}) == set()


def test_what_is_left_is_not_missed() -> None:
    """It goes on changing, and nobody is told."""
    hearing = a_hearing({"p/a": b"1", "q/a": b"1"})
    hearing.follow(["q/+"])
    hearing.leave(["q/+"])

    assert list(hearing.filters) == ["p/#"]
    assert [look(hearing, {"p/a": b"1"}) for _ in range(2)] == [set(), set()]
