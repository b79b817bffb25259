"""How an address is spelt as a topic, and read back. Pure text; knows no broker, and what stands where from the table alone.

A name becomes one level by percent-encoding; ids are one level as they are. There is exactly one topic for an address and one
address for a topic: a level spelt in any other way than ours is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import assert_never

from msgspec import Struct

from broker.errors import TopicError
from broker.topic_table import TABLE, Role, Row, filter_of
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
from schemas.names import (
    ContextName,
    InstanceId,
    JobId,
    LockName,
    NameFormatError,
    NodeName,
    PlanName,
    RequestId,
    RunId,
    UserName,
    escape,
    instance_of,
    plan_of,
    run_from,
    run_leaf,
    unescape,
)

DEFAULT_PREFIX = "jobplan/v1"
_REMEMBERED = 1_024
"""Instances whose ids are not looked at again: all that runs in one bears its id."""
DASHBOARD = NodeName("dashboard")
"""The dashboard's name as a node that answers; no agent may be called so."""


class RequestTopic(Struct, frozen=True):
    """Who asks, under which id; ``agent`` is None when the dashboard is asked."""

    user: UserName
    request: RequestId
    agent: NodeName | None = None


class ResponseTopic(Struct, frozen=True):
    """Who is answered, for which request, by which node, with which part (0, 1, ...)."""

    user: UserName
    request: RequestId
    node: NodeName
    part: int = 0


def check_prefix(prefix: str) -> None:
    """Raise TopicError unless ``prefix`` can stand before all topics: levels of plain text, none empty, no wildcard."""
    levels = prefix.split("/")
    if "" in levels or prefix.startswith("$") or any(mark in prefix for mark in "+#\0"):
        raise TopicError(f"'{prefix}' cannot be a topic prefix: no empty level, no '+', no '#', no '$' at the start")


class Topics:
    """The spelling of everything under one prefix."""

    def __init__(self, prefix: str = DEFAULT_PREFIX) -> None:
        """``prefix`` has no slash at either end. Raises TopicError."""
        check_prefix(prefix)
        self.prefix = prefix
        self._root = prefix + "/"

    def topic_of(self, address: Address) -> str:
        """The topic on which the document at ``address`` stands."""
        return self._root + _spell(address)

    def address_of(self, topic: str) -> Address:
        """The address that ``topic`` spells; TopicError when it is none, such as a request or somebody else's topic."""
        levels = self._levels(topic)
        try:
            address = _parse(levels)
        except NameFormatError as error:
            raise TopicError(f"topic '{topic}': {error}") from error
        if address is None:
            raise TopicError(f"topic '{topic}' is none on which a document stands")
        if _spell(address) != "/".join(levels):
            raise TopicError(f"topic '{topic}' spells a name in another way than by percent-encoding")
        return address

    def request(self, asked: RequestTopic) -> str:
        """Where a request is published."""
        to = "" if asked.agent is None else f"agent/{escape(asked.agent)}/"
        return f"{self._root}{to}request/{escape(asked.user)}/{escape(asked.request)}"

    def request_of(self, topic: str) -> RequestTopic:
        """What a request's topic says; raises TopicError."""
        match self._levels(topic):
            case ["request", user, request]:
                asked = RequestTopic(UserName(unescape(user)), RequestId(unescape(request)))
            case ["agent", agent, "request", user, request]:
                asked = RequestTopic(UserName(unescape(user)), RequestId(unescape(request)), NodeName(unescape(agent)))
            case _:
                raise TopicError(f"topic '{topic}' is no request's")
        if self.request(asked) != topic:
            raise TopicError(f"topic '{topic}' spells a name in another way than by percent-encoding")
        return asked

    def response(self, answered: ResponseTopic) -> str:
        """Where one part of an answer is published."""
        return (
            f"{self._root}response/{escape(answered.user)}/{escape(answered.request)}"
            f"/{escape(answered.node)}/{answered.part}"
        )

    def response_of(self, topic: str) -> ResponseTopic:
        """What an answer's topic says; raises TopicError."""
        match self._levels(topic):
            case ["response", user, request, node, part] if part.isascii() and part.isdigit():
                answered = ResponseTopic(
                    UserName(unescape(user)), RequestId(unescape(request)), NodeName(unescape(node)), int(part)
                )
            case _:
                raise TopicError(f"topic '{topic}' is no response's")
        if self.response(answered) != topic:
            raise TopicError(f"topic '{topic}' spells a name in another way than by percent-encoding")
        return answered

    def responses(self, user: UserName, request: RequestId | None = None) -> str:
        """The subscription to all answers to a user, or to those to one request."""
        return f"{self._root}response/{escape(user)}/{'#' if request is None else escape(request) + '/#'}"

    def notification(self, plan: PlanName | str) -> str:
        """Where people are told of a plan; without one, of the installation: no plan is spelt like that."""
        return f"{self._root}notification/{escape(plan) if plan else '~dashboard'}"

    def sync(self, client: str) -> str:
        """Where a client sends itself the nonce that ends a replay."""
        return f"{self._root}_sync/{escape(client)}"

    def again(self, client: str) -> str:
        """Where a client asks all who write to show again what they show."""
        return f"{self._root}_again/{escape(client)}"

    def is_again(self, topic: str) -> bool:
        """Whether somebody asks to be shown everything again."""
        return topic.startswith(f"{self._root}_again/")

    def own_filters(self, role: Role, node: NodeName) -> tuple[str, ...]:
        """Subscriptions to everything retained that the node itself writes."""
        return self._filters(lambda row: row.retained and row.writer is role, role, node)

    def foreign_filters(self, role: Role, node: NodeName) -> tuple[str, ...]:
        """Subscriptions to everything that the node is to read and others write: documents, requests."""
        return self._filters(lambda row: role in row.readers, role, node)

    def _filters(self, wanted: Callable[[Row], bool], role: Role, node: NodeName) -> tuple[str, ...]:
        known = {"agent": escape(node)} if role is Role.AGENT else {}
        return tuple(self._root + filter_of(row.pattern, **known) for row in TABLE if wanted(row))

    def _levels(self, topic: str) -> list[str]:
        if not topic.startswith(self._root):
            raise TopicError(f"topic '{topic}' is not under '{self.prefix}'")
        levels = topic[len(self._root) :].split("/")
        if "" in levels:
            raise TopicError(f"topic '{topic}' has an empty level")
        return levels


def _spell(address: Address) -> str:  # noqa: C901, PLR0911, PLR0912  # one line an address
    match address:  # what there is most of comes first: each line costs its turn
        case JobAt(instance, context, job):
            return f"instance/{instance}/job/{escape(context)}/{escape(job)}"
        case AssignmentAt(agent, run):
            return f"agent/{escape(agent)}/assignment/{instance_of(run)}/{run_leaf(run)}"
        case RunReportAt(agent, run):
            return f"agent/{escape(agent)}/report/{instance_of(run)}/{run_leaf(run)}"
        case InstanceAt(instance):
            return f"instance/{instance}"
        case DashboardPresenceAt():
            return "dashboard/presence"
        case GrantsAt():
            return "dashboard/grants"
        case AgentPresenceAt(agent):
            return f"agent/{escape(agent)}/presence"
        case AgentGrantsAt(agent):
            return f"agent/{escape(agent)}/grants"
        case AgentPlanAt(agent, plan):
            return f"agent/{escape(agent)}/plan/{escape(plan)}"
        case AgentInstanceAt(agent, instance):
            return f"agent/{escape(agent)}/instance/{instance}"
        case FireReportAt(agent, instance, job):
            return f"agent/{escape(agent)}/report/{instance}/{escape(job)}"
        case TakenAt(agent, instance, job):
            return f"agent/{escape(agent)}/taken/{instance}/{escape(job)}"
        case ShareAt(agent):
            return f"agent/{escape(agent)}/share"
        case PlanAt(plan):
            return f"plan/{escape(plan)}"
        case PlanVersionAt(plan, version):
            return f"plan/{escape(plan)}/version/{version}"
        case CalendarAt(calendar):
            return f"calendar/{escape(calendar)}"
        case LockAt(lock, group):
            return f"lock/{escape(group)}~{escape(lock)}" if group else f"lock/{escape(lock)}"
        case _:
            assert_never(address)


def _parse(levels: list[str]) -> Address | None:  # noqa: C901, PLR0911, PLR0912  # one line an address
    match levels:
        case ["dashboard", "presence"]:
            return DashboardPresenceAt()
        case ["dashboard", "grants"]:
            return GrantsAt()
        case ["agent", agent, "grants"]:
            return AgentGrantsAt(_node(agent))
        case ["agent", agent, "presence"]:
            return AgentPresenceAt(_node(agent))
        case ["agent", agent, "plan", plan]:
            return AgentPlanAt(_node(agent), PlanName(unescape(plan)))
        case ["agent", agent, "instance", instance]:
            return AgentInstanceAt(_node(agent), _instance(instance))
        case ["agent", agent, "assignment", instance, leaf]:
            return AssignmentAt(_node(agent), _run(instance, leaf))
        case ["agent", agent, "report", instance, leaf] if "~" in leaf:
            return RunReportAt(_node(agent), _run(instance, leaf))
        case ["agent", agent, "report", instance, job]:
            return FireReportAt(_node(agent), _instance(instance), _job(job))
        case ["agent", agent, "taken", instance, job]:
            return TakenAt(_node(agent), _instance(instance), _job(job))
        case ["agent", agent, "share"]:
            return ShareAt(_node(agent))
        case ["plan", plan]:
            return PlanAt(PlanName(unescape(plan)))
        case ["plan", plan, "version", version] if version.isascii() and version.isdigit():
            return PlanVersionAt(PlanName(unescape(plan)), int(version))
        case ["calendar", calendar]:
            return CalendarAt(unescape(calendar))
        case ["instance", instance]:
            return InstanceAt(_instance(instance))
        case ["instance", instance, "job", context, job]:
            return JobAt(_instance(instance), ContextName(unescape(context)), _job(job))
        case ["lock", level] if not level.endswith("~"):
            group, _, lock = level.rpartition("~")
            return LockAt(LockName(unescape(lock)), unescape(group))
        case _:
            return None


def _node(level: str) -> NodeName:
    return NodeName(unescape(level))


def _job(level: str) -> JobId:
    return JobId(unescape(level))


@lru_cache(maxsize=_REMEMBERED)
def _instance(level: str) -> InstanceId:
    """The id that a level is, as it stands; its plan's name must be spelt in our way."""
    instance = InstanceId(level)
    plan = plan_of(instance)
    if not plan or not level.startswith(escape(plan) + "-"):
        raise NameFormatError(f"'{level}' is not an instance id: it does not begin with a percent-encoded name")
    return instance


def _run(level: str, leaf: str) -> RunId:
    """The run of an instance's level and a leaf; context and job must be spelt in our way, the attempt be 1, 2, ..."""
    run = run_from(_instance(level), leaf)
    *names, attempt = leaf.split("~")
    plain = attempt.isascii() and attempt.isdigit() and not attempt.startswith("0")
    if not plain or any(not name or escape(unescape(name)) != name for name in names):
        raise NameFormatError(f"'{leaf}' is not the end of a run id: CONTEXT~JOB~ATTEMPT is wanted")
    return run
