"""The agent's core: reads like a table of contents; each line's rules stand in the module it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, assert_never

import msgspec
from msgspec.structs import replace

from agent_node.core import endings, fires, projection, runs, watches, wishes
from agent_node.core.draft import Draft
from agent_node.core.effects import Effect, ReadLogFile, ReadTrail, SweepRuns
from agent_node.core.events import (
    DiskSeen,
    Event,
    FilesMoved,
    FilesSeen,
    NeverClaimed,
    ProcessEnded,
    ProcessLost,
    ProcessStarted,
    StartFailed,
)
from agent_node.core.files import moved
from agent_node.core.invariants import check
from agent_node.core.records import DASHBOARD, GRANTS, INSTANCES, LIFE, ONLY, RUNS, WATCHES, Dashboard, Life
from agent_node.core.rules import Rules
from agent_node.core.state import State
from broker.runtime.core import (
    Changes,
    Decision,
    Heard,
    Key,
    Recovered,
    Reply,
    Requested,
    Tick,
)
from schemas.addresses import (
    Address,
    AgentGrantsAt,
    AgentInstanceAt,
    AgentPlanAt,
    AssignmentAt,
    DashboardPresenceAt,
    TakenAt,
)
from schemas.documents import (
    AgentInstance,
    AgentPlan,
    Assignment,
    Document,
    FireReport,
    Grants,
    Presence,
    RunReport,
    Taken,
)
from schemas.names import InstanceId
from schemas.queries import NodeTime, ReadAudit, ReadTime
from schemas.requests import AgentRequest, Answer, Drain, ReadLog, SetDryRun, SwitchWatch
from schemas.rights import refusal


class AgentCore:
    """``broker.runtime.core.Core`` for an agent."""

    def __init__(self, rules: Rules) -> None:
        self.state = State(rules)
        self._unchecked: dict[Key, None] = {}

    def restore(self, rows: Iterable[tuple[Key, bytes]]) -> None:
        """Take in all saved records at start."""
        self.state.restore(rows)
        self._unchecked.update((RUNS.key(key), None) for key, _ in self.state.all(RUNS))
        self._unchecked.update((WATCHES.key(key), None) for key, _ in self.state.all(WATCHES))

    def step(self, event: Event) -> Decision[Effect]:
        """Decide. Does not change the state."""
        draft = Draft(self.state, event.now)
        self._take(draft, event)
        runs.settle(draft, runs.waits_alone(draft, event))
        return draft.decision()

    def apply(self, changes: Changes) -> None:
        """Make what a step decided the state."""
        self.state.apply(changes)
        self._unchecked.update(dict.fromkeys(changes))

    def project(self, changes: Changes) -> Mapping[Address, Document | None]:
        """What applied changes lead to on the bus."""
        return projection.project(self.state, changes)

    def documents(self) -> Iterator[tuple[Address, Document]]:
        """Everything this agent shows, its presence aside."""
        return projection.documents(self.state)

    def next_wakeup(self) -> datetime | None:
        """When a Tick is due next."""
        return self.state.wakeups.next()

    def check(self) -> None:
        """Check what has changed since the last check. Raises InvariantError."""
        unchecked, self._unchecked = self._unchecked, {}
        check(self.state, unchecked)

    def _take(self, draft: Draft, event: Event) -> None:  # noqa: C901, PLR0912 - one line an event
        match event:
            case Heard():
                self._hear(draft, event)
            case Tick():
                _tick(draft)
            case Recovered():
                _recover(draft, event)
            case Requested():
                _answer(draft, event)
            case ProcessStarted():
                runs.seen(draft, event.run, event.pid, event.at, (event.output, event.errors))
            case ProcessEnded():
                endings.ended(draft, event)
            case StartFailed():
                endings.failed_to_start(draft, event.run, event.reason)
            case NeverClaimed():
                runs.unclaimed(draft, event.run)
            case ProcessLost():
                endings.lost(draft, event.run, event.reason)
            case FilesSeen():
                watches.files_seen(draft, event)
            case FilesMoved():
                moved(draft, event)
            case DiskSeen():
                wishes.disk(draft, full=event.full)
            case _:
                assert_never(event)

    def _hear(self, draft: Draft, event: Heard) -> None:
        """What the dashboard shows this agent; anything else is not for it."""
        match event.address, event.document:
            case DashboardPresenceAt(), (Presence() | None) as presence:
                known = Dashboard(presence=presence) if presence is not None else None
                draft.put(DASHBOARD, ONLY, known)
                runs.recheck_waiting(draft)
                watches.recheck_unpublished(draft)
            case AgentGrantsAt(), (Grants() | None) as grants:
                draft.put(GRANTS, ONLY, grants)
            case AgentPlanAt(_, plan), (AgentPlan() | None) as document:
                watches.provisioned(draft, plan, document)
            case AgentInstanceAt(), AgentInstance() as publication:
                watches.published(draft, publication)
                runs.recheck_waiting(draft)
            case AgentInstanceAt(_, instance), None:
                watches.removed(draft, instance)
                runs.recheck_waiting(draft)
                _purge(draft, instance)
            case AssignmentAt(_, run), (Assignment() | None) as assignment:
                runs.assigned(draft, run, assignment)
            case TakenAt(_, instance, job), (Taken() | None) as taken:
                fires.taken(draft, instance, job, taken)
            case _:
                pass


def _purge(draft: Draft, instance: InstanceId) -> None:
    for run in sorted(draft.state.runs_of.get(instance, ())):
        endings.purge(draft, run)


def _tick(draft: Draft) -> None:
    """Time has come for some records, in order of their time."""
    for key in draft.state.wakeups.due(draft.now):
        if key.table == RUNS.name:
            run = draft.get(RUNS, key.key)
            if run is not None:
                runs.due(draft, run)
        elif key.table == INSTANCES.name:
            instance = draft.get(INSTANCES, key.key)
            if instance is not None:
                watches.due(draft, instance)
        elif key.table == WATCHES.name:
            watch = draft.get(WATCHES, key.key)
            if watch is not None:
                watches.tick(draft, watch)
        elif key.table == LIFE.name:
            _sweep(draft)


def _sweep(draft: Draft) -> None:
    """Once a day: remove the run folders of instances that are long gone."""
    keep = {instance.publication.instance for _, instance in draft.state.all(INSTANCES)}
    keep.update(run.instance for _, run in draft.state.all(RUNS))
    draft.put(LIFE, ONLY, replace(draft.life, swept=draft.now))
    before = draft.now - timedelta(days=draft.rules.keep_days)
    draft.effects.append(SweepRuns(before=before, keep=tuple(sorted(keep))))


def _recover(draft: Draft, event: Recovered) -> None:
    """A life begins: what the journal knows is found again; what only the broker knows is taken from there."""
    known = draft.get(LIFE, ONLY)
    swept = known.swept if known is not None else draft.now
    draft.put(LIFE, ONLY, Life(epoch=event.epoch, started=draft.now, swept=swept, journal=event.journal))
    runs.find_all(draft)
    endings.resume(draft)
    for document in event.shown.values():
        if isinstance(document, RunReport):
            runs.recover(draft, document)
        elif isinstance(document, FireReport):
            fires.recover(draft, document)
    watches.resume(draft)


_requests: Final[msgspec.json.Decoder[AgentRequest]] = msgspec.json.Decoder(AgentRequest)


def _answer(draft: Draft, event: Requested) -> None:
    """A person's request."""
    try:
        ask = _requests.decode(event.body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        answer = Answer(ok=False, reason=f"not a request an agent knows: {error}")
        draft.effects.append(Reply(user=event.user, request=event.request, answer=answer))
        return
    denied = refusal(draft.granted, event.user, ask)
    if denied:
        draft.note_refusal(event.user, event.request, denied)
        answer = Answer(ok=False, reason=denied)
        draft.effects.append(Reply(user=event.user, request=event.request, answer=answer))
        return
    match ask:
        case ReadLog():
            draft.effects.append(ReadLogFile(user=event.user, request=event.request, ask=ask))
            return
        case ReadAudit():
            draft.effects.append(ReadTrail(user=event.user, request=event.request, query=ask))
            return
        case ReadTime():
            answer = Answer(ok=True, data=msgspec.Raw(msgspec.json.encode(NodeTime(at=draft.now))))
            draft.effects.append(Reply(user=event.user, request=event.request, answer=answer))
            return
        case SetDryRun():
            fault = wishes.dry_run(draft, event.user, ask)
        case Drain():
            fault = wishes.drain(draft, event.user, ask)
        case SwitchWatch():
            fault = wishes.switch(draft, event.user, ask)
        case _:
            assert_never(ask)
    answer = Answer(ok=not fault, reason=fault)
    draft.effects.append(Reply(user=event.user, request=event.request, answer=answer))
