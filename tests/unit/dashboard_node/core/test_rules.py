"""Groupings compiled, and asked."""

from __future__ import annotations

import pytest

from dashboard_node.core.rules import Rule, asked_for, compile_rule, forbidden, is_counted, mentioned, merge, satisfied
from schemas.plan import Grouping, Operator

INDEX = {"a": 0, "b": 1, "c": 2}
A, B = Rule(all=(0,)), Rule(all=(1,))


def _terms(*names: str) -> tuple[Operator, ...]:
    return tuple(Operator(identifier=name) for name in names)


def test_a_grouping_that_names_nothing() -> None:
    """It is none."""
    assert compile_rule(None, INDEX) is None
    assert compile_rule(Grouping(), INDEX) is None
    assert compile_rule(Grouping(and_=(Operator(logical_grouping=Grouping()), Operator())), INDEX) is None


def test_a_name_that_is_nowhere() -> None:
    """It never holds, and is not asked about."""
    rule = compile_rule(Grouping(and_=_terms("a", "z")), INDEX)

    assert rule is not None
    assert not is_counted(rule)
    assert not satisfied(rule, lambda _: True)
    assert list(mentioned(rule)) == list(asked_for(rule)) == [0]


def test_the_same_name_twice() -> None:
    """It counts once."""
    assert compile_rule(Grouping(and_=_terms("a", "b", "a")), INDEX) == Rule(all=(0, 1))


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [(None, A, A), (A, None, A), (A, A, A), (A, B, Rule(all=(A, B)))],
)
def test_two_entries_of_one_job(first: Rule | None, second: Rule | None, both: Rule) -> None:
    """Both have to hold; equal ones are one."""
    assert merge(first, second) == both


def test_what_is_forbidden() -> None:
    """Also in nested groupings; what is asked for there is not."""
    rule = Rule(all=(0, Rule(any=(1,), none=(2,))), none=(Rule(all=(3,)), -1), inner=Rule(none=(4,)))

    assert list(forbidden(rule)) == [3, 2, 4]
    assert list(asked_for(rule)) == [0, 1]
