"""Rules of loops: inside a context, through jobs that reside in several, through global events, and among contexts.

Ikasan takes such plans and their jobs wait for ever. ``not`` makes no loop here: it only blocks, and two jobs that exclude
each other are a plan that works.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dashboard_node.core.plan_rules.loops import loops, round_trip
from dashboard_node.core.plan_rules.reach import Copy, can_be_done, copy_of
from dashboard_node.core.plan_rules.survey import Place, Survey, error, terms, warning
from schemas.names import JobId
from schemas.plan import ContextDependency
from schemas.requests import Fault
from schemas.status import JobKind

_LONGEST = 8


def cycles(survey: Survey) -> Iterator[Fault]:
    """All rules of this topic."""
    looping: set[Copy] = set()
    for place in survey.places:
        yield from _inside(survey, place, looping)
    yield from _across(survey, looping)
    yield from _contexts(survey)


def _inside(survey: Survey, place: Place, looping: set[Copy]) -> Iterator[Fault]:
    """Loops of one context."""
    edges: dict[JobId, list[JobId]] = {}
    paths: dict[JobId, str] = {}
    for index, dependency in enumerate(place.context.job_dependencies):
        job = JobId(dependency.job_identifier)
        paths.setdefault(job, f"{place.path}.jobDependencies[{index}]")
        needed = [JobId(t.operator.identifier) for t in terms(dependency.logical_grouping, "") if not t.negated]
        # A job that waits for itself is told where it stands in the grouping.
        edges.setdefault(job, []).extend(name for name in needed if name != job)
    for part in loops(edges):
        looping |= {copy_of(survey, job, place.number) for job in part}
        way = round_trip(part[0], part, edges)
        yield error(paths[part[0]], f"jobs wait for each other: {_told(way)}; take one of these dependencies out")


def _across(survey: Survey, looping: set[Copy]) -> Iterator[Fault]:
    """Loops that no single context shows: a job's result counts in every context it resides in."""
    edges: dict[Copy, list[Copy]] = {}
    paths: dict[Copy, str] = {}
    for place in survey.places:
        for index, dependency in enumerate(place.context.job_dependencies):
            if JobId(dependency.job_identifier) not in place.entries:
                continue
            copy = copy_of(survey, JobId(dependency.job_identifier), place.number)
            paths.setdefault(copy, f"{place.path}.jobDependencies[{index}]")
            needed = [JobId(t.operator.identifier) for t in terms(dependency.logical_grouping, "") if not t.negated]
            resident = [name for name in needed if name != dependency.job_identifier and name in place.entries]
            others = [copy_of(survey, name, place.number) for name in resident]
            edges.setdefault(copy, []).extend(others)
    parts = [part for part in loops(edges) if not looping.intersection(part)]
    done = can_be_done(survey) if parts else frozenset[Copy]()
    for part in parts:
        way = round_trip(part[0], part, edges)
        told = _told([copy[0] for copy in way])
        if any(_is_global(survey, copy) for copy in part):
            yield error(paths[part[0]], f"a global event raises itself: {told}; take one of these dependencies out")
        elif not done.issuperset(part):
            yield error(
                paths[part[0]],
                f"jobs wait for each other through several contexts, so they never start: {told}; take one of these"
                " dependencies out",
            )
        else:
            yield warning(
                paths[part[0]],
                f"jobs wait for each other through several contexts: {told}; another context starts them, so one of these"
                " dependencies says nothing",
            )


def _is_global(survey: Survey, copy: Copy) -> bool:
    at = survey.residences.get(copy[0], ())
    entry = survey.places[at[0]].context.scheduled_jobs[survey.places[at[0]].entries[copy[0]]] if at else None
    return entry is not None and entry.kind is JobKind.GLOBAL


def _told(way: list[JobId]) -> str:
    """A loop in words, cut in the middle when it is long."""
    shown = [f"'{job}'" for job in way]
    if len(shown) > _LONGEST:
        shown = [*shown[: _LONGEST // 2], f"({len(shown) - _LONGEST} more)", *shown[-_LONGEST // 2 :]]
    return " waits for ".join(shown)


def _contexts(survey: Survey) -> Iterator[Fault]:
    """Context dependencies: names that exist, no loop, and nobody waits for a context around it."""
    names: dict[str, int] = {}
    for place in survey.places:
        names.setdefault(place.context.name, place.number)
    needs: dict[int, list[int]] = {}
    paths: dict[int, str] = {}
    for place in survey.places:
        for index, dependency in enumerate(place.context.context_dependencies):
            path = f"{place.path}.contextDependencies[{index}]"
            waiting = _waiting(survey, place, dependency, names)
            if dependency.logical_grouping is not None and dependency.context_identifier not in names:
                name = dependency.context_identifier
                yield error(
                    f"{path}.contextIdentifier",
                    f"the plan has no context '{name}'{survey.hints.nearest(name, names)}; name the context that waits",
                )
            paths.setdefault(waiting, path)
            for where, name, negated in _needed(place, dependency, path):
                needed = names.get(name)
                if needed is None:
                    yield error(
                        where, f"the plan has no context '{name}'{survey.hints.nearest(name, names)}; correct the name"
                    )
                elif needed in _around(survey, waiting):
                    yield error(
                        where, f"'{_name(survey, waiting)}' would wait for '{name}', which holds it; take it out"
                    )
                elif not negated:
                    needs.setdefault(waiting, []).append(needed)
    if needs:
        yield from _context_loops(survey, needs, paths)


def _context_loops(survey: Survey, needs: Mapping[int, list[int]], paths: Mapping[int, str]) -> Iterator[Fault]:
    """Loops among contexts: one starts no sooner than what it is in, and is complete no sooner than what it holds."""
    edges: dict[int, list[int]] = {}  # start of context n: 2n; its completion: 2n + 1
    for place in survey.places:
        start, done = 2 * place.number, 2 * place.number + 1
        edges[start] = [2 * needed + 1 for needed in needs.get(place.number, [])]
        edges.setdefault(done, []).append(start)
        if place.parent is not None:
            edges[start].append(2 * place.parent)
            edges[2 * place.parent + 1].append(done)
    for part in loops(edges):
        start = next(node for node in part if node // 2 in paths and node % 2 == 0)
        way = [node // 2 for node in round_trip(start, part, edges) if node % 2 == 0]
        names = [f"'{_name(survey, number)}'" for number in [*way, way[0]]]
        told = [name for at, name in enumerate(names) if at == 0 or name != names[at - 1]]
        yield error(paths[way[0]], f"contexts wait for each other: {' waits for '.join(told)}; take one dependency out")


def _needed(place: Place, dependency: ContextDependency, path: str) -> Iterator[tuple[str, str, bool]]:
    """What has to be complete: path, context name, and whether it stands in a ``not``.

    Without a grouping, an entry that names this context or a child of it says, like a job's, that nothing is waited for.
    """
    own = {place.context.name, *(child.name for child in place.context.contexts)}
    if dependency.logical_grouping is None and dependency.context_identifier not in own:
        yield f"{path}.contextIdentifier", dependency.context_identifier, False
    for term in terms(dependency.logical_grouping, f"{path}.logicalGrouping"):
        yield f"{term.path}.identifier", term.operator.identifier, term.negated


def _waiting(survey: Survey, place: Place, dependency: ContextDependency, names: Mapping[str, int]) -> int:
    """The context that waits: with a grouping it is the one named, if it is this one or a child of it."""
    named = names.get(dependency.context_identifier)
    if dependency.logical_grouping is None or named is None:
        return place.number
    return named if survey.places[named].parent == place.number else place.number


def _around(survey: Survey, number: int) -> Iterator[int]:
    """A context and those it is in."""
    at: int | None = number
    while at is not None:
        yield at
        at = survey.places[at].parent


def _name(survey: Survey, number: int) -> str:
    return survey.places[number].context.name
