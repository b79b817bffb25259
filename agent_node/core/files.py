"""When file jobs fire: which of the files that were seen are taken, in what order, and what is asked of the world for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from agent_node.core.clocks import read_clock
from agent_node.core.draft import Draft
from agent_node.core.effects import PendingMove, TakeFiles, WatchFolders
from agent_node.core.events import FilesMoved, FilesSeen, FoundFile
from agent_node.core.fires import fire
from agent_node.core.patterns import folder_patterns
from agent_node.core.records import FILES, Instance, Instant, SeenFile, Watch, file_key
from agent_node.core.rules import CHOSEN, MOST_FILES, PRETENDED, DryRun
from schemas.blackout import blackout_until, zone_of
from schemas.names import InstanceId, JobId
from schemas.plan import FileJob, OnBlackout, OnHoliday
from schemas.schedule import Days, Schedule, policy_of
from schemas.spans import span
from schemas.status import FireOutcome


def watch_folders(
    draft: Draft, job: FileJob, instance: Instance, problem: str, calendars: Mapping[str, Days]
) -> WatchFolders:
    """What to look for, and how often. Raises JobDefinitionError."""
    read_clock(_timed(job), instance, draft.rules.zone, calendars)
    day = instance.publication.opens.astimezone(zone_of(job, draft.rules.zone)).date()
    taken = [draft.get(FILES, key) for key in _file_keys(draft, instance.publication.instance, job.id)]
    files = [file for file in taken if file is not None]
    return WatchFolders(
        instance=instance.publication.instance,
        job=job.id,
        patterns=folder_patterns(job, instance.publication.parameters, day),
        depth=max(1, job.directory_depth),
        cron="" if job.poll_seconds > 0 else job.cron_expression,
        every=max(0.0, job.poll_seconds),
        stable=max(0.0, job.stable_seconds),
        zone=job.time_zone or draft.rules.zone,
        policy=policy_of(job),
        known=tuple(file.path for file in files),
        moves=tuple(
            PendingMove(path=f.path, directory=f.move_to, compress=job.compress_moved) for f in files if f.move_to
        ),
        problem=problem,
    )


def _timed(job: FileJob) -> FileJob:
    """The job with a cron expression: one that polls every few seconds needs none of its own."""
    return replace(job, cron_expression="* * * * * ?") if job.poll_seconds > 0 else job


def _days(draft: Draft, job: FileJob, instance: Instance, calendars: Mapping[str, Days]) -> Schedule:
    """On which days it runs; what is left out is not moved, for files stay until the next one. Raises JobDefinitionError."""
    plain = replace(_timed(job), on_holiday=OnHoliday.SKIP)
    return read_clock(plain, instance, draft.rules.zone, calendars).schedule


def of_this_day(draft: Draft, watch: Watch, job: FileJob, instance: Instance, calendars: Mapping[str, Days]) -> Watch:
    """What its calendars say of this day; when the next one begins it is due to be asked again. Raises JobDefinitionError."""
    if job.calendars is None:
        return replace(watch, left_out="", next_due=None)
    days = _days(draft, job, instance, calendars)
    return replace(watch, left_out=days.left_out(draft.now), next_due=days.next_day(draft.now))


def _file_keys(draft: Draft, instance: InstanceId, job: JobId) -> list[str]:
    return sorted(draft.state.files_of.get((instance, job), ()))


def seen(draft: Draft, watch: Watch, job: FileJob, event: FilesSeen, calendars: Mapping[str, Days]) -> Watch:
    """A look at the folders: one fire for all files that qualify, unless a day or a blackout keeps it. Raises JobDefinitionError.

    On a day that its calendars leave out files stay untouched until the next day that runs.
    """
    before, watch = watch, replace(watch, problem=event.problem, delayed=None, delayed_until=None)
    fresh = [file for file in event.files if _qualifies(draft, job, file, event)]
    if not fresh or not watch.active:
        return watch
    instance = draft.instance(watch.instance)
    if instance is not None and _days(draft, job, instance, calendars).left_out(draft.now):
        return watch
    until = blackout_until(job, draft.now, zone_of(job, draft.rules.zone))
    if (
        until is not None and job.blackout_policy is not OnBlackout.PASS
    ):  # untouched: still there when the blackout is over
        return replace(watch, delayed=before.delayed or draft.now, delayed_until=until)
    chosen = in_order(job, fresh)[:MOST_FILES]
    paths = tuple(file.path for file in chosen)
    move_to = "" if job.move_directory in {"", "."} else job.move_directory
    for path in paths:
        record = SeenFile(instance=watch.instance, job=watch.job, path=path, at=draft.now, move_to=move_to)
        draft.put(FILES, file_key(watch.instance, watch.job, path), record)
    moves = tuple(PendingMove(path=path, directory=move_to, compress=job.compress_moved) for path in paths if move_to)
    draft.effects.append(TakeFiles(instance=watch.instance, job=watch.job, paths=paths, moves=moves))
    if until is None:
        return fire(draft, watch, FireOutcome.FIRED, files=paths)
    reason = f"blackout until {until.isoformat()}"
    return fire(draft, watch, FireOutcome.PASSED, files=paths, reason=reason)


def put_off(draft: Draft, watch: Watch, job: FileJob) -> Watch:
    """A blackout that keeps files back was to end: another one follows, or the next look decides. Raises JobDefinitionError."""
    if watch.delayed_until is None or watch.delayed_until > draft.now:
        return watch
    until = blackout_until(job, draft.now, zone_of(job, draft.rules.zone))
    return replace(watch, delayed=watch.delayed if until else None, delayed_until=until)


def pretended(draft: Draft, watch: Watch, dry: DryRun) -> Watch:
    """Dry run: it fires once an instance, at once, with the chosen files or the name ``dryRun.txt``; no folder is looked at."""
    if watch.sequence:
        return watch
    reason = CHOSEN if dry.files else "dry run: no folder was looked at"
    return fire(draft, watch, FireOutcome.FIRED, files=dry.files or (PRETENDED,), reason=reason)


def _qualifies(draft: Draft, job: FileJob, file: FoundFile, event: FilesSeen) -> bool:
    """Whether the instance has not taken it yet, and it is old enough."""
    known = draft.get(FILES, file_key(event.instance, event.job, file.path))
    return known is None and is_old_enough(file.modified, event.now, job.min_file_age_seconds)


def is_old_enough(modified: Instant, now: Instant, seconds: int) -> bool:
    """Older than so many seconds, strictly; without a minimum age every file qualifies, whatever its clock says."""
    return seconds <= 0 or modified < now - span(seconds=seconds)


def in_order(job: FileJob, files: Iterable[FoundFile]) -> list[FoundFile]:
    """By time of change or by path, as the job wants it; ties by path."""
    found = sorted(files, key=lambda file: file.path)
    if job.sort_by_modified_date_time:
        return sorted(found, key=lambda file: file.modified, reverse=not job.sort_ascending)
    return found if job.sort_ascending else found[::-1]


def moved(draft: Draft, event: FilesMoved) -> None:
    """Files are where they should be: nothing is left to do for them, but they stay known."""
    for path in event.paths:
        key = file_key(event.instance, event.job, path)
        record = draft.get(FILES, key)
        if record is not None:
            draft.put(FILES, key, replace(record, move_to=""))
