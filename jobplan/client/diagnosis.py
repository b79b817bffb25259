"""What is wrong in all that is retained, and what to do about each. Pure: a picture and a time come in, findings go out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from jobplan.client.picture import Picture
from schemas.addresses import AgentInstanceAt, FireReportAt, JobAt, TakenAt
from schemas.documents import InstanceStatus, JobState, Presence
from schemas.names import group_label
from schemas.status import ContextStatus, JobStatus, NodeState

OVERDUE: Final = timedelta(minutes=1)
"""An instance that still stands open so long after its end was not ended by anybody."""
LONG: Final = timedelta(minutes=30)
"""Who waits for a lock longer than this may wait for somebody who never gives it back."""
_KINDS: Final = {AgentInstanceAt: "publication", JobAt: "job", TakenAt: "taken", FireReportAt: "report"}


class Grade(StrEnum):
    """How much it matters."""

    WRONG = "wrong"
    """Work is not done as planned until somebody acts."""
    NOTE = "note"
    """On purpose perhaps, and easily forgotten."""


class Finding(Struct, frozen=True, kw_only=True, rename="camel"):
    """One thing that a person should know."""

    grade: Grade
    what: str
    """The node, topic, instance or job it is about."""
    detail: str
    advice: str


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


def _wrong(what: str, detail: str, advice: str) -> Finding:
    return Finding(grade=Grade.WRONG, what=what, detail=detail, advice=advice)


def _note(what: str, detail: str, advice: str) -> Finding:
    return Finding(grade=Grade.NOTE, what=what, detail=detail, advice=advice)


def _since(presence: Presence) -> str:
    return f"connected last at {presence.since:%Y-%m-%d %H:%M:%S} UTC"


def _dashboard(picture: Picture) -> Iterator[Finding]:
    one = picture.dashboard
    if one is None:
        yield _wrong("dashboard", "there has never been one on this broker", "start it: jobplan serve dashboard")
    elif one.state is NodeState.GONE:
        yield _wrong("dashboard", f"is gone; {_since(one)}", "start it: jobplan serve dashboard")
    elif not one.complete:
        yield _wrong("dashboard", "has not shown all it has yet", "wait a moment; its log says what keeps it")


def _agents(picture: Picture) -> Iterator[Finding]:
    for name, one in picture.agents.items():
        what = f"agent {name}"
        if one.state is NodeState.GONE:
            yield _wrong(what, f"is gone; {_since(one)}", f"start it: jobplan serve agent {name}")
            continue
        if not one.complete:
            yield _wrong(what, "has not shown all it has yet", "wait a moment; its log says what keeps it")
        if one.condition.disk_full:
            yield _wrong(what, "has no space left and starts nothing", f"free space on {one.host or 'its host'}")
        if one.condition.draining:
            yield _note(what, "drains: it starts no runs", f"jobplan agent undrain {name}")
        if one.dry_run or one.condition.dry_jobs:
            which = "all its runs" if one.dry_run else ", ".join(one.condition.dry_jobs)
            yield _note(what, f"only pretends: {which}", f"jobplan agent dry-run {name} default")


def _plans(picture: Picture) -> Iterator[Finding]:
    known = picture.agents
    for plan in picture.plans.values():
        for agent in plan.agents:
            label = group_label(agent)
            if label and not any(label in one.labels for one in known.values()):
                yield _wrong(f"plan {plan.plan}", f"no agent has the label '{label}'", "start one that has it")
            elif not label and agent not in known:
                advice = f"start it: jobplan serve agent {agent}"
                yield _wrong(f"plan {plan.plan}", f"there has never been an agent '{agent}'", advice)
        if not plan.enabled:
            yield _note(f"plan {plan.plan}", "is disabled", f"jobplan plan enable {plan.plan}")


def _instances(picture: Picture, now: datetime) -> Iterator[Finding]:
    for name, one in picture.instances.items():
        if one.status is not ContextStatus.ENDED and one.closes is not None and one.closes + OVERDUE < now:
            advice = f"is the dashboard well? Else: jobplan instance end {name}"
            yield _wrong(f"instance {name}", f"should have ended at {one.closes:%Y-%m-%d %H:%M:%S} UTC", advice)


def _jobs(picture: Picture, now: datetime) -> Iterator[Finding]:
    agents = picture.agents
    open_ones = [name for name, one in picture.instances.items() if one.status is not ContextStatus.ENDED]
    for instance in open_ones:
        for job in picture.jobs(instance):
            what = f"job {instance} {job.name}"
            if job.status is JobStatus.ERROR:
                yield _wrong(
                    what, _failed(job), f"jobplan job logs {instance} {job.name}; then resubmit or acknowledge"
                )
            agent = agents.get(job.agent)
            if job.live and agent is not None and agent.state is NodeState.GONE:
                yield _wrong(what, f"nobody knows how it is: agent {job.agent} is gone", "start the agent again")
    for lock in picture.locks:
        for claim in lock.queue[:1]:
            if claim.since is not None and claim.since + LONG < now:
                detail = f"{claim.job} of {claim.instance} has waited since {claim.since:%Y-%m-%d %H:%M:%S} UTC"
                yield _wrong(f"lock {lock.lock}", detail, "jobplan lock list says who holds it")


def _failed(job: JobState) -> str:
    code = "" if job.return_code is None else f", return code {job.return_code}"
    return f"ERROR{code}{': ' + job.reason if job.reason else ''}"


def _unreadable(picture: Picture) -> Iterator[Finding]:
    for topic, reason in sorted(picture.unreadable.items()):
        advice = "set aside by all; clear the topic, or bring who wrote it to the same version"
        yield _wrong(f"topic {topic}", f"cannot be read: {reason}", advice)


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
        detail = f"{count} topics ({kind}) of an instance that is not there"
        yield _note(f"instance {instance}", detail, "their writer clears them; who is gone does so when it is back")
