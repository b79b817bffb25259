"""The dashboard's core: an event comes in, what follows is decided, saved, shown. Reads like a table of contents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import assert_never

from broker.runtime.core import Changes, Decision, Heard, Key, Recovered, Requested, Tick
from dashboard_node.core import (
    agents,
    instances,
    invariants,
    monitors,
    moving,
    outbox,
    own_windows,
    rebuilding,
    requests,
    restoring,
    runs,
    set_back,
    settling,
    users,
    windows,
)
from dashboard_node.core.effects import Delivered, Effect, ForgetAudit
from dashboard_node.core.projection import Projection
from dashboard_node.core.routing import Rules
from dashboard_node.core.state import ACTIVE, State
from dashboard_node.core.step import Step
from schemas.addresses import Address, AgentPresenceAt, FireReportAt, RunReportAt
from schemas.documents import Document, FireReport, Presence, RunReport
from schemas.names import InstanceId, NodeName, PlanName, RequestId, RunId, UserName, escape
from schemas.notifications import Monitor

_CHECKED_PER_EVENT = 20
"""Jobs that an event that changed anything pays for in checks: with 100 they were two fifths of a turn in a plan of 100 jobs."""
_LOOKED_THROUGH_EVERY = timedelta(hours=1)

Event = Heard | Requested | Tick | Recovered | Delivered


class DashboardCore:
    """Decides for all plans and instances. Implements ``broker.runtime.core.Core``."""

    def __init__(self, retention: timedelta = timedelta(hours=24), telling: Rules | None = None) -> None:
        """``telling``: what the settings say of notifications."""
        self.state = State(retention)
        self.state.telling = telling or Rules()
        self._projection = Projection(self.state)
        self._agents: set[NodeName] = set()
        self._checking = invariants.parts(self.state)
        self._paid = 0
        """For the check of so many jobs events have paid, and it has not been done."""

    def restore(self, rows: Iterable[tuple[Key, bytes]]) -> None:
        """Take in what was saved."""
        restoring.restore(self.state, rows)

    def step(self, event: Event) -> Decision[Effect]:
        """Decide what an event leads to. The state moves with it; the decision says what has to be saved and answered."""
        match event:
            case Heard():
                step = _time_first(self.state, event.now, _name(event.address))
                step.replaying = not self.state.settled_in
                _heard(step, event.address, event.document)
            case Requested():
                step = _time_first(self.state, event.now, f"request {event.request}")
                step.user = event.user
                requests.asked(step, event)
            case Delivered():
                step = _time_first(self.state, event.now, f"delivery of {event.notification}")
                outbox.delivered(step, event)
            case Tick():
                step = Step(self.state, event.now, cause="time")
                _settle_in(step)
                _due(step)
            case Recovered():
                self.state.up_since = event.now
                step = _time_first(self.state, event.now, f"start of epoch {event.epoch}")
                restoring.give_up(step)
                if event.journal in {0, event.epoch}:  # who has records knows better, even that there is nothing
                    rebuilding.rebuild(step, event.shown)
                set_back.take_in(step, event.newer)
                own_windows.resume(step)
                users.name_admins(step)
                _forget_audit(step)
            case _:
                assert_never(event)
        _finish(step)
        monitors.follow(step)
        self._agents |= step.agents
        if step.changes:
            self._paid += _CHECKED_PER_EVENT
        return step.decision()

    def apply(self, changes: Changes) -> None:
        """Nothing is left to do: a step moves the state itself."""

    def project(self, changes: Changes) -> Mapping[Address, Document | None]:
        """What is to be shown differently."""
        agents_changed, self._agents = self._agents, set()
        return self._projection.changed(changes, agents_changed)

    def documents(self) -> Iterator[tuple[Address, Document]]:
        """All that is to be shown, each made when it is taken."""
        return self._projection.documents()

    def next_wakeup(self) -> datetime | None:
        """When something is due."""
        return self.state.timers.next()

    def check(self) -> None:
        """Raise InvariantError if the state is not what it must be.

        Looking costs as much as there are jobs, so each event that changed anything pays for a few, instance after instance: when
        there are few, all is looked at after every such event.
        """
        while self._paid >= 0:
            looked_at = next(self._checking, None)
            if looked_at is None:
                self._checking, self._paid = invariants.parts(self.state), 0
                return
            self._paid -= looked_at


def _finish(step: Step) -> None:
    """Work off what follows, until nothing does."""
    settling.settle(step)
    while step.freed:
        plan = next(iter(step.freed))
        del step.freed[plan]
        windows.catch_up(step, plan)
        settling.settle(step)


def _heard(step: Step, address: Address, document: Document | None) -> None:
    match address:
        case AgentPresenceAt():
            agents.presence(step, address.agent, document if isinstance(document, Presence) else None)
        case RunReportAt():
            agents.run_report(step, address.agent, address.run, document if isinstance(document, RunReport) else None)
        case FireReportAt() if isinstance(document, FireReport):
            agents.fires(step, address.agent, document)
        case FireReportAt():
            agents.silent(step, address.agent, address.instance, address.job)
        case _:
            pass  # what nobody has to tell us changes nothing


def _settle_in(step: Step) -> None:
    """The first tick means that all agents have been heard: what they do not show now, they do not have."""
    if step.state.settled_in:
        return
    step.state.settled_in = True
    for agent in sorted(step.state.presences):
        agents.forgotten(step, agent)
    moving.look_for_unheard(step)


def _time_first(state: State, now: datetime, cause: str) -> Step:
    """What is due comes before what is heard: nothing starts in an instance whose window has closed meanwhile (S2).

    Before all has been heard, only ends are due: windows open, and retries start, on the complete picture. What time has done
    is audited as such; only what follows is because of ``cause``.
    """
    step = Step(state, now, cause="time")
    if state.settled_in:
        _due(step)
    else:
        for _, instance in sorted(state.timers.take_due_of("close", now)):
            _close(step, InstanceId(instance))
        _finish(step)
    step.cause = cause
    return step


def _due(step: Step) -> None:
    """Everything whose time has come: what ends first, so that nothing more begins in it; the rest in the order it came."""
    while due := step.state.timers.take_due(step.now):
        for name in sorted(due, key=lambda name: name[0] != "close"):
            _happens(step, name)
            settling.settle(step)


def _happens(step: Step, name: tuple[str, ...]) -> None:  # noqa: C901, PLR0912  # one branch a kind of timer
    """The time of one thing has come."""
    match name:
        case ("open", plan):
            windows.due(step, PlanName(plan))
        case ("close", instance):
            _close(step, InstanceId(instance))
        case ("window", instance, index):
            own_windows.turn(step, InstanceId(instance), int(index))
        case ("retry", instance, index):
            runs.retry(step, InstanceId(instance), int(index))
        case ("remove", instance):
            instances.remove_instance(step, InstanceId(instance))
        case ("away", agent, instance):
            moving.away_for_too_long(step, NodeName(agent), InstanceId(instance))
        case ("limit", instance, monitor, index):
            monitors.limit_passed(step, InstanceId(instance), Monitor(monitor), int(index))
        case ("tooLong", run):
            monitors.takes_too_long(step, RunId(run))
        case ("gone", agent):
            monitors.agent_stays_away(step, NodeName(agent))
        case ("notification", told):
            outbox.due(step, told)
        case ("unmute", plan):
            outbox.unmute(step, PlanName(plan))
        case ("audit",):
            _forget_audit(step)
        case ("answer", user, request):
            step.state.answers.pop((UserName(user), RequestId(request)), None)
            step.changes[Key("answer", f"{escape(user)}~{escape(request)}")] = None
        case _:
            raise AssertionError(f"nobody set a timer for {name}")


def _forget_audit(step: Step) -> None:
    """Once an hour: what of the audit trail is older than it is to be kept."""
    if step.state.audit_kept is not None:
        before = step.now - step.state.audit_kept
        step.effects.append(ForgetAudit(before, tuple(sorted(step.state.instances))))
        step.state.timers.set(("audit",), step.now + _LOOKED_THROUGH_EVERY)


def _close(step: Step, name: InstanceId) -> None:
    instance = step.state.instances.get(name)
    if instance is not None and instance.status in ACTIVE:
        instances.end_instance(step, instance, "its window closed")


def _name(address: Address) -> str:
    match address:
        case RunReportAt():
            return f"report of {address.run}"
        case FireReportAt():
            return f"fires of {address.job}"
        case AgentPresenceAt():
            return f"presence of {address.agent}"
        case _:
            return type(address).__name__
