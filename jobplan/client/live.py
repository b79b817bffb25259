"""What a live display of one instance shows: contexts nested, jobs in plan order, counts, and whether that can be trusted.

Pure: made from a picture and the time, it knows no terminal and no connection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from jobplan.client.holders import with_holders
from jobplan.client.picture import Change, Picture
from schemas.addresses import DashboardPresenceAt, InstanceAt
from schemas.documents import (
    ContextState,
    InstanceStatus,
    JobState,
    LockState,
    Presence,
)
from schemas.estimates import Estimated
from schemas.names import ContextName, InstanceId, NodeName
from schemas.status import ContextStatus, JobKind, JobStatus, NodeState

DONE: Final = frozenset(
    {
        JobStatus.COMPLETE,
        JobStatus.SKIPPED,
        JobStatus.SKIPPED_COMPLETE,
        JobStatus.ERROR_ACKNOWLEDGED,
    }
)
"""A job that stands so needs nothing more."""

MOVING: Final = frozenset({JobStatus.RUNNING, JobStatus.SKIPPED_RUNNING, JobStatus.LOCK_QUEUED})
FAILED: Final = frozenset({JobStatus.ERROR, JobStatus.KILLED})
TENTHS_MATTER: Final = 10
MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

OVER: Final = frozenset({ContextStatus.COMPLETE, ContextStatus.ENDED})


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change of status, as ``--json`` writes it. Contexts have no ``job``; the instance itself has no ``context`` either."""

    at: datetime
    kind: str
    instance: str
    context: str = ""
    job: str = ""
    status: str


class Branch(Struct, frozen=True, kw_only=True):
    """A context with what is in it."""

    state: ContextState
    jobs: tuple[JobState, ...]
    children: tuple[Branch, ...]

    def every_job(self) -> Iterator[JobState]:
        """Its jobs and those of the contexts inside it."""
        yield from self.jobs
        for child in self.children:
            yield from child.every_job()


class View(Struct, frozen=True, kw_only=True):
    """All that a display of an instance needs."""

    now: datetime
    instance: InstanceStatus
    root: Branch
    locks: tuple[LockState, ...]
    doubt: str
    """Why what is shown may be old; empty: it is current."""
    missing: int
    """How many jobs the instance has that were not seen."""
    gone_agents: tuple[str, ...]
    """Agents of this instance that are not there."""
    estimate: Estimated | None = None
    """When it will be complete, where somebody has asked."""

    @property
    def jobs(self) -> tuple[JobState, ...]:
        """All jobs in plan order."""
        return tuple(self.root.every_job())

    @property
    def counts(self) -> dict[JobStatus, int]:
        """How many jobs stand where."""
        return dict(Counter(job.status for job in self.jobs))

    @property
    def done(self) -> int:
        """How many jobs need nothing more."""
        return sum(job.status in DONE for job in self.jobs)

    @property
    def running_for(self) -> timedelta:
        """Since it began, up to its end."""
        return open_for(self.instance, self.now)

    @property
    def over(self) -> bool:
        """Whether nothing more will happen without a person."""
        return self.instance.status in OVER

    @property
    def stuck(self) -> bool:
        """Whether something failed, nothing moves, and nothing is about to be tried again."""
        jobs = self.jobs
        failed = any(job.status in FAILED for job in jobs)
        moving = any(job.status in MOVING for job in jobs)
        retried = any(blocker.kind == "retry" for job in jobs for blocker in job.blockers)
        return failed and not moving and not retried


def view(picture: Picture, instance: InstanceId, now: datetime, *, link: str = "") -> View | None:
    """The instance as the picture has it; None when it is not there. ``link`` says why there is no connection, if so."""
    status = picture.get(InstanceAt(instance), InstanceStatus)
    if status is None:
        return None
    jobs = with_holders(picture, picture.jobs(instance))
    return View(
        now=now,
        instance=status,
        root=_tree(status, jobs),
        locks=_locks(picture, instance),
        doubt=doubt(picture, link),
        missing=max(0, status.jobs - len(jobs)),
        gone_agents=_gone_agents(picture.agents, jobs),
    )


def doubt(picture: Picture, link: str = "") -> str:
    """Why what is retained may be old, in words; empty: it is current."""
    if link:
        return f"no connection to the broker ({link}); this is what was last seen"
    dashboard = picture.dashboard
    if dashboard is None:
        return "no dashboard has ever been here"
    if dashboard.state is NodeState.GONE:
        return f"the dashboard {gone(dashboard, picture.at(DashboardPresenceAt()))}; this is what it last showed"
    if not dashboard.complete:
        return "the dashboard is starting and has not shown everything yet"
    return ""


def gone(presence: Presence, said: datetime | None) -> str:
    """Since when a node is gone. A farewell says it; a will was written when its connection began, and cannot."""
    if said is not None and said - presence.since > timedelta(milliseconds=100):
        return f"is gone since {day_and_clock(said)}"
    return f"is gone without a farewell (it had connected at {day_and_clock(presence.since)})"


def clock(when: datetime | None) -> str:
    """A time of day in the reader's zone; empty for None."""
    return "" if when is None else when.astimezone().strftime("%H:%M:%S")


def day_and_clock(when: datetime | None) -> str:
    """Date and time of day in the reader's zone; empty for None."""
    return "" if when is None else when.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def span(duration: timedelta) -> str:
    """A duration for a person: ``0.4s``, ``12s``, ``3m 07s``, ``2h 05m``, ``3d 04h``."""
    seconds = max(0.0, duration.total_seconds())
    if seconds < TENTHS_MATTER:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole}s"
    if whole < HOUR:
        return f"{whole // MINUTE}m {whole % MINUTE:02}s"
    if whole < DAY:
        return f"{whole // HOUR}h {whole % HOUR // MINUTE:02}m"
    return f"{whole // DAY}d {whole % DAY // HOUR:02}h"


def open_for(one: InstanceStatus, now: datetime) -> timedelta:
    """How long an instance has lived, up to its end. One that was prepared begins when it opens, and has not lived before."""
    return max(timedelta(), (one.ended or now) - max(one.created, one.opens))


def lasted(job: JobState, now: datetime) -> str:
    """How long a job ran, or runs by now; empty when it did not start, or takes no time by its kind."""
    if job.started is None or (job.kind is not JobKind.COMMAND and job.status not in MOVING):
        return ""
    if job.ended is None and job.status is not JobStatus.RUNNING:
        return ""
    return span((job.ended or now) - job.started)


def note(job: JobState) -> str:
    """Why a job is where it is, in one line; and whether it was pretended."""
    text = _why(job)
    return text if not job.dry_run or "dry run" in text else "; ".join(filter(None, ("dry run", text)))


def _why(job: JobState) -> str:
    if job.blockers and job.status not in DONE and job.status is not JobStatus.RUNNING:
        return job.blockers[0].text
    if job.status is JobStatus.RUNNING and job.blockers:
        return job.blockers[0].text
    if job.reason:
        return job.reason
    if job.status in FAILED and job.return_code is not None:
        return f"return code {job.return_code}"
    return ""


def _tree(status: InstanceStatus, jobs: tuple[JobState, ...]) -> Branch:
    """Contexts nested as they are; a job whose context is not known yet stands in the outermost one."""
    root = ContextState(context=ContextName(status.plan), status=status.status)
    states = {state.context: state for state in status.contexts} or {root.context: root}
    outermost = next((name for name, state in states.items() if not state.parent), root.context)
    jobs_in: dict[str, list[JobState]] = {}
    for job in jobs:
        jobs_in.setdefault(job.context if job.context in states else outermost, []).append(job)
    children: dict[str, list[ContextState]] = {}
    for state in states.values():
        if state.parent:
            children.setdefault(state.parent, []).append(state)

    def branch(state: ContextState) -> Branch:
        inside = tuple(branch(child) for child in children.get(state.context, ()))
        return Branch(state=state, jobs=tuple(jobs_in.get(state.context, ())), children=inside)

    return branch(states.get(outermost, root))


def _locks(picture: Picture, instance: InstanceId) -> tuple[LockState, ...]:
    """The locks this instance holds or waits for."""
    return tuple(
        lock for lock in picture.locks if any(claim.instance == instance for claim in (*lock.holders, *lock.queue))
    )


def _gone_agents(agents: dict[NodeName, Presence], jobs: tuple[JobState, ...]) -> tuple[str, ...]:
    wanted = sorted({job.agent for job in jobs if job.kind.on_agent})
    return tuple(agent for agent in wanted if agent not in agents or agents[agent].state is NodeState.GONE)


def lines_of(change: Change, instance: InstanceId | None = None) -> list[Line]:
    """What a change says about statuses: none, one, or (for a document of an instance) several. ``instance``: only that one's."""
    before, after = change.before, change.after
    if change.at is None or (instance is not None and _belongs(after) != instance):
        return []
    if isinstance(after, JobState):
        known = before.status if isinstance(before, JobState) else None
        if known == after.status:
            return []
        return [
            Line(
                at=change.at,
                kind="job",
                instance=after.instance,
                context=after.context,
                job=after.name,
                status=after.status.value,
            )
        ]
    if isinstance(after, InstanceStatus):
        return _instance_lines(change.at, before if isinstance(before, InstanceStatus) else None, after)
    return []


def _belongs(document: object) -> InstanceId | None:
    return document.instance if isinstance(document, JobState | InstanceStatus) else None


def _instance_lines(at: datetime, before: InstanceStatus | None, after: InstanceStatus) -> list[Line]:
    known = {state.context: state.status for state in before.contexts} if before else {}
    lines = [
        Line(
            at=at,
            kind="context",
            instance=after.instance,
            context=state.context,
            status=state.status.value,
        )
        for state in after.contexts
        if known.get(state.context) != state.status
    ]
    if before is None or before.status != after.status:
        status = after.status.value
        lines.append(Line(at=at, kind="instance", instance=after.instance, status=status))
    return lines
