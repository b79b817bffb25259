"""What holds of the rules for every plan: they are total, and their quick ways find what slow ones find."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from dashboard_node.core.plan_rules import faults
from dashboard_node.core.plan_rules.loops import loops, round_trip
from dashboard_node.core.plan_rules.reach import can_be_done, copy_of
from dashboard_node.core.plan_rules.survey import survey
from dashboard_node.core.rules import compile_rule, satisfied
from schemas.names import JobId
from schemas.plan import (
    CommandJob,
    Context,
    ContextDependency,
    Grouping,
    JobDependency,
    JobLock,
    LockParticipant,
    Operator,
    Plan,
    PlanSource,
    ScheduledJob,
)

JOBS = ("a", "b", "c", "d", "e")
NAMES = ("P", "C", "D", "E", "")

identifiers = st.sampled_from([f"x-{name}" for name in JOBS])
operators = st.builds(Operator, identifier=identifiers)
groupings: st.SearchStrategy[Grouping] = st.recursive(
    st.builds(
        Grouping, and_=st.lists(operators, max_size=2).map(tuple), or_=st.lists(operators, max_size=2).map(tuple)
    ),
    lambda inner: st.builds(
        Grouping,
        and_=st.lists(operators | st.builds(Operator, logical_grouping=inner), max_size=2).map(tuple),
        or_=st.lists(operators | st.builds(Operator, logical_grouping=inner), max_size=2).map(tuple),
        not_=st.lists(operators, max_size=1).map(tuple),
        logical_grouping=st.none() | inner,
    ),
    max_leaves=4,
)
entries = st.builds(ScheduledJob, agent_name=st.just("x"), job_name=st.sampled_from(JOBS))
dependencies = st.builds(JobDependency, job_identifier=identifiers, logical_grouping=st.none() | groupings)
participants = st.builds(
    LockParticipant, agent_name=st.just("x"), job_name=st.sampled_from(JOBS), lock_count=st.integers(-1, 3)
)
locks = st.builds(
    JobLock,
    name=st.sampled_from(("l", "m", "")),
    lock_count=st.integers(-1, 3),
    exclusive_job_lock=st.booleans(),
    jobs=st.dictionaries(st.sampled_from(NAMES), st.lists(participants, max_size=2).map(tuple), max_size=2),
)
waits = st.builds(ContextDependency, context_identifier=st.sampled_from(NAMES), logical_grouping=st.none() | groupings)


@st.composite
def contexts(draw: DrawFn, depth: int = 2) -> Context:
    """Any context, sensible or not."""
    return Context(
        name=draw(st.sampled_from(NAMES)),
        scheduled_jobs=tuple(draw(st.lists(entries, max_size=5))),
        job_dependencies=tuple(draw(st.lists(dependencies, max_size=5))),
        context_dependencies=tuple(draw(st.lists(waits, max_size=1))),
        job_locks=tuple(draw(st.lists(locks, max_size=1))),
        contexts=tuple(draw(st.lists(contexts(depth - 1), max_size=2))) if depth else (),
    )


@st.composite
def sources(draw: DrawFn) -> PlanSource:
    """Any plan, sensible or not; some of its jobs run for each context apart."""
    top = draw(contexts())
    jobs = tuple(
        CommandJob(agent_name="x", job_name=name, command_line="true", target_residing_context_only=draw(st.booleans()))
        for name in draw(st.lists(st.sampled_from(JOBS), max_size=5))
    )
    plan = Plan(
        name=top.name,
        scheduled_jobs=top.scheduled_jobs,
        job_dependencies=top.job_dependencies,
        context_dependencies=top.context_dependencies,
        job_locks=top.job_locks,
        contexts=top.contexts,
    )
    return PlanSource(plan=plan, jobs=jobs)


@given(sources())
def test_any_plan_is_judged(source: PlanSource) -> None:
    """Every fault has a path and a message of one line, and asking twice gives the same."""
    found = faults(source)
    assert found == faults(source)
    for fault in found:
        assert fault.path.startswith(("$", "jobs/"))
        assert fault.message
        assert "\n" not in fault.message


@given(sources())
def test_what_can_be_done_is_what_the_rules_of_running_say(source: PlanSource) -> None:
    """The net of gates agrees with starting, again and again, every job whose rule holds."""
    laid_out = survey(source)
    assert can_be_done(laid_out) & _copies(source) == _done_slowly(source)


def _copies(source: PlanSource) -> frozenset[tuple[JobId, int]]:
    laid_out = survey(source)
    return frozenset(copy_of(laid_out, job, place.number) for place in laid_out.places for job in place.entries)


def _done_slowly(source: PlanSource) -> frozenset[tuple[JobId, int]]:
    """The same by the compiled rules of the context machine, without their ``not`` and with unknown jobs done."""
    laid_out = survey(source)
    index = {f"x-{name}": number for number, name in enumerate(JOBS)}
    names = {number: JobId(name) for name, number in index.items()}
    ruled: dict[tuple[JobId, int], list[tuple[int, list[Grouping]]]] = {}
    for place in laid_out.places:
        for job in place.entries:
            groups = [
                _positive(d.logical_grouping)
                for d in place.context.job_dependencies
                if d.job_identifier == job and d.logical_grouping is not None
            ]
            groups = [group for group in groups if compile_rule(group, index) is not None]
            alternatives = ruled.setdefault(copy_of(laid_out, job, place.number), [])
            if groups:
                alternatives.append((place.number, groups))
    done = {copy for copy, alternatives in ruled.items() if not alternatives}
    for _ in range(len(ruled)):
        for copy, alternatives in ruled.items():
            for place_number, groups in alternatives:

                def holds(number: int, at: int = place_number) -> bool:
                    needed = copy_of(laid_out, names[number], at)
                    return needed in done or names[number] not in laid_out.places[at].entries

                rules = [compile_rule(group, index) for group in groups]
                if all(rule is None or satisfied(rule, holds) for rule in rules):
                    done.add(copy)
    return frozenset(done)


def _positive(grouping: Grouping) -> Grouping:
    """The grouping without what must not be done."""
    return Grouping(
        and_=tuple(_positive_operator(operator) for operator in grouping.and_),
        or_=tuple(_positive_operator(operator) for operator in grouping.or_),
        logical_grouping=_positive(grouping.logical_grouping) if grouping.logical_grouping is not None else None,
    )


def _positive_operator(operator: Operator) -> Operator:
    if operator.logical_grouping is None:
        return operator
    return Operator(logical_grouping=_positive(operator.logical_grouping))


@given(st.dictionaries(st.integers(0, 7), st.lists(st.integers(0, 9), max_size=4)))
def test_loops_are_what_reaches_itself(edges: dict[int, list[int]]) -> None:
    """Nodes on a loop are those that can be reached from themselves; each round trip goes along edges."""
    on_loop = sorted(node for part in loops(edges) for node in part)
    assert on_loop == sorted(node for node in edges if node in _reached(node, edges))
    for part in loops(edges):
        way = round_trip(part[0], part, edges)
        assert (way[0], way[-1]) == (part[0], part[0])
        assert all(after in edges[before] for before, after in pairwise(way))


def _reached(start: int, edges: dict[int, list[int]]) -> set[int]:
    found: set[int] = set()
    waiting = list(edges.get(start, []))
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting.extend(edges.get(node, []))
    return found
