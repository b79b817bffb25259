"""A plan laid out for its rules: every context with its JSON path, every job with where it resides. It judges nothing."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from msgspec import Struct

from schemas.names import JobId
from schemas.plan import (
    Artefact,
    CommandJob,
    Context,
    FileJob,
    GlobalJob,
    Grouping,
    Operator,
    Plan,
    PlanSource,
    ScheduledJob,
)
from schemas.requests import Fault
from schemas.status import JobKind

_MOST_NAMES: Final = 2_000
"""Among more names than these no similar one is looked for ..."""
_MOST_HINTS: Final = 50
"""... and after so many searches no more: in a plan that is wrong everywhere they would take longer than all the rules."""


class Hints(Struct):
    """Names that were perhaps meant."""

    left: int = _MOST_HINTS

    def nearest(self, name: str, names: Collection[str]) -> str:
        """A hint at the name that is most like this one; empty when none is."""
        if self.left == 0 or len(names) > _MOST_NAMES:
            return ""
        self.left -= 1
        alike = difflib.get_close_matches(name, sorted(set(names)), n=1, cutoff=0.8)
        return f" (did you mean '{alike[0]}'?)" if alike else ""


class Place(Struct, frozen=True, kw_only=True):
    """A context. Places are numbered depth first; 0 is the plan."""

    number: int
    path: str
    context: Context
    parent: int | None
    entries: Mapping[JobId, int]
    """Index in ``scheduledJobs`` by identifier."""


class Survey(Struct, frozen=True, kw_only=True):
    """What the rules look at."""

    source: PlanSource
    places: tuple[Place, ...]
    artefacts: Mapping[JobId, Artefact]
    residences: Mapping[JobId, tuple[int, ...]]
    """The places a job resides in."""
    hints: Hints

    @property
    def plan(self) -> Plan:
        """The outermost context."""
        return self.source.plan

    def kind(self, job: JobId, agent_kind: JobKind | None) -> JobKind:
        """What makes a job happen; a command when nothing tells."""
        return agent_kind or kind_of(self.artefacts.get(job))

    def is_local(self, job: JobId) -> bool:
        """Whether each copy of it runs for its own context only (``targetResidingContextOnly``)."""
        artefact = self.artefacts.get(job)
        return isinstance(artefact, CommandJob) and artefact.target_residing_context_only


def survey(source: PlanSource) -> Survey:
    """Lay out a plan."""
    places = _places(source.plan)
    residences: dict[JobId, list[int]] = {}
    for place in places:
        for job in place.entries:
            residences.setdefault(job, []).append(place.number)
    return Survey(
        source=source,
        places=places,
        artefacts={job.id: job for job in reversed(source.jobs)},
        residences={job: tuple(found) for job, found in residences.items()},
        hints=Hints(),
    )


def _places(plan: Plan) -> tuple[Place, ...]:
    found: list[Place] = []
    waiting: list[tuple[Context, str, int | None]] = [(plan, "$", None)]
    while waiting:
        context, path, parent = waiting.pop()
        number = len(found)
        entries: dict[JobId, int] = {}
        for index, job in enumerate(context.scheduled_jobs):
            entries.setdefault(job.id, index)
        found.append(Place(number=number, path=path, context=context, parent=parent, entries=entries))
        children = [(child, f"{path}.contexts[{index}]", number) for index, child in enumerate(context.contexts)]
        waiting.extend(reversed(children))
    return tuple(found)


def kind_of(artefact: Artefact | None) -> JobKind:
    """The kind an artefact says."""
    match artefact:
        case FileJob():
            return JobKind.FILE
        case GlobalJob():
            return JobKind.GLOBAL
        case CommandJob() | None:
            return JobKind.COMMAND
        case _:
            return JobKind.CLOCK


_FOLDERS: Final = {
    JobKind.FILE: "file",
    JobKind.CLOCK: "quartz",
    JobKind.COMMAND: "internal",
    JobKind.GLOBAL: "global",
}


def job_path(job: Artefact) -> str:
    """Where a bundle holds the job: ``jobs/internal/X``."""
    return f"jobs/{_FOLDERS[kind_of(job)]}/{job.job_name}"


def jobs_of(survey: Survey) -> Iterator[tuple[Place, int, ScheduledJob]]:
    """Every entry of every context, with its index."""
    for place in survey.places:
        for index, job in enumerate(place.context.scheduled_jobs):
            yield place, index, job


class Term(Struct, frozen=True):
    """One operator of a grouping."""

    path: str
    operator: Operator
    negated: bool
    """It stands in a ``not``, or in something that does."""


def terms(grouping: Grouping | None, path: str, *, negated: bool = False) -> Iterator[Term]:
    """Every operator that names something, or should; nested groupings included."""
    if grouping is None:
        return
    for key, operators in (("and", grouping.and_), ("or", grouping.or_), ("not", grouping.not_)):
        for index, operator in enumerate(operators):
            where = f"{path}.{key}[{index}]"
            inside = negated or key == "not"
            if operator.logical_grouping is None or operator.identifier:
                yield Term(where, operator, inside)
            yield from terms(operator.logical_grouping, f"{where}.logicalGrouping", negated=inside)
    yield from terms(grouping.logical_grouping, f"{path}.logicalGrouping", negated=negated)


def error(path: str, message: str) -> Fault:
    """Something for which the plan is refused."""
    return Fault(path=path, message=message)


def warning(path: str, message: str) -> Fault:
    """Something that works, but perhaps not as meant."""
    return Fault(path=path, message=message, warning=True)
