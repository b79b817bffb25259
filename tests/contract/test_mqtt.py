"""What the bus over a real broker does when the network or the broker misbehaves."""

from __future__ import annotations

import asyncio
import importlib.metadata
import re
import shutil
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import MQTTErrorCode

from broker.address import BrokerUrl, parse_url
from broker.bus import Delivery, Publication
from broker.errors import BusError, RefusedError
from broker.mqtt.bus import MqttBus
from broker.mqtt.patience import Patience
from broker.ports import free_port
from tests.support.broker_under_test import DEFAULT_LIMITS, Box
from tests.support.line import Mqtt5, line_to
from tests.support.mosquitto import Mosquitto, running_mosquitto

HOST = "127.0.0.1"
SHORT = Patience(connect=0.3, acknowledge=0.3, replay=0.3)
WITHIN = 5.0


def bus_to(port: int, prefix: str = "test/mqtt", patience: Patience | None = None) -> MqttBus:
    """The bus to a port of this host."""
    return MqttBus(BrokerUrl(host=HOST, port=port, prefix=prefix), patience=patience)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port on which connections are accepted, and nobody ever says anything."""
    with closing(socket.create_server((HOST, 0))) as server:
        yield server.getsockname()[1]


async def test_silent_server_is_given_up(silent_port: int) -> None:
    """A server that does not answer is given up after the patience for it."""
    bus = bus_to(silent_port, patience=SHORT)

    with pytest.raises(BusError, match="no answer"):
        async with bus.connect(client="a", will=None, on_delivery=Box()):
            pass


async def test_cancelled_connecting_leaves_nothing(silent_port: int) -> None:
    """Who is cancelled while the broker has not answered leaves no task and no socket."""
    bus = bus_to(silent_port)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), bus.connect(client="a", will=None, on_delivery=Box()):
            pass


async def test_host_that_is_none_is_an_error() -> None:
    """A host that cannot be looked up is one line, not a traceback of the resolver."""
    bus = MqttBus(BrokerUrl(host="x" * 70 + ".invalid", port=1883))

    with pytest.raises(BusError, match="broker mqtt://"):
        async with bus.connect(client="a", will=None, on_delivery=Box()):
            pass


@pytest.mark.parametrize("manner", ["is refused", "is hung up on"])
async def test_older_protocol_is_fallen_back_to(mosquitto: Mosquitto, prefix: str, manner: Mqtt5) -> None:
    """A broker that does not take MQTT 5 is spoken to in MQTT 3.1.1, in later sessions as well."""
    with line_to(mosquitto.port, manner) as line:
        bus = bus_to(line.port, prefix)
        for _ in range(2):
            box = Box()
            async with bus.connect(client="a", will=None, on_delivery=box) as session:
                await session.publish([Publication(f"{prefix}/x", b"1")])
                await session.subscribe([f"{prefix}/#"])

            assert box.newest == {f"{prefix}/x": b"1"}


async def test_frozen_broker_is_given_up(own_mosquitto: Mosquitto) -> None:
    """A broker that acknowledges nothing at all for too long counts as lost, for every call."""
    patience = Patience(acknowledge=0.3)
    async with bus_to(own_mosquitto.port, patience=patience).connect(
        client="a", will=None, on_delivery=Box()
    ) as session:
        own_mosquitto.freeze()
        with pytest.raises(BusError, match="no answer for"):
            await session.publish([Publication("x", b"1")])

        assert await session.lost()
        own_mosquitto.thaw()


async def test_frozen_broker_is_noticed_when_nothing_is_asked_of_it(own_mosquitto: Mosquitto) -> None:
    """Without any call under way, the keep-alive finds out, after about twice its time."""
    patience = Patience(keep_alive=1)
    async with bus_to(own_mosquitto.port, patience=patience).connect(
        client="a", will=None, on_delivery=Box()
    ) as session:
        own_mosquitto.freeze()
        async with asyncio.timeout(WITHIN):
            assert await session.lost()
        own_mosquitto.thaw()


async def test_handler_that_fails_ends_the_session(mosquitto: Mosquitto, prefix: str) -> None:
    """An error in ``on_delivery`` is a loss of the connection whose reason names the error."""

    def fail(_: Delivery) -> None:
        raise ValueError("cannot take that")

    async with bus_to(mosquitto.port, prefix).connect(client=prefix, will=None, on_delivery=fail) as session:
        await session.publish([Publication(f"{prefix}/x", b"1")])
        with pytest.raises(BusError):
            await session.subscribe([f"{prefix}/#"])

        async with asyncio.timeout(WITHIN):
            assert "ValueError: cannot take that" in await session.lost()


async def test_broker_with_few_places_is_not_overrun(tmp_path: Path) -> None:
    """A broker that takes only few unacknowledged publishes is not sent more: it may hang up on who does."""
    with running_mosquitto(tmp_path / "broker", "allow_anonymous true", *DEFAULT_LIMITS) as broker:
        async with bus_to(broker.port).connect(client="a", will=None, on_delivery=Box()) as session:
            await asyncio.gather(
                *(session.publish([Publication(f"x/{n}/{m}", b"1") for m in range(100)]) for n in range(5))
            )

        assert "quota" not in broker.log
        assert "rror" not in broker.log


async def test_packets_travel_in_bursts(mosquitto: Mosquitto, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch leaves in one system call, and what has come in is read in one: a packet a call was most of a node's work."""
    calls: Counter[str] = Counter()
    packets: Counter[str] = Counter()
    send, receive, handle = paho.Client._sock_send, paho.Client._sock_recv, paho.Client._packet_handle

    def counted_send(client: paho.Client, buf: bytes) -> int:
        calls["send"] += 1
        return send(client, buf)

    def counted_receive(client: paho.Client, bufsize: int) -> bytes:
        calls["receive"] += 1
        return receive(client, bufsize)

    def counted_packet(client: paho.Client) -> MQTTErrorCode:
        packets["in"] += 1
        return handle(client)

    monkeypatch.setattr(paho.Client, "_sock_send", counted_send)
    monkeypatch.setattr(paho.Client, "_sock_recv", counted_receive)
    monkeypatch.setattr(paho.Client, "_packet_handle", counted_packet)
    async with bus_to(mosquitto.port, prefix).connect(client=prefix, will=None, on_delivery=Box()) as session:
        calls.clear()
        packets.clear()
        await session.publish([Publication(f"{prefix}/{number}", b"x" * 400) for number in range(80)])

    assert calls["send"] <= 2  # the batch, and the goodbye
    assert packets["in"] == 0  # paho makes objects of none of them
    assert calls["receive"] <= 80  # by paho alone they were 240


async def test_one_refusal_spoils_no_other_call(tmp_path: Path) -> None:
    """Publishes of several tasks at once share the connection, and each hears of its own topics alone."""
    rules = tmp_path / "rules"
    rules.write_text("topic readwrite #\ntopic deny x/denied\n", encoding="utf-8")
    with running_mosquitto(tmp_path / "broker", "allow_anonymous true", f"acl_file {rules}") as broker:
        async with bus_to(broker.port).connect(client="a", will=None, on_delivery=Box()) as session:
            calls = [session.publish([Publication(f"x/{name}", b"1")] * 200) for name in ("good", "denied", "fine")]
            good, denied, fine = await asyncio.gather(*calls, return_exceptions=True)

    assert good is None
    assert fine is None
    assert isinstance(denied, RefusedError)
    assert "199 more" in str(denied)


async def test_tls_needs_a_trusted_certificate(tmp_path: Path) -> None:
    """TLS works with the broker's certificate in the CA file, and is refused without."""
    key, certificate = _certificate(tmp_path)
    port = Mosquitto(tmp_path).port
    tls = (f"listener {port} {HOST}", f"certfile {certificate}", f"keyfile {key}", "allow_anonymous true")
    with running_mosquitto(tmp_path / "broker", *tls):
        url = BrokerUrl(host=HOST, port=port, tls=True)
        with pytest.raises(BusError, match="certificate"):
            async with MqttBus(url).connect(client="a", will=None, on_delivery=Box()):
                pass
        box = Box()
        async with MqttBus(url, ca_file=certificate).connect(client="a", will=None, on_delivery=box) as session:
            await session.publish([Publication("x", bytes(300_000))])
            await session.subscribe(["x"])

    assert len(box.newest["x"]) == 300_000


def _certificate(folder: Path) -> tuple[Path, Path]:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed, which makes the certificate for this test")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    kind = ["-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=test", "-addext", f"subjectAltName=IP:{HOST}"]
    command = [program, "req", "-x509", *kind, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    return key, certificate


def test_unreadable_certificates_are_an_error(tmp_path: Path) -> None:
    """A CA file that is none is one line that names it."""
    url = BrokerUrl(host=HOST, port=1, tls=True)
    for content in (None, "no certificate"):
        file = tmp_path / "ca.pem"
        if content is not None:
            file.write_text(content, encoding="utf-8")

        with pytest.raises(BusError, match=r"ca\.pem"):
            MqttBus(url, ca_file=file)


@pytest.mark.parametrize(
    ("library", "other", "wanted"), [("aiomqtt", "2.6.0", ">=2.5,<2.6"), ("paho-mqtt", "2.3.0", ">=2.1,<2.3")]
)
def test_other_library_is_not_used(library: str, other: str, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version whose inside is not known is refused at start, with the version to install."""
    installed = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: other if name == library else installed(name))

    with pytest.raises(BusError, match=re.escape(f"pip install '{library}{wanted}'")):
        bus_to(1)


async def test_refusal_shows_no_password(mosquitto: Mosquitto) -> None:
    """No message of the bus holds the password of its address."""
    url = parse_url(f"mqtt://u:s%C3%A9cret@{HOST}:{mosquitto.port}")
    mosquitto.freeze()
    try:
        with pytest.raises(BusError) as refusal:
            async with MqttBus(url, patience=SHORT).connect(client="a", will=None, on_delivery=Box()):
                pass
    finally:
        mosquitto.thaw()

    assert "u@" in str(refusal.value)
    assert "cret" not in str(refusal.value)


async def test_who_finds_one_server_down_goes_to_the_next(mosquitto: Mosquitto, prefix: str) -> None:
    """Of a broker with several addresses, in one attempt; with all of them down the last one is named."""
    down, other = free_port(), free_port()
    nowhere = MqttBus(BrokerUrl(host=HOST, port=down, prefix=prefix, others=((HOST, other),)))
    with pytest.raises(BusError, match=str(other)):
        async with nowhere.connect(client="a", will=None, on_delivery=Box()):
            pass

    bus = MqttBus(BrokerUrl(host=HOST, port=down, prefix=prefix, others=((HOST, mosquitto.port),)))
    async with bus.connect(client="a", will=None, on_delivery=Box()) as session:
        await session.subscribe([f"{prefix}/#"])


async def test_connection_that_looks_again_and_is_told_everything_stays(mosquitto: Mosquitto, prefix: str) -> None:
    """With several addresses, whatever is published meanwhile: each word of it is handed on once."""
    topics = [f"{prefix}/{number}" for number in range(20)]
    url, heard = BrokerUrl(host=HOST, port=mosquitto.port, prefix=prefix, others=((HOST, mosquitto.port),)), Box()
    bus = MqttBus(url, patience=Patience(listen=0.002))
    async with bus_to(mosquitto.port, prefix).connect(client="b", will=None, on_delivery=Box()) as writer:
        await writer.publish([Publication(topic, b"0") for topic in topics])
        async with bus.connect(client="a", will=None, on_delivery=heard) as session:
            await session.subscribe([f"{prefix}/+", f"{prefix}/more/#"])
            for number in range(1, 100):
                await writer.publish([Publication(topic, b"%d" % number if number % 7 else b"") for topic in topics])
                await writer.publish([Publication(f"{prefix}/more/{number}", b"please", retain=False)])
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(session.lost(), timeout=1.0)

    for topic in topics:
        assert heard.payloads(topic) == [b"%d" % number if number % 7 or not number else b"" for number in range(100)]
