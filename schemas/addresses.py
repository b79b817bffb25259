"""Where a document stands, without saying how a topic is spelt: nodes' cores speak in addresses, the bus in topics."""

from __future__ import annotations

from msgspec import Struct

from schemas.names import ContextName, InstanceId, JobId, LockName, NodeName, PlanName, RunId


class DashboardPresenceAt(Struct, frozen=True):
    """Presence of the dashboard."""


class AgentPresenceAt(Struct, frozen=True):
    """Presence of an agent."""

    agent: NodeName


class AgentPlanAt(Struct, frozen=True):
    """What of a plan is provisioned on an agent."""

    agent: NodeName
    plan: PlanName


class AgentInstanceAt(Struct, frozen=True):
    """Publication of an instance to an agent."""

    agent: NodeName
    instance: InstanceId


class AssignmentAt(Struct, frozen=True):
    """A run an agent should have."""

    agent: NodeName
    run: RunId


class RunReportAt(Struct, frozen=True):
    """What an agent says of a run."""

    agent: NodeName
    run: RunId


class FireReportAt(Struct, frozen=True):
    """What an agent says of a clock or file job of an instance."""

    agent: NodeName
    instance: InstanceId
    job: JobId


class TakenAt(Struct, frozen=True):
    """Up to which firing the dashboard has taken an agent's report."""

    agent: NodeName
    instance: InstanceId
    job: JobId


class ShareAt(Struct, frozen=True):
    """How much of what the dashboard shows is for an agent."""

    agent: NodeName


class PlanAt(Struct, frozen=True):
    """A plan."""

    plan: PlanName


class PlanVersionAt(Struct, frozen=True):
    """One version of a plan, whole."""

    plan: PlanName
    version: int


class CalendarAt(Struct, frozen=True):
    """A business calendar."""

    calendar: str


class InstanceAt(Struct, frozen=True):
    """An instance."""

    instance: InstanceId


class JobAt(Struct, frozen=True):
    """A job in one context of an instance."""

    instance: InstanceId
    context: ContextName
    job: JobId


class LockAt(Struct, frozen=True):
    """A lock of an environment group (empty: the default group)."""

    lock: LockName
    group: str


class GrantsAt(Struct, frozen=True):
    """Who may do what."""


class AgentGrantsAt(Struct, frozen=True):
    """The same, for an agent."""

    agent: NodeName


Address = (
    DashboardPresenceAt
    | AgentPresenceAt
    | AgentPlanAt
    | AgentInstanceAt
    | AssignmentAt
    | RunReportAt
    | FireReportAt
    | TakenAt
    | ShareAt
    | PlanAt
    | PlanVersionAt
    | CalendarAt
    | InstanceAt
    | JobAt
    | LockAt
    | GrantsAt
    | AgentGrantsAt
)
