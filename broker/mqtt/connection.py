"""One connection to a broker: aiomqtt's socket work, with its hooks led to a session. The border behind which types are vague.

What stands between aiomqtt and the port's promises, but for how packets move (``bursts``):

1. A connection's publishes fail the moment it is lost. (aiomqtt leaves them to their timeout.)
2. Each connection is a new client, and what is under way is known to the session alone: paho would send again what was already
   reported as failed.
3. What the broker answered to a publish counts: a denied one is an error. (With MQTT 3.1.1 the broker does not tell.)
4. Messages come and go without paho's objects, are handed on as they are read, not through a queue, and travel by the burst; at
   most ``WINDOW`` publishes are under way.
5. Acknowledgments can be held back, so that the broker accepts what ends a replay before any message of it is acknowledged.

aiomqtt has no public way to these, so this reaches into it and paho, and refuses to run on versions it does not know.
"""

# ruff: noqa: ARG002  # paho decides which arguments its handlers take

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import socket
import ssl
from collections.abc import Sequence

import aiomqtt
from aiomqtt import MqttError, ProtocolVersion
from aiomqtt.exceptions import MqttCodeError
from paho.mqtt import client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from broker.address import BrokerUrl
from broker.bus import WINDOW, Publication
from broker.errors import BusError
from broker.mqtt.bursts import Bursts
from broker.mqtt.packets import KIND, PUBACK, PUBLISH, Arrived, acknowledge, acknowledgment, publication, publish
from broker.mqtt.patience import Patience
from broker.mqtt.session import MqttSession
from broker.mqtt.words import CLOSED_EARLY

_KNOWN = {"aiomqtt": ("2.5.", ">=2.5,<2.6"), "paho-mqtt": ("2.1.", "2.2.", ">=2.1,<2.3")}
_SPARE = 5
"""Places beside the window, for the nonces of replays."""
_FAILURE = 0x80
"""A failure without further reason; paho's word for a connection that broke."""


def check_versions() -> None:
    """Raise BusError where aiomqtt or paho is one whose inside is not the one known here."""
    for library, (*known, wanted) in _KNOWN.items():
        version = importlib.metadata.version(library)
        if not version.startswith(tuple(known)):
            raise BusError(
                f"{library} {version} is installed, of which jobplan knows nothing: pip install '{library}{wanted}'"
            )


class Connection(aiomqtt.Client):
    """The ``Wire`` of a session."""

    def __init__(
        self,
        url: BrokerUrl,
        identifier: str,
        will: Publication | None,
        protocol: ProtocolVersion,
        tls: ssl.SSLContext | None,
        patience: Patience,
    ) -> None:
        super().__init__(
            url.host,
            url.port,
            identifier=identifier,
            protocol=protocol,
            username=url.user or None,
            password=url.password or None,
            will=None if will is None else aiomqtt.Will(will.topic, will.payload, qos=1, retain=will.retain),
            # MQTT 3.1.1 knows a clean session, MQTT 5 a clean start; each client object connects only once.
            clean_session=None if protocol is ProtocolVersion.V5 else True,
            keepalive=patience.keep_alive,
            timeout=patience.connect,
            tls_context=tls,
            # Else a packet waits for the acknowledgment of the one before, which the other side puts off: 40 ms a hop.
            socket_options=((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),),
        )
        self.window = WINDOW
        self._session: MqttSession | None = None
        self._given_up = False
        self._dialled = False
        self._held = 0
        self._unacknowledged: list[int] = []
        """Message ids of what came in while acknowledgments were held."""
        self._has_properties = protocol is ProtocolVersion.V5
        self._bursts = Bursts(self._client, self._take, self._fail)
        self._client.connect_timeout = patience.connect
        self._client.disable_logger()  # what it has to say, we say once and better

    # --- life -------------------------------------------------------------------------------------------------------

    async def open(self, session: MqttSession) -> None:
        """Connect and log in for a session; when that fails or is cancelled, nothing is left behind."""
        self._session = session
        try:
            await self.__aenter__()
        except BaseException:
            self._given_up = True
            if self._dialled:
                await self.drop()
            raise
        self._disconnected.add_done_callback(self._tell_loss)

    async def close(self) -> None:
        """See Wire; also ends aiomqtt's own task."""
        try:
            with contextlib.suppress(MqttError):  # a broker that does not take our goodbye
                await self.__aexit__(None, None, None)
        finally:
            await self.drop()

    async def drop(self) -> None:
        """Close the socket without a word, if it is open, and end aiomqtt's task."""
        self._client._sock_close()  # paho has no public way to hang up
        task = self._misc_task
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task])

    def _tell_loss(self, disconnected: asyncio.Future[None]) -> None:
        error = None if disconnected.cancelled() else disconnected.exception()
        self._client._sock_close()  # after an error in a handler aiomqtt leaves it open
        if self._session is not None:
            self._session.lose(_reason(error))

    # --- what a session sends ---------------------------------------------------------------------------------------

    def send(self, publication: Publication) -> int:
        """See Wire."""
        if self._client.socket() is None:
            raise BusError(f"the connection to the broker is lost: {paho.error_string(MQTTErrorCode.MQTT_ERR_NO_CONN)}")
        message = self._client._mid_generate()
        topic, payload, retain = publication.topic, publication.payload, publication.retain
        self._bursts.put(publish(topic, payload, message, retain=retain, has_properties=self._has_properties))
        return message

    def flush(self) -> None:
        """See Wire."""
        self._bursts.send()

    def send_subscribe(self, filters: Sequence[str]) -> int:
        """See Wire."""
        return self._sent(*self._client.subscribe([(pattern, 1) for pattern in filters]))

    def send_unsubscribe(self, filters: Sequence[str]) -> int:
        """See Wire."""
        return self._sent(*self._client.unsubscribe(list(filters)))

    def _sent(self, code: MQTTErrorCode, message: int | None) -> int:
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS or message is None:
            raise BusError(f"the connection to the broker is lost: {paho.error_string(code)}")
        return message

    def hold_acknowledgments(self) -> None:
        """See Wire."""
        self._held += 1

    def release_acknowledgments(self) -> None:
        """See Wire."""
        self._held -= 1
        if self._held == 0:
            for message in self._unacknowledged:
                self._bursts.put(acknowledge(message))
            self._unacknowledged.clear()

    # --- aiomqtt's handlers of paho's events, overridden; the types are theirs ----------------------------------------

    def _client_connect(self) -> None:
        # In a thread. Who waited for it may be gone meanwhile: then hang up.
        super()._client_connect()
        self._dialled = True
        if self._given_up:
            self._loop.call_soon_threadsafe(self._client._sock_close)

    def _on_socket_open(self, client: paho.Client, userdata: object, sock: paho.SocketLike) -> None:
        super()._on_socket_open(client, userdata, sock)
        self._bursts.open(sock)  # its reader takes the place of aiomqtt's

    def _on_socket_register_write(self, client: paho.Client, userdata: object, sock: paho.SocketLike) -> None:
        self._bursts.send_soon(threaded=not self._dialled)

    def _on_socket_unregister_write(self, client: paho.Client, userdata: object, sock: paho.SocketLike) -> None:
        self._bursts.emptied(sock)

    def _fail(self, error: Exception) -> None:
        if not self._disconnected.done():
            self._disconnected.set_exception(error)

    def _on_connect(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        limit = getattr(properties, "ReceiveMaximum", None)  # paho ignores it, and a broker may hang up on more
        if isinstance(limit, int):
            self.window = max(1, min(limit - _SPARE, WINDOW))
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._unanswered)  # this may run in the thread that dials
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    def _unanswered(self) -> None:
        if not self._given_up and not self._connected.done():  # aiomqtt would wait for an answer until its timeout
            self._connected.set_exception(MqttError(CLOSED_EARLY))

    def _take(self, command: int, content: bytes) -> bool:
        """Take what comes in by the thousand. paho would make a dozen objects of each, and look through all that is under way."""
        kind = command & KIND
        if kind == PUBLISH:
            self._arrived(publication(command, content, has_properties=self._has_properties))
        elif kind == PUBACK:
            message, reason = acknowledgment(content)
            self._answered(message, (reason,))
        return kind in {PUBLISH, PUBACK}

    def _arrived(self, arrived: Arrived) -> None:
        if self._session is not None:
            self._session.received(arrived.topic, arrived.payload, retained=arrived.retained)
        if self._held and arrived.message:
            self._unacknowledged.append(arrived.message)
        elif arrived.message:
            self._bursts.put(acknowledge(arrived.message))

    def _on_subscribe(
        self,
        client: paho.Client,
        userdata: object,
        mid: int,
        reason_codes: list[ReasonCode],
        properties: Properties | None = None,
    ) -> None:
        self._answered(mid, [code.value for code in reason_codes])

    _on_unsubscribe = _on_subscribe

    def _answered(self, message: int, codes: Sequence[int]) -> None:
        if self._session is not None:
            self._session.answered(message, codes)


def _reason(error: BaseException | None) -> str:
    """Why a connection ended, in words."""
    match error:
        case MqttCodeError(rc=ReasonCode() as code) if code.value != _FAILURE:
            return str(code)
        case None | MqttError():
            return "the broker or the network ended it"
        case _:  # not the connection's fault: a handler's
            return f"{type(error).__name__}: {error}"
