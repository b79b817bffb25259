"""The table of topics: pattern, who writes, who reads, retained or not, which document, and what it shows.

Everything that is said elsewhere about topics - subscriptions, access rules, documentation - is made from it. It knows no
broker and spells no name: ``broker.topics`` does.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import assert_never

from msgspec import Struct

from schemas.addresses import (
    Address,
    AgentGrantsAt,
    AgentInstanceAt,
    AgentPlanAt,
    AgentPresenceAt,
    AssignmentAt,
    CalendarAt,
    DashboardPresenceAt,
    FireReportAt,
    GrantsAt,
    InstanceAt,
    JobAt,
    LockAt,
    PlanAt,
    PlanVersionAt,
    RunReportAt,
    ShareAt,
    TakenAt,
)
from schemas.documents import (
    AgentInstance,
    AgentPlan,
    Assignment,
    CalendarDays,
    Document,
    FireReport,
    Grants,
    InstanceStatus,
    JobState,
    LockState,
    PlanStatus,
    PlanVersion,
    Presence,
    RunReport,
    Share,
    Taken,
)


class Role(StrEnum):
    """Who writes or reads a topic."""

    DASHBOARD = "dashboard"
    AGENT = "agent"
    PERSON = "person"
    """A person's tool."""
    ANSWERER = "the node that answers"
    CLIENT = "each client"


class Row(Struct, frozen=True, kw_only=True):
    """One line of the table. A level ``{name}`` of ``pattern`` stands for any one name; for a topic's writer, its own."""

    pattern: str
    writer: Role
    readers: tuple[Role, ...]
    """The writer of a retained topic reads it besides: at start it sees what it still shows."""
    retained: bool = True
    documents: tuple[type[Document], ...] = ()
    shows: str


_D, _A, _P = Role.DASHBOARD, Role.AGENT, Role.PERSON

TABLE: tuple[Row, ...] = (
    Row(
        pattern="dashboard/presence",
        writer=_D,
        readers=(_A, _P),
        documents=(Presence,),
        shows="Whether the dashboard is alive, its epoch and connection, and whether its projection is complete; also its will.",
    ),
    Row(
        pattern="dashboard/grants",
        writer=_D,
        readers=(_P,),
        documents=(Grants,),
        shows="Who may do what; nothing stands there as long as nothing was granted to anybody.",
    ),
    Row(
        pattern="agent/{agent}/presence",
        writer=_A,
        readers=(_D, _P),
        documents=(Presence,),
        shows="The same for an agent, with host, version, zone, labels and dry-run mode; also its will.",
    ),
    Row(
        pattern="agent/{agent}/plan/{plan}",
        writer=_D,
        readers=(_A, _P),
        documents=(AgentPlan,),
        shows="The job definitions provisioned on this agent.",
    ),
    Row(
        pattern="agent/{agent}/instance/{instance}",
        writer=_D,
        readers=(_A, _P),
        documents=(AgentInstance,),
        shows="Publication of a job plan instance to this agent; cleared means removed.",
    ),
    Row(
        pattern="agent/{agent}/assignment/{instance}/{run}",
        writer=_D,
        readers=(_A, _P),
        documents=(Assignment,),
        shows="A run the agent should have, or should stop.",
    ),
    Row(
        pattern="agent/{agent}/report/{instance}/{job-or-run}",
        writer=_A,
        readers=(_D, _P),
        documents=(RunReport, FireReport),
        shows="State of a run, or the fires of a file or clock job that are not yet acknowledged.",
    ),
    Row(
        pattern="agent/{agent}/taken/{instance}/{job}",
        writer=_D,
        readers=(_A, _P),
        documents=(Taken,),
        shows="Up to which fire of a file or clock job the dashboard has saved; the agent drops those from its report.",
    ),
    Row(
        pattern="agent/{agent}/grants",
        writer=_D,
        readers=(_A, _P),
        documents=(Grants,),
        shows="Who may ask this agent for what; it refuses the rest.",
    ),
    Row(
        pattern="agent/{agent}/share",
        writer=_D,
        readers=(_A, _P),
        documents=(Share,),
        shows="How many of the dashboard's documents are for this agent, which can count no others.",
    ),
    Row(
        pattern="plan/{plan}",
        writer=_D,
        readers=(_P,),
        documents=(PlanStatus,),
        shows="Whether a plan is enabled, its next start, running instances and last outcome.",
    ),
    Row(
        pattern="plan/{plan}/version/{version}",
        writer=_D,
        readers=(_P,),
        documents=(PlanVersion,),
        shows="A version of a plan that is the newest or still runs: what a dashboard that lost its disk goes on from.",
    ),
    Row(
        pattern="calendar/{calendar}",
        writer=_D,
        readers=(_P,),
        documents=(CalendarDays,),
        shows="The days of a business calendar.",
    ),
    Row(
        pattern="instance/{instance}",
        writer=_D,
        readers=(_P,),
        documents=(InstanceStatus,),
        shows="Status of an instance, its counts by status, window and parameters.",
    ),
    Row(
        pattern="instance/{instance}/job/{context}/{job}",
        writer=_D,
        readers=(_P,),
        documents=(JobState,),
        shows="Status of one job in one context, its last run, times and reason.",
    ),
    Row(
        pattern="lock/{lock}",
        writer=_D,
        readers=(_P,),
        documents=(LockState,),
        shows="Holders and queue of a lock; in an environment group the level is {group}~{lock}.",
    ),
    Row(
        pattern="notification/{plan}",
        writer=_D,
        readers=(_P,),
        retained=False,
        shows="What people are told of a plan (`~dashboard`: of the installation), for those who subscribe.",
    ),
    Row(
        pattern="request/{user}/{id}",
        writer=_P,
        readers=(_D,),
        retained=False,
        shows="What a person asks of the dashboard (start, hold, skip, kill, history, ...).",
    ),
    Row(
        pattern="agent/{agent}/request/{user}/{id}",
        writer=_P,
        readers=(_A,),
        retained=False,
        shows="What a person asks of an agent (a part of a log, ...).",
    ),
    Row(
        pattern="response/{user}/{id}/{node}/{part}",
        writer=Role.ANSWERER,
        readers=(_P,),
        retained=False,
        shows="The answer: ok with data, or refused with a reason; in parts when it is long or follows a log.",
    ),
    Row(
        pattern="_sync/{client}",
        writer=Role.CLIENT,
        readers=(Role.CLIENT,),
        retained=False,
        shows="The nonce that ends a replay.",
    ),
    Row(
        pattern="_sync/{client}/{mark}",
        writer=Role.CLIENT,
        readers=(Role.CLIENT,),
        shows="For a moment, at NATS: a mark, by which a client sees whether a server's list has come to it.",
    ),
    Row(
        pattern="_again/{client}",
        writer=Role.CLIENT,
        readers=(_D, _A),
        retained=False,
        shows="No server of the broker could prove its replay: whoever writes shows all of it again.",
    ),
)


def document_type(address: Address) -> type[Document]:  # noqa: C901, PLR0911, PLR0912  # one line an address
    """What stands at an address."""
    match address:
        case DashboardPresenceAt() | AgentPresenceAt():
            return Presence
        case AgentPlanAt():
            return AgentPlan
        case AgentInstanceAt():
            return AgentInstance
        case AssignmentAt():
            return Assignment
        case RunReportAt():
            return RunReport
        case FireReportAt():
            return FireReport
        case TakenAt():
            return Taken
        case ShareAt():
            return Share
        case PlanAt():
            return PlanStatus
        case PlanVersionAt():
            return PlanVersion
        case CalendarAt():
            return CalendarDays
        case InstanceAt():
            return InstanceStatus
        case JobAt():
            return JobState
        case LockAt():
            return LockState
        case GrantsAt() | AgentGrantsAt():
            return Grants
        case _:
            assert_never(address)


def filter_of(pattern: str, **known: str) -> str:
    """The subscription that covers a pattern of the table: ``+`` for each ``{name}`` but those whose level is given."""
    return re.sub(r"\{([a-z-]+)\}", lambda name: known.get(name[1], "+"), pattern)
