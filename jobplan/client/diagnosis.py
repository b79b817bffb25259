"""What is wrong in all that is retained, and what to do about each. Pure: a picture and a time come in, findings go out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from jobplan.client import symptoms
from jobplan.client.picture import Picture
from jobplan.client.symptoms import Finding
from schemas.addresses import AgentInstanceAt, FireReportAt, JobAt, TakenAt
from schemas.documents import InstanceStatus, JobState, Presence
from schemas.names import group_label
from schemas.status import ContextStatus, JobStatus, NodeState

OVERDUE: Final = timedelta(minutes=1)
"""An instance that still stands open so long after its end was not ended by anybody."""
LONG: Final = timedelta(minutes=30)
"""Who waits for a lock longer than this may wait for somebody who never gives it back."""
_KINDS: Final = {AgentInstanceAt: "publication", JobAt: "job", TakenAt: "taken", FireReportAt: "report"}


def diagnose(picture: Picture, now: datetime) -> tuple[Finding, ...]:
    """All that is wrong, or easily forgotten; empty: all is well."""
    return (
        *_dashboard(picture),
        *_agents(picture),
        *_plans(picture),
        *_instances(picture, now),
        *_jobs(picture, now),
        *_unreadable(picture),
        *_orphans(picture),
    )


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _dashboard(picture: Picture) -> Iterator[Finding]:
    one = picture.dashboard
    if one is None:
        yield symptoms.DASHBOARD_NEVER.found()
    elif one.state is NodeState.GONE:
        yield symptoms.DASHBOARD_GONE.found(since=_moment(one.since))
    else:
        yield from _node("dashboard", one)


def _node(what: str, one: Presence) -> Iterator[Finding]:
    """What a node that is there says of itself, whichever it is."""
    if not one.complete:
        yield symptoms.INCOMPLETE.found(node=what)
    if one.aside:
        yield symptoms.SET_ASIDE.found(node=what, count=one.aside, version=one.version or "unknown")


def _agents(picture: Picture) -> Iterator[Finding]:
    for name, one in picture.agents.items():
        if one.state is NodeState.GONE:
            yield symptoms.AGENT_GONE.found(agent=name, since=_moment(one.since))
            continue
        yield from _node(f"agent {name}", one)
        if one.condition.disk_full:
            yield symptoms.DISK_FULL.found(agent=name, host=one.host or "its host")
        if one.condition.draining:
            yield symptoms.DRAINS.found(agent=name)
        if one.dry_run or one.condition.dry_jobs:
            which = "all its runs" if one.dry_run else ", ".join(one.condition.dry_jobs)
            yield symptoms.PRETENDS.found(agent=name, which=which)


def _plans(picture: Picture) -> Iterator[Finding]:
    known = picture.agents
    for plan in picture.plans.values():
        for agent in plan.agents:
            label = group_label(agent)
            if label and not any(label in one.labels for one in known.values()):
                yield symptoms.NO_AGENT_OF_GROUP.found(plan=plan.plan, label=label)
            elif not label and agent not in known:
                yield symptoms.AGENT_NEVER.found(plan=plan.plan, agent=agent)
        if not plan.enabled:
            yield symptoms.PLAN_DISABLED.found(plan=plan.plan)


def _instances(picture: Picture, now: datetime) -> Iterator[Finding]:
    for name, one in picture.instances.items():
        if one.status is not ContextStatus.ENDED and one.closes is not None and one.closes + OVERDUE < now:
            yield symptoms.OVERDUE.found(instance=name, closes=_moment(one.closes))


def _jobs(picture: Picture, now: datetime) -> Iterator[Finding]:
    agents = picture.agents
    open_ones = [name for name, one in picture.instances.items() if one.status is not ContextStatus.ENDED]
    for instance in open_ones:
        for job in picture.jobs(instance):
            if job.status is JobStatus.ERROR:
                yield symptoms.JOB_FAILED.found(instance=instance, job=job.name, how=_failed(job))
            agent = agents.get(job.agent)
            if job.live and agent is not None and agent.state is NodeState.GONE:
                yield symptoms.JOB_UNKNOWN.found(instance=instance, job=job.name, agent=job.agent)
    for lock in picture.locks:
        for claim in lock.queue[:1]:
            if claim.since is not None and claim.since + LONG < now:
                yield symptoms.LOCK_LONG.found(
                    lock=lock.lock, job=claim.job, instance=claim.instance, since=_moment(claim.since)
                )


def _failed(job: JobState) -> str:
    code = "" if job.return_code is None else f", return code {job.return_code}"
    return f"ERROR{code}{': ' + job.reason if job.reason else ''}"


def _unreadable(picture: Picture) -> Iterator[Finding]:
    for topic, reason in sorted(picture.unreadable.items()):
        yield symptoms.UNREADABLE.found(topic=topic, reason=reason)


def _orphans(picture: Picture) -> Iterator[Finding]:
    """What stands for an instance that nobody shows, though the dashboard shows all it has."""
    dashboard = picture.dashboard
    if dashboard is None or dashboard.state is NodeState.GONE or not dashboard.complete:
        return
    known = {one.instance for one in picture.all(InstanceStatus)}
    strays = Counter(
        (address.instance, _KINDS[type(address)])
        for address in picture.addresses()
        if isinstance(address, AgentInstanceAt | JobAt | TakenAt | FireReportAt) and address.instance not in known
    )
    for (instance, kind), count in sorted(strays.items()):
        yield symptoms.ORPHAN.found(instance=instance, count=count, kind=kind)
