"""What must hold when it is over: each run once, each instance ended, everybody of one mind, nothing left behind, no gap.

Judged from what is left alone: the broker's retained topics, the databases, and the file the commands wrote to.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from agent_node.core.machine import AgentCore
from agent_node.core.rules import Rules
from broker.runtime.core import AuditRow, Core, Key
from dashboard_node.core.machine import DashboardCore
from schemas.codec import body_of, encode_body
from schemas.documents import JobState
from schemas.names import NodeName
from schemas.status import JobStatus
from tests.chaos.plans import EVERY
from tests.chaos.site import DASHBOARD, NODES, RETENTION, Site
from tests.chaos.watcher import TOPICS
from tests.simulation.checkers.history import Chain
from tests.simulation.checkers.reading import Ledger, RunRow
from tests.simulation.trace import PromiseBrokenError, Saved

RAN = frozenset({"succeeded", "failed"})
NEVER_BEGAN = frozenset({"withdrawn", "notStarted", "notToday"})
UNDER_WAY = frozenset({JobStatus.RUNNING, JobStatus.LOCK_QUEUED})
RUNTIME = ("runtime", "runtime.seen")


class Verdict(Struct):
    """What was found."""

    runs: int = 0
    checked: int = 0
    """How often a promise was looked at: for a run, a document, a start, a row of the audit trail."""
    complaints: list[str] = field(default_factory=list)

    def expect(self, complaint: str, *, holds: bool) -> None:
        """One look at a promise."""
        self.checked += 1
        if not holds:
            self.complaints.append(complaint)


Records = Mapping[str, Mapping[Key, bytes]]
"""What each node has saved."""


def judge(site: Site, views: Mapping[str, Mapping[str, bytes]]) -> Verdict:
    """Look at everything that is left; ``views``: what is retained, as each of these sees it."""
    records = {node: _records(site.database(node)) for node in NODES}
    audit = _audit(site.database(DASHBOARD))
    runs = [msgspec.json.decode(body, type=RunRow) for key, body in records[DASHBOARD].items() if key.table == "run"]
    verdict = Verdict(runs=len(runs))
    each_run_once(verdict, site.runs_file, runs)
    _agents_agree(verdict, runs, records)
    for who, retained in views.items():
        _bus_agrees(verdict, records, who, retained)
    _no_gap(verdict, audit)
    _each_start_once(verdict, audit)
    return verdict


def _records(database: Path) -> dict[Key, bytes]:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as reader:
        rows = reader.execute("SELECT tbl, key, body FROM record").fetchall()
    reader.close()
    return {Key(table, key): bytes(body) for table, key, body in rows}


def _audit(database: Path) -> list[AuditRow]:
    names = ("at", "kind", "instance", "context", "job", "run", "before", "after", "cause", "user", "detail")
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as reader:
        rows = reader.execute(f"SELECT {', '.join(names)} FROM audit ORDER BY number").fetchall()  # noqa: S608  # constants
    reader.close()
    return [msgspec.convert(dict(zip(names, row, strict=True)), AuditRow) for row in rows]


def each_run_once(verdict: Verdict, file: Path, runs: list[RunRow]) -> None:
    """S1 and S7: what ran has written its line, once; what did not has written none."""
    lines = Counter(file.read_text(encoding="utf-8").split() if file.exists() else [])
    for run in runs:
        wrote = lines.pop(run.id, 0)
        wanted = 1 if run.outcome in RAN else 0
        known = run.outcome in RAN | NEVER_BEGAN
        verdict.expect(f"S1: {run.id} {run.outcome}, and ran {wrote} times", holds=wrote == wanted or not known)
        verdict.expect(f"S7: {run.id}: {run.outcome or 'has not ended'}, and ran {wrote} times", holds=known)
    for run_id, wrote in lines.items():
        verdict.expect(f"S1: {run_id} ran {wrote} times, and nobody asked for it", holds=False)


def _agents_agree(verdict: Verdict, runs: list[RunRow], records: Records) -> None:
    """L3: an agent that still knows a run knows the same of it; where it was to be killed, killed wins."""
    for run in runs:
        body = records[run.agent].get(Key("run", run.id))
        if body is not None:
            known = msgspec.json.decode(body)
            ended = known.get("outcome")
            agrees = ended == run.outcome or (run.outcome == "killed" and ended is not None)
            agrees &= known.get("return_code") == run.return_code
            complaint = f"L3: {run.id} is {run.outcome} for the dashboard, {known.get('outcome')} for {run.agent}"
            verdict.expect(complaint, holds=agrees)


def _bus_agrees(verdict: Verdict, records: Records, who: str, retained: Mapping[str, bytes]) -> None:
    """L1 and L2: what stands is what the nodes, made again from their databases, would show, and no job runs any more."""
    wanted: dict[str, bytes] = {}
    for node, rows in records.items():
        core = _core(node)
        core.restore((key, body) for key, body in rows.items() if key.table not in RUNTIME)
        wanted |= {TOPICS.topic_of(address): encode_body(document) for address, document in core.documents()}
    standing = {topic: body_of(it) for topic, it in retained.items() if not topic.endswith(("/presence", "/share"))}
    for topic in sorted(standing.keys() | wanted.keys()):
        shows, asked = standing.get(topic), wanted.get(topic)
        verdict.expect(f"L2: {topic} shows {who} {shows!r}, wanted is {asked!r}", holds=shows == asked)
        if shows is not None and "/job/" in topic:
            status = msgspec.json.decode(shows, type=JobState).status
            verdict.expect(f"L1: {topic} is {status} at the end", holds=status not in UNDER_WAY)


def _core(node: str) -> Core[Any, Any]:
    if node == DASHBOARD:
        return DashboardCore(timedelta(seconds=RETENTION))
    return AgentCore(Rules(agent=NodeName(node), zone="UTC"))


def _no_gap(verdict: Verdict, audit: list[AuditRow]) -> None:
    """S4: of everything one unbroken chain of changes."""
    ledger = Ledger()
    Chain(ledger)
    for row in audit:
        try:
            ledger.hear(Saved(at=0.0, node=DASHBOARD, rows=(), audit=(row,)))
            complaint = ""
        except PromiseBrokenError as error:
            complaint = f"{error} ({row})"
        verdict.expect(complaint, holds=not complaint)


def _each_start_once(verdict: Verdict, audit: list[AuditRow]) -> None:
    """S3: from the first to the last, each due start has one row."""
    starts = Counter(datetime.fromisoformat(row.before) for row in audit if row.kind == "tick" and not row.job)
    verdict.expect("S3: no start was ever decided", holds=bool(starts))
    first, last = min(starts, default=None), max(starts, default=None)
    if first is not None and last is not None:
        due = {first + timedelta(seconds=EVERY * n) for n in range((last - first) // timedelta(seconds=EVERY) + 1)}
        for start in sorted(due | set(starts)):
            once = starts[start] == 1 and start in due
            verdict.expect(f"S3: start {start} was decided {starts[start]} times", holds=once)
