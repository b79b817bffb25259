"""Dependency rules: what a grouping of a plan says, compiled to indices, and whether it holds.

One level holds when ``(all of and) or (any of or)`` and none of ``not``; lists that are absent are neutral, and a nested
``logicalGrouping`` must hold as well (Ikasan's rule, with its accidents about absent lists put right).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from schemas.plan import Grouping, Operator

Holds = Callable[[int], bool]
"""Whether the job copy (or context) of this index is done, as a dependency sees it."""


class Rule(Struct, frozen=True):
    """One compiled grouping; a term is an index or a nested rule."""

    all: tuple[Term, ...] = ()
    any: tuple[Term, ...] = ()
    none: tuple[Term, ...] = ()
    inner: Rule | None = None


Term = int | Rule


def compile_rule(grouping: Grouping | None, index: Mapping[str, int]) -> Rule | None:
    """The rule of a grouping over ``index`` (identifier to index); None when it names nothing at all.

    An identifier that is not in the index never holds (validation refuses such a plan; at run time it only blocks).
    """
    if grouping is None:
        return None
    rule = Rule(
        all=_terms(grouping.and_, index),
        any=_terms(grouping.or_, index),
        none=_terms(grouping.not_, index),
        inner=compile_rule(grouping.logical_grouping, index),
    )
    return None if rule == Rule() else rule


def _terms(operators: tuple[Operator, ...], index: Mapping[str, int]) -> tuple[Term, ...]:
    terms: list[Term] = []
    for operator in operators:
        if operator.logical_grouping is not None:
            nested = compile_rule(operator.logical_grouping, index)
            if nested is not None:
                terms.append(nested)
        elif operator.identifier:
            terms.append(index.get(operator.identifier, UNKNOWN))
    return tuple(dict.fromkeys(terms))


UNKNOWN = -1
"""Index of an identifier that is nowhere in the context; ``holds`` is never asked about it."""


def satisfied(rule: Rule, holds: Holds) -> bool:
    """Whether the rule holds now."""
    if rule.none and any(_term(term, holds) for term in rule.none):
        return False
    if rule.inner is not None and not satisfied(rule.inner, holds):
        return False
    if not rule.all and not rule.any:
        return True
    return (bool(rule.all) and all(_term(term, holds) for term in rule.all)) or any(
        _term(term, holds) for term in rule.any
    )


def _term(term: Term, holds: Holds) -> bool:
    if isinstance(term, int):
        return term != UNKNOWN and holds(term)
    return satisfied(term, holds)


def is_counted(rule: Rule) -> bool:
    """Whether the rule is one all-of list of known indices (beside ``none``): then it holds when none of them is missing."""
    return (
        bool(rule.all)
        and not rule.any
        and rule.inner is None
        and all(isinstance(term, int) and term != UNKNOWN for term in rule.all)
    )


def blocked(rule: Rule, holds: Holds) -> bool:
    """Whether the ``none`` list of a counted rule forbids it."""
    return bool(rule.none) and any(_term(term, holds) for term in rule.none)


def asked_for(rule: Rule) -> Iterator[int]:
    """The indices the rule asks to be done (not those it forbids), in the order of the plan's text."""
    for term in (*rule.all, *rule.any):
        if isinstance(term, int):
            if term != UNKNOWN:
                yield term
        else:
            yield from asked_for(term)
    if rule.inner is not None:
        yield from asked_for(rule.inner)


def forbidden(rule: Rule) -> Iterator[int]:
    """The indices that must not be done, in nested rules as well, in the order of the plan's text."""
    yield from mentioned(Rule(all=rule.none))
    for term in (*rule.all, *rule.any):
        if isinstance(term, Rule):
            yield from forbidden(term)
    if rule.inner is not None:
        yield from forbidden(rule.inner)


def forbids(rule: Rule, index: int) -> bool:
    """Whether the ``none`` list of a counted rule has to do with an index."""
    return bool(rule.none) and index in mentioned(Rule(all=rule.none))


def mentioned(rule: Rule) -> Iterator[int]:
    """Every index the rule names, in the order of the plan's text, possibly more than once."""
    for term in (*rule.all, *rule.any, *rule.none):
        if isinstance(term, int):
            if term != UNKNOWN:
                yield term
        else:
            yield from mentioned(term)
    if rule.inner is not None:
        yield from mentioned(rule.inner)


def merge(first: Rule | None, second: Rule | None) -> Rule | None:
    """One rule for two dependency entries of the same job: both must hold; equal ones are one."""
    if first is None or first == second:
        return second
    if second is None:
        return first
    return Rule(all=(first, second))
