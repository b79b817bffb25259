"""A plan version compiled for evaluation: every job copy and context by index, with what follows from what.

Built once per version; an event's cost then follows the successors of its job, not the size of the plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from msgspec import Struct

from dashboard_node.core.parameters import own
from dashboard_node.core.rules import Rule, asked_for, compile_rule, forbidden, is_counted, mentioned, merge
from schemas.names import ContextName, JobId, LockName, NodeName
from schemas.plan import (
    Artefact,
    ClockJob,
    CommandJob,
    Context,
    FileJob,
    GlobalJob,
    JobLock,
    OwnWindow,
    Plan,
    PlanSource,
    ScheduledJob,
)
from schemas.status import JobKind


class Claim(Struct, frozen=True):
    """That a job needs ``weight`` units of a lock to run."""

    lock: LockName
    group: str
    weight: int
    capacity: int
    exclusive: bool


class Copy(Struct, frozen=True, kw_only=True):
    """A job in one context. Indices of copies rise in plan order."""

    index: int
    context: int
    id: JobId
    name: str
    called: str
    """What people are told of it by: its name, or the identifier where several jobs of the plan have that name."""
    agent: NodeName
    kind: JobKind
    artefact: Artefact | None
    rule: Rule | None
    upstream: tuple[int, ...]
    """Copies in the same context that the rule mentions."""
    asked: tuple[int, ...]
    """Those of them it asks to be done (all-of and any-of lists), in the order of the plan's text."""
    forbidden: tuple[int, ...]
    """Those of them that must not be done, in nested groupings as well, in the order of the plan's text."""
    counted: bool
    """The rule is one flat all-of list (``not`` aside), so that counting what is missing answers it."""
    dependents: tuple[int, ...]
    """Copies in the same context whose rule mentions this one."""
    feeds: tuple[int, ...]
    """Those of the dependents whose counted rule has this copy in its all-of list."""
    residences: tuple[int, ...]
    """All copies of this job, this one included."""
    stands_for: tuple[int, ...]
    """The copies a run started here counts for: all residences, or only this one (``targetResidingContextOnly``)."""
    shadow: bool
    """Its run is decided by a dependency in another context: it says nothing about how this one stands, and counts as fed."""
    leaf: bool
    """Nothing in this context depends on it (or it is a terminal job): it has to be done for the context to be."""
    repeatable: bool
    claims: tuple[Claim, ...]
    held: bool
    skipped: bool


class ContextNode(Struct, frozen=True, kw_only=True):
    """A context of the tree. Parents have smaller indices than their children; 0 is the plan."""

    index: int
    name: ContextName
    parent: int | None
    children: tuple[int, ...]
    copies: tuple[int, ...]
    gate: Rule | None
    """Over context indices: no job of this context (or below) is initiated before it holds."""
    gates: tuple[int, ...]
    """Contexts whose gate mentions this one."""
    own_window: OwnWindow | None
    """Outside of it no job of this context (or below) is initiated; never the plan's."""
    empty: bool
    """Neither it nor anything below it has a job."""
    parameters: Mapping[str, str | None]
    """Its own parameters with their defaults; empty: the plan's are looked at."""


class PlanGraph(Struct, frozen=True, kw_only=True):
    """A compiled plan version."""

    plan: Plan
    contexts: tuple[ContextNode, ...]
    copies: tuple[Copy, ...]
    residences: Mapping[str, tuple[int, ...]]
    """Copies by job identifier."""
    agents: tuple[NodeName, ...]
    """Agents that carry out some job of it, sorted."""
    watches: Mapping[NodeName, tuple[ClockJob | FileJob, ...]]
    """The clock and file jobs each agent watches, by identifier."""
    claiming: tuple[int, ...]
    """Copies that need locks."""

    def context_of(self, copy: int) -> ContextNode:
        """The context a copy is in."""
        return self.contexts[self.copies[copy].context]

    def ancestry(self, context: int) -> Iterator[ContextNode]:
        """The context and those around it, innermost first."""
        at: int | None = context
        while at is not None:
            node = self.contexts[at]
            yield node
            at = node.parent

    @property
    def parameters(self) -> frozenset[str]:
        """The names of which a value of the instance may come to a run: those that the plan or a job of it declares."""
        commands = (copy.artefact for copy in self.copies if isinstance(copy.artefact, CommandJob))
        declared = [parameter.name for job in commands for parameter in job.context_parameters]
        return frozenset((*declared, *(parameter.name for parameter in self.plan.context_parameters)))

    def called(self, job: str) -> str:
        """What people are told of a job by; of an identifier that is in no context: itself."""
        copies = self.residences.get(job, ())
        return self.copies[copies[0]].called if copies else job

    def watched_by(self, agent: NodeName) -> tuple[ClockJob | FileJob, ...]:
        """The clock and file jobs the agent watches for this plan version, by identifier."""
        return self.watches.get(agent, ())


class _Place(Struct):
    """A context while the tree is walked."""

    context: Context
    parent: int | None
    children: list[int]


def compile_plan(source: PlanSource) -> PlanGraph:
    """Index a plan. Takes any plan that decodes: what validation refuses compiles to something that merely never starts."""
    places = _walk(source.plan)
    jobs = [(at, job) for at, place in enumerate(places) for job in _unique(place.context.scheduled_jobs)]
    residences: dict[str, list[int]] = {}
    for index, (_, job) in enumerate(jobs):
        residences.setdefault(job.id, []).append(index)
    rules = _rules(places, jobs)
    copies = _Copies(source, places, jobs, residences, rules).build()
    return PlanGraph(
        plan=source.plan,
        contexts=_contexts(places, jobs),
        copies=copies,
        residences={job: tuple(found) for job, found in residences.items()},
        agents=tuple(sorted({copy.agent for copy in copies if copy.kind.on_agent})),
        watches=_watches(copies),
        claiming=tuple(copy.index for copy in copies if copy.claims),
    )


def _watches(copies: tuple[Copy, ...]) -> dict[NodeName, tuple[ClockJob | FileJob, ...]]:
    found: dict[NodeName, dict[JobId, ClockJob | FileJob]] = {}
    for copy in sorted(copies, key=lambda copy: copy.id):
        if isinstance(copy.artefact, ClockJob | FileJob):
            found.setdefault(copy.agent, {})[copy.id] = copy.artefact
    return {agent: tuple(jobs.values()) for agent, jobs in found.items()}


def _walk(plan: Plan) -> list[_Place]:
    places = [_Place(plan, None, [])]
    at = 0
    stack: list[tuple[int, Context]] = [(0, child) for child in reversed(plan.contexts)]
    while stack:  # depth first, as authored
        parent, context = stack.pop()
        at = len(places)
        places[parent].children.append(at)
        places.append(_Place(context, parent, []))
        stack.extend((at, child) for child in reversed(context.contexts))
    return places


def _unique(jobs: tuple[ScheduledJob, ...]) -> list[ScheduledJob]:
    return list({job.id: job for job in reversed(jobs)}.values())[::-1]


def _rules(places: list[_Place], jobs: list[tuple[int, ScheduledJob]]) -> dict[int, Rule]:
    """The rule of each copy that has one; several entries for one job are one rule."""
    local: list[dict[str, int]] = [{} for _ in places]
    for index, (at, job) in enumerate(jobs):
        local[at][job.id] = index
    rules: dict[int, Rule] = {}
    for at, place in enumerate(places):
        for dependency in place.context.job_dependencies:
            copy = local[at].get(dependency.job_identifier)
            rule = merge(
                rules.get(copy) if copy is not None else None,
                compile_rule(dependency.logical_grouping, local[at]),
            )
            if copy is not None and rule is not None:
                rules[copy] = rule
    return rules


class _Copies:
    """Builds the copies out of the walked tree."""

    def __init__(
        self,
        source: PlanSource,
        places: list[_Place],
        jobs: list[tuple[int, ScheduledJob]],
        residences: Mapping[str, list[int]],
        rules: Mapping[int, Rule],
    ) -> None:
        self._artefacts: dict[str, Artefact] = {job.id: job for job in source.jobs}
        self._places = places
        self._jobs = jobs
        names = Counter({job.id: job.job_name for _, job in jobs}.values())
        self._shared = {name for name, count in names.items() if count > 1}
        self._residences = residences
        self._rules = rules
        self._upstream = {index: tuple(dict.fromkeys(mentioned(rule))) for index, rule in rules.items()}
        self._dependents: dict[int, list[int]] = {}
        for index, upstream in self._upstream.items():  # in the order of the dependency entries, as Ikasan evaluates
            for feeder in upstream:
                self._dependents.setdefault(feeder, []).append(index)
        self._counted = {index for index, rule in rules.items() if is_counted(rule)}
        self._locks = [(lock, source.plan.environment_group) for place in places for lock in place.context.job_locks]
        self._claims = _claims_by_job(self._locks)

    def build(self) -> tuple[Copy, ...]:
        """All copies in plan order."""
        return tuple(self._copy(index, at, job) for index, (at, job) in enumerate(self._jobs))

    def _copy(self, index: int, at: int, job: ScheduledJob) -> Copy:
        artefact = self._artefacts.get(job.id)
        context = self._places[at].context.name
        kind = job.kind or _kind(artefact)
        target_only = isinstance(artefact, CommandJob) and artefact.target_residing_context_only
        dependents = tuple(self._dependents.get(index, ()))
        held = job.held_contexts | (artefact.held_contexts if artefact else {})
        skipped = job.skipped_contexts | (artefact.skipped_contexts if artefact else {})
        residences = tuple(self._residences[job.id])
        return Copy(
            index=index,
            context=at,
            id=job.id,
            name=job.job_name,
            called=job.id if job.job_name in self._shared else job.job_name,
            agent=NodeName(job.agent_name),
            kind=kind,
            artefact=artefact,
            rule=self._rules.get(index),
            upstream=self._upstream.get(index, ()),
            asked=tuple(dict.fromkeys(asked_for(self._rules[index]))) if index in self._rules else (),
            forbidden=tuple(dict.fromkeys(forbidden(self._rules[index]))) if index in self._rules else (),
            counted=index in self._counted,
            dependents=dependents,
            feeds=tuple(d for d in dependents if d in self._counted and index in self._rules[d].all),
            residences=residences,
            stands_for=(index,) if target_only else residences,
            shadow=not target_only and index not in self._rules and any(other in self._rules for other in residences),
            leaf=not dependents or kind is JobKind.TERMINAL,
            repeatable=isinstance(artefact, CommandJob) and artefact.job_repeatable,
            claims=self._claims.get(job.id, ()) if kind is JobKind.COMMAND else (),
            held=bool(held.get(context)),
            skipped=bool(skipped.get(context)),
        )


def _kind(artefact: Artefact | None) -> JobKind:
    match artefact:
        case FileJob():
            return JobKind.FILE
        case ClockJob():
            return JobKind.CLOCK
        case GlobalJob():
            return JobKind.GLOBAL
        case _:
            return JobKind.COMMAND


def _claims_by_job(locks: list[tuple[JobLock, str]]) -> dict[str, tuple[Claim, ...]]:
    """Participation is by identifier: a job listed under several contexts of a lock takes its largest weight, once."""
    found: dict[str, dict[str, Claim]] = {}
    for lock, group in locks:
        for participants in lock.jobs.values():
            for participant in participants:
                claims = found.setdefault(participant.id, {})
                known = claims.get(lock.name)
                claims[lock.name] = Claim(
                    lock=LockName(lock.name),
                    group=group,
                    weight=max(participant.lock_count, known.weight if known else 0),
                    capacity=lock.lock_count,
                    exclusive=lock.exclusive_job_lock,
                )
    return {job: tuple(claims[name] for name in sorted(claims)) for job, claims in found.items()}


def _contexts(places: list[_Place], jobs: list[tuple[int, ScheduledJob]]) -> tuple[ContextNode, ...]:
    names = {place.context.name: at for at, place in enumerate(places)}
    gates = _gates(places, names)
    opens: dict[int, list[int]] = {}
    for at, gate in sorted(gates.items()):
        for needed in dict.fromkeys(mentioned(gate)):
            opens.setdefault(needed, []).append(at)
    copies: list[list[int]] = [[] for _ in places]
    for index, (at, _) in enumerate(jobs):
        copies[at].append(index)
    empty = [not own for own in copies]
    for at in range(len(places) - 1, 0, -1):
        parent = places[at].parent
        if parent is not None and not empty[at]:
            empty[parent] = False
    return tuple(
        ContextNode(
            index=at,
            name=ContextName(place.context.name),
            parent=place.parent,
            children=tuple(place.children),
            copies=tuple(copies[at]),
            gate=gates.get(at),
            gates=tuple(opens.get(at, ())),
            own_window=place.context.own_window if place.parent is not None else None,
            empty=empty[at],
            parameters={p.name: own(p) for p in place.context.context_parameters},
        )
        for at, place in enumerate(places)
    )


def _gates(places: list[_Place], names: Mapping[str, int]) -> dict[int, Rule]:
    """Context dependencies by the context that waits; see ``schemas.plan.ContextDependency`` for both ways to write them."""
    gates: dict[int, Rule] = {}
    for at, place in enumerate(places):
        own = {at, *place.children}
        for dependency in place.context.context_dependencies:
            named = names.get(dependency.context_identifier)
            if dependency.logical_grouping is not None:
                waiting = named if named is not None and named in own else at
                rule = compile_rule(dependency.logical_grouping, names)
            elif named is not None and named not in own:
                waiting, rule = at, Rule(all=(named,))
            else:
                continue
            merged = merge(gates.get(waiting), rule)
            if merged is not None:
                gates[waiting] = merged
    return gates
