"""Which topics a client reads and writes: scopes to filters, topics to addresses. The bus's own table does the spelling."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from broker.address import BrokerUrl, parse_url
from broker.errors import BrokerUrlError, TopicError
from broker.topic_table import TABLE, Role, filter_of
from broker.topics import RequestTopic, Topics
from jobplan.errors import BadInputError
from schemas.addresses import Address
from schemas.names import InstanceId, NodeName, RequestId, UserName

ANONYMOUS = UserName("anonymous")


class Scope(Enum):
    """A part of what is retained."""

    PRESENCES = ("dashboard/presence", "agent/+/presence")
    PLANS = ("plan/+",)
    INSTANCES = ("instance/+",)
    LOCKS = ("lock/+",)
    JOBS = ("instance/+/job/+/+",)
    ALL = tuple(filter_of(row.pattern) for row in TABLE if row.retained and Role.PERSON in row.readers)


class JobsOf(Struct, frozen=True):
    """Scope: the jobs of one instance."""

    instance: InstanceId


class RunsOf(Struct, frozen=True):
    """Scope: the runs of one instance that agents should have."""

    instance: InstanceId


Part = Scope | JobsOf | RunsOf
"""A part of what is retained."""


class Wire:
    """The topics of one user under one prefix."""

    def __init__(self, topics: Topics, user: UserName = ANONYMOUS) -> None:
        self.user = user
        self.prefix = topics.prefix
        self._topics = topics

    @staticmethod
    def at(url: BrokerUrl) -> Wire:
        """For the user and prefix that a broker's address names."""
        return Wire(Topics(url.prefix), UserName(url.user) if url.user else ANONYMOUS)

    def filters(self, part: Part) -> list[str]:
        """What to subscribe to."""
        match part:
            case JobsOf(instance):
                levels: tuple[str, ...] = (f"instance/{instance}/job/+/+",)
            case RunsOf(instance):
                levels = (f"agent/+/assignment/{instance}/+",)
            case _:
                levels = part.value
        return [f"{self.prefix}/{one}" for one in levels]

    def address(self, topic: str) -> Address | None:
        """What stands there; None: nothing we know."""
        try:
            return self._topics.address_of(topic)
        except TopicError:
            return None

    def topic(self, address: Address) -> str:
        """Where it stands."""
        return self._topics.topic_of(address)

    def request(self, request: RequestId, agent: NodeName | None) -> str:
        """Where the dashboard (``agent`` is None), or an agent, is asked."""
        return self._topics.request(RequestTopic(self.user, request, agent))

    def answers(self, request: RequestId) -> str:
        """What to subscribe to for the answers to a request."""
        return self._topics.responses(self.user, request)

    def answer(self, topic: str) -> tuple[RequestId, int] | None:
        """Which request a topic answers, and with which part; None: it is no answer."""
        if not topic.startswith(f"{self.prefix}/response/"):
            return None
        try:
            found = self._topics.response_of(topic)
        except TopicError:
            return None
        return found.request, found.part


def broker_at(text: str) -> BrokerUrl:
    """The broker a person names. Raises BadInputError."""
    try:
        return parse_url(text)
    except BrokerUrlError as error:
        raise BadInputError(f"--broker: {error}") from error
