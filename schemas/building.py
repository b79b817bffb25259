"""Plans as Python code: what a person writes in a few lines, as the document that a bundle holds.

    nightly = PlanBuilder(Plan(name="Nightly", time_window_start="0 0 1 ? * *", timezone="Europe/London"))
    two = nightly.clock("Two", "north", "0 0 2 ? * *")
    load = nightly.command("Load", "north", "./load.sh", after=two)
    reports = nightly.context("Reports")
    reports.command("Sales", "north", "./sales.sh", after=load & ~nightly.event("Stop"))
    source = nightly.build()

``&`` is and, ``|`` is or, ``~`` is not. A job that is named in another context gets a copy there, as it has to (Ikasan: a
dependency looks only at the copies of its own context). Whatever has no argument here is a field of the structs of
``schemas.plan``: ``add`` takes any job. Nothing here judges a plan: see the plan rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeVar

from msgspec.structs import replace

from schemas.names import JobId
from schemas.plan import (
    DASHBOARD_AGENTS,
    Artefact,
    ClockJob,
    CommandJob,
    Context,
    ContextDependency,
    FileJob,
    GlobalJob,
    Grouping,
    JobDependency,
    JobLock,
    LockParticipant,
    Operator,
    OwnWindow,
    Parameter,
    Plan,
    PlanSource,
    ScheduledJob,
)
from schemas.status import JobKind

C = TypeVar("C", bound=Context)

_AGENT_OF: Final = {kind: agent for agent, kind in DASHBOARD_AGENTS.items()}


class BuildingError(ValueError):
    """What was written cannot become a plan: one name twice, or what belongs to another plan. One line."""


class Term:
    """Something that can be waited for: a job, a context, or several of them joined with ``&``, ``|`` and ``~``."""

    def __and__(self, other: Term) -> Term:
        """Both."""
        return _All((*_parts(self, _All), *_parts(other, _All)))

    def __or__(self, other: Term) -> Term:
        """One of both."""
        return _Any((*_parts(self, _Any), *_parts(other, _Any)))

    def __invert__(self) -> Term:
        """That it is not done; this only blocks, so something else has to start the job."""
        return self.inner if isinstance(self, _Not) else _Not(self)

    def named(self) -> Iterator[Named]:
        """Everything in it that has a name, from left to right."""
        raise TypeError("a term is made of jobs and contexts")


class Named(Term):
    """A job or a context, by the identifier that dependencies use."""

    def __init__(self, identifier: str) -> None:
        self.identifier = identifier

    def named(self) -> Iterator[Named]:
        """It itself."""
        yield self


class JobTerm(Named):
    """A job of a plan that is being built: wait for it with ``after=``, or let it take units of a lock."""

    def __init__(self, entry: ScheduledJob) -> None:
        super().__init__(entry.id)
        self.entry = entry


class _Several(Term):
    def __init__(self, terms: tuple[Term, ...]) -> None:
        self.terms = terms

    def named(self) -> Iterator[Named]:
        for term in self.terms:
            yield from term.named()


class _All(_Several):
    pass


class _Any(_Several):
    pass


class _Not(Term):
    def __init__(self, inner: Term) -> None:
        self.inner = inner

    def named(self) -> Iterator[Named]:
        yield from self.inner.named()


def _parts(term: Term, kind: type[_Several]) -> tuple[Term, ...]:
    return term.terms if isinstance(term, kind) else (term,)


def grouping(term: Term) -> Grouping:
    """A term as a plan writes it."""
    if isinstance(term, _Any):
        return Grouping(or_=tuple(_operator(part) for part in term.terms))
    parts = _parts(term, _All)
    return Grouping(
        and_=tuple(_operator(part) for part in parts if not isinstance(part, _Not)),
        not_=tuple(_operator(part.inner) for part in parts if isinstance(part, _Not)),
    )


def _operator(term: Term) -> Operator:
    if isinstance(term, Named):
        return Operator(identifier=term.identifier)
    return Operator(logical_grouping=grouping(term))


class _Shared:
    """What is unique in a plan, whatever context it stands in: jobs, names of contexts, locks."""

    def __init__(self, plan: str) -> None:
        self.names = {plan}
        self.jobs: dict[JobId, Artefact] = {}
        self.locks: dict[str, tuple[JobLock, dict[str, list[LockParticipant]]]] = {}

    def define(self, job: Artefact) -> None:
        if job.id in self.jobs:
            raise BuildingError(f"job '{job.id}' is defined twice: name the first one where it is needed again")
        self.jobs[job.id] = job

    def claim(self, context: str) -> None:
        if context in self.names:
            raise BuildingError(f"context '{context}' twice: names of contexts are unique in a plan")
        self.names.add(context)

    def take(self, lock: JobLock, context: str, taking: LockParticipant) -> None:
        known, by_context = self.locks.setdefault(lock.name, (lock, {}))
        if known != lock:
            raise BuildingError(f"lock '{lock.name}' is described twice, differently: make it once and name it again")
        by_context.setdefault(context, []).append(taking)

    def all_locks(self) -> tuple[JobLock, ...]:
        return tuple(
            replace(lock, jobs={**lock.jobs, **{name: tuple(taking) for name, taking in by_context.items()}})
            for lock, by_context in self.locks.values()
        )


class ContextBuilder(Named):
    """A context that is being filled; contexts beside it may wait for it."""

    def __init__(self, context: Context, shared: _Shared) -> None:
        super().__init__(context.name)
        self._context = context
        self._shared = shared
        self._contexts: list[ContextBuilder] = []
        self._copies: dict[JobId, JobTerm] = {}
        self._waits: dict[JobId, Grouping | None] = {}
        self._gates: list[ContextDependency] = []
        self._parameters: list[Parameter] = []

    # ------------------------------------------------------------------ jobs

    def add(self, job: Artefact, *, after: Term | None = None) -> JobTerm:
        """Any job, with all fields that its kind has. Raises BuildingError when the plan has one of its name."""
        self._shared.define(job)
        return self._reside(ScheduledJob(agent_name=job.agent_name, job_name=job.job_name), after)

    def command(
        self, name: str, agent: str, run: str | tuple[str, ...], *, after: Term | None = None, **parameters: str
    ) -> JobTerm:
        """A command line for the shell, or a program with its arguments; ``parameters``: what it takes, with defaults."""
        wanted = tuple(Parameter(name=key, default_value=value) for key, value in parameters.items())
        line, arguments = (run, ()) if isinstance(run, str) else ("", run)
        job = CommandJob(
            agent_name=agent, job_name=name, command_line=line, arguments=arguments, context_parameters=wanted
        )
        return self.add(job, after=after)

    def clock(self, name: str, agent: str, cron: str, *, zone: str = "") -> JobTerm:
        """Fires at the times of a Quartz cron expression; without a zone, of the agent's own."""
        return self.add(ClockJob(agent_name=agent, job_name=name, cron_expression=cron, time_zone=zone))

    def file(self, name: str, agent: str, *patterns: str, poll_seconds: float = 10.0) -> JobTerm:
        """Fires for a file that matches one of the patterns, ``folder/regular expression``."""
        job = FileJob(
            agent_name=agent, job_name=name, filenames=patterns, poll_seconds=poll_seconds, cron_expression=""
        )
        return self.add(job)

    def event(self, name: str, *, after: Term | None = None) -> JobTerm:
        """A global event: raised here once ``after`` holds, and heard by every running instance."""
        return self.add(GlobalJob(agent_name=_AGENT_OF[JobKind.GLOBAL], job_name=name), after=after)

    def local(self, name: str, *, after: Term | None = None) -> JobTerm:
        """An event of this instance alone."""
        return self._inside(JobKind.LOCAL, name, after)

    def start(self, name: str, *, after: Term | None = None) -> JobTerm:
        """A context start job."""
        return self._inside(JobKind.START, name, after)

    def terminal(self, name: str, *, after: Term | None = None) -> JobTerm:
        """A context terminal job."""
        return self._inside(JobKind.TERMINAL, name, after)

    def bridge(self, name: str, *, after: Term | None = None) -> JobTerm:
        """A bridging job."""
        return self._inside(JobKind.BRIDGING, name, after)

    def wait(self, job: JobTerm, after: Term) -> JobTerm:
        """Say later what a job waits for, or let a job of another context have a copy here that waits."""
        self._copies.setdefault(job.entry.id, job)
        self._waits[job.entry.id] = self._grouping(after, job.identifier)
        return job

    def _inside(self, kind: JobKind, name: str, after: Term | None) -> JobTerm:
        return self._reside(ScheduledJob(agent_name=_AGENT_OF[kind], job_name=name), after)

    def _reside(self, entry: ScheduledJob, after: Term | None) -> JobTerm:
        if entry.id in self._copies:
            raise BuildingError(f"job '{entry.id}' twice in context '{self.identifier}': give one another name")
        job = self._copies[entry.id] = JobTerm(entry)
        self._waits[entry.id] = None if after is None else self._grouping(after, job.identifier)
        return job

    def _grouping(self, after: Term, job: str) -> Grouping:
        """What a job waits for; whatever it names gets a copy here."""
        for one in after.named():
            if not isinstance(one, JobTerm):
                raise BuildingError(f"job '{job}' cannot wait for context '{one.identifier}': let its context wait")
            self._copies.setdefault(one.entry.id, one)
        return grouping(after)

    # ------------------------------------------------------------------ contexts, locks, parameters

    def context(
        self, name: str, *, after: Term | None = None, own_window: OwnWindow | None = None, description: str = ""
    ) -> ContextBuilder:
        """A context inside this one. ``after``: contexts beside it that have to be COMPLETE before any of its jobs starts.

        ``own_window``: outside of it none of them starts.
        """
        self._shared.claim(name)
        for one in () if after is None else after.named():
            if not isinstance(one, ContextBuilder):
                raise BuildingError(f"context '{name}' cannot wait for job '{one.identifier}': let its jobs wait")
        inner = ContextBuilder(Context(name=name, own_window=own_window, description=description), self._shared)
        self._contexts.append(inner)
        if after is not None:
            self._gates.append(ContextDependency(context_identifier=name, logical_grouping=grouping(after)))
        return inner

    def parameter(self, name: str, default: str | None = None) -> None:
        """A parameter of this context."""
        self._parameters.append(Parameter(name=name, default_value=default))

    def takes(self, job: JobTerm, lock: JobLock, units: int = 1) -> None:
        """Let a job of this context run only while it holds so many units of a lock."""
        entry = job.entry
        taking = LockParticipant(agent_name=entry.agent_name, job_name=entry.job_name, lock_count=units)
        self._shared.take(lock, self.identifier, taking)

    # ------------------------------------------------------------------ the document

    def residences(self, job: JobId) -> Iterator[str]:
        """The contexts, from here inwards, in which a job has a copy."""
        if job in self._copies:
            yield self.identifier
        for inner in self._contexts:
            yield from inner.residences(job)

    def filled(self) -> Context:
        """The context as a plan holds it."""
        return self._fill(self._context)

    def _fill(self, context: C) -> C:
        """The context with what was put into it, after what it had."""
        waits = (JobDependency(job_identifier=job, logical_grouping=grouping) for job, grouping in self._waits.items())
        return replace(
            context,
            contexts=(*context.contexts, *(inner.filled() for inner in self._contexts)),
            scheduled_jobs=(*context.scheduled_jobs, *(job.entry for job in self._copies.values())),
            job_dependencies=(*context.job_dependencies, *waits),
            context_dependencies=(*context.context_dependencies, *self._gates),
            context_parameters=(*context.context_parameters, *self._parameters),
        )


class PlanBuilder(ContextBuilder):
    """A plan that is being built. The ``plan`` it is made of says everything that has no method here."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan, _Shared(plan.name))
        self._plan = plan

    def build(self) -> PlanSource:
        """The plan with its jobs, as a bundle holds them."""
        filled = self._fill(self._plan)
        plan = replace(filled, job_locks=(*filled.job_locks, *self._shared.all_locks()))
        jobs = tuple(
            replace(job, context_name=job.context_name or plan.name, child_context_names=tuple(self.residences(job.id)))
            for job in self._shared.jobs.values()
        )
        return PlanSource(plan=plan, jobs=jobs)
