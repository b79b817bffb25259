"""What is wrong in all that is retained, and in what was asked, and what to do about each.

Pure: a picture, a time, and what came of asking come in; findings go out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from jobplan.client import symptoms
from jobplan.client.checkup import PATIENCE, Checkup, Pulse
from jobplan.client.limits import Limit
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
SKEW: Final = 2.0
"""Seconds by which clocks may differ: windows and deadlines are the dashboard's time, fires the agent's."""
LOST: Final = "lost: "
"""How the reason of a lost run begins."""
_KINDS: Final = {AgentInstanceAt: "publication", JobAt: "job", TakenAt: "taken", FireReportAt: "report"}


def diagnose(
    picture: Picture, now: datetime, checkup: Checkup | None = None, limits: Iterable[Limit] = ()
) -> tuple[Finding, ...]:
    """All that is wrong, or easily forgotten; empty: all is well. ``limits``: what drops messages by the broker's settings."""
    asked = checkup or Checkup()
    return (
        *_broker(asked, limits),
        *_dashboard(picture),
        *_agents(picture),
        *_silent(asked.pulses),
        *_clocks(asked.pulses),
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


def _broker(asked: Checkup, limits: Iterable[Limit]) -> Iterator[Finding]:
    if asked.dropped:
        yield symptoms.BROKER_DROPS.found(count=asked.dropped)
    for one in limits:
        yield symptoms.BROKER_LIMIT.found(setting=one.setting, value=one.value, why=one.why, wanted=one.wanted)


def _silent(pulses: Mapping[str, Pulse]) -> Iterator[Finding]:
    for node, pulse in pulses.items():
        if not pulse.answered:
            yield symptoms.SILENT.found(node=node, seconds=PATIENCE.total_seconds())


def _clocks(pulses: Mapping[str, Pulse]) -> Iterator[Finding]:
    """Each that is off; or this host's, when several agree on another time."""
    told = {node: (pulse.ahead, pulse.within) for node, pulse in pulses.items() if pulse.ahead is not None}
    off = {node: (ahead, within) for node, (ahead, within) in told.items() if abs(ahead) - within > SKEW}
    times = [ahead for ahead, _ in off.values()]
    if len(off) > 1 and off == told and max(times) - min(times) <= SKEW:
        seconds = -sum(times) / len(times)
        yield symptoms.CLOCK_HERE.found(seconds=abs(seconds), how=_how(seconds))
        return
    for node, (ahead, within) in off.items():
        yield symptoms.CLOCK_OFF.found(node=node, seconds=abs(ahead), how=_how(ahead), within=within)


def _how(seconds: float) -> str:
    return "ahead of" if seconds > 0 else "behind"


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
            if job.status is JobStatus.ERROR and job.reason.startswith(LOST):
                how = job.reason.removeprefix(LOST)
                yield symptoms.RUN_LOST.found(instance=instance, job=job.name, how=how)
            elif job.status is JobStatus.ERROR:
                yield symptoms.JOB_FAILED.found(instance=instance, job=job.name, how=_failed(job))
            agent = agents.get(job.agent)
            if job.live and agent is not None and agent.state is NodeState.GONE:
                yield symptoms.JOB_UNKNOWN.found(instance=instance, job=job.name, agent=job.agent)
    for lock in picture.locks:
        for claim in lock.queue[:1]:
            if claim.since is not None and claim.since + LONG < now:
                yield symptoms.LOCK_LONG.found(
                    lock=lock.lock, job=claim.called, instance=claim.instance, since=_moment(claim.since)
                )


def _failed(job: JobState) -> str:
    code = "" if job.return_code is None else f"return code {job.return_code}"
    why = job.reason or code
    return f"ERROR: {why}" if why else "ERROR"


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
