"""Between topics and addresses, payloads and documents: all that the runtime asks of the topic table, for one node.

Pure. Knows which topics are this node's own; knows nothing of what is newer or what to do about it.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

from broker.bus import Publication
from broker.errors import TopicError
from broker.filters import covering
from broker.runtime.core import Reply
from broker.runtime.presence import Writer
from broker.topic_table import Role, document_type
from broker.topics import RequestTopic, ResponseTopic, Topics
from schemas.addresses import (
    Address,
    AgentGrantsAt,
    AgentInstanceAt,
    AgentPlanAt,
    AgentPresenceAt,
    AssignmentAt,
    DashboardPresenceAt,
    ShareAt,
    TakenAt,
)
from schemas.codec import Header, decode, decode_header, encode_body
from schemas.documents import Document, Presence
from schemas.names import NodeName, escape

_REMEMBERED = 4_096
"""Topics whose addresses are not made out again, and addresses not spelt again: a run's are heard of and shown several times."""


class Wire:
    """The topic table as one node sees it."""

    def __init__(self, topics: Topics, role: Role, node: NodeName) -> None:
        self._topics = topics
        self._address_of = lru_cache(maxsize=_REMEMBERED)(topics.address_of)
        self._topic_of = lru_cache(maxsize=_REMEMBERED)(topics.topic_of)
        self._node = node
        self.me: Writer = DashboardPresenceAt() if role is Role.DASHBOARD else AgentPresenceAt(node)
        self.presence = topics.topic_of(self.me)
        """Where this node's own presence stands."""
        self.own = tuple(name for name in topics.own_filters(role, node) if name != self.presence)
        """Filters of what this node alone writes, its presence aside."""
        self.is_own = covering(self.own)
        """Whether this node alone may write to a topic, whatever stands there."""
        self._for_agents = f"{topics.prefix}/agent/"
        self.client = "-".join((topics.prefix.replace("/", "-"), role.value, escape(node)))
        """The name under which this node connects."""
        self.foreign = tuple(topics.foreign_filters(role, node))
        """Filters of what it has to know of others, requests included."""

    def reads(self, version: str) -> str:
        """Stands for all that a program of this version can know of others: another one may read what this one does not."""
        return blake2b(" ".join((version, *self.foreign)).encode(), digest_size=8).hexdigest()

    def topic_of(self, address: Address) -> str:
        """Where a document stands."""
        return self._topic_of(address)

    def address_of(self, topic: str) -> Address | None:
        """What a topic is for; None: nothing we know."""
        try:
            return self._address_of(topic)
        except TopicError:
            return None

    def share_of(self, topic: str) -> NodeName | None:
        """For which agent a topic of the dashboard is; None: for everybody, or it is an agent's own."""
        if not topic.startswith(self._for_agents) or not isinstance(self.me, DashboardPresenceAt):
            return None
        address = self.address_of(topic)
        if isinstance(address, AgentPlanAt | AgentInstanceAt | AssignmentAt | TakenAt | AgentGrantsAt):
            return address.agent
        return None

    def told(self, topic: str) -> NodeName | None:
        """Which agent a topic of the dashboard tells its share; None: it is no share."""
        if not topic.endswith("/share"):  # there are many documents, and few are spelt like this
            return None
        address = self.address_of(topic)
        return address.agent if isinstance(address, ShareAt) else None

    def read(self, address: Address, payload: bytes) -> tuple[Header, Document]:
        """The document that stands at an address. Raises SchemaError."""
        return decode_header(payload), decode(payload, document_type(address))

    def read_presence(self, payload: bytes) -> tuple[Header, Presence]:
        """A presence. Raises SchemaError."""
        return decode_header(payload), decode(payload, Presence)

    def asking(self, topic: str) -> RequestTopic | None:
        """Who asks for something by this topic; None: it is no request."""
        try:
            return self._topics.request_of(topic)
        except TopicError:
            return None

    def is_again(self, topic: str) -> bool:
        """Whether somebody asks by this topic to be shown everything again."""
        return self._topics.is_again(topic)

    def again(self) -> Publication:
        """Asks all who write to show again what they show."""
        return Publication(self._topics.again(self.client), b"", retain=False)

    def answer(self, reply: Reply, part: int = 0) -> Publication:
        """The publication that answers a request."""
        topic = self._topics.response(ResponseTopic(reply.user, reply.request, self._node, part))
        return Publication(topic, encode_body(reply.answer), retain=False)
