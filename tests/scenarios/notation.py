"""Plans as the scenarios write them: ``P[q:q a b | a<-and(q), b<-and(a)]{C1[...], C2[...]}`` becomes a plan with its jobs.

A job's prefix says its kind (none: command; ``q:`` clock, ``f:`` file, ``g:`` global, ``l:`` local, ``s:`` start, ``t:``
terminal, ``br:`` bridging), ``a*`` is repeatable, ``a!`` stays in its context. A dependency without a grouping is ``a<-``. Locks
are ``L{a b}``, with a capacity ``L:3{a:2 b}`` and weights, exclusive ``L!{x}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from schemas.plan import (
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
    Plan,
    PlanSource,
    ScheduledJob,
)

AGENT = "north"
_AGENTS = {
    "": AGENT,
    "q": AGENT,
    "f": AGENT,
    "g": "GLOBAL_EVENT",
    "l": "LOCAL_EVENT_JOB",
    "s": "CONTEXT_START_JOB",
    "t": "CONTEXT_TERMINAL_JOB",
    "br": "BRIDGING_JOB",
}
_TOKEN = re.compile(r"<-|[\w.-]+|[\[\]{}(),|:*!]")
_LOCK = re.compile(r"(?P<name>\w+)(?P<exclusive>!?)(?::(?P<count>\d+))?\{(?P<jobs>[^}]*)\}")


class Named(Struct):
    """A job as written: its name, kind, and marks."""

    name: str
    kind: str = ""
    repeatable: bool = False
    target_only: bool = False


class Written(Struct):
    """A context as written."""

    name: str
    jobs: list[Named] = field(default_factory=list)
    dependencies: list[tuple[str, Grouping | None]] = field(default_factory=list)
    children: list[Written] = field(default_factory=list)


def plan(
    text: str,
    *,
    locks: str = "",
    gates: Mapping[str, str] | None = None,
    skipped: Mapping[str, str] | None = None,
    held: Mapping[str, str] | None = None,
    jobs: Mapping[str, Mapping[str, Any]] | None = None,
    **fields: Any,  # noqa: ANN401  # whatever fields a plan has
) -> PlanSource:
    """The plan of a text.

    ``gates``: context to the grouping of contexts it waits for; ``skipped``, ``held``: context to job names; ``jobs``: further
    fields of artefacts by job name; ``fields``: further ones of the plan.
    """
    written = _Reader(text).context()
    kinds = _kinds(written)
    builder = _Builder(kinds, gates or {}, skipped or {}, held or {})
    outermost = builder.context(written)
    body = {name: getattr(outermost, name) for name in Context.__struct_fields__} | fields
    body["job_locks"] = tuple(_lock(match, kinds, written.name) for match in _LOCK.finditer(locks))
    artefacts = [_artefact(job, dict((jobs or {}).get(job.name, {}))) for job in kinds.values()]
    return PlanSource(plan=Plan(**body), jobs=tuple(job for job in artefacts if job is not None))


def identifier(name: str, kind: str) -> str:
    """By which dependencies name a job."""
    return f"{_AGENTS[kind]}-{name}"


def _kinds(written: Written) -> dict[str, Named]:
    """Every job once, with the marks of all its mentions."""
    found: dict[str, Named] = {}
    for job in written.jobs:
        known = found.setdefault(job.name, job)
        known.kind = known.kind or job.kind
        known.repeatable |= job.repeatable
        known.target_only |= job.target_only
    for child in written.children:
        for name, job in _kinds(child).items():
            known = found.setdefault(name, job)
            known.kind = known.kind or job.kind
            known.repeatable |= job.repeatable
            known.target_only |= job.target_only
    return found


def _artefact(job: Named, more: dict[str, Any]) -> Artefact | None:
    base = {"agent_name": _AGENTS[job.kind], "job_name": job.name}
    match job.kind:
        case "":
            marks = {"job_repeatable": job.repeatable, "target_residing_context_only": job.target_only}
            return CommandJob(**({"command_line": "true"} | base | marks | more))
        case "q":
            return ClockJob(**({"cron_expression": "0 0 5 * * ?"} | base | more))
        case "f":
            return FileJob(**({"cron_expression": "0 * * * * ?", "filenames": ("/in/.*",)} | base | more))
        case "g":
            return GlobalJob(**(base | more))
        case _:
            return None


class _Builder:
    """Makes contexts of what was written."""

    def __init__(
        self,
        kinds: Mapping[str, Named],
        gates: Mapping[str, str],
        skipped: Mapping[str, str],
        held: Mapping[str, str],
    ) -> None:
        self._kinds = kinds
        self._gates = gates
        self._skipped = {context: set(names.split()) for context, names in skipped.items()}
        self._held = {context: set(names.split()) for context, names in held.items()}

    def context(self, written: Written) -> Context:
        """The context with all below it."""
        gate = self._gates.get(written.name)
        return Context(
            name=written.name,
            contexts=tuple(self.context(child) for child in written.children),
            scheduled_jobs=tuple(self._job(written.name, job.name) for job in written.jobs),
            job_dependencies=tuple(
                JobDependency(
                    job_identifier=self._id(name),
                    logical_grouping=None if grouping is None else self._named(grouping),
                )
                for name, grouping in written.dependencies
            ),
            context_dependencies=()
            if gate is None
            else (ContextDependency(context_identifier=written.name, logical_grouping=_Reader(gate).grouping()),),
        )

    def _job(self, context: str, name: str) -> ScheduledJob:
        return ScheduledJob(
            agent_name=_AGENTS[self._kinds[name].kind],
            job_name=name,
            skipped_contexts={context: True} if name in self._skipped.get(context, ()) else {},
            held_contexts={context: True} if name in self._held.get(context, ()) else {},
        )

    def _id(self, name: str) -> str:
        return identifier(name, self._kinds[name].kind) if name in self._kinds else f"{AGENT}-{name}"

    def _named(self, grouping: Grouping) -> Grouping:
        """The grouping with identifiers in place of names."""

        def term(operator: Operator) -> Operator:
            if operator.logical_grouping is not None:
                return Operator(logical_grouping=self._named(operator.logical_grouping))
            return Operator(identifier=self._id(operator.identifier))

        inner = grouping.logical_grouping
        return Grouping(
            and_=tuple(map(term, grouping.and_)),
            or_=tuple(map(term, grouping.or_)),
            not_=tuple(map(term, grouping.not_)),
            logical_grouping=None if inner is None else self._named(inner),
        )


def _lock(match: re.Match[str], kinds: Mapping[str, Named], context: str) -> JobLock:
    participants = []
    for written in match["jobs"].replace(",", " ").split():
        name, _, weight = written.partition(":")
        kind = kinds[name].kind if name in kinds else ""
        participants.append(LockParticipant(agent_name=_AGENTS[kind], job_name=name, lock_count=int(weight or 1)))
    return JobLock(
        name=match["name"],
        lock_count=int(match["count"] or 1),
        exclusive_job_lock=bool(match["exclusive"]),
        jobs={context: tuple(participants)},
    )


class _Reader:
    """Reads the notation from left to right."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._at = 0

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self, *wanted: str) -> str:
        token = self._peek()
        assert token, "the text ends too early"
        assert not wanted or token in wanted, f"{token} where {wanted} is wanted"
        self._at += 1
        return token

    def _accept(self, wanted: str) -> bool:
        if self._peek() != wanted:
            return False
        self._at += 1
        return True

    def context(self) -> Written:
        """``NAME[jobs | dependencies]{contexts}``."""
        written = Written(self._next())
        if self._accept("["):
            while self._peek() not in {"|", "]"}:
                written.jobs.append(self._job())
            if self._accept("|"):
                while self._peek() != "]":
                    written.dependencies.append(self._dependency())
                    self._accept(",")
            self._next("]")
        if self._accept("{"):
            while self._peek() != "}":
                written.children.append(self.context())
                self._accept(",")
            self._next("}")
        return written

    def _job(self) -> Named:
        name, kind = self._next(), ""
        if self._accept(":"):
            kind, name = name, self._next()
        job = Named(name, kind)
        while self._peek() in {"*", "!"}:
            if self._next() == "*":
                job.repeatable = True
            else:
                job.target_only = True
        return job

    def _dependency(self) -> tuple[str, Grouping | None]:
        name = self._next()
        self._next("<-")
        return name, self.grouping() if self._peek() in {"and", "or", "not", "lg"} else None

    def grouping(self) -> Grouping:
        """``and(...) or(...) not(...) lg{...}``, each of them at most once."""
        found: dict[str, Any] = {}
        while self._peek() in {"and", "or", "not", "lg"}:
            which = self._next()
            if which == "lg":
                self._next("{")
                found["logical_grouping"] = self.grouping()
                self._next("}")
            else:
                found[f"{which}_"] = self._terms()
        return Grouping(**found)

    def _terms(self) -> tuple[Operator, ...]:
        terms: list[Operator] = []
        self._next("(")
        while not self._accept(")"):
            if self._accept("{"):
                terms.append(Operator(logical_grouping=self.grouping()))
                self._next("}")
            else:
                terms.append(Operator(identifier=self._next()))
            self._accept(",")
        return tuple(terms)


def as_json(source: PlanSource) -> bytes:
    """The plan as one file, as ``simulate`` reads it."""
    body = msgspec.to_builtins(source)
    return msgspec.json.encode(body["plan"] | {"jobs": body["jobs"]})
