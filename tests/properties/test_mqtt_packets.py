"""Packets are read and written as paho does it, whose code is the second version here."""

from __future__ import annotations

import socket
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt import _packet as naive
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties, VariableByteIntegers
from paho.mqtt.reasoncodes import ReasonCode

from broker.mqtt.packets import acknowledge, acknowledgment, content, publication, publish

TOPICS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)
IDS = st.integers(1, 65_535)
FLAGS = st.integers(0, 7).map(lambda flags: 0x30 | (flags & 1) | (flags & 2) | (flags & 4) << 1)
"""Retained or not, QoS 0 or 1, a duplicate or not."""


@st.composite
def properties(draw: st.DrawFn) -> bytes:
    """Of a PUBLISH: few or many bytes."""
    found = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's types end here
    for name in draw(st.lists(st.sampled_from(["a", "b", "c"]), max_size=3)):
        found.UserProperty = (name, draw(st.text("xyz", max_size=300)))
    return bytes(found.pack())  # type: ignore[no-untyped-call]  # the same


@given(flags=FLAGS, topic=TOPICS, message=IDS, extra=properties(), payload=st.binary(max_size=300), five=st.booleans())
def test_publish_is_read_as_by_paho(
    flags: int, topic: str, message: int, extra: bytes, payload: bytes, *, five: bool
) -> None:
    """Topic, payload, flag and message id of whatever a broker may send, in both versions of the protocol."""
    name = topic.encode()
    waited_for = message.to_bytes(2, "big") if flags & 2 else b""
    packet = len(name).to_bytes(2, "big") + name + waited_for + (extra if five else b"") + payload
    version = MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311

    arrived = publication(flags, packet, has_properties=five)

    expected = naive.decode_publish(flags, bytearray(packet), version)
    assert (arrived.topic.encode(), arrived.payload) == (expected.topic, bytes(expected.payload))
    assert (arrived.retained, arrived.message) == (bool(expected.retain), expected.mid)


@given(message=IDS, reason=st.sampled_from([None, 0, 16, 135, 151]))
def test_puback_is_read_as_by_paho(message: int, reason: int | None) -> None:
    """Its message id and its reason, which may be left out."""
    packet = message.to_bytes(2, "big") + (b"" if reason is None else bytes([reason, 0]))

    expected = naive.decode_puback(0x40, bytearray(packet), MQTTProtocolVersion.MQTTv5)
    assert acknowledgment(packet) == (expected.mid, ReasonCode(PacketTypes.PUBACK, identifier=reason or 0).value)
    assert acknowledgment(packet)[1] == expected.reason.value


@given(topic=TOPICS, payload=st.binary(max_size=20_000), message=IDS, retain=st.booleans(), five=st.booleans())
def test_publish_and_puback_are_written_as_by_paho(
    topic: str, payload: bytes, message: int, *, retain: bool, five: bool
) -> None:
    """Byte by byte, in both versions of the protocol, whatever their length."""
    client = paho.Client(
        CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311
    )
    ours, theirs = socket.socketpair()
    with ours, theirs:
        client._sock = ours
        client._send_publish(message, topic.encode(), payload, 1, retain)
        client._send_puback(message)
        client._sock = None
        ours.shutdown(socket.SHUT_WR)
        expected = theirs.makefile("rb").read()

    written = publish(topic, payload, message, retain=retain, has_properties=five)
    assert written + acknowledge(message) == expected


@pytest.mark.parametrize(("topic", "payload"), [("x" * 65_536, b""), ("x", bytes(268_435_456))])
def test_what_mqtt_has_no_room_for_is_an_error(topic: str, payload: bytes) -> None:
    """A topic, or a message, that is too long."""
    with pytest.raises(ValueError, match="longer than MQTT"):
        publish(topic, payload, 1, retain=True, has_properties=True)


@pytest.mark.parametrize("packet", [b"\0\5ab", b"\0\1a\0", b"\0\1a\0\1\xff\xff\xff\xff\xff", b"\0\1a\0\1\5ab"])
def test_publish_cut_short_is_an_error(packet: bytes) -> None:
    """What ends before it says it does is refused, whichever part is missing."""
    with pytest.raises(ValueError, match="PUBLISH"):
        publication(0x32, packet, has_properties=True)


@given(
    packets=st.lists(st.tuples(st.sampled_from([0x30, 0x40, 0xB0]), st.binary(max_size=300)), max_size=5),
    cut=st.integers(0, 600),
)
def test_burst_is_taken_apart_into_the_packets_that_are_whole(packets: list[tuple[int, bytes]], cut: int) -> None:
    """Wherever the burst ends: in a packet, in the length of one, or between two."""
    whole = [bytes([kind]) + bytes(VariableByteIntegers.encode(len(rest))) + rest for kind, rest in packets]  # type: ignore[no-untyped-call]  # paho's types end here
    burst, found, at = b"".join(whole)[:cut], [], 0
    while (inside := content(burst, at)) is not None:
        begin, at = inside
        found.append(burst[begin:at])

    ends = list(accumulate(map(len, whole)))
    assert found == [rest for (_, rest), end in zip(packets, ends, strict=True) if end <= cut]
