"""Which clock and file jobs fire: those of published, open instances, and never after. Joins publications, plans and watches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from msgspec.structs import replace

from agent_node.core import clocks, files
from agent_node.core.draft import Draft
from agent_node.core.effects import UnwatchFolders
from agent_node.core.events import FilesSeen
from agent_node.core.fires import without_taken
from agent_node.core.lifecycle import Window, window_at
from agent_node.core.records import (
    FILES,
    INSTANCES,
    PLANS,
    SWITCHES,
    TAKEN,
    WATCHES,
    Instance,
    Instant,
    Watch,
    watch_key,
    watch_of,
)
from agent_node.core.rules import MISSING_INSTANCE_GRACE
from schemas.blackout import JobDefinitionError
from schemas.documents import AgentInstance, AgentPlan, Taken
from schemas.names import InstanceId, JobId, NodeName, PlanName, group_label
from schemas.plan import FileJob, StartupControl, WatchJob
from schemas.schedule import Days

_INSTANT = timedelta(microseconds=1)


def published(draft: Draft, publication: AgentInstance) -> None:
    """An instance is published to this agent, or its publication has changed."""
    known = draft.instance(publication.instance)
    window = window_at(publication.opens, publication.closes, draft.now)
    if known is None:
        record = Instance(publication=publication, since=draft.now, window=window)
    elif _adds_clocks(known, publication):
        record = Instance(publication=publication, since=draft.now, window=window, clocks_since=draft.now)
    else:
        record = replace(known, publication=publication, window=window)
    draft.put(INSTANCES, publication.instance, record)
    for key in sorted(draft.state.watches_of.get(publication.instance, ())):
        watch = draft.get(WATCHES, key)
        if watch is not None and watch.forget_at is not None:
            draft.put(WATCHES, key, replace(watch, forget_at=None))
    refresh(draft, record)


def _adds_clocks(known: Instance, publication: AgentInstance) -> bool:
    """Whether the clocks of an instance, disabled before, are not any more, or a group's have become this agent's."""
    enabled = known.publication.clocks_disabled and not publication.clocks_disabled
    return enabled or bool(publication.groups.keys() - known.publication.groups.keys())


def removed(draft: Draft, instance: InstanceId) -> None:
    """An instance is gone: its watches and their reports go with it. Unknown ones are no error."""
    draft.put(INSTANCES, instance, None)
    for key, _ in draft.state.all(SWITCHES):
        if watch_of(key)[0] == instance:
            draft.put(SWITCHES, key, None)
    for key in sorted(draft.state.watches_of.get(instance, ())):
        watch = draft.get(WATCHES, key)
        if watch is None:
            continue
        draft.effects.append(UnwatchFolders(instance=instance, job=watch.job))
        draft.put(WATCHES, key, None)
        for file in sorted(draft.state.files_of.get((instance, watch.job), ())):
            draft.put(FILES, file, None)


def provisioned(draft: Draft, plan: PlanName, document: AgentPlan | None) -> None:
    """The jobs of a plan on this agent are these now."""
    draft.put(PLANS, plan, document)
    for _, instance in draft.state.all(INSTANCES):
        if instance.publication.plan == plan:
            refresh(draft, instance)


def due(draft: Draft, instance: Instance) -> None:
    """An instance's window opens or closes."""
    publication = instance.publication
    window = window_at(publication.opens, publication.closes, draft.now)
    record = replace(instance, window=window)
    draft.put(INSTANCES, publication.instance, record)
    refresh(draft, record)


def refresh(draft: Draft, instance: Instance) -> None:
    """Bring the watches of an instance in line with its publication, its plan's jobs and its window."""
    publication = instance.publication
    jobs = {job.id: job for job in _jobs(draft, publication)}
    for key in sorted(draft.state.watches_of.get(publication.instance, ())):
        watch = draft.get(WATCHES, key)
        if watch is not None and watch.job not in jobs:
            _deactivate(draft, watch)
    for job in jobs.values():
        watch = draft.get(WATCHES, watch_key(publication.instance, job.id))
        if _wanted(draft, instance, job):
            _activate(draft, instance, job, watch)
        elif watch is not None:
            _deactivate(draft, watch)


def _jobs(draft: Draft, publication: AgentInstance) -> tuple[WatchJob, ...]:
    plan = draft.get(PLANS, publication.plan)
    return () if plan is None else plan.versions.get(str(publication.version), ())


def _calendars(draft: Draft, publication: AgentInstance) -> Mapping[str, Days]:
    plan = draft.get(PLANS, publication.plan)
    return {} if plan is None else plan.calendars


def job_of(draft: Draft, instance: Instance, job: JobId) -> WatchJob | None:
    """The definition an instance's watch follows."""
    found = (known for known in _jobs(draft, instance.publication) if known.id == job)
    return next(found, None)


def _wanted(draft: Draft, instance: Instance, job: WatchJob) -> bool:
    """Whether it fires now: a group's job where the group is placed; MANUAL ones wait for an operator, DISABLED ones fire never.

    Disabled clocks stop clock jobs alone.
    """
    if group_label(job.agent_name) and job.agent_name not in instance.publication.groups:
        return False
    switch = draft.get(SWITCHES, watch_key(instance.publication.instance, job.id))
    starts = switch.on if switch is not None else job.startup_control_type is StartupControl.AUTOMATIC
    if instance.window is not Window.OPEN or not starts or job.startup_control_type is StartupControl.DISABLED:
        return False
    return isinstance(job, FileJob) or not instance.publication.clocks_disabled


def _activate(draft: Draft, instance: Instance, job: WatchJob, watch: Watch | None) -> None:
    """Make a job fire. A new watch decides from when its due times are owed; one that rested, from now."""
    publication = instance.publication
    key = watch_key(publication.instance, job.id)
    if watch is None:
        by_hand = draft.get(SWITCHES, key) is not None
        told = draft.get(TAKEN, key)
        decided = draft.now if by_hand else _from(instance, job, told) - _INSTANT
        new = Watch(instance=publication.instance, job=job.id, active=True, decided=decided)
        watch = without_taken(new, told)
    elif not watch.active:
        taken_over = publication.groups.get(NodeName(job.agent_name))
        watch = replace(watch, active=True, decided=max(watch.decided, taken_over or draft.now))
    try:
        dry = draft.dry_run_of(job.id)
        if isinstance(job, FileJob) and dry is not None:
            draft.effects.append(UnwatchFolders(instance=watch.instance, job=watch.job))
            watch = files.pretended(draft, replace(watch, left_out="", next_due=None), dry)
        elif isinstance(job, FileJob):
            days = _calendars(draft, publication)
            draft.effects.append(files.watch_folders(draft, job, instance, watch.problem, days))
            watch = files.of_this_day(draft, watch, job, instance, days)
        else:
            clock = clocks.read_clock(job, instance, draft.rules.zone, _calendars(draft, publication))
            watch = replace(watch, next_due=clock.next(watch.decided), problem="")
    except JobDefinitionError as fault:
        watch = _faulty(draft, watch, fault)
    draft.put(WATCHES, key, watch)


def _from(instance: Instance, job: WatchJob, told: Taken | None) -> Instant:
    """From when what is due is this agent's to decide: the opening, the enabling of its clocks, or another one's silence.

    For files, and after a lost disk (fires were told, and it does not know which): from when it knew of the instance.
    """
    publication = instance.publication
    taken_over = publication.groups.get(NodeName(job.agent_name))
    if taken_over is not None:
        return taken_over
    if isinstance(job, FileJob) or told is not None:
        return max(publication.opens, instance.since)
    return max(publication.opens, instance.clocks_since or publication.opens)


def _faulty(draft: Draft, watch: Watch, fault: JobDefinitionError) -> Watch:
    """Its definition cannot be used: it says so and does nothing."""
    draft.effects.append(UnwatchFolders(instance=watch.instance, job=watch.job))
    return replace(watch, problem=str(fault), left_out="", next_due=None, delayed=None, delayed_until=None)


def _deactivate(draft: Draft, watch: Watch) -> None:
    """It fires no more; what it has to tell stays."""
    if not watch.active:
        return
    draft.effects.append(UnwatchFolders(instance=watch.instance, job=watch.job))
    rest = replace(watch, active=False, next_due=None, delayed=None, delayed_until=None, problem="", left_out="")
    draft.put(WATCHES, watch_key(watch.instance, watch.job), rest)


def recheck_unpublished(draft: Draft) -> None:
    """The picture has changed: set until when what is known of instances that are not published is kept.

    Only a report of our own brings such watches, when an older journal, or an older broker, or both came back.
    """
    at = draft.now + MISSING_INSTANCE_GRACE if draft.dashboard_complete else None
    for instance in sorted(draft.state.watches_of):
        if draft.instance(instance) is None:
            for key in sorted(draft.state.watches_of[instance]):
                watch = draft.get(WATCHES, key)
                if watch is not None and (watch.forget_at is None) != (at is None):
                    draft.put(WATCHES, key, replace(watch, forget_at=at))


def tick(draft: Draft, watch: Watch) -> None:
    """A due time, another day, or the end of a blackout has come; or nobody wants to hear of a watch any more."""
    instance = draft.instance(watch.instance)
    if instance is None:
        if draft.dashboard_complete:
            removed(draft, watch.instance)
        else:
            draft.put(WATCHES, watch_key(watch.instance, watch.job), replace(watch, forget_at=None))
        return
    job = job_of(draft, instance, watch.job)
    if not watch.active or job is None:
        return
    draft.put(WATCHES, watch_key(watch.instance, watch.job), _decided(draft, watch, instance, job))


def _decided(draft: Draft, watch: Watch, instance: Instance, job: WatchJob) -> Watch:
    try:
        days = _calendars(draft, instance.publication)
        if isinstance(job, FileJob):
            return files.put_off(draft, files.of_this_day(draft, watch, job, instance, days), job)
        return clocks.decide(draft, watch, clocks.read_clock(job, instance, draft.rules.zone, days))
    except JobDefinitionError as fault:
        return _faulty(draft, watch, fault)


def files_seen(draft: Draft, event: FilesSeen) -> None:
    """A look at the folders of a file job. One that comes after the instance has closed finds nobody."""
    watch = draft.get(WATCHES, watch_key(event.instance, event.job))
    instance = draft.instance(event.instance)
    if watch is None or instance is None or not watch.active:
        return
    publication = instance.publication
    if window_at(publication.opens, publication.closes, draft.now) is not Window.OPEN:
        return
    job = job_of(draft, instance, event.job)
    if not isinstance(job, FileJob) or draft.dry_run_of(job.id) is not None:
        return
    try:
        watch = files.seen(draft, watch, job, event, _calendars(draft, publication))
    except JobDefinitionError as fault:
        watch = _faulty(draft, watch, fault)
    draft.put(WATCHES, watch_key(event.instance, event.job), watch)


def resume(draft: Draft) -> None:
    """After a restart: ask again for every look at folders. Windows that changed meanwhile follow with the first Tick."""
    for _, instance in draft.state.all(INSTANCES):
        if instance.window is Window.OPEN:
            refresh(draft, instance)
