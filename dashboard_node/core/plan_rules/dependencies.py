"""Rules of groupings, each looked at alone: what they name and whether they can hold (V2, V5). Loops are told elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from dashboard_node.core.plan_rules.survey import Place, Survey, error, terms, warning
from schemas.names import JobId
from schemas.plan import Grouping, JobDependency, Operator
from schemas.requests import Fault
from schemas.status import JobKind


def dependencies(survey: Survey) -> Iterator[Fault]:
    """All rules of this topic."""
    for place in survey.places:
        seen: dict[str, list[tuple[int, Grouping | None]]] = {}
        for index, dependency in enumerate(place.context.job_dependencies):
            path = f"{place.path}.jobDependencies[{index}]"
            yield from _entry(survey, place, dependency, path)
            yield from _repeated(seen.setdefault(dependency.job_identifier, []), dependency, index, path)
    yield from _by_hand(survey)


def _entry(survey: Survey, place: Place, dependency: JobDependency, path: str) -> Iterator[Fault]:
    job, grouping = dependency.job_identifier, dependency.logical_grouping
    yield from _known(survey, place, job, f"{path}.jobIdentifier")
    if grouping is None:
        return
    path = f"{path}.logicalGrouping"
    index = place.entries.get(JobId(job))
    if index is not None:
        entry = place.context.scheduled_jobs[index]
        kind = survey.kind(entry.id, entry.kind)
        if kind.fires:
            yield warning(path, f"ignored: the {kind} job '{job}' happens by itself; leave its grouping out")
    found = list(terms(grouping, path))
    for term in found:
        yield from _operator(survey, place, job, term.path, term.operator)
    yield from _empty(grouping, path)
    yield from _doubled(grouping, path)
    if not found:
        yield warning(
            path, f"names no job, so nothing starts '{job}' but a person; say what it waits for, or leave it out"
        )
    elif all(term.negated for term in found):
        yield warning(path, f"made only of 'not': nothing ever starts '{job}'; add what it waits for to 'and' or 'or'")
    elif not _can_hold(grouping, _blocked(grouping)):
        yield error(path, f"can never hold: a job that '{job}' waits for is also in 'not'; take it out of one of them")


def _operator(survey: Survey, place: Place, job: str, path: str, operator: Operator) -> Iterator[Fault]:
    if operator.logical_grouping is not None:
        yield error(path, "both 'identifier' and 'logicalGrouping'; split it into two operators")
    elif not operator.identifier:
        yield error(path, "neither 'identifier' nor 'logicalGrouping'; say what it stands for or take it out")
        return
    if operator.identifier == job:
        yield error(f"{path}.identifier", f"the job '{job}' waits for itself; take it out of its own grouping")
    else:
        yield from _known(survey, place, operator.identifier, f"{path}.identifier")


def _known(survey: Survey, place: Place, job: str, path: str) -> Iterator[Fault]:
    """V2 (and V5): an identifier names a job of the same context."""
    if JobId(job) in place.entries:
        return
    residences = survey.residences.get(JobId(job), ())
    if residences:
        names = ", ".join(f"'{survey.places[at].context.name}'" for at in residences[:3])
        remedy = f"it resides in {names}: add it to scheduledJobs here too"
    else:
        remedy = (
            f"the plan has no such job{survey.hints.nearest(job, place.entries)}: correct the identifier or add the job"
        )
    yield error(path, f"'{job}' is no job of the context '{place.context.name}'; {remedy}")


def _repeated(
    seen: list[tuple[int, Grouping | None]], dependency: JobDependency, index: int, path: str
) -> Iterator[Fault]:
    """Several entries for one job: equal ones count once, different ones must all hold."""
    for other, grouping in seen:
        if grouping == dependency.logical_grouping:
            yield warning(path, f"the same as jobDependencies[{other}]: it counts once; leave it out")
            return
    if seen:
        yield warning(
            path,
            f"a second entry for '{dependency.job_identifier}' beside jobDependencies[{seen[0][0]}]: both must hold;"
            " write them as one",
        )
    seen.append((index, dependency.logical_grouping))


def _empty(grouping: Grouping, path: str) -> Iterator[Fault]:
    """Nested groupings that say nothing. They are passed over."""
    nested = [(f"{path}.logicalGrouping", grouping.logical_grouping)]
    for key, operators in (("and", grouping.and_), ("or", grouping.or_), ("not", grouping.not_)):
        nested += [(f"{path}.{key}[{index}].logicalGrouping", o.logical_grouping) for index, o in enumerate(operators)]
    for where, inner in nested:
        if inner is None:
            continue
        if inner == Grouping():
            yield warning(where, "empty, passed over; say what it waits for, or leave it out")
        else:
            yield from _empty(inner, where)


def _doubled(grouping: Grouping, path: str) -> Iterator[Fault]:
    for key, operators in (("and", grouping.and_), ("or", grouping.or_), ("not", grouping.not_)):
        seen: set[str] = set()
        for index, operator in enumerate(operators):
            if operator.identifier and operator.identifier in seen:
                yield warning(
                    f"{path}.{key}[{index}]", f"'{operator.identifier}' stands twice in this list; leave one out"
                )
            seen.add(operator.identifier)


def _blocked(grouping: Grouping) -> frozenset[str]:
    """The jobs that must not be done for the grouping to hold, as far as no alternative lies between."""
    own = frozenset(operator.identifier for operator in grouping.not_ if operator.logical_grouping is None)
    return own if grouping.logical_grouping is None else own | _blocked(grouping.logical_grouping)


def _can_hold(grouping: Grouping, blocked: frozenset[str]) -> bool:
    """Whether it could hold with everything done but ``blocked``."""
    if grouping.logical_grouping is not None and not _can_hold(grouping.logical_grouping, blocked):
        return False
    every = bool(grouping.and_) and all(_may(operator, blocked) for operator in grouping.and_)
    return every or any(_may(o, blocked) for o in grouping.or_) or not (grouping.and_ or grouping.or_)


def _may(operator: Operator, blocked: frozenset[str]) -> bool:
    if operator.logical_grouping is not None:
        return _can_hold(operator.logical_grouping, blocked | _blocked(operator.logical_grouping))
    return operator.identifier not in blocked


def _by_hand(survey: Survey) -> Iterator[Fault]:
    """Jobs that no event ever starts."""
    started = {
        (place.number, dependency.job_identifier)
        for place in survey.places
        for dependency in place.context.job_dependencies
        if dependency.logical_grouping is not None
    }
    named = {
        (place.number, dependency.job_identifier)
        for place in survey.places
        for dependency in place.context.job_dependencies
    }
    for job, residences in survey.residences.items():
        entry = survey.places[residences[0]].context.scheduled_jobs[survey.places[residences[0]].entries[job]]
        kind = survey.kind(job, entry.kind)
        if kind.fires or kind is JobKind.GLOBAL:
            continue
        copies = [(at,) for at in residences] if survey.is_local(job) else [residences]
        for copy in copies:
            if any((at, job) in named for at in copy) and not any((at, job) in started for at in copy):
                place = survey.places[copy[0]]
                yield warning(
                    f"{place.path}.scheduledJobs[{place.entries[job]}]",
                    f"nothing starts the {kind} job '{job}' but a person: none of its dependencies has a grouping",
                )
