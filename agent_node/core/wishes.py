"""What operators ask of an agent apart from any run: dry run, draining, clock and file jobs by hand; a full disk."""

from __future__ import annotations

from msgspec.structs import replace

from agent_node.core import watches
from agent_node.core.draft import Draft
from agent_node.core.fires import fire
from agent_node.core.records import DISK, ONLY, SWITCHES, WATCHES, WISHES, Disk, Switch, Watch, Wishes, watch_key
from agent_node.core.rules import CHOSEN, DryRun
from agent_node.core.state import State
from schemas.documents import Condition
from schemas.names import ANY_OF, JobId, UserName
from schemas.plan import FileJob, StartupControl
from schemas.requests import Drain, SetDryRun, SwitchWatch
from schemas.status import FireOutcome

_PERCENT = 100


def drain(draft: Draft, user: UserName, ask: Drain) -> str:
    """Start no more runs, or start again. Returns why not; empty: it is done."""
    draft.put(WISHES, ONLY, replace(draft.wishes, draining=ask.draining))
    draft.note_wish(user, "drains" if ask.draining else "drains no more")
    return ""


def dry_run(draft: Draft, user: UserName, ask: SetDryRun) -> str:
    """Pretend, or no more. Returns why not; empty: it is done."""
    if ask.seconds < 0 or not 0 <= ask.error_percentage <= _PERCENT:
        return "seconds have to be 0 or more, and the percentage 0 to 100"
    if ask.files and not ask.job:
        return "name the file job that is to fire with these files"
    own = (f"{draft.rules.agent}-", ANY_OF)
    if ask.job and ask.on and not ask.job.startswith(own):  # one that is pretended in vain would run for real
        return f"'{ask.job}' can be no job here: identifiers begin with '{own[0]}' or '{ANY_OF}LABEL-'"
    dry = DryRun(
        seconds=ask.seconds, error_percentage=ask.error_percentage, return_code=ask.return_code, files=ask.files
    )
    known = draft.wishes
    if ask.job:
        others = {job: wish for job, wish in known.dry_jobs.items() if job != ask.job}
        wanted = replace(known, dry_jobs=others | {JobId(ask.job): dry} if ask.on else others)
    else:
        wanted = replace(known, dry=dry if ask.on else None, real=ask.on is False)
    fires = ask.on and ask.files and known.dry_jobs.get(JobId(ask.job)) != dry  # asked again, nothing happens
    watching = _watching_files(draft, JobId(ask.job)) if fires else []
    if fires and not watching:
        return f"no file job '{ask.job}' watches here"
    draft.put(WISHES, ONLY, wanted)
    for watch in watching:
        fired = fire(draft, watch, FireOutcome.FIRED, files=ask.files, reason=CHOSEN)
        draft.put(WATCHES, watch_key(watch.instance, watch.job), fired)
    for instance in draft.instances():
        watches.refresh(draft, instance)
    state = "as set" if ask.on is None else "on" if ask.on else "off"
    draft.note_wish(user, f"dry run {state}", job=ask.job)
    return ""


def _watching_files(draft: Draft, job: JobId) -> list[Watch]:
    """A file job in every instance in which it watches."""
    found: list[Watch] = []
    for instance in draft.instances():
        watch = draft.get(WATCHES, watch_key(instance.publication.instance, job))
        if watch is not None and watch.active and isinstance(watches.job_of(draft, instance, job), FileJob):
            found.append(watch)
    return found


def switch(draft: Draft, user: UserName, ask: SwitchWatch) -> str:
    """Start or stop a clock or file job of an instance. Returns why not; empty: it is done."""
    instance = draft.instance(ask.instance)
    if instance is None:
        return f"instance {ask.instance} is not published to this agent"
    job = watches.job_of(draft, instance, JobId(ask.job))
    if job is None:
        return f"there is no clock or file job '{ask.job}' of this instance on this agent"
    if ask.on and job.startup_control_type is StartupControl.DISABLED:
        return f"'{ask.job}' is DISABLED in its plan"
    draft.put(SWITCHES, watch_key(ask.instance, job.id), Switch(on=ask.on))
    draft.note_wish(user, "watches" if ask.on else "watches no more", job=job.id, instance=ask.instance)
    watches.refresh(draft, instance)
    return ""


def disk(draft: Draft, *, full: bool) -> None:
    """There is too little space, or enough again."""
    known = draft.get(DISK, ONLY)
    if full == (known is not None):
        return
    draft.put(DISK, ONLY, Disk(since=draft.now) if full else None)
    draft.note_wish(UserName(""), "disk full: starts nothing" if full else "disk has space again")


def condition(state: State) -> Condition:
    """What of this the presence says."""
    wishes = state.get(WISHES, ONLY) or Wishes()
    return Condition(
        draining=wishes.draining,
        running=state.active_count,
        disk_full=state.get(DISK, ONLY) is not None,
        dry_jobs=tuple(sorted(wishes.dry_jobs)),
    )


def pretends(state: State) -> bool:
    """Whether all commands here are pretended."""
    wishes = state.get(WISHES, ONLY) or Wishes()
    return wishes.dry is not None or (not wishes.real and state.rules.dry_run is not None)
