"""Rules of locks: capacities, weights, participants that exist."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from dashboard_node.core.plan_rules.survey import Place, Survey, error, warning
from schemas.names import JobId
from schemas.plan import JobLock, LockParticipant
from schemas.requests import Fault
from schemas.status import JobKind


class _Definition(Struct, frozen=True):
    """A lock and where it is written."""

    path: str
    lock: JobLock


def locks(survey: Survey) -> Iterator[Fault]:
    """All rules of this topic."""
    defined: dict[str, _Definition] = {}
    memberships: dict[JobId, list[_Definition]] = {}
    for place in survey.places:
        for index, lock in enumerate(place.context.job_locks):
            definition = _Definition(f"{place.path}.jobLocks[{index}]", lock)
            yield from _lock(definition, defined)
            yield from _participants(survey, definition, memberships)
    yield from _mixed(memberships)


def _lock(definition: _Definition, defined: dict[str, _Definition]) -> Iterator[Fault]:
    lock, path = definition.lock, definition.path
    if not lock.name.strip():
        yield error(f"{path}.name", "the lock has no name; give it one")
    if lock.lock_count < 1 and not lock.exclusive_job_lock:
        yield error(f"{path}.lockCount", f"{lock.lock_count}: nobody could ever hold '{lock.name}'; write 1 or more")
    if lock.exclusive_job_lock and lock.lock_count > 1:
        yield warning(f"{path}.lockCount", f"ignored: '{lock.name}' is exclusive, one job at a time; write 1")
    other = defined.setdefault(lock.name, definition)
    if other is definition:
        return
    same = (other.lock.lock_count, other.lock.exclusive_job_lock) == (lock.lock_count, lock.exclusive_job_lock)
    if same:
        yield warning(path, f"'{lock.name}' is also defined at {other.path}: it is one lock; define it once")
    else:
        yield error(path, f"'{lock.name}' is also defined at {other.path}, differently: it is one lock; define it once")


def _participants(
    survey: Survey, definition: _Definition, memberships: dict[JobId, list[_Definition]]
) -> Iterator[Fault]:
    lock = definition.lock
    by_name: dict[str, Place] = {}
    for place in survey.places:
        by_name.setdefault(place.context.name, place)
    for context, participants in lock.jobs.items():
        path = f"{definition.path}.jobs.{context}"
        named = by_name.get(context)
        if named is None:
            yield error(
                path,
                f"the plan has no context '{context}'{survey.hints.nearest(context, by_name)}; correct the name",
            )
        seen: set[JobId] = set()
        for index, participant in enumerate(participants):
            where = f"{path}[{index}]"
            if named is not None:
                yield from _resident(survey, named, participant, where)
            if participant.id in seen:
                yield warning(where, f"'{participant.id}' is already listed here; leave one entry out")
            seen.add(participant.id)
            yield from _weight(lock, participant, where)
            known = memberships.setdefault(participant.id, [])
            if definition not in known:
                known.append(definition)


def _resident(survey: Survey, place: Place, participant: LockParticipant, path: str) -> Iterator[Fault]:
    """A participant resides in the context it is listed under. And only commands run, so only they hold locks."""
    index = place.entries.get(participant.id)
    if index is None:
        yield error(
            path,
            f"'{participant.id}' is no job of the context '{place.context.name}'"
            f"{survey.hints.nearest(participant.id, place.entries)}; list it under its own context",
        )
        return
    kind = survey.kind(participant.id, place.context.scheduled_jobs[index].kind)
    if kind is not JobKind.COMMAND:
        yield warning(path, f"ignored: '{participant.id}' is a {kind} job, and only commands take locks; leave it out")


def _weight(lock: JobLock, participant: LockParticipant, path: str) -> Iterator[Fault]:
    weight = participant.lock_count
    if weight < 1:
        yield error(f"{path}.lockCount", f"{weight}: '{participant.id}' has to take 1 or more of '{lock.name}'")
    elif not lock.exclusive_job_lock and weight > lock.lock_count >= 1:
        yield error(
            f"{path}.lockCount",
            f"'{participant.id}' takes {weight} of '{lock.name}', which has {lock.lock_count}; lower the weight or raise the"
            " lock's count",
        )


def _mixed(memberships: dict[JobId, list[_Definition]]) -> Iterator[Fault]:
    """An exclusive job keeps every lock of the group free while it runs, so a counted lock beside it says nothing."""
    for job, definitions in memberships.items():
        exclusive = [d for d in definitions if d.lock.exclusive_job_lock]
        counted = [d for d in definitions if not d.lock.exclusive_job_lock]
        if exclusive and counted:
            yield error(
                counted[0].path,
                f"'{job}' takes the counted lock '{counted[0].lock.name}' and the exclusive lock"
                f" '{exclusive[0].lock.name}'; leave it in one of them",
            )
        elif len({d.lock.name for d in definitions}) > 1:
            names = ", ".join(f"'{d.lock.name}'" for d in definitions)
            yield warning(
                definitions[1].path, f"'{job}' takes several locks at once ({names}); in Ikasan only the last counts"
            )
