"""L1 to L4: once faults stop, everything ends or says why not, everybody agrees, and it becomes quiet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TypeVar

from agent_node.core.rules import LET_GO_GRACE
from schemas.addresses import (
    AgentInstanceAt,
    AssignmentAt,
    DashboardPresenceAt,
    FireReportAt,
    RunReportAt,
    ShareAt,
)
from schemas.blockers import Blocker, BlockerKind
from schemas.codec import Header, SchemaError, body_of, decode, decode_header
from schemas.documents import FireReport, InstanceStatus, JobState, Presence, RunReport, Share
from schemas.names import InstanceId, NodeName, RunId
from schemas.status import ContextStatus, JobStatus, Outcome, RunPhase
from tests.simulation.checkers.reading import DASHBOARD, Ledger
from tests.simulation.checkers.shown import address_of
from tests.simulation.session import TOPICS
from tests.simulation.trace import Accepted, Listener, PromiseBrokenError, Record, Saved, Standing

T = TypeVar("T")
REPORTS: dict[object, bool] = {RunReport: True, FireReport: False}
"""Which kind of report has a run's id in its topic."""

QUIET = 180.0
"""Seconds before the end in which nobody says anything any more."""
MARGIN = timedelta(seconds=60)
LET_GO_WITHIN = LET_GO_GRACE.total_seconds() + 5.0
"""Seconds after which an agent shows nothing any more of a run that has ended, and that nobody assigns to it."""
OUTCOMES = frozenset(Outcome)
GONE = frozenset({ContextStatus.ENDED, ContextStatus.PREPARED})
WAITING = frozenset(
    {JobStatus.WAITING, JobStatus.ON_HOLD, JobStatus.DISABLED, JobStatus.SKIPPED, JobStatus.LOCK_QUEUED}
)
PASSING = frozenset({BlockerKind.AGENT, BlockerKind.RETRY, BlockerKind.LOCK})
"""Reasons that cannot last when nothing runs any more."""


class Peace:
    """All four."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._last: tuple[float, str] = (0.0, "")
        self._ended: dict[str, float] = {}
        """When each agent wrote down last how a run had ended: as it did, or as it was found with nothing left but its report."""
        self.hears: Mapping[type[Record], Listener] = {
            Standing: self._stand,
            Accepted: self._accepted,
            Saved: self._saved,
        }

    def _saved(self, record: Saved) -> None:
        if record.node != DASHBOARD:
            ends = (row.run for row in record.audit if row.kind == "run" and row.after in OUTCOMES)
            self._ended.update(dict.fromkeys(ends, record.at))

    def _accepted(self, record: Accepted) -> None:
        self._last = (record.at, record.topic)

    def _stand(self, record: Standing) -> None:
        self._same_everywhere(record)
        jobs = _shown(record, "/job/", JobState)
        running = {run for host in record.processes.values() for run in host}
        for instance in _shown(record, "", InstanceStatus):
            if instance.status not in GONE:
                self._still_open(record, instance)
        over = {instance.instance for instance in _shown(record, "", InstanceStatus) if instance.status in GONE}
        for job in jobs:
            if job.instance not in over:
                self._ends_or_waits(record, job, running)
        self._agree(record, running)
        self._all_taken(record)
        self._all_wanted(record)
        if record.last and self._last[0] > record.at - QUIET:
            raise PromiseBrokenError(
                "L4", f"{self._last[1]} was published {record.at - self._last[0]:.0f} s before the end"
            )

    # ------------------------------------------------------------------ L1

    def _still_open(self, record: Standing, instance: InstanceStatus) -> None:
        now = record.clocks[DASHBOARD]
        if instance.closes is not None and instance.closes + MARGIN < now:
            raise PromiseBrokenError(
                "L1", f"{instance.instance} was to close at {instance.closes} and is {instance.status}"
            )

    def _ends_or_waits(self, record: Standing, job: JobState, running: set[RunId]) -> None:
        name = f"{job.job} in {job.context} of {job.instance}"
        if job.status is JobStatus.RUNNING and job.run not in running:
            raise PromiseBrokenError("L1", f"{name} is RUNNING, and {job.run} has no process")
        if job.status in WAITING and not job.blockers and not job.skipped:
            raise PromiseBrokenError("L1", f"{name} is {job.status} and does not say why")
        for blocker in job.blockers:
            self._holds_up(record, name, blocker)

    def _holds_up(self, record: Standing, name: str, blocker: Blocker) -> None:
        if record.last and blocker.kind in PASSING:
            raise PromiseBrokenError("L1", f"{name} waits at the very end: {blocker.text}")
        if blocker.until is not None and blocker.until + MARGIN < record.clocks[DASHBOARD]:
            raise PromiseBrokenError("L1", f"{name} waits for a time that has passed: {blocker.text}")

    # ------------------------------------------------------------------ L2

    def _same_everywhere(self, record: Standing) -> None:
        wanted = {topic: body for node in record.wanted.values() for topic, body in node.items()}
        presences = {topic for topic in record.retained if topic.endswith("/presence")}
        shares = {topic for topic in record.retained if topic.endswith("/share")}
        for topic in sorted(wanted.keys() - record.retained.keys()):
            raise PromiseBrokenError("L2", f"{topic} is wanted and does not stand on the broker")
        for topic in sorted(record.retained.keys() - wanted.keys() - presences - shares):
            raise PromiseBrokenError("L2", f"{topic} stands on the broker and nobody wants it")
        for topic, body in wanted.items():
            if body_of(record.retained[topic]) != body:
                raise PromiseBrokenError("L2", f"{topic} shows {record.retained[topic]!r}, wanted is {body!r}")
        for who, shown in record.newcomers.items():
            for topic in sorted(shown.keys() ^ record.retained.keys()):
                raise PromiseBrokenError(
                    "L2", f"{topic} is shown at {who} otherwise than it stands: {shown.get(topic)!r}"
                )
        if len(presences) != len(record.wanted):
            raise PromiseBrokenError("L2", f"presences: {sorted(presences)}")
        if record.last:  # before, something may have come or gone within the last second
            _count_shares(record, shares)

    # ------------------------------------------------------------------ L3

    def _agree(self, record: Standing, running: set[RunId]) -> None:
        reports = {report.run: report for report in _shown(record, "", RunReport)}
        for run, row in self._ledger.runs.items():
            if InstanceId(row.instance) not in self._ledger.instances:
                continue
            report = reports.get(run)
            if record.last and row.phase != "ended":
                raise PromiseBrokenError(
                    "L3", f"{run} has not ended for the dashboard, at the very end; its agent: {report}"
                )
            if report is not None and report.phase is RunPhase.ENDED and row.phase != "ended":
                raise PromiseBrokenError("L3", f"{run} has ended on {row.agent}, and the dashboard has not noticed")
            if report is not None and report.phase != row.phase and row.phase not in {None, "ended"}:
                raise PromiseBrokenError(
                    "L3", f"{run} is {row.phase} for the dashboard and {report.phase} on {row.agent}"
                )
            if report is None and row.phase != "ended":
                raise PromiseBrokenError(
                    "L3", f"{run} is {row.phase} for the dashboard, and {row.agent} says nothing of it"
                )
        for run in sorted(running):
            report = reports.get(run)
            if report is None or report.phase is not RunPhase.RUNNING:
                raise PromiseBrokenError("L3", f"{run} has a process, and its agent says {report}")

    def _all_taken(self, record: Standing) -> None:
        """At rest no fire waits to be taken: it was, or its instance is over and its agent has let go of it."""
        for report in _shown(record, "", FireReport):
            if report.fires and self._ledger.is_active(report.instance):
                raise PromiseBrokenError(
                    "L3", f"fires of {report.job} of {report.instance} that nobody takes: {report.fires}"
                )

    def _is_let_go(self, record: Standing, run: RunId) -> bool:
        """Whether an agent ought to have let go of a run that nobody assigns to it, for which it has some minutes."""
        return record.at - self._ended.get(run, 0.0) > LET_GO_WITHIN

    def _all_wanted(self, record: Standing) -> None:
        """At rest agents show nothing of what the dashboard has let go of."""
        addresses = dict.fromkeys(address_of(topic) for topic in record.retained)
        for address in addresses:
            match address:
                case FireReportAt(agent=agent, instance=instance) if AgentInstanceAt(agent, instance) not in addresses:
                    raise PromiseBrokenError("L3", f"{agent} shows {address}, and has nothing to do with the instance")
                case RunReportAt(agent=agent, run=run) if AssignmentAt(agent, run) not in addresses:
                    if self._is_let_go(record, run):
                        raise PromiseBrokenError("L3", f"{agent} shows {address}, and has not been asked for it")
                case _:
                    pass


def _count_shares(record: Standing, shares: set[str]) -> None:
    """Each agent is told how many of the dashboard's documents are for it, on the dashboard's present connection."""
    header, dashboard = _read(record.retained[TOPICS.topic_of(DashboardPresenceAt())], Presence)
    agents = [NodeName(name) for name in record.wanted if name != DASHBOARD]
    if shares != {TOPICS.topic_of(ShareAt(agent)) for agent in agents}:
        raise PromiseBrokenError("L2", f"shares: {sorted(shares)}")
    for agent in agents:
        root = TOPICS.topic_of(ShareAt(agent)).removesuffix("share")
        told, share = _read(record.retained[root + "share"], Share)
        documents = sum(topic.startswith(root) for topic in record.wanted[DASHBOARD])
        wanted = (header.epoch, dashboard.connection, documents)
        if (told.epoch, share.connection, share.documents) != wanted:
            raise PromiseBrokenError("L2", f"{agent} is told {share} in epoch {told.epoch}, right is {wanted}")


def _read(payload: bytes, kind: type[T]) -> tuple[Header, T]:
    return decode_header(payload), decode(payload, kind)


def _shown(record: Standing, part: str, kind: type[T]) -> list[T]:
    """The documents of one kind that stand on the broker."""
    root = f"{TOPICS.prefix}/" + ("agent/" if kind in REPORTS else "instance/")
    found: list[T] = []
    for topic, payload in record.retained.items():
        if not topic.startswith(root) or part not in topic or (kind is InstanceStatus and "/job/" in topic):
            continue
        if kind in REPORTS and ("/report/" not in topic or ("~" in topic) is not REPORTS[kind]):
            continue
        try:
            found.append(decode(payload, kind))
        except SchemaError as error:
            raise PromiseBrokenError("L2", f"{topic} cannot be read: {error}") from None
    return found
