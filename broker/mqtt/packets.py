"""The two kinds of packets that come and go by the thousand, read and written without the objects that paho makes of each. Pure.

As MQTT 3.1.1 and 5 have them (sections 3.3 and 3.4). No property is of use to us, so none is read, and none is sent.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

KIND: Final = 0b1111_0000
"""Of the first byte of a header: what kind of packet it is; these two are read here."""
PUBLISH: Final = 0x30
PUBACK: Final = 0x40
_RETAIN: Final = 0b0001
_QOS: Final = 0b0110
_QOS_1: Final = 0b0010
_MORE: Final = 0x80
"""Of a byte of a length: another one follows."""
_LONGEST: Final = 268_435_455
"""Bytes behind a fixed header (section 2.1.4)."""
_SIZES: Final = 1_024
"""Lengths that are not written out again: most documents are one of a few hundred bytes long."""
_LONGEST_NAME: Final = 65_535
"""Bytes of a topic (section 1.5.4)."""


class Arrived(NamedTuple):
    """A PUBLISH."""

    topic: str
    payload: bytes
    retained: bool
    message: int
    """The message id that is to be acknowledged; 0: nobody waits for that."""


def publication(command: int, packet: bytes, *, has_properties: bool) -> Arrived:
    """Read a PUBLISH; ``command`` is the first byte of its header. Raises ValueError."""
    end = 2 + int.from_bytes(packet[:2], "big")
    topic, message = packet[2:end].decode(), 0
    if command & _QOS:
        message = int.from_bytes(packet[end : end + 2], "big")
        end += 2
    if has_properties:
        end += _skipped(packet[end : end + 4])
    if end > len(packet):
        raise ValueError("a PUBLISH is shorter than it says")
    return Arrived(topic, packet[end:], bool(command & _RETAIN), message)


def content(data: bytes, start: int) -> tuple[int, int] | None:
    """Where the content of the packet that starts there begins and ends, behind its fixed header; None: it is not all there."""
    length = 0
    for index, byte in enumerate(data[start + 1 : start + 5]):
        length |= (byte & ~_MORE) << (7 * index)
        if not byte & _MORE:
            begin = start + 2 + index
            return (begin, begin + length) if begin + length <= len(data) else None
    return None


def acknowledgment(packet: bytes) -> tuple[int, int]:
    """Read a PUBACK: the message id, and the reason, which is 0 where none is given."""
    return int.from_bytes(packet[:2], "big"), packet[2] if len(packet) > 2 else 0  # noqa: PLR2004  # bytes of the id


def publish(topic: str, payload: bytes, message: int, *, retain: bool, has_properties: bool) -> bytes:
    """A whole PUBLISH at QoS 1. Raises ValueError when it is longer than MQTT allows."""
    name = topic.encode()
    no_properties = b"\0" if has_properties else b""
    if len(name) > _LONGEST_NAME:
        raise ValueError(f"a topic of {len(name)} bytes is longer than MQTT's {_LONGEST_NAME}")
    rest = b"%b%b%b%b%b" % (len(name).to_bytes(2, "big"), name, message.to_bytes(2, "big"), no_properties, payload)
    return b"%c%b%b" % (PUBLISH | _QOS_1 | retain, _length(len(rest)), rest)


def acknowledge(message: int) -> bytes:
    """A whole PUBACK without a reason, which is success."""
    return b"%c\2%b" % (PUBACK, message.to_bytes(2, "big"))


@lru_cache(maxsize=_SIZES)
def _length(size: int) -> bytes:
    """A length, seven bits a byte, the lowest first."""
    if size > _LONGEST:
        raise ValueError(f"a message of {size} bytes is longer than MQTT's {_LONGEST}")
    found = bytearray()
    while size >= _MORE:
        found.append(size & (_MORE - 1) | _MORE)
        size >>= 7
    found.append(size)
    return bytes(found)


def _skipped(size: bytes) -> int:
    """How many bytes properties take, with their length, which comes seven bits a byte."""
    length = 0
    for index, byte in enumerate(size):
        length |= (byte & ~_MORE) << (7 * index)
        if not byte & _MORE:
            return index + 1 + length
    raise ValueError("properties of a PUBLISH have no length")
