"""The bus over a real broker, by aiomqtt: a session with one of its servers, and what is tried before there is one.

A broker of several servers is any of them: when one does not let us in, or shows an old state, the next one is tried. Of these,
and of one that speaks no MQTT 5 (NATS), each replay is proved, and a topic is cleared by a tombstone first. The broker has
accepted the nonce that ends a replay before any message of that replay is acknowledged, so one whose queue for us was too short
has no room for it either: it comes back only if nothing was dropped.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from aiomqtt import MqttError, ProtocolVersion
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.reasoncodes import ReasonCode

from broker.address import BrokerUrl
from broker.bus import OnDelivery, Publication, Session
from broker.errors import BusError, RefusedError
from broker.mqtt.connection import Connection, check_versions
from broker.mqtt.patience import Patience
from broker.mqtt.servers import Servers
from broker.mqtt.session import MqttSession, Proof
from broker.mqtt.tombstones import Tombstones
from broker.mqtt.trust import trusting
from broker.mqtt.words import CLOSED_EARLY, UNTRUSTED, in_words
from broker.topics import Topics
from schemas.names import escape

_UNSUPPORTED_PROTOCOL = 132
_NOT_FOR_US = {133, 134, 135, 138, 140}
"""CONNACK: client id, user or password, not authorised, banned, authentication method."""


class MqttBus:
    """Sessions with the broker at ``url``, MQTT 5 if it speaks that, else 3.1.1."""

    def __init__(self, url: BrokerUrl, *, ca_file: Path | None = None, patience: Patience | None = None) -> None:
        """``ca_file``: certificates (PEM) to trust besides the system's, for mqtts. Raises BusError when it is unreadable."""
        check_versions()
        self._url = url
        self._patience = patience or Patience()
        self._tls = trusting(ca_file) if url.tls else None
        self._protocol = ProtocolVersion.V5
        self._servers = Servers(len(url.servers))
        self._tombstones: dict[str, Tombstones] = {}

    @property
    def unheard(self) -> bool:
        """See the port."""
        return self._servers.several

    def connect(
        self, *, client: str, will: Publication | None, on_delivery: OnDelivery
    ) -> AbstractAsyncContextManager[Session]:
        """See the port. The client id on the wire is ``client``, percent-encoded like a topic level."""
        return self._connect(client, will, on_delivery)

    @asynccontextmanager
    async def _connect(self, client: str, will: Publication | None, on_delivery: OnDelivery) -> AsyncIterator[Session]:
        session = await self._reach(client, will, on_delivery)
        try:
            yield session
        finally:
            await session.close()

    async def _reach(self, client: str, will: Publication | None, on_delivery: OnDelivery) -> MqttSession:
        """Connect to the first of the servers that lets us in, each tried once. Raises BusError as the last one did."""
        left = self._servers.count
        while True:
            left -= 1
            try:
                return await self._open(client, will, on_delivery)
            except BusError as error:
                self._servers.refused()
                if not left or isinstance(error, RefusedError):
                    raise
            except BaseException:  # cancelled: who waits for us has run out of patience with this server
                self._servers.refused()
                raise

    async def _open(self, client: str, will: Publication | None, on_delivery: OnDelivery) -> MqttSession:
        """Connect; a broker that does not take MQTT 5 gets 3.1.1, from then on if it said so, else this once."""
        try:
            return await self._enter(client, will, on_delivery, self._protocol)
        except _ProtocolRefusedError as error:
            if self._protocol is not ProtocolVersion.V5:
                raise
            session = await self._enter(client, will, on_delivery, ProtocolVersion.V311)
            if error.said:
                self._protocol = ProtocolVersion.V311
            return session

    async def _enter(
        self, client: str, will: Publication | None, on_delivery: OnDelivery, protocol: ProtocolVersion
    ) -> MqttSession:
        url = self._url.server(self._servers.number)
        topics = Topics(url.prefix)
        comes_back = will is not None  # nobody else would be there to take marks and tombstones away
        proof = self._proof(protocol, comes_back=comes_back)
        stones = self._tombstones.setdefault(client, Tombstones(client)) if comes_back and proof is Proof.MARK else None
        wire = Connection(url, escape(client), will, protocol, self._tls, self._patience)
        session = MqttSession(
            wire,
            broker=str(url),
            sync=topics.sync(client),
            again=topics.again(client),
            on_delivery=on_delivery,
            patience=self._patience,
            servers=self._servers,
            proof=proof,
            tombstones=stones,
        )
        try:
            await wire.open(session)
        except MqttConnectError as error:
            raise _refusal(url, error.rc) from error
        except MqttError as error:
            text = str(error)
            kind = _ProtocolRefusedError if text == CLOSED_EARLY else RefusedError if UNTRUSTED in text else BusError
            raise kind(f"broker {url}: {in_words(text, tls=url.tls)}") from error
        except (UnicodeError, ValueError) as error:
            raise BusError(f"broker {url}: not a host that can be looked up") from error
        return session

    def _proof(self, protocol: ProtocolVersion, *, comes_back: bool) -> Proof:
        """What a replay takes to be believed: of several servers, or of one that speaks no MQTT 5 (NATS), more than itself."""
        if self._servers.several:
            return Proof.MARK
        if protocol is ProtocolVersion.V5:
            return Proof.NONE
        return Proof.MARK if comes_back else Proof.TWICE


async def hang_up(session: Session) -> None:
    """End a session of an ``MqttBus`` without a goodbye, as a crash would."""
    if isinstance(session, MqttSession):
        await session.hang_up()


class _ProtocolRefusedError(BusError):
    """The broker does not speak this version of MQTT, as it said, or it hung up on us."""

    def __init__(self, message: str, *, said: bool = False) -> None:
        super().__init__(message)
        self.said = said


def _refusal(url: BrokerUrl, code: object) -> BusError:
    """What a CONNACK's failure means."""
    value = code.value if isinstance(code, ReasonCode) else code
    if value == _UNSUPPORTED_PROTOCOL:
        return _ProtocolRefusedError(f"broker {url} does not speak this version of MQTT", said=True)
    who = f"user '{url.user}'" if url.user else "a client without user and password"
    kind = RefusedError if value in _NOT_FOR_US else BusError
    return kind(f"broker {url} refuses {who}: {code}")
