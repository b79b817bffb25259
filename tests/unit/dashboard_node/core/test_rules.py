"""Dependency rules on their own."""

from __future__ import annotations

import pytest

from dashboard_node.core.rules import (
    UNKNOWN,
    Rule,
    asked_for,
    blocked,
    compile_rule,
    forbidden,
    forbids,
    is_counted,
    mentioned,
    merge,
    satisfied,
)
from schemas.plan import Grouping, Operator

DEEP = Rule(all=(1, Rule(any=(2, UNKNOWN))), any=(3,), none=(4,), inner=Rule(all=(5,), none=(6,)))


def _everything(_: int) -> bool:
    return True


def test_a_grouping_that_names_nothing_is_no_rule() -> None:
    """Neither by itself nor inside another one."""
    nothing = Grouping(and_=(Operator(logical_grouping=Grouping()),), logical_grouping=Grouping())

    assert compile_rule(nothing, {"a": 0}) is None


def test_a_job_that_is_nowhere_never_holds() -> None:
    """Even when everything is done; nobody is asked about it."""
    rule = compile_rule(Grouping(and_=(Operator(identifier="lost"),)), {"a": 0})

    assert rule == Rule(all=(UNKNOWN,))
    assert not satisfied(rule, _everything)


@pytest.mark.parametrize(
    ("rule", "counted"),
    [
        (Rule(all=(1, 2)), True),
        (Rule(all=(1,), none=(2,)), True),
        (Rule(none=(2,)), False),
        (Rule(all=(1,), any=(2,)), False),
        (Rule(all=(1,), inner=Rule(all=(2,))), False),
        (Rule(all=(1, UNKNOWN)), False),
        (Rule(all=(1, Rule(any=(2,)))), False),
    ],
)
def test_what_can_be_answered_by_counting(rule: Rule, *, counted: bool) -> None:
    """One flat all-of list of jobs that exist."""
    assert is_counted(rule) is counted


def test_one_of_those_it_forbids_is_enough() -> None:
    """To block a rule."""
    assert blocked(Rule(all=(1,), none=(2, 3)), {3}.__contains__)
    assert not blocked(Rule(all=(1,), none=(2, 3)), {1}.__contains__)


def test_what_a_rule_names() -> None:
    """In the order of the text, at any depth; asked for is what it does not forbid."""
    assert list(mentioned(DEEP)) == [1, 2, 3, 4, 5, 6]
    assert list(asked_for(DEEP)) == [1, 2, 3, 5]
    assert list(forbidden(DEEP)) == [4, 6]
    assert list(forbidden(Rule(all=(1, Rule(none=(2,))), any=(Rule(none=(3,)),), none=(Rule(any=(4,)),)))) == [4, 2, 3]


def test_what_a_counted_rule_forbids() -> None:
    """At any depth of its ``none`` list; not what it asks for."""
    rule = Rule(all=(1,), none=(2, Rule(all=(3,))))

    assert [index for index in range(5) if forbids(rule, index)] == [2, 3]
    assert not forbids(Rule(all=(1,)), 1)


def test_two_entries_for_one_job() -> None:
    """Both have to hold; equal ones, or one that says nothing, change nothing."""
    first, second = Rule(all=(1,)), Rule(any=(2,))

    assert merge(None, second) is second
    assert merge(first, None) is first
    assert merge(first, Rule(all=(1,))) == first
    assert merge(first, second) == Rule(all=(first, second))
