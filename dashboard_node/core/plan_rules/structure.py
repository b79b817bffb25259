"""Rules of what is in a plan: names, identifiers, artefacts, agents. Not of what waits for what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dashboard_node.core.plan_rules.survey import (
    Survey,
    error,
    job_path,
    jobs_of,
    kind_of,
    terms,
    warning,
)
from schemas.names import JobId
from schemas.plan import DASHBOARD_AGENTS, Context, GlobalJob, PlanSource, ScheduledJob
from schemas.requests import Fault
from schemas.status import JobKind

_UNSAFE: Final = str.maketrans(dict.fromkeys('\\:/*?"<>|', "_"))
"""What Ikasan replaces in the names of files."""


def structure(survey: Survey) -> Iterator[Fault]:
    """All rules of this topic."""
    yield from _context_names(survey)
    yield from _start_windows(survey)
    yield from _entries(survey)
    yield from _mentions(survey)
    yield from _missing(survey)
    yield from _artefacts(survey)
    yield from _collisions(survey)
    yield from _file_names(survey)


def without_artefact(source: PlanSource) -> tuple[JobId, ...]:
    """Jobs of a plan that need an artefact and have none (V4, V5, V7), in plan order.

    Start, terminal, local and bridging jobs need none: the dashboard makes them from the plan.
    """
    artefacts = {job.id for job in source.jobs}
    contexts: list[Context] = [source.plan]
    found: dict[JobId, None] = {}
    for context in contexts:
        contexts.extend(context.contexts)
        found.update(
            dict.fromkeys(j.id for j in context.scheduled_jobs if _needs_artefact(j) and j.id not in artefacts)
        )
    return tuple(found)


def _needs_artefact(job: ScheduledJob) -> bool:
    return job.kind in {None, JobKind.GLOBAL} and bool(job.job_name)


def _context_names(survey: Survey) -> Iterator[Fault]:
    """A context is known by its name, so no two of a plan may have the same."""
    first: dict[str, str] = {}
    for place in survey.places:
        name, path = place.context.name, f"{place.path}.name"
        if not name.strip():
            what = "plan" if place.parent is None else "context"
            yield error(path, f"the {what} has no name; give it one")
        elif name in first:
            yield error(path, f"the context name '{name}' is already that of {first[name]}; give one of them another")
        first.setdefault(name, place.path)


def _start_windows(survey: Survey) -> Iterator[Fault]:
    """Rules of the window that Ikasan defines and never calls: its own sample breaks the second, so they only warn."""
    if not survey.plan.time_window_start:
        yield warning(
            "$.timeWindowStart", "there is none: only a person starts this plan; write a cron to have it started"
        )
    for place in survey.places[1:]:
        if place.context.time_window_start:
            yield warning(
                f"{place.path}.timeWindowStart",
                f"ignored: only the plan's window counts, not that of the context '{place.context.name}'; leave it out",
            )


def _entries(survey: Survey) -> Iterator[Fault]:
    """Jobs without a name or listed twice, agents that look like the dashboard's own and are not."""
    own = {agent.lower().replace("_", ""): agent for agent in DASHBOARD_AGENTS}
    for place, index, job in jobs_of(survey):
        path = f"{place.path}.scheduledJobs[{index}]"
        if not job.job_name.strip():
            yield error(f"{path}.jobName", "the job has no name; give it one")
            continue
        if not job.agent_name.strip():
            yield error(f"{path}.agentName", f"the job '{job.job_name}' has no agent; name the one that carries it out")
        elif place.entries[job.id] != index:
            yield error(path, f"the job '{job.id}' is already listed in this context; leave one entry out")
        meant = own.get(job.agent_name.lower().replace("_", "").removesuffix("s"))
        if meant is not None and meant != job.agent_name:
            yield warning(
                f"{path}.agentName", f"'{job.agent_name}' is taken for the name of a host's agent; is '{meant}' meant?"
            )
        for key, contexts in (("skippedContexts", job.skipped_contexts), ("heldContexts", job.held_contexts)):
            yield from _known_contexts(survey, job.id, f"{path}.{key}", contexts)


def _known_contexts(survey: Survey, job: JobId, path: str, contexts: dict[str, bool]) -> Iterator[Fault]:
    for name in contexts:
        if all(survey.places[at].context.name != name for at in survey.residences.get(job, ())):
            yield warning(
                path, f"ignored: the job '{job}' does not reside in '{name}'; correct the name or leave it out"
            )


def _mentions(survey: Survey) -> Iterator[Fault]:
    """Every job of a context stands in one of that context's dependencies."""
    for place in survey.places:
        dependencies = place.context.job_dependencies
        mentioned = {dependency.job_identifier for dependency in dependencies}
        mentioned |= {t.operator.identifier for d in dependencies for t in terms(d.logical_grouping, "")}
        for job, index in place.entries.items():
            if job not in mentioned and place.context.scheduled_jobs[index].job_name.strip():
                yield error(
                    f"{place.path}.scheduledJobs[{index}]",
                    f"the job '{job}' is in no dependency of the context '{place.context.name}'; add an entry to"
                    " its jobDependencies, without a grouping if nothing is to start it",
                )


def _missing(survey: Survey) -> Iterator[Fault]:
    """V4, V5, V7: a job that somebody carries out needs its artefact."""
    missing = set(without_artefact(survey.source))
    for place, index, job in jobs_of(survey):
        if job.id in missing:
            missing.discard(job.id)
            hint = survey.hints.nearest(job.id, survey.artefacts)
            folder = "global" if job.kind is JobKind.GLOBAL else "internal (or file, quartz)"
            yield error(
                f"{place.path}.scheduledJobs[{index}]",
                f"the job '{job.id}' has no artefact{hint}; add its file to jobs/{folder},"
                " or take the job out of the plan",
            )


def _artefacts(survey: Survey) -> Iterator[Fault]:
    """Artefacts without a name or that are there twice, unused, or of another kind than their agent says."""
    seen: set[JobId] = set()
    for job in survey.source.jobs:
        path = job_path(job)
        if not job.job_name.strip():
            yield error(f"{path} $.jobName", "the job has no name; give it one")
        elif not job.agent_name.strip():
            yield error(
                f"{path} $.agentName", f"the job '{job.job_name}' has no agent; name the one that carries it out"
            )
        elif job.id in seen:
            yield error(path, f"the job '{job.id}' is there twice; leave one of them out")
        elif job.id not in survey.residences:
            yield warning(path, f"the job '{job.id}' is in no context of the plan: it never runs")
        seen.add(job.id)
        agent_kind = DASHBOARD_AGENTS.get(job.agent_name)
        is_global = isinstance(job, GlobalJob)
        if is_global and agent_kind is not JobKind.GLOBAL:
            yield error(f"{path} $.agentName", f"a global event has the agent GLOBAL_EVENT, not '{job.agent_name}'")
        elif not is_global and agent_kind is JobKind.GLOBAL:
            yield error(
                f"{path} $.agentName",
                f"GLOBAL_EVENT is for global events, this is a {kind_of(job)} job: name its agent",
            )
        elif agent_kind not in {None, JobKind.GLOBAL}:
            yield warning(
                path, f"not used: a job of '{job.agent_name}' happens inside the dashboard; leave the file out"
            )
        if job.context_name and job.context_name != survey.plan.name:
            yield warning(
                f"{path} $.contextName", f"'{job.context_name}' is ignored: the job belongs to '{survey.plan.name}'"
            )
        yield from _known_contexts(survey, job.id, f"{path} $.skippedContexts", job.skipped_contexts)
        yield from _known_contexts(survey, job.id, f"{path} $.heldContexts", job.held_contexts)


def _collisions(survey: Survey) -> Iterator[Fault]:
    """``a-b`` + ``c`` and ``a`` + ``b-c`` have one identifier: nothing could tell the two jobs apart."""
    first: dict[JobId, tuple[str, str]] = {}
    told: set[JobId] = set()
    everywhere = [(f"{p.path}.scheduledJobs[{i}]", j.id, (j.agent_name, j.job_name)) for p, i, j in jobs_of(survey)]
    everywhere += [(job_path(job), job.id, (job.agent_name, job.job_name)) for job in survey.source.jobs]
    for path, job, names in everywhere:
        other = first.setdefault(job, names)
        if other != names and job not in told:
            told.add(job)
            yield error(
                path,
                f"agent '{names[0]}' with job '{names[1]}' and agent '{other[0]}' with job '{other[1]}' have the same"
                f" identifier '{job}'; rename one of the jobs",
            )


def _file_names(survey: Survey) -> Iterator[Fault]:
    """Two jobs whose files get one name: Ikasan's export keeps only one of them."""
    first: dict[str, JobId] = {}
    for job in survey.source.jobs:
        name = job_path(job).rpartition(job.job_name)[0] + job.job_name.translate(_UNSAFE).casefold()
        other = first.setdefault(name, job.id)
        if other != job.id:
            yield warning(
                job_path(job),
                f"'{job.id}' and '{other}' get the same file name: an export by Ikasan keeps one of them; rename one"
                " (ours keeps both)",
            )
