"""What a plan's text says, read anew each time: groupings, dependencies, where jobs reside. No index, no compiled form."""

from __future__ import annotations

from collections.abc import Callable

from schemas.plan import Artefact, CommandJob, Context, Grouping, JobLock, LockParticipant, Operator, Plan, PlanSource
from schemas.status import JobKind

Place = tuple[str, str]
"""Context and job."""


def names(grouping: Grouping | None) -> list[str]:
    """Every identifier a grouping mentions."""
    if grouping is None:
        return []
    found: list[str] = []
    for operator in (*grouping.and_, *grouping.or_, *grouping.not_):
        found += names(operator.logical_grouping) if operator.logical_grouping is not None else [operator.identifier]
    return found + names(grouping.logical_grouping)


def holds(grouping: Grouping, done: Callable[[str], bool]) -> bool:
    """``(all of and) or (any of or)``, neither being no condition; none of ``not``; and what is nested as well."""

    def term(operator: Operator) -> bool:
        return (
            holds(operator.logical_grouping, done)
            if operator.logical_grouping is not None
            else done(operator.identifier)
        )

    every = bool(grouping.and_) and all(map(term, grouping.and_))
    some = any(map(term, grouping.or_))
    neither = not grouping.and_ and not grouping.or_
    inner = grouping.logical_grouping is None or holds(grouping.logical_grouping, done)
    return (every or some or neither) and not any(map(term, grouping.not_)) and inner


class Text:
    """A plan, asked by names."""

    def __init__(self, source: PlanSource) -> None:
        self.plan: Plan = source.plan
        self.artefacts: dict[str, Artefact] = {job.id: job for job in source.jobs}
        self.parents: dict[str, str] = {}
        self.contexts: dict[str, Context] = {}
        self._walk(source.plan)
        self.places: list[Place] = [(name, job.id) for name, c in self.contexts.items() for job in c.scheduled_jobs]
        self.entries = {place: self._entries(place) for place in self.places}
        self.followers = {place: self._followers(place) for place in self.places}

    def _walk(self, context: Context) -> None:
        self.contexts[context.name] = context
        for child in context.contexts:
            self.parents[child.name] = context.name
            self._walk(child)

    def _entries(self, place: Place) -> list[Grouping]:
        found = [d.logical_grouping for d in self.contexts[place[0]].job_dependencies if d.job_identifier == place[1]]
        return [grouping for grouping in found if grouping is not None and names(grouping)]

    def _followers(self, place: Place) -> list[Place]:
        found = {
            (place[0], d.job_identifier): None
            for d in self.contexts[place[0]].job_dependencies
            if place[1] in names(d.logical_grouping) and (place[0], d.job_identifier) in self.places
        }
        return list(found)

    def residences(self, job: str) -> list[Place]:
        """Where a job resides."""
        return [place for place in self.places if place[1] == job]

    def kind(self, place: Place) -> JobKind:
        """What makes it happen."""
        scheduled = next(job for job in self.contexts[place[0]].scheduled_jobs if job.id == place[1])
        if scheduled.kind is not None:
            return scheduled.kind
        return {"CommandJob": JobKind.COMMAND, "FileJob": JobKind.FILE, "ClockJob": JobKind.CLOCK}[
            type(self.artefacts[place[1]]).__name__
        ]

    def command(self, place: Place) -> CommandJob | None:
        """Its artefact, for a command."""
        artefact = self.artefacts.get(place[1])
        return artefact if isinstance(artefact, CommandJob) else None

    def together(self, place: Place) -> list[Place]:
        """The copies one run counts for."""
        command = self.command(place)
        alone = command is not None and command.target_residing_context_only
        return [place] if alone else self.residences(place[1])

    def repeatable(self, place: Place) -> bool:
        """Whether later results start it again."""
        command = self.command(place)
        return command is not None and command.job_repeatable

    def external(self, place: Place) -> bool:
        """Whether its run is decided in another context."""
        together = self.together(place)
        return not self.entries[place] and any(self.entries[other] for other in together)

    def leaf(self, place: Place) -> bool:
        """Whether nothing in its context comes after it."""
        return not self.followers[place] or self.kind(place) is JobKind.TERMINAL

    def initially(self, place: Place, what: str) -> bool:
        """Whether it is ``held`` or ``skipped`` from the start."""
        scheduled = next(job for job in self.contexts[place[0]].scheduled_jobs if job.id == place[1])
        return bool(getattr(scheduled, f"{what}_contexts").get(place[0]))

    def gates(self, context: str) -> list[Grouping]:
        """What contexts have to be complete before a job of this one is started: its own, and those around it."""
        found: list[Grouping] = []
        at: str | None = context
        while at is not None:
            found += [
                d.logical_grouping for d in self.contexts[at].context_dependencies if d.logical_grouping is not None
            ]
            at = self.parents.get(at)
        return found

    def has_jobs(self, context: str) -> bool:
        """Whether there is a job in it, or below it."""
        inside = self.contexts[context]
        return bool(inside.scheduled_jobs) or any(self.has_jobs(child.name) for child in inside.contexts)

    def claims(self, place: Place) -> dict[str, tuple[JobLock, int]]:
        """The locks a job needs, with its weight."""
        if self.kind(place) is not JobKind.COMMAND:
            return {}
        found: dict[str, tuple[JobLock, int]] = {}
        for lock in (lock for context in self.contexts.values() for lock in context.job_locks):
            for participant in (p for listed in lock.jobs.values() for p in listed):
                if _is(participant, place[1]):
                    found[lock.name] = (lock, max(participant.lock_count, found.get(lock.name, (lock, 0))[1]))
        return found


def _is(participant: LockParticipant, job: str) -> bool:
    return f"{participant.agent_name}-{participant.job_name}" == job
