"""S7 and S8: what a process left behind gets reported, and clock and file jobs fire only while they may."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from broker.runtime.core import AuditRow
from schemas.addresses import AgentInstanceAt, PlanAt, PlanVersionAt, RunReportAt
from schemas.documents import AgentInstance, Assignment, InstanceStatus, JobState, RunReport
from schemas.names import InstanceId, RunId
from schemas.status import RunPhase
from tests.simulation.checkers.reading import DASHBOARD, Ledger
from tests.simulation.trace import (
    CommandBegan,
    CommandEnded,
    FolderLost,
    Found,
    Listener,
    PromiseBrokenError,
    Record,
    Saved,
    Standing,
    Started,
    Stepped,
)

FIRED = frozenset({"fired", "passed"})
"""What an agent says of a fire that something follows from."""
KNOWN = frozenset({"succeeded", "failed", "killed", "timedOut"})
"""What an agent says of an end that it knows of."""
FORGOTTEN = ("knows nothing of it any more", "has forgotten it")
"""Why the dashboard takes a run for lost, as far as that is up to what its agent shows."""
RECORDED = frozenset({"dropped", "missed"})
_PHASES = (None, *RunPhase)
"""How far a run may have come."""


class ExitCodes:
    """S7: a process outlives its agent, and the code it left is what the agent says of it."""

    def __init__(self) -> None:
        self._alive: dict[RunId, str] = {}
        self._left: dict[RunId, tuple[str, int]] = {}
        self._said: dict[RunId, object] = {}
        self.hears: Mapping[type[Record], Listener] = {
            CommandBegan: self._began,
            CommandEnded: self._ended,
            FolderLost: self._lost,
            Saved: self._saved,
            Standing: self._stand,
        }
        self._unknowable: set[RunId] = set()

    def _began(self, record: CommandBegan) -> None:
        self._alive[record.run] = record.host
        if record.late:
            self._unknowable.add(record.run)

    def _ended(self, record: CommandEnded) -> None:
        self._alive.pop(record.run, None)
        if record.code is not None:
            self._left[record.run] = (record.host, record.code)

    def _lost(self, record: FolderLost) -> None:
        if record.run is not None:
            self._unknowable.add(record.run)
        else:
            self._unknowable |= {run for run, host in self._alive.items() if host == record.host}
            self._unknowable |= {run for run, (host, _) in self._left.items() if host == record.host}

    def _saved(self, saved: Saved) -> None:
        if saved.node == DASHBOARD:
            return
        ended = {row.run for row in saved.audit if row.kind == "run" and row.after in KNOWN}
        for row in saved.rows:
            if row.table != "run":
                continue
            if row.body is None:
                name = RunId(row.key)
                if name in ended and name in self._left:  # let go in the same moment: nobody wants to know any more
                    self._said[name] = self._left[name][1]
                continue
            run = msgspec.json.decode(row.body)
            if run["stage"] == "ended":
                name = RunId(row.key)
                if self._said.get(name) != self._left.get(name, ("", None))[1]:  # what was said rightly was said
                    self._said[name] = run.get("return_code")
                if self._alive.get(name) == saved.node and name not in self._unknowable:
                    raise PromiseBrokenError(
                        "S7", f"{saved.node} says that {name} ended as {run['outcome']}, and it lives"
                    )

    def _stand(self, record: Standing) -> None:
        if not record.last:
            return
        for run, (host, code) in sorted(self._left.items()):
            if run not in self._unknowable and self._said.get(run) != code:
                raise PromiseBrokenError(
                    "S7", f"{run} left code {code} on {host}; its agent says {self._said.get(run)}"
                )


class Remembered:
    """S7: the dashboard takes no run for forgotten that its agent remembers, whatever went back in time between them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        ledger.before_row.append(self._judge)
        self._known: dict[tuple[str, str], str] = {}
        """By agent and run, what the agent's journal says of it."""
        self.hears: Mapping[type[Record], Listener] = {Saved: self._saved, FolderLost: self._lost}

    def _lost(self, record: FolderLost) -> None:
        if record.run is None:
            self._known = {key: said for key, said in self._known.items() if key[0] != record.host}

    def _saved(self, saved: Saved) -> None:
        if saved.node == DASHBOARD:
            return
        for row in saved.rows:
            if row.table == "run" and row.body is None:
                self._known.pop((saved.node, row.key), None)
            elif row.table == "run" and row.body is not None:
                run = msgspec.json.decode(row.body)
                self._known[saved.node, row.key] = run.get("outcome") or run["stage"]

    def _judge(self, row: AuditRow) -> None:
        if row.kind != "run" or row.after != "lost" or not row.detail.endswith(FORGOTTEN):
            return
        agent = self._ledger.handed[RunId(row.run)].agent
        said = self._known.get((agent, row.run), "lost")
        if said != "lost":
            raise PromiseBrokenError(
                "S7", f"{row.run} is lost for the dashboard; for {agent}, which has it, it is {said}"
            )


class Heard:
    """S7: what the dashboard has heard of a run counts from the moment on in which it has both, the run and the word."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        ledger.after_rows.append(self._judge)
        self._said: dict[RunId, tuple[str, RunPhase]] = {}
        """By run, what which agent said of it last, as far as this life of the dashboard has heard."""
        self.hears: Mapping[type[Record], Listener] = {Stepped: self._stepped, Started: self._started}

    def _started(self, record: Started) -> None:
        if record.node == DASHBOARD:
            self._said.clear()

    def _stepped(self, record: Stepped) -> None:
        if record.node != DASHBOARD or not isinstance(record.address, RunReportAt):
            return
        if isinstance(record.document, RunReport):
            self._said[record.address.run] = (record.address.agent, record.document.phase)
        else:
            self._said.pop(record.address.run, None)

    def _judge(self, saved: Saved) -> None:
        gone = {row.key for row in saved.rows if row.table == "run" and row.body is None}
        for name, (agent, phase) in self._said.items():
            run = self._ledger.runs.get(name) if name not in gone else None
            if run is not None and run.agent == agent and _PHASES.index(run.phase) < _PHASES.index(phase):
                raise PromiseBrokenError(
                    "S7", f"{agent} was heard to say that {name} is {phase}; for the dashboard it is {run.phase}"
                )


class HandedOver:
    """S7: a dashboard whose disk was lost knows each run again that it had handed over, by what it had shown of it."""

    def __init__(self) -> None:
        self._expected: set[str] = set()
        self.hears: Mapping[type[Record], Listener] = {Found: self._found, Saved: self._saved}

    def _found(self, record: Found) -> None:
        if record.node != DASHBOARD:
            return
        shown = dict(record.documents)
        jobs = {(one.instance, one.context, one.job): one for one in shown.values() if isinstance(one, JobState)}
        known = {
            one.instance
            for one in shown.values()
            if isinstance(one, InstanceStatus)
            and {PlanAt(one.plan), PlanVersionAt(one.plan, one.version)} <= shown.keys()
        }
        newest: dict[object, Assignment] = {}
        for one in sorted((one for one in shown.values() if isinstance(one, Assignment)), key=lambda one: one.attempt):
            job = jobs.get((one.instance, one.context, one.job))
            if job is None or one.instance not in known:
                continue
            if one.attempt > job.attempt or (one.run == job.run and job.live):
                newest[one.instance, one.job] = one  # of a job that is in several contexts, one run lives
        self._expected = {one.run for one in newest.values()}

    def _saved(self, saved: Saved) -> None:
        if saved.node != DASHBOARD or not self._expected:
            return
        known = {row.key for row in saved.rows if row.table == "run"}
        anew = {row.run for row in saved.audit if row.kind == "run" and row.after == "assigned"}
        overlooked, self._expected = self._expected - known | self._expected & anew, set()
        for run in sorted(overlooked):
            raise PromiseBrokenError(
                "S7", f"{run} was handed over, and the dashboard, whose disk was lost, overlooks it"
            )


class Firing:
    """S8: judged at the agent when a fire is written down, and at the dashboard when it is taken."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        ledger.before_row.append(self._taken)
        self._published: dict[tuple[str, InstanceId], AgentInstance] = {}
        self._before: dict[tuple[str, InstanceId], AgentInstance] = {}
        """Those that were changed or removed since the node saved last: what it writes down then may have happened before."""
        self.hears: Mapping[type[Record], Listener] = {
            Stepped: self._heard,
            Saved: self._saved,
            Started: self._started,
            FolderLost: self._lost,
        }

    def _started(self, record: Started) -> None:
        """What was heard and not saved was not heard by this life."""
        for key in [key for key in self._before if key[0] == record.node]:
            self._published[key] = self._before.pop(key)

    def _heard(self, record: Stepped) -> None:
        if not isinstance(record.address, AgentInstanceAt):
            return
        key = (record.node, record.address.instance)
        if key in self._published:
            self._before.setdefault(key, self._published.pop(key))
        if isinstance(record.document, AgentInstance):
            self._published[key] = record.document

    def _lost(self, record: FolderLost) -> None:
        if record.run is None:
            self._published = {key: found for key, found in self._published.items() if key[0] != record.host}

    def _saved(self, saved: Saved) -> None:
        if saved.node == DASHBOARD:
            return
        for row in saved.audit:
            if row.kind == "tick" and row.after in FIRED | RECORDED:
                self._fired(saved.node, row)
        self._before = {key: found for key, found in self._before.items() if key[0] != saved.node}

    def _fired(self, node: str, row: AuditRow) -> None:
        key = (node, InstanceId(row.instance))
        known = [found[key] for found in (self._published, self._before) if key in found]
        if not known:
            raise PromiseBrokenError(
                "S8", f"{row.job} fires on {node} for {row.instance}, which is not published there"
            )
        if row.after in FIRED and not any(_is_open(one, row.at) for one in known):
            one = known[0]
            raise PromiseBrokenError(
                "S8", f"{row.job} fires on {node} at {row.at}, outside {one.opens} to {one.closes}"
            )

    def _taken(self, row: AuditRow) -> None:
        fire = row.kind == "tick" and row.job and row.after == "ran"
        if fire and not self._ledger.is_active(InstanceId(row.instance)):
            raise PromiseBrokenError("S8", f"a fire of {row.job} moves {row.instance}, which is not active")


def _is_open(published: AgentInstance, at: datetime) -> bool:
    return published.opens <= at and (published.closes is None or at < published.closes)
