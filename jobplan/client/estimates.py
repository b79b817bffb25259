"""When an instance will be complete, asked of the dashboard, and said to a person. If it fails, only the estimate is missing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from jobplan.client.live import clock, day_and_clock, span
from jobplan.errors import JobplanError
from schemas.codec import decode
from schemas.estimates import Deadline, DeadlineState, Estimated, EstimateEnd
from schemas.names import InstanceId
from schemas.notifications import Monitor
from schemas.status import ContextStatus, NodeState

if TYPE_CHECKING:
    from jobplan.client.client import Client

PATIENCE: Final = timedelta(seconds=2)
"""How long an estimate is waited for: what is shown besides must not be late for it."""
_SHOWN: Final = 6
"""Jobs of a critical path, stuck ones, or deadlines, that one line names."""
_HAS_TO: Final = {Monitor.LATE_START: "start", Monitor.LATE_END: "end", Monitor.OVERDUE: "file"}
_STANDS: Final = {
    DeadlineState.LATE: "late",
    DeadlineState.THREATENED: "likely late",
    DeadlineState.AHEAD: "deadlines",
    DeadlineState.MET: "in time",
}


async def estimate(client: Client, instance: InstanceId, *, each: bool = False) -> Estimated | None:
    """Ask for an estimate; None: the dashboard is not there, does not answer in time, or may not be asked."""
    dashboard = client.picture.dashboard
    if dashboard is None or dashboard.state is not NodeState.ALIVE or not client.link.up:
        return None
    try:
        answer = await client.ask(EstimateEnd(instance=instance, each=each), patience=PATIENCE)
    except JobplanError:
        return None
    return decode(bytes(answer.data), Estimated)


def estimate_lines(found: Estimated, status: ContextStatus) -> list[str]:
    """What an estimate says, in at most three lines; nothing of an instance that is over."""
    if status in {ContextStatus.COMPLETE, ContextStatus.ENDED}:
        return []
    if found.unmeasured and not any(job.measured for job in found.path):
        return (
            ["how long it takes is not known yet: its jobs have not run before"]
            if found.ends is not None
            else _stuck(found)
        )
    lines = [_end(found)]
    if len(found.path) > 1:
        lines.append(f"critical path: {_listed([job.name for job in found.path])}")
    return [*lines, *_stuck(found)]


def deadline_lines(found: Estimated) -> list[tuple[DeadlineState, str]]:
    """The deadlines of an instance, a line for each way they stand: what is late comes first."""
    lines: list[tuple[DeadlineState, str]] = []
    for state, words in _STANDS.items():
        ones = [one for one in found.deadlines if one.state is state]
        if ones:
            more = f", and {len(ones) - _SHOWN} more" if len(ones) > _SHOWN else ""
            lines.append((state, f"{words}: {', '.join(_deadline(one, found) for one in ones[:_SHOWN])}{more}"))
    return lines


def _deadline(one: Deadline, found: Estimated) -> str:
    at = clock(one.at) if abs(one.at - found.at) < timedelta(hours=12) else day_and_clock(one.at)
    return f"{one.name or 'the plan'} ({_HAS_TO.get(one.monitor, one.monitor.value)} by {at})"


def _stuck(found: Estimated) -> list[str]:
    """What does not go on by itself."""
    named = "; ".join(f"{one.name} {one.why}" for one in found.stuck[:_SHOWN])
    more = len(found.stuck) - _SHOWN
    return [named + (f"; and {more} more" if more > 0 else "")] if named else []


def _end(found: Estimated) -> str:
    if found.ends is None:
        return "does not complete by itself"
    if found.unmeasured:
        jobs = "1 job takes" if found.unmeasured == 1 else f"{found.unmeasured} jobs take"
        return f"ends not before {_when(found.ends, found)}: nothing is known yet of how long {jobs}"
    text = f"ends about {_when(found.ends, found)} (in {span(max(found.ends - found.at, timedelta()))})"
    if found.ends_late is not None and found.ends_late - found.ends >= timedelta(seconds=1):
        text += f", late {_when(found.ends_late, found)}"
    if found.closes is not None and found.ends > found.closes:
        text += f": after its window closes at {clock(found.closes)}"
    return text


def _when(at: datetime, found: Estimated) -> str:
    """The time, with the day where it is far off."""
    return clock(at) if at - found.at < timedelta(hours=12) else day_and_clock(at)


def _listed(names: list[str]) -> str:
    """The first and the last ones, if there are many."""
    if len(names) <= _SHOWN:
        return " > ".join(names)
    half = _SHOWN // 2
    return " > ".join([*names[:half], f"{len(names) - 2 * half} more", *names[-half:]])
