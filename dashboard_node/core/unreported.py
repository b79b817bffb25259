"""Due times of clock jobs that no agent ever told of: when an instance is forgotten, the ledger says that they were missed.

An agent decides each due time of its clock jobs and reports it. One that was away for a whole window may find the instance gone
when it is back, and has nothing to report; that is known only once nobody can report for the instance any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from msgspec import Struct

from dashboard_node.core.records import InstanceRecord
from dashboard_node.core.state import State
from schemas.blackout import JobDefinitionError, zone_of
from schemas.cron import parse
from schemas.names import JobId, NodeName
from schemas.plan import ClockJob, FileJob, StartupControl
from schemas.schedule import MOMENT, UnknownCalendarError, schedule
from schemas.status import ContextStatus

_COUNTED: Final = 1000
"""Due times of a job that are counted at most."""


class Owed(Struct, frozen=True):
    """A job, the first of its due times that nobody told of, and what to say of all of them."""

    job: JobId
    first: datetime
    reason: str


def unreported(state: State, instance: InstanceRecord) -> Iterator[Owed]:
    """What is owed for an instance that is about to be forgotten, by job."""
    if instance.ended is None or instance.result is ContextStatus.PREPARED or instance.clocks_disabled:
        return
    end = instance.ended if instance.closes is None else min(instance.ended, instance.closes)
    copies = {copy.id: copy for copy in state.machines[instance.id].graph.copies}
    for name in sorted(copies):
        job = copies[name].artefact
        if not isinstance(job, ClockJob) or isinstance(job, FileJob):
            continue
        taken = state.taken.get((instance.id, name))
        if job.startup_control_type is not StartupControl.AUTOMATIC or (taken is not None and taken.due is None):
            continue
        begin = instance.opens - MOMENT if taken is None or taken.due is None else taken.due
        dues = list(islice(_dues(state, job, begin, end), _COUNTED))
        if dues:
            some = f"{len(dues)} due times" if len(dues) > 1 else "1 due time"
            reason = f"{some} until {dues[-1].isoformat()}: agent '{job.agent_name}' never told what became of them"
            yield Owed(name, dues[0], reason)


def _dues(state: State, job: ClockJob, begin: datetime, end: datetime) -> Iterator[datetime]:
    """The due times in (begin, end)."""
    presence = state.presences.get(NodeName(job.agent_name))
    try:
        zone = zone_of(job, presence.zone if presence is not None and presence.zone else "UTC")
        found = schedule(parse(job.cron_expression), zone, job, state.days())
    except (JobDefinitionError, UnknownCalendarError):  # it could not fire at all, and its agent has said so
        return
    yield from found.between(begin, end - MOMENT, _COUNTED)
