"""Writing fires down: numbered without gaps or repeats for ever, kept until the dashboard has taken them."""

from __future__ import annotations

from msgspec.structs import replace

from agent_node.core.draft import Draft
from agent_node.core.records import TAKEN, WATCHES, Instant, Watch, watch_key
from agent_node.core.rules import MOST_FILES, MOST_FIRES
from schemas.documents import Fire, FireReport, Taken
from schemas.names import InstanceId, JobId
from schemas.status import FireOutcome


def fire(
    draft: Draft,
    watch: Watch,
    outcome: FireOutcome,
    *,
    due: Instant | None = None,
    files: tuple[str, ...] = (),
    reason: str = "",
) -> Watch:
    """Add a fire to a watch, and return the watch; putting it into the draft is the caller's."""
    sequence = watch.sequence + 1
    kept = watch.fires
    if len(kept) >= MOST_FIRES:
        last = kept[-1]
        files = (last.files + files)[-MOST_FILES:]
        reason = f"stands also for fire {last.sequence} and earlier ones, which nobody took. {reason}"
        kept = kept[:-1]
    dry = draft.dry_run_of(watch.job) is not None
    reason = reason or ("dry run" if dry else "")
    new = Fire(sequence=sequence, at=draft.now, outcome=outcome, due=due, files=files, reason=reason, dry_run=dry)
    when = f"due {due.isoformat()}" if due is not None else f"{len(files)} files"
    draft.note_fire(watch.instance, watch.job, outcome, f"fire {sequence}: {when} {reason}".strip())
    return replace(watch, sequence=sequence, fires=(*kept, new))


def taken(draft: Draft, instance: InstanceId, job: JobId, document: Taken | None) -> None:
    """The dashboard has saved the fires up to a number: they leave the report, and numbers go on above it."""
    key = watch_key(instance, job)
    draft.put(TAKEN, key, document)
    watch = draft.get(WATCHES, key)
    if watch is not None and document is not None:
        draft.put(WATCHES, key, without_taken(watch, document))


def without_taken(watch: Watch, document: Taken | None) -> Watch:
    """The watch after the dashboard has taken what it says."""
    if document is None:
        return watch
    return replace(
        watch,
        sequence=max(watch.sequence, document.sequence),
        fires=tuple(fire for fire in watch.fires if fire.sequence > document.sequence),
    )


def recover(draft: Draft, report: FireReport) -> None:
    """Our own retained report of a watch that the journal does not know, or knows less of: the journal was lost or is older."""
    key = watch_key(report.instance, report.job)
    watch = draft.get(WATCHES, key)
    last = max((fire.sequence for fire in report.fires), default=0)
    if watch is None:
        watch = Watch(
            instance=report.instance,
            job=report.job,
            active=False,
            decided=draft.now,
            sequence=last,
            fires=report.fires,
            problem=report.problem,
        )
        draft.put(WATCHES, key, without_taken(watch, draft.get(TAKEN, key)))
    elif last > watch.sequence:
        newer = tuple(fire for fire in report.fires if fire.sequence > watch.sequence)
        decided = max(watch.decided, *(fire.due or fire.at for fire in newer))
        draft.put(WATCHES, key, replace(watch, sequence=last, fires=watch.fires + newer, decided=decided))
