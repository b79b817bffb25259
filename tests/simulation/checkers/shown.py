"""S5: nothing is shown that was not saved, each topic has one writer, and no reader goes back in (epoch, revision)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec
from msgspec import Struct

from broker.errors import TopicError
from broker.runtime.presence import writer_of
from schemas.addresses import (
    Address,
    AgentInstanceAt,
    AgentPresenceAt,
    AssignmentAt,
    DashboardPresenceAt,
    FireReportAt,
    InstanceAt,
    JobAt,
    RunReportAt,
    TakenAt,
)
from schemas.codec import body_of, decode, decode_header, encode_body
from schemas.documents import Assignment, Fire, FireReport, InstanceStatus, JobState, Presence, RunReport, Taken
from schemas.names import escape
from schemas.status import NodeState
from tests.simulation.checkers.reading import DASHBOARD, ENDED, Ledger
from tests.simulation.session import TOPICS
from tests.simulation.trace import (
    Accepted,
    Cleared,
    Copied,
    Fault,
    FolderLost,
    Listener,
    Lodged,
    PromiseBrokenError,
    PutBack,
    Record,
    Saved,
    Shown,
    Started,
    Stepped,
)

address_of = lru_cache(maxsize=None)(TOPICS.address_of)
REPEATED = 20.0
"""Seconds in which what was delivered again has arrived."""
PHASES = {"waiting": "accepted", "starting": "accepted", "running": "running", "ended": "ended"}


class _WatchRow(Struct):
    """What an agent has saved of a clock or file job."""

    fires: tuple[Fire, ...] = ()


class SavedFirst:
    """What is shown follows from what is durable, document by document."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._rows: dict[tuple[str, str, str], bytes] = {}
        """What is durable on the agents, by node, table and key."""
        self.hears: Mapping[type[Record], Listener] = {Saved: self._saved, Shown: self._shown, FolderLost: self._lost}

    def _lost(self, record: FolderLost) -> None:
        if record.run is None:
            self._rows = {key: body for key, body in self._rows.items() if key[0] != record.host}

    def _saved(self, saved: Saved) -> None:
        if saved.node == DASHBOARD:
            return
        for row in saved.rows:
            key = (saved.node, row.table, row.key)
            if row.body is None:
                self._rows.pop(key, None)
            else:
                self._rows[key] = row.body

    def _shown(self, shown: Shown) -> None:
        for topic, payload in shown.publications:
            address = address_of(topic)
            agrees = self._agrees(shown.node, address, payload) if payload else self._is_gone(address)
            if not agrees:
                raise PromiseBrokenError("S5", f"{shown.node} shows at {topic} what it has not saved: {payload!r}")

    def _agrees(self, node: str, address: Address, payload: bytes) -> bool:  # noqa: PLR0911  # one for each kind
        ledger = self._ledger
        match address:
            case RunReportAt():
                report, row = decode(payload, RunReport), self._agent_row(node, "run", address.run)
                return (
                    row.get("outcome") == report.outcome and PHASES[str(row["stage"])] == report.phase if row else False
                )
            case FireReportAt():
                key = f"{address.instance}~{escape(address.job)}"
                return decode(payload, FireReport).fires == self._fires(node, key)
            case AssignmentAt():
                run = ledger.runs.get(address.run)
                return run is not None and run.phase != "ended" and run.stop == decode(payload, Assignment).stop
            case TakenAt():
                taken = ledger.taken.get(f"{address.instance}~{escape(address.job)}")
                return taken is not None and taken.sequence == decode(payload, Taken).sequence
            case AgentInstanceAt():
                return ledger.is_active(address.instance)
            case InstanceAt():
                instance = ledger.instances.get(address.instance)
                return instance is not None and instance.status == decode(payload, InstanceStatus).status
            case JobAt():
                return self._job_agrees(decode(payload, JobState))
            case _:
                return True

    def _job_agrees(self, job: JobState) -> bool:
        row = self._ledger.jobs.get(f"{job.instance}~{job.order}")
        status = self._ledger.status.get((job.instance, job.context, job.job))
        if row is None or (row.run, row.attempt, row.held) != (job.run, job.attempt, job.held):
            return False
        return status is None or status == job.status

    def _is_gone(self, address: Address) -> bool:
        match address:
            case AssignmentAt():
                run = self._ledger.runs.get(address.run)
                return run is None or run.phase == "ended" or run.agent != address.agent
            case AgentInstanceAt():
                return not self._ledger.is_active(address.instance) or address.agent not in self._ledger.hosts(
                    address.instance
                )
            case InstanceAt() | JobAt():
                name = address.instance
                row = self._ledger.instances.get(name)
                if row is None or self._ledger.status.get((name, row.plan, "")) == ENDED:
                    return True
                known = {job.id for job in self._ledger.source_of(name).jobs}
                return isinstance(address, JobAt) and address.job not in known  # it is of another version now
            case _:
                return True

    def _fires(self, node: str, key: str) -> tuple[Fire, ...]:
        body = self._rows.get((node, "watch", key))
        return () if body is None else msgspec.json.decode(body, type=_WatchRow).fires

    def _agent_row(self, node: str, table: str, key: str) -> dict[str, object]:
        body = self._rows.get((node, table, key))
        found: dict[str, object] = {} if body is None else msgspec.json.decode(body)
        return found


class OneWriter:
    """Each retained topic is written by the node it belongs to, and by no other."""

    def __init__(self) -> None:
        self.hears: Mapping[type[Record], Listener] = {Accepted: self._accepted}

    def _accepted(self, record: Accepted) -> None:
        if not record.retain:
            return
        try:
            writer = writer_of(address_of(record.topic))
        except TopicError:
            raise PromiseBrokenError("S5", f"{record.node} retains something at {record.topic}") from None
        name = writer.agent if isinstance(writer, AgentPresenceAt) else DASHBOARD
        if name != record.node:
            raise PromiseBrokenError("S5", f"{record.node} writes at {record.topic}, which is {name}'s")


Stamp = tuple[int, ...]


class _Topic(Struct):
    """All that was ever shown at an address, and when it was cleared."""

    bodies: dict[bytes, list[Stamp]] = msgspec.field(default_factory=dict)
    cleared: list[Stamp] = msgspec.field(default_factory=list)
    newest: Stamp = ()
    stands: bool = False


class Forward:
    """What a core hears of an address was shown there, and never goes back; a removal that it hears of took place."""

    def __init__(self) -> None:
        self._topics: dict[Address, _Topic] = {}
        self._heard: dict[tuple[str, Address], Stamp] = {}
        self._repeated: dict[str, float] = {}
        """When a node last got messages a second time."""
        self._durable: dict[str, dict[tuple[str, Address], Stamp]] = {}
        self._fresh: dict[str, dict[tuple[str, Address], Stamp]] = {}
        self._copied: dict[str, dict[tuple[str, Address], Stamp]] = {}
        """What was durable when a node was copied."""
        self.hears: Mapping[type[Record], Listener] = {
            Shown: self._shown,
            Lodged: self._lodged,
            Cleared: lambda record: self._clear(self._topics[address_of(record.topic)]),
            Stepped: self._stepped,
            Saved: self._saved,
            Started: self._started,
            FolderLost: self._lost,
            Fault: self._fault,
            Copied: self._copy,
            PutBack: self._put_back,
        }

    def _fault(self, record: Fault) -> None:
        if record.kind == "repeated delivery":
            self._repeated[record.victim] = record.at

    # ------------------------------------------------------------------ what was shown

    def _shown(self, shown: Shown) -> None:
        for topic, payload in shown.publications:
            known = self._topics.setdefault(address_of(topic), _Topic())
            if payload:
                self._add(known, payload, decode_header(payload).order)
            else:
                self._clear(known)
        if shown.whole is not None:
            self._whole(shown.node, set(shown.whole))

    def _lodged(self, record: Lodged) -> None:
        address = address_of(record.topic)
        header, said = decode_header(record.payload), decode(record.payload, Presence)
        self._add(self._topics.setdefault(address, _Topic()), record.payload, (header.epoch, said.connection))

    def _whole(self, node: str, addresses: set[Address]) -> None:
        """A life shows all it has: what it leaves out is cleared."""
        for address, known in self._topics.items():
            if (
                known.stands
                and address not in addresses
                and not isinstance(address, AgentPresenceAt | DashboardPresenceAt)
            ):
                writer = writer_of(address)
                if (writer.agent if isinstance(writer, AgentPresenceAt) else DASHBOARD) == node:
                    self._clear(known)

    def _add(self, known: _Topic, payload: bytes, stamp: Stamp) -> None:
        body = body_of(payload)
        if body is None:
            raise PromiseBrokenError("S5", f"a payload without a body: {payload!r}")
        known.bodies.setdefault(body, []).append(stamp)
        known.newest = max(known.newest, stamp)
        known.stands = True

    def _clear(self, known: _Topic) -> None:
        known.cleared.append((*known.newest, 1))
        known.stands = False

    # ------------------------------------------------------------------ what was heard

    def _stepped(self, record: Stepped) -> None:
        address = record.address
        doubted = isinstance(record.document, Presence) and record.document.state is NodeState.GONE
        if address is None or doubted:  # that somebody is gone, a reader may come to believe by itself
            return
        known = self._topics.get(address)
        last = self._heard.get((record.node, address), ())
        stamp: Stamp | None = None
        if known is not None and record.document is None:
            stamp = min((cleared for cleared in known.cleared if cleared >= last), default=None)
        elif known is not None and record.document is not None:
            shown = known.bodies.get(encode_body(record.document), ())
            stamp = max((one for one in shown if one >= last), default=None)
        removed = stamp is None and record.document is None and known is not None and known.cleared
        if removed and record.at - self._repeated.get(record.node, -REPEATED) < REPEATED:
            return  # what stood there after it is delivered again, too
        if stamp is None:
            what = "is gone" if record.document is None else f"shows {record.document}"
            raise PromiseBrokenError(
                "S5", f"{record.node} hears that {address} {what}; it had heard {last}, and that was not shown since"
            )
        if record.document is not None:
            stamp = min(one for one in self._topics[address].bodies[encode_body(record.document)] if one >= last)
        self._heard[record.node, address] = stamp
        self._fresh.setdefault(record.node, {})[record.node, address] = stamp

    def _saved(self, record: Saved) -> None:
        fresh = self._fresh.pop(record.node, None)
        if fresh:
            self._durable.setdefault(record.node, {}).update(fresh)

    def _started(self, record: Started) -> None:
        """What was heard and not saved was not heard by this life."""
        self._fresh.pop(record.node, None)
        self._heard = {key: stamp for key, stamp in self._heard.items() if key[0] != record.node}
        self._heard.update(self._durable.get(record.node, {}))

    def _lost(self, record: FolderLost) -> None:
        if record.run is None:
            self._durable.pop(record.host, None)

    def _copy(self, record: Copied) -> None:
        self._copied[record.node] = dict(self._durable.get(record.node, {}))

    def _put_back(self, record: PutBack) -> None:
        self._fresh.pop(record.node, None)
        self._durable[record.node] = dict(self._copied[record.node])
